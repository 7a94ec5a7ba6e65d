"""Asking and answering, as a person sees it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import expect

from chatapp.errors import EngineDied
from chatapp.events import EngineEvent
from chatapp.records import ChatMessage, Sampling
from tests.faces.api_app import until
from tests.faces.browser import Site, Visitor, paced
from tests.fakes import Pause

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_an_answer_grows_word_by_word_and_shows_its_figures(
    site: Site, visitor: Visitor
) -> None:
    words = ["One", " two", " three", " four", " five", " six"]
    script, pauses = paced(*words)
    site.engine.say(*script)
    await visitor.say("Count, please")
    await expect(visitor.questions.last).to_contain_text("Count, please")
    for shown, pause in enumerate(pauses, start=1):
        await visitor.sees("".join(words[:shown]))
        await expect(visitor.answers.last).to_contain_text("Writing…")
        pause.go_on()
    await visitor.sees("One two three four five six")
    figures = visitor.page.locator(".figures")
    await expect(figures).to_have_text(re.compile(r"6 tokens · \d+\.\d s · first \d+\.\d s"))
    assert site.engine.asked[-1].messages[0].content == "Be kind and brief."


async def test_a_reload_shows_the_conversation_again(visitor: Visitor) -> None:
    await visitor.ask("Hello there")
    assert "?c=" in visitor.page.url
    await visitor.page.reload()
    await visitor.sees("Hello there")
    await expect(visitor.titles).to_have_text(["Hello there"])


async def test_stop_ends_the_engines_work_and_keeps_what_was_shown(
    site: Site, visitor: Visitor
) -> None:
    site.engine.say("Half of it", Pause())
    await visitor.say("Talk")
    await visitor.sees("Half of it")
    asked = site.engine.asked[-1]
    await visitor.press("Stop")
    await expect(visitor.answers.last).to_contain_text("Stopped")
    assert asked.ended == "cancelled"
    await visitor.page.reload()
    await visitor.sees("Half of it")
    await expect(visitor.answers.last).to_contain_text("Stopped")


async def test_a_closed_tab_stops_the_engine(site: Site, visitor: Visitor) -> None:
    site.engine.say("Nobody", Pause())
    await visitor.say("Talk to me")
    await visitor.sees("Nobody")
    asked = site.engine.asked[-1]
    await visitor.page.close()
    await until(lambda: asked.ended == "cancelled")


async def test_an_answer_goes_on_through_a_reload(site: Site, visitor: Visitor) -> None:
    pause = Pause()
    site.engine.say("Before", pause, " and after")
    await visitor.say("Talk on")
    await visitor.sees("Before")
    await visitor.page.reload()
    await visitor.sees("Before")
    await expect(visitor.page.locator("#stop")).to_be_visible()
    pause.go_on()
    await visitor.sees("Before and after")
    await visitor.idle()
    assert site.engine.asked[-1].ended == "stop"


async def test_another_conversation_can_be_read_while_one_grows(
    site: Site, visitor: Visitor
) -> None:
    await visitor.ask("An older one")
    await visitor.new_chat()
    pause = Pause()
    site.engine.say("Growing", pause, " further")
    await visitor.say("The newer one")
    await visitor.sees("Growing")
    await visitor.titles.filter(has_text="An older one").click()
    await visitor.sees("An older one")
    await visitor.idle()
    await visitor.titles.filter(has_text="The newer one").click()
    await visitor.sees("Growing")
    pause.go_on()
    await visitor.sees("Growing further")


async def test_retry_adds_a_version_and_both_stay_reachable(site: Site, visitor: Visitor) -> None:
    site.engine.say("First try")
    await visitor.ask("Say something")
    site.engine.say("Second try")
    await visitor.press("Answer again")
    await visitor.sees("Second try")
    await expect(visitor.answers).to_have_count(1)
    await expect(visitor.page.locator(".versions")).to_have_text("‹2/2›")
    await visitor.press("Previous version")
    await visitor.sees("First try")
    await expect(visitor.page.locator(".versions")).to_have_text("‹1/2›")
    await visitor.page.reload()
    await visitor.sees("First try")
    await visitor.press("Next version")
    await visitor.sees("Second try")


async def test_an_edited_question_starts_a_branch(site: Site, visitor: Visitor) -> None:
    await visitor.ask("How big is the tent")
    await visitor.ask("And the bag")
    first = visitor.questions.first
    await first.hover()
    await visitor.press("Edit", first)
    editor = visitor.page.get_by_label("Edit your message")
    await expect(editor).to_have_value("How big is the tent")
    await editor.fill("How big is the house")
    await visitor.page.keyboard.press("Enter")
    await visitor.sees("How big is the house")
    await expect(visitor.questions).to_have_count(1)
    await visitor.press("Previous version")
    await expect(visitor.questions).to_have_count(2)
    await visitor.sees("And the bag")


async def test_undo_takes_the_question_back_into_the_composer(visitor: Visitor) -> None:
    await visitor.ask("Keep this")
    await visitor.ask("Not this")
    await visitor.questions.last.hover()
    await visitor.press("Take back this question")
    await expect(visitor.questions).to_have_count(1)
    await expect(visitor.page.locator("#composer textarea")).to_have_value("Not this")


async def test_a_verdict_is_kept_and_can_be_taken_back(visitor: Visitor) -> None:
    await visitor.ask("Judge me")
    good = visitor.page.get_by_role("button", name="Good answer")
    await good.click()
    await expect(good).to_have_attribute("aria-pressed", "true")
    await visitor.page.reload()
    await expect(good).to_have_attribute("aria-pressed", "true")
    await visitor.press("Bad answer")
    await expect(good).to_have_attribute("aria-pressed", "false")
    await visitor.press("Bad answer")
    await expect(visitor.page.locator('[aria-pressed="true"][data-do="dislike"]')).to_have_count(0)


async def test_code_keeps_its_indentation_and_copies_exactly(site: Site, visitor: Visitor) -> None:
    await visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    code = "def f(x):\n    if x:\n\treturn [\n          1,\n        ]"
    answer = f"    \n```python\n{code}\n```"
    site.engine.say(*re.findall(r".{1,7}", answer, re.DOTALL))
    await visitor.ask("Code")
    shown = await visitor.last_answer.locator("pre code").text_content()
    # Markdown draws a tab as four spaces; a copy of the answer has it as it was written.
    assert shown.rstrip("\n") == code.replace("\t", "    ")
    await visitor.press("Copy")
    assert await visitor.page.evaluate("navigator.clipboard.readText()") == answer


async def test_tables_and_formulas_are_drawn(site: Site, visitor: Visitor) -> None:
    site.engine.say("|a|b|\n|-|-|\n|1|2|\n\n$$x^2$$ and \\(y_1\\) cost $5 to $9")
    await visitor.ask("Draw")
    await expect(visitor.last_answer.locator("td")).to_have_text(["1", "2"])
    await expect(visitor.last_answer.locator(".katex")).to_have_count(2)
    await expect(visitor.last_answer).to_contain_text("cost $5 to $9")


async def test_html_is_shown_and_never_run(site: Site, visitor: Visitor) -> None:
    evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
    site.engine.say(evil, " fine ${window.hacked=1} {{constructor}}")
    await visitor.ask(evil)
    await expect(visitor.last_answer).to_contain_text("fine")
    await expect(visitor.questions.last).to_contain_text(evil)
    await expect(visitor.titles.first).to_contain_text("<img")
    await visitor.page.reload()
    await expect(visitor.last_answer).to_contain_text("fine")
    assert await visitor.page.evaluate("window.hacked") is None


async def test_a_failure_is_one_sentence_and_can_be_tried_again(
    site: Site, visitor: Visitor
) -> None:
    site.engine.say("Almost", EngineDied("The model stopped. Please try again."))
    await visitor.say("Try this")
    failed = visitor.page.get_by_role("alert").filter(has_text="The model stopped.")
    await expect(failed).to_be_visible()
    await expect(visitor.last_answer).to_have_text("Almost")
    assert "Traceback" not in await visitor.page.content()
    site.engine.say("Now it works")
    await visitor.press("Try again")
    await visitor.sees("Now it works")


async def test_a_refused_question_goes_back_into_the_composer(visitor: Visitor) -> None:
    await visitor.say("x" * 200_001)
    await expect(visitor.toast).to_contain_text("at most 200,000 are allowed")
    box = visitor.page.locator("#composer textarea")
    await expect(box).not_to_be_empty()
    assert len(await box.input_value()) == 200_001
    await expect(visitor.questions).to_have_count(0)


async def test_an_unknown_failure_hides_its_details(site: Site, visitor: Visitor) -> None:
    site.engine.say(RuntimeError("secret detail"))
    await visitor.say("Break")
    await expect(visitor.page.locator(".state.failed")).to_be_visible()
    assert "secret detail" not in await visitor.page.content()


async def test_a_waiting_question_says_how_many_are_ahead(site: Site, visitor: Visitor) -> None:
    hold = [Pause() for _ in range(16)]
    people = [site.engine.stream([ChatMessage("user", "hold")], Sampling()) for _ in hold]
    for pause in hold:
        site.engine.say(pause, "x")
    running = [asyncio.create_task(_drain(person)) for person in people]
    await hold[-1].reached()
    site.engine.say("My turn")
    await visitor.say("Am I next")
    await expect(visitor.page.locator(".progress.queued")).to_have_text("Queued, 1 ahead of you")
    for pause in hold:
        pause.go_on()
    await visitor.sees("My turn")
    await asyncio.gather(*running)


async def test_dropped_turns_are_said_so(site: Site, visitor: Visitor) -> None:
    await visitor.ask("word " * 250)
    await visitor.ask("more " * 250)
    note = "The oldest turn no longer fits and was left out of this answer."
    await expect(visitor.answers.last).to_contain_text(note)
    await visitor.page.reload()
    await expect(visitor.answers.last).to_contain_text(note)


async def test_a_question_that_is_too_long_says_what_to_do(visitor: Visitor) -> None:
    await visitor.say("word " * 700)
    await expect(visitor.page.locator(".state.failed")).to_contain_text("Shorten the text")


async def _drain(events: AsyncGenerator[EngineEvent, None]) -> None:
    async for _ in events:
        pass
