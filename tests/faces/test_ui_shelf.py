"""The conversation list, the assistants and the settings, as a person sees them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.faces.api_app import until
from tests.faces.browser import Site, Visitor
from tests.fakes import Pause

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_an_empty_page_helps(visitor: Visitor) -> None:
    page = visitor.page
    await expect(page.get_by_role("heading", name="How can I help?")).to_be_visible()
    await expect(page.locator("#conversations")).to_contain_text("will be listed here")
    footer = "fake · fake-model · none · nowhere · 600 tokens of context · 0.12 GiB in use"
    await expect(page.locator("#model-line")).to_have_text(footer)
    assert visitor.elsewhere == []


async def test_an_assistant_brings_starters_instructions_and_controls(
    site: Site, visitor: Visitor
) -> None:
    page = visitor.page
    await page.get_by_role("combobox", name="Assistant").click()
    await page.get_by_role("option", name="Coding helper").click()
    await visitor.press("Sort a list in Python")
    await visitor.sees("Sort a list in Python")
    asked = site.engine.asked[-1]
    assert asked.messages[0].content == "Write correct code."
    assert (asked.sampling.temperature, asked.sampling.max_tokens) == (0.2, 300)
    await page.reload()
    await visitor.ready()
    await expect(page.get_by_role("combobox", name="Assistant")).to_have_value("Coding helper")


async def test_instructions_can_be_read_and_changed(site: Site, visitor: Visitor) -> None:
    await visitor.ask("First")
    await visitor.press("Chat settings")
    box = visitor.page.get_by_label("Instructions (system prompt)")
    await expect(box).to_have_value("Be kind and brief.")
    await box.fill("Rhyme.")
    await visitor.press("Close chat settings", visitor.page.locator("#settings"))
    await expect(visitor.page.get_by_text("Instructions saved.")).to_be_visible()
    await visitor.ask("Second")
    assert site.engine.asked[-1].messages[0].content == "Rhyme."
    await visitor.page.reload()
    await visitor.ready()
    await visitor.press("Chat settings")
    await expect(box).to_have_value("Rhyme.")


async def test_controls_change_how_it_writes(site: Site, visitor: Visitor) -> None:
    await visitor.press("Chat settings")
    settings = visitor.page.locator("#settings")
    await settings.get_by_role("button", name="How it writes").click()
    await settings.get_by_label("Seed").fill("7")
    longest = settings.get_by_role("spinbutton", name=re.compile("Longest answer"))
    await longest.fill("2")
    await longest.press("Tab")
    await visitor.press("Close chat settings", settings)
    await visitor.ask("one two three four")
    await visitor.sees("one two")
    await expect(visitor.answers.last).to_contain_text("Reached the length limit")
    sampling = site.engine.asked[-1].sampling
    assert (sampling.seed, sampling.max_tokens) == (7, 2)


async def test_a_conversation_can_be_renamed(visitor: Visitor) -> None:
    await visitor.ask("Old name")
    await visitor.press("Rename “Old name”", visitor.page.locator("#sidebar"))
    await visitor.page.keyboard.type("Tents & <b>bags</b>")
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.titles).to_have_text(["Tents & <b>bags</b>"])
    await visitor.page.reload()
    await expect(visitor.titles).to_have_text(["Tents & <b>bags</b>"])


async def test_a_deletion_can_be_undone(visitor: Visitor) -> None:
    await visitor.ask("Do not lose me")
    await visitor.press("Delete “Do not lose me”", visitor.page.locator("#sidebar"))
    await expect(visitor.titles).to_have_count(0)
    await expect(visitor.page.locator(".welcome")).to_be_visible()
    await expect(visitor.page.locator(".notice")).to_contain_text("Deleted “Do not lose me”.")
    await visitor.press("Undo")
    await visitor.sees("Do not lose me")
    await expect(visitor.titles).to_have_text(["Do not lose me"])
    await expect(visitor.page.locator(".notice")).to_have_count(0)


async def test_deleting_a_growing_conversation_stops_it_quietly(
    site: Site, visitor: Visitor
) -> None:
    site.engine.say("Growing", Pause())
    await visitor.say("Short lived")
    await visitor.sees("Growing")
    asked = site.engine.asked[-1]
    await visitor.press("Delete “Short lived”", visitor.page.locator("#sidebar"))
    await expect(visitor.page.locator(".welcome")).to_be_visible()
    await until(lambda: asked.ended == "cancelled")
    await expect(visitor.page.locator("#send")).to_be_visible()
    await expect(visitor.toast).to_have_count(0)


async def test_search_finds_what_was_said(site: Site, visitor: Visitor) -> None:
    site.engine.say("The zeppelin is full")
    await visitor.ask("About travel")
    await visitor.new_chat()
    await visitor.ask("About food")
    await expect(visitor.titles).to_have_text(["About food", "About travel"])
    search = visitor.page.get_by_label("Search conversations")
    await search.press_sequentially("zeppelin")
    await expect(visitor.titles).to_have_text(["About travel"])
    await search.fill("nowhere")
    await expect(visitor.page.locator("#conversations")).to_contain_text("No conversation mentions")
    await search.fill("")
    await expect(visitor.titles).to_have_count(2)


async def test_a_conversation_can_be_taken_along(
    site: Site, visitor: Visitor, tmp_path: Path
) -> None:
    site.engine.say("In a *bag*")
    await visitor.ask("Where to put it")
    await visitor.press("Chat settings")
    settings = visitor.page.locator("#settings")
    async with visitor.page.expect_download() as waiting:
        await visitor.press("Export Markdown", settings)
    markdown = await waiting.value
    assert markdown.suggested_filename == "Where to put it.md"
    await markdown.save_as(tmp_path / "chat.md")
    assert "In a *bag*" in (tmp_path / "chat.md").read_text("utf-8")
    async with visitor.page.expect_download() as waiting:
        await visitor.press("Export JSON", settings)
    file = tmp_path / "chat.json"
    await (await waiting.value).save_as(file)
    assert json.loads(file.read_text("utf-8"))["title"] == "Where to put it"

    other = await site.visit()
    await other.press("Chat settings")
    await other.page.locator('#settings input[type="file"]').set_input_files(file)
    await other.sees("In a bag")
    await expect(other.page.locator(".notice")).to_contain_text("Imported “Where to put it”.")
    await expect(other.titles).to_have_text(["Where to put it"])

    (tmp_path / "broken.json").write_text("{")
    await other.page.locator('#settings input[type="file"]').set_input_files(
        tmp_path / "broken.json"
    )
    await expect(other.toast).to_contain_text("The file is not JSON")
    await other.close()


async def test_two_people_do_not_see_each_others_conversations(
    site: Site, visitor: Visitor
) -> None:
    await visitor.ask("A private matter")
    address = visitor.page.url.removeprefix(site.address)
    other = await site.visit(address)
    await expect(other.page.locator(".notice")).to_contain_text("belongs to another browser")
    await expect(other.page.locator(".welcome")).to_be_visible()
    await expect(other.titles).to_have_count(0)
    assert "A private matter" not in await other.page.content()
    await other.close()


async def test_the_back_button_goes_to_the_conversation_before(visitor: Visitor) -> None:
    await visitor.ask("The first one")
    await visitor.new_chat()
    await visitor.ask("The second one")
    await visitor.titles.last.click()
    await visitor.sees("The first one")
    await visitor.page.go_back()
    await visitor.sees("The second one")
