"""Keyboard, languages, colours, phones and screen readers."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.faces.browser import Site, Visitor
from tests.fakes import Pause

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


async def test_the_keyboard_is_enough(site: Site, visitor: Visitor) -> None:
    page, keys = visitor.page, visitor.page.keyboard
    await page.locator("#composer textarea").focus()
    await keys.press("Enter")  # nothing typed: nothing sent
    await keys.type("one")
    await keys.press("Shift+Enter")
    await keys.type("two")
    site.engine.say("Line", Pause())
    await keys.press("Enter")
    await visitor.sees("Line")
    assert site.engine.asked[-1].messages[-1].content == "one\ntwo"
    await keys.type("too early")
    await keys.press("Enter")  # an answer is being written: kept, not sent
    await keys.press("Escape")
    await expect(visitor.answers.last).to_contain_text("Stopped")
    await expect(visitor.questions).to_have_count(1)
    await expect(page.locator("#composer textarea")).to_have_value("too early")
    await keys.press("Control+k")
    await expect(page.locator(".welcome")).to_be_visible()
    await expect(page.locator("#composer textarea")).to_be_focused()


async def test_new_answers_are_announced_once(site: Site, visitor: Visitor) -> None:
    site.engine.say("Read me out")
    await visitor.ask("Speak")
    announcer = visitor.page.locator("#announcer")
    await expect(announcer).to_have_text("The assistant answered: Read me out")
    await expect(announcer).to_have_attribute("aria-live", "polite")
    await expect(visitor.page.get_by_role("log")).to_have_attribute("aria-live", "off")


async def test_chinese_can_be_chosen_and_stays(site: Site) -> None:
    person = await site.visit()
    await person.page.fill("#composer textarea", "half a thought")
    await person.press("中文")
    await expect(person.page.get_by_role("heading", name="有什么可以帮你？")).to_be_visible()
    await expect(person.page.locator("#composer textarea")).to_have_value("half a thought")
    await expect(person.page.locator("#composer textarea")).to_have_attribute(
        "placeholder", "想问什么就问什么……"
    )
    await expect(person.page.get_by_role("combobox", name="助手")).to_have_value("客户服务")
    await expect(person.page.locator("html")).to_have_attribute("lang", "zh-CN")
    await person.say("word " * 700)
    await expect(person.page.locator(".state.failed")).to_contain_text("消息太长")
    await person.page.reload()
    await expect(person.page.locator("#conversations")).to_contain_text("今天")
    await person.press("EN")
    await expect(person.page.locator("#conversations")).to_contain_text("Today")
    await person.close()


async def test_a_chinese_browser_starts_in_chinese(site: Site) -> None:
    person = await site.visit(locale="zh-TW")
    await expect(person.page.get_by_role("heading", name="有什么可以帮你？")).to_be_visible()
    await expect(person.page.get_by_label("搜索对话")).to_be_visible()
    await person.close()


async def test_dark_and_light_can_be_switched_and_stay(site: Site) -> None:
    person = await site.visit(color_scheme="dark")
    body = person.page.locator("body")
    await expect(body).to_have_class(re.compile("dark"))
    await person.press("Switch between light and dark")
    await expect(body).not_to_have_class(re.compile("dark"))
    await person.page.reload()
    await person.ready()
    await expect(body).not_to_have_class(re.compile("dark"))
    background = "getComputedStyle(document.querySelector('.gradio-container')).backgroundColor"
    assert await person.page.evaluate(background) in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    await person.close()


async def test_on_a_phone_the_list_is_a_drawer(site: Site) -> None:
    person = await site.visit(**PHONE)
    page = person.page
    await person.ask("From the train")
    await expect(page.locator("#sidebar")).to_be_hidden()
    width = "document.documentElement.scrollWidth"
    assert await page.evaluate(width) <= 390
    await person.press("Conversations")
    await expect(page.locator("#sidebar")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#sidebar")).to_be_hidden()
    await person.press("Conversations")
    await person.titles.first.click()
    await expect(page.locator("#sidebar")).to_be_hidden()
    await person.sees("From the train")
    await person.press("Chat settings")
    await expect(page.get_by_label("Instructions (system prompt)")).to_be_visible()
    assert await page.evaluate(width) <= 390
    await person.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(site: Site, scheme: str) -> None:
    person = await site.visit(color_scheme=scheme)
    site.engine.say("A list:\n\n- one\n- two\n\n```python\nprint('x')\n```\n\n|a|b|\n|-|-|\n|1|2|")
    await person.ask("Show me everything")
    await person.press("Answer again")
    await expect(person.page.locator(".versions")).to_have_text("‹2/2›")
    await person.idle()
    await person.press("Chat settings")
    results = await Axe().run(person.page)
    serious = [
        (violation["id"], [node["html"][:200] for node in violation["nodes"]])
        for violation in results.response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    assert serious == []
    await person.close()
