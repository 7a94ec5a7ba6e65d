"""Saying what is wrong with an answer, picking who answers, and comparing two, in a browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import async_playwright, expect

from chatapp.store import Database
from tests.faces.api_app import serving
from tests.faces.browser import ARGUMENTS, CHROMIUM, DESKTOP, Site, Visitor
from tests.faces.conftest import PERSONAS
from tests.faces.teaching_site import TeachingSite, teaching_site
from tests.fakes import FakeEngine, Pause

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def insides(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TeachingSite]:
    if not CHROMIUM.exists():
        pytest.skip(f"needs Chromium at {CHROMIUM} (Debian: apt-get install chromium)")
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('teaching') / 'page.db'}")
    database.migrate()
    engine = FakeEngine(context_length=2000, max_running=16, max_waiting=16)
    await engine.start()
    yield teaching_site(database, engine, PERSONAS)
    database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(insides: TeachingSite) -> AsyncIterator[Site]:
    async with serving(insides.app) as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        shared = await browser.new_context(**DESKTOP)
        yield Site(address, insides.engine, insides.conversations, browser, shared)
        await browser.close()


Arrive = Callable[..., Any]


@pytest_asyncio.fixture(loop_scope="session")
async def arrive(place: Site) -> AsyncIterator[Arrive]:
    """A person with a fresh browser; ``staff`` are known by a cookie."""
    contexts = []

    async def come(path: str = "/", *, staff: bool = False, **options: Any) -> Visitor:
        context = await place.browser.new_context(**(DESKTOP | options))
        contexts.append(context)
        if staff:
            cookie = {"name": "role", "value": "staff", "url": place.address}
            await context.add_cookies([cookie])  # type: ignore[list-item]
        person = Visitor(place, context)
        await person.open(path)
        return person

    yield come
    for context in contexts:
        await context.close()


def form(person: Visitor) -> Any:
    return person.page.locator("form.feedback")


async def serious(person: Visitor) -> list[tuple[str, list[str]]]:
    results = await Axe().run(person.page)
    return [
        (violation["id"], [node["html"][:200] for node in violation["nodes"]])
        for violation in results.response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


# ---- what is wrong with an answer ---------------------------------------------------------------
async def test_a_thumb_down_asks_why_and_thanks(arrive: Arrive, insides: TeachingSite) -> None:
    person = await arrive()
    page, keys = person.page, person.page.keyboard
    insides.engine.say("Within 14 days.")
    await person.ask("How long can I return a tent?")
    await person.press("Bad answer")
    thumb = page.get_by_role("button", name="Bad answer")
    await expect(thumb).to_have_attribute("aria-pressed", "true")
    group = page.get_by_role("group", name="What was wrong with it?")
    await expect(group.get_by_role("radio")).to_have_count(6)
    await expect(group.get_by_role("radio", name="Wrong")).to_be_focused()
    await keys.press("Space")
    await keys.press("ArrowRight")
    await expect(group.get_by_role("radio", name="Incomplete")).to_be_checked()
    await page.get_by_label("Anything to add? (optional)").fill("See the <b>handbook</b>")
    await page.get_by_label("What should it have said? (optional)").fill("Within 30 days.")
    await keys.press("Control+Enter")
    thanks = page.locator(".given")
    await expect(thanks).to_contain_text("Thank you. The team will look at it.")
    await expect(form(person)).to_have_count(0)
    await expect(page.locator("#announcer")).to_have_text("Thank you. The team will look at it.")
    remark = insides.remarks.list(search="handbook")[0]
    assert (remark.reason, remark.better, remark.answer, remark.adapter) == (
        "incomplete", "Within 30 days.", "Within 14 days.", "returns-2"
    )  # fmt: skip
    # Only its own words come back, to be changed.
    await thanks.get_by_role("button", name="Change").click()
    await expect(page.get_by_label("What should it have said? (optional)")).to_have_value(
        "Within 30 days."
    )
    await page.get_by_label("What should it have said? (optional)").fill("Within 60 days.")
    await form(person).get_by_role("button", name="Send").click()
    await expect(form(person)).to_have_count(0)
    assert insides.remarks.get(remark.id).better == "Within 60 days."
    await page.reload()
    await thanks.get_by_role("button", name="Take back").click()
    await expect(thanks).to_have_count(0)
    await expect(thumb).to_have_attribute("aria-pressed", "false")
    assert insides.remarks.get(remark.id).status == "withdrawn"


async def test_a_thumb_counts_without_the_form(arrive: Arrive, insides: TeachingSite) -> None:
    person = await arrive()
    await person.ask("One")
    await person.press("Bad answer")
    await expect(form(person)).to_be_visible()
    await person.page.keyboard.press("Escape")
    await expect(form(person)).to_have_count(0)
    thumb = person.page.get_by_role("button", name="Bad answer")
    await expect(thumb).to_be_focused()
    await expect(thumb).to_have_attribute("aria-pressed", "true")
    await expect(person.page.locator(".given")).to_have_count(0)
    await thumb.click()  # once more: taken back
    await expect(thumb).to_have_attribute("aria-pressed", "false")
    await expect(form(person)).to_have_count(0)
    await person.press("Good answer")
    await expect(person.page.get_by_role("button", name="Good answer")).to_have_attribute(
        "aria-pressed", "true"
    )
    await expect(form(person)).to_have_count(0)


async def test_nothing_and_too_much_are_refused_and_nothing_typed_is_lost(
    arrive: Arrive, insides: TeachingSite
) -> None:
    person = await arrive()
    page = person.page
    await person.ask("Two")
    await person.press("Bad answer")
    send = form(person).get_by_role("button", name="Send")
    await send.click()
    problem = form(person).get_by_role("alert")
    await expect(problem).to_have_text("Choose a reason or write something before you send it.")
    comment = page.get_by_label("Anything to add? (optional)")
    await comment.fill("x" * 2_001)
    await send.click()
    await expect(problem).to_contain_text("2001 characters, at most 2000 are allowed")
    await comment.fill("Much better")
    # An answer that is drawn meanwhile leaves the form alone.
    pause = Pause()
    insides.engine.say("Growing", pause, " on")
    await person.say("Three")
    await pause.reached()
    await expect(form(person)).to_be_visible()
    await expect(comment).to_have_value("Much better")
    pause.go_on()
    await person.idle()
    await send.click()
    await expect(page.locator(".given")).to_be_visible()
    assert len(insides.remarks.list(search="much better")) == 1


async def test_a_reviewed_remark_is_closed(arrive: Arrive, insides: TeachingSite) -> None:
    person = await arrive()
    await person.ask("Four")
    await person.press("Bad answer")
    await form(person).get_by_role("radio", name="Tone").check()
    await form(person).get_by_role("button", name="Send").click()
    await expect(person.page.locator(".given")).to_be_visible()
    insides.remarks.decide(insides.remarks.list(search="four")[0].id, "rejected")
    await person.page.reload()
    given = person.page.locator(".given")
    await expect(given).to_have_text("The team has reviewed your feedback. Thank you.")
    await expect(given.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("look", [PHONE | {"color_scheme": "dark"}, {"locale": "zh-CN"}])
async def test_the_form_fits_speaks_and_passes_axe(arrive: Arrive, look: Any) -> None:
    person = await arrive(**look)
    await person.ask("Five")
    await person.page.locator('[data-do="dislike"]').click()
    legend = "哪里不对？" if "locale" in look else "What was wrong with it?"
    await expect(form(person).locator("legend")).to_have_text(legend)
    width = look.get("viewport", {}).get("width", 1280)
    assert await person.page.evaluate("document.documentElement.scrollWidth") <= width
    await form(person).locator(".reason").first.click()
    assert await serious(person) == []


# ---- who answers --------------------------------------------------------------------------------
async def test_customers_see_no_names_and_cannot_choose(
    arrive: Arrive, insides: TeachingSite
) -> None:
    person = await arrive()
    await person.page.evaluate("sessionStorage.setItem('adapter', 'returns-1')")
    await person.ask("May I return it?")
    await expect(person.answers.last).not_to_contain_text("returns-2")
    await expect(person.page.locator(".labels")).to_have_count(0)
    assert insides.engine.asked[-1].adapter == "returns-2"
    assert "returns-1" not in await person.page.content()
    await person.press("Chat settings")
    await expect(person.page.locator("#staff-tools")).not_to_contain_text("Who answers")
    # Nor does it help to send what the page does not offer.
    await person.page.evaluate(
        "window.chatapp.page.send('compare',"
        " {question: 'x', first: 'base', second: 'live', blind: 'no'})"
    )
    await expect(person.toast).to_contain_text("Only staff can compare answers.")


async def test_staff_pick_who_answers_and_see_who_did(
    arrive: Arrive, insides: TeachingSite
) -> None:
    person = await arrive(staff=True)
    page = person.page
    await person.ask("May I return it?")
    await expect(person.answers.last.locator(".chip")).to_have_text("returns-2")
    await expect(person.questions.last.locator(".labels")).to_have_text("refund")
    await person.press("Chat settings")
    await page.get_by_label("Who answers").select_option(label="base model")
    await page.keyboard.press("Escape")
    chip = page.locator(".answers-as")
    await expect(chip).to_contain_text("Answers: base model")
    await person.press("Answer again")
    await expect(page.locator(".versions")).to_have_text("‹2/2›")
    await person.idle()
    await expect(person.answers.last.locator(".chip")).to_have_text("base model")
    assert insides.engine.asked[-1].adapter is None
    await page.reload()
    await expect(chip).to_contain_text("base model")  # it stays with the tab
    await chip.click()
    await expect(chip).to_have_count(0)
    await person.ask("Again")
    assert insides.engine.asked[-1].adapter == "returns-2"


# ---- two answers at once ------------------------------------------------------------------------
async def test_two_answers_grow_side_by_side_and_are_voted_on_blind(
    arrive: Arrive, insides: TeachingSite
) -> None:
    person = await arrive("/?compare=returns-1", staff=True)
    page = person.page
    await expect(page.get_by_role("heading", name="Compare two answers")).to_be_visible()
    await expect(page.get_by_role("combobox", name="One", exact=True)).to_have_value("live")
    await expect(page.get_by_role("combobox", name="The other")).to_have_value("returns-1")
    left, right = Pause(), Pause()
    insides.engine.say("**Thirty**", left, " days")
    insides.engine.say("Never", right, " ever")
    await page.get_by_label("Question", exact=True).fill("How long?")
    await page.keyboard.press("Enter")
    await left.reached()
    await right.reached()
    await expect(page.locator("#left-answer")).to_have_text("Thirty")
    await expect(page.locator("#right-answer")).to_have_text("Never")
    heads = page.locator("#compare .side-head h3")
    await expect(heads).to_have_text(["A", "B"])
    boxes = [await page.locator("#compare .side").nth(one).bounding_box() for one in (0, 1)]
    assert boxes[0]
    assert boxes[1]
    assert boxes[0]["y"] == boxes[1]["y"]
    left.go_on()
    right.go_on()
    vote = page.get_by_role("group", name="Which one is better?")
    await expect(vote.get_by_role("button")).to_have_count(4)
    assert await serious(person) == []
    await vote.get_by_role("button", name="A is better").click()
    # The fixture's coin puts the second on the left.
    await expect(heads).to_have_text(["A · returns-1", "B · returns-2"])
    status = page.locator("#compare-verdict").get_by_role("status")
    await expect(status).to_contain_text("You preferred returns-1.")
    await expect(status).to_contain_text("1 won, 0 lost, 0 undecided.")
    kept = insides.votes.list()[0]
    assert (kept.adapters, kept.verdict) == (("returns-2", "returns-1"), "second")
    assert kept.answers == ("Never ever", "**Thirty** days")
    await status.get_by_role("button", name="Undo").click()
    await expect(status).to_have_count(0)
    assert insides.votes.list() == []
    await page.keyboard.press("Escape")
    await expect(page.locator("#compare")).to_be_hidden()


async def test_on_a_phone_they_stand_one_below_the_other_and_stop(
    arrive: Arrive, insides: TeachingSite
) -> None:
    person = await arrive(staff=True, **PHONE)
    page = person.page
    await person.press("Conversations")
    await person.press("Compare two answers", page.locator("#sidebar"))
    await page.get_by_label(re.compile("Blind")).uncheck()
    insides.engine.say("A long", Pause(), "never")
    insides.engine.say("B long", Pause(), "never")
    await page.get_by_label("Question", exact=True).fill("How long?")
    await page.get_by_role("button", name="Ask both").click()
    await expect(page.locator("#left-answer")).to_have_text(re.compile("[AB] long"))
    await expect(page.locator("#right-answer")).to_have_text(re.compile("[AB] long"))
    heads = page.locator("#compare .side-head h3")
    await expect(heads).to_have_text(["A · returns-2", "B · returns-1"])
    boxes = [await page.locator("#compare .side").nth(one).bounding_box() for one in (0, 1)]
    assert boxes[0]
    assert boxes[1]
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"]
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await page.locator("#compare-form").get_by_role("button", name="Stop").click()
    await expect(page.locator("#compare .state")).to_have_text(["Stopped", "Stopped"])
    await expect(page.get_by_role("group", name="Which one is better?")).to_have_count(0)
    await expect(page.get_by_role("button", name="Ask both")).to_be_enabled()


async def test_whoever_waits_for_an_adapter_is_told(arrive: Arrive, insides: TeachingSite) -> None:
    person = await arrive(staff=True)
    page = person.page
    await page.evaluate("sessionStorage.setItem('adapter', 'returns-1')")
    await page.reload()
    await expect(page.locator(".answers-as")).to_be_visible()
    insides.adapters.slow = Pause()
    await person.say("Slow")
    await expect(page.locator(".notice")).to_contain_text("Getting returns-1 ready…")
    insides.adapters.slow.go_on()
    await expect(person.answers).to_have_count(1)
    await expect(page.locator(".notice")).to_have_count(0)
    await person.idle()
    insides.adapters.slow = slow = Pause()
    await person.press("Compare two answers", page.locator("#sidebar"))
    await page.get_by_label("Question", exact=True).fill("How long?")
    await page.get_by_role("button", name="Ask both").click()
    await expect(page.locator("#compare .state")).to_have_text(["Getting both ready…"] * 2)
    insides.adapters.slow = None
    slow.go_on()
    await expect(page.get_by_role("group", name="Which one is better?")).to_be_visible()
    await page.get_by_role("combobox", name="One", exact=True).select_option("returns-1")
    await page.get_by_role("button", name="Ask both").click()
    await expect(person.toast).to_contain_text("Both sides would be answered by returns-1")
    await expect(page.locator("#compare-sides")).to_be_hidden()
    await expect(page.get_by_role("button", name="Ask both")).to_be_enabled()


async def test_without_adapters_the_comparison_says_what_is_missing(
    tmp_path: Path, place: Site
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'page.db'}")
    database.migrate()
    engine = FakeEngine()
    await engine.start()
    untaught = teaching_site(database, engine, PERSONAS, names=())
    async with serving(untaught.app) as address:
        context = await place.browser.new_context(**DESKTOP)
        await context.add_cookies([{"name": "role", "value": "staff", "url": address}])
        page = await context.new_page()
        await page.goto(f"{address}/?compare=")
        await expect(page.locator("#compare")).to_contain_text("nothing has been taught")
        await expect(page.locator("#compare").get_by_role("link", name="Teach")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.locator("#compare")).to_be_hidden()
        await context.close()
    database.close()
