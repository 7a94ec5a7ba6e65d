"""The Review page, as the support team sees it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright, expect

from chatapp.feedback_records import Tally
from chatapp.knowledge_records import Grounding, Source
from chatapp.records import ChatMessage
from chatapp.store import Database
from chatapp.training.data import guess, read_rows, to_examples
from tests.faces.api_app import serving
from tests.faces.browser import ARGUMENTS, CHROMIUM, DESKTOP
from tests.faces.review_site import ReviewSite, review_site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
SOURCE = Source(
    number=1,
    document_id="d",
    document="handbook.md",
    title="Returns handbook",
    kind="markdown",
    text="30 days",
    relevance=0.9,
    passage_id=1,
    cited=True,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReviewSite]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('review') / 'review.db'}")
    database.migrate()
    yield review_site(database)
    database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def address(site: ReviewSite) -> AsyncIterator[str]:
    if not CHROMIUM.exists():
        pytest.skip(f"needs Chromium at {CHROMIUM} (Debian: apt-get install chromium)")
    async with serving(site.app) as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chromium() -> AsyncIterator[Any]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


Arrive = Callable[..., Any]


@pytest_asyncio.fixture(loop_scope="session")
async def arrive(address: str, chromium: Any) -> AsyncIterator[Arrive]:
    """A reviewer, at the page with these filters."""
    contexts = []

    async def come(tab: str = "queue", **options: Any) -> Page:
        context = await chromium.new_context(**(DESKTOP | options))
        contexts.append(context)
        page: Page = await context.new_page()
        page.set_default_timeout(25_000)
        await page.goto(f"{address}/review/?tab={tab}")
        await expect(page.locator("#head h1")).to_be_visible()
        return page

    yield come
    for context in contexts:
        await context.close()


def row(page: Page, question: str) -> Any:
    return page.locator(".remark").filter(has_text=question)


async def unfold(page: Page, question: str) -> Any:
    found = row(page, question)
    await found.locator("summary").first.click()
    await expect(found.locator(".inside")).to_be_visible()
    return found


async def press(root: Any, name: str) -> None:
    await root.get_by_role("button", name=name, exact=True).click()


async def serious(page: Page) -> list[tuple[str, list[str]]]:
    results = await Axe().run(page)
    return [
        (violation["id"], [node["html"][:200] for node in violation["nodes"]])
        for violation in results.response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


# ---- reading -----------------------------------------------------------------------------------
async def test_a_row_unfolds_to_all_there_is_to_know(arrive: Arrive, site: ReviewSite) -> None:
    site.give(
        "May I return a <b>tent</b>?",
        "Within 30 days. Ask ann@shop.example",
        comment="See the handbook",
        adapter="returns-2",
        grounding=Grounding(route="sources", sources=(SOURCE,)),
        earlier=(ChatMessage("user", "Good morning"),),
    )
    page = await arrive()
    opened = await unfold(page, "May I return a <b>tent</b>?")
    for text in ("Never.", "From sources · returns-2", "Returns handbook", "See the handbook"):
        await expect(opened).to_contain_text(text)
    await expect(opened).to_contain_text("Hide personal data in the example (Within 30 days.")
    await opened.get_by_text("Earlier in this conversation").click()
    await expect(opened.get_by_text("Good morning")).to_be_visible()
    await expect(opened.get_by_label("What it should say")).to_have_value(
        "Within 30 days. Ask ann@shop.example"
    )
    waiting = page.get_by_role("link", name=re.compile("^Review"))
    await expect(waiting).to_have_attribute("aria-current", "page")
    await expect(waiting).to_contain_text(str(site.feedback.waiting()))
    assert await serious(page) == []


async def test_filters_and_search_find(arrive: Arrive, site: ReviewSite) -> None:
    site.give("Filter alpha", reason="tone", comment="")
    site.give("Filter beta", reason="outdated", comment="Says Ärger")
    site.review.reject(site.give("Filter gamma", reason="tone").id)
    page = await arrive()
    asked = page.locator(".remark .asked")
    await page.get_by_label("Reason").select_option(label="Tone")
    await expect(asked).to_have_text(["Filter alpha"])
    await page.get_by_label("Show", exact=True).select_option(label="All")
    await expect(asked).to_have_text(["Filter gamma", "Filter alpha"])
    await page.get_by_label("Reason").select_option(label="Any reason")
    await page.get_by_label("Show", exact=True).select_option(label="Waiting")
    await page.get_by_label("Search feedback").fill("ärger")
    await expect(asked).to_have_text(["Filter beta"])
    await page.get_by_label("Search feedback").fill("nobody said this")
    await expect(page.locator("#queue")).to_contain_text("No feedback fits these filters.")


# ---- deciding ----------------------------------------------------------------------------------
async def test_an_example_is_edited_masked_approved_and_taken_back(
    arrive: Arrive, site: ReviewSite
) -> None:
    site.give("Who helps with tents?", "Ann")
    page = await arrive()
    opened = await unfold(page, "Who helps with tents?")
    await opened.get_by_label("What it should say").fill("Write to ann@shop.example, please.")
    await press(opened, "Approve as example")
    notice = page.locator(".notice")
    await expect(notice).to_contain_text("Approved as an example.")
    await expect(row(page, "Who helps with tents?")).to_have_count(0)
    (kept,) = site.review.corrections("Who helps")
    assert kept.answer == "Write to [email] please."
    await expect(page.locator("[data-waiting]")).to_have_text(str(site.feedback.waiting()))
    await press(notice, "Undo")
    await expect(row(page, "Who helps with tents?")).to_have_count(1)
    assert site.review.corrections("Who helps") == []
    # What was typed is still there.
    again = row(page, "Who helps with tents?")
    await expect(again.get_by_label("What it should say")).to_have_value(
        "Write to ann@shop.example, please."
    )
    await again.get_by_label(re.compile("Hide personal data")).uncheck()
    await press(again, "Approve as example")
    await expect(notice).to_contain_text("Approved as an example.")
    assert site.review.corrections("Who helps")[0].answer == "Write to ann@shop.example, please."


async def test_an_empty_answer_is_not_sent(arrive: Arrive, site: ReviewSite) -> None:
    site.give("Nothing suggested", "")
    page = await arrive()
    opened = await unfold(page, "Nothing suggested")
    await expect(opened.locator(".note")).to_contain_text("Write the answer you would give.")
    await press(opened, "Approve as example")
    await expect(opened.get_by_label("What it should say")).to_be_focused()
    await expect(row(page, "Nothing suggested")).to_have_count(1)


async def test_an_faq_entry_and_a_missing_document(arrive: Arrive, site: ReviewSite) -> None:
    site.give("How do I wash a jacket?", "Cold, with down soap.")
    site.give("Do you rent boats?")
    page = await arrive()
    opened = await unfold(page, "How do I wash a jacket?")
    await opened.get_by_label("Collection").select_option(label="public")
    await press(opened, "Make FAQ entry")
    await expect(page.locator(".notice")).to_contain_text("In the FAQ.")
    (entry,) = site.faqs.entries(site.public.id, "jacket")
    assert (entry.questions, entry.answer) == (
        ("How do I wash a jacket?",), "Cold, with down soap."
    )  # fmt: skip
    opened = await unfold(page, "Do you rent boats?")
    await opened.get_by_label(re.compile("Note on the missing")).fill("A price list of boats")
    await press(opened, "Missing document")
    await expect(page.locator(".notice")).to_contain_text("Added to the unanswered questions")
    waiting = site.unanswered.list(site.public.id)
    assert [(one.question, one.note) for one in waiting] == [
        ("Do you rent boats?", "A price list of boats")
    ]
    # Days later it can still be undone, from the row itself.
    await page.get_by_label("Show", exact=True).select_option(label="Missing documents")
    decided = await unfold(page, "Do you rent boats?")
    await press(decided, "Undo")
    await expect(page.locator(".notice")).to_contain_text("It waits for review again.")
    assert site.unanswered.list(site.public.id) == []


async def test_what_another_reviewer_decided_is_told(arrive: Arrive, site: ReviewSite) -> None:
    remark = site.give("Two reviewers")
    page = await arrive()
    opened = await unfold(page, "Two reviewers")
    site.review.reject(remark.id)
    await press(opened, "Approve as example")
    await expect(page.locator(".toast-body")).to_contain_text("not open any more")
    await expect(opened.get_by_role("button", name="Reject")).to_be_enabled()


# ---- examples ----------------------------------------------------------------------------------
async def test_examples_are_counted_edited_and_lead_to_teaching(
    arrive: Arrive, site: ReviewSite
) -> None:
    for number in range(10):
        question = f"{'abcdefghij'[number] * 8} {number}?"
        site.review.approve(site.give(question).id, question, f"Answer {number}")
    page = await arrive("examples")
    parts = site.feedback.parts()
    assert parts.held_out
    pane = page.locator("#panel-examples")
    await expect(pane).to_contain_text(f"{len(parts.trained)} to learn from")
    await expect(pane).to_contain_text(f"{len(parts.held_out)} set aside")
    await expect(pane.locator("tbody .tag", has_text="set aside")).to_have_count(
        len(parts.held_out)
    )
    teach = pane.get_by_role("link", name=f"Teach with these ({len(parts.trained)})")
    await expect(teach).to_have_attribute("href", "/teach/?corrections=1")
    await pane.get_by_label("Search examples").fill("cccccccc")
    await expect(pane.locator("tbody tr")).to_have_count(1)
    await press(pane, "Edit “cccccccc 2?”")
    await pane.get_by_label("Answer").fill("A better answer")
    await press(pane, "Save")
    await expect(page.locator(".notice")).to_contain_text("Saved.")
    assert site.review.corrections("cccccccc")[0].answer == "A better answer"
    await press(page.locator(".notice"), "Undo")
    await expect(page.locator(".notice")).to_contain_text("As it was before.")
    assert site.review.corrections("cccccccc")[0].answer == "Answer 2"
    await press(pane, "Delete “cccccccc 2?”")
    await expect(pane.locator("tbody tr")).to_have_count(0)
    await press(page.locator(".notice"), "Undo")
    await expect(pane.locator("tbody tr")).to_have_count(1)


# ---- numbers -----------------------------------------------------------------------------------
async def test_votes_and_labels_are_counted(arrive: Arrive, site: ReviewSite) -> None:
    site.tallies[:] = [
        Tally(adapter="returns-2", other=None, wins=3, losses=1, ties=1),
        Tally(adapter="a", other="b", both_bad=2),
    ]
    site.labels["intent"] = [("refund", 1_042), ("delivery", 7)]
    page = await arrive("numbers")
    await expect(page.locator("#numbers")).to_contain_text("3 up, 1 down in the last 30 days: 75%")
    rows = page.locator("#numbers section").nth(1).locator("tbody tr")
    await expect(rows.nth(0)).to_have_text("returns-2 against base model5311075%")
    await expect(rows.nth(1)).to_have_text("a against b20002–")
    labels = page.get_by_role("region", name="Intent")
    await expect(labels.get_by_role("row")).to_have_count(3)
    await expect(labels).to_contain_text("1,042")


# ---- looks -------------------------------------------------------------------------------------
@pytest.mark.parametrize("look", [PHONE | {"color_scheme": "dark"}, {"locale": "zh-CN"}])
async def test_it_fits_a_phone_and_speaks_chinese(
    arrive: Arrive, site: ReviewSite, look: Any
) -> None:
    site.give(f"Looks {'on a very narrow screen ' * 6}?", comment="x" * 300)
    page = await arrive(**look)
    chinese = "locale" in look
    await expect(page.locator("#head h1")).to_have_text("审核" if chinese else "Review")
    await page.locator(".remark summary").first.click()
    width = look.get("viewport", {}).get("width", 1280)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert await serious(page) == []
    for tab in ("examples", "numbers"):
        await page.locator(f'[data-tab="{tab}"]').click()
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await serious(page) == []


async def test_the_keyboard_is_enough(arrive: Arrive, site: ReviewSite) -> None:
    site.give("By keyboard alone", "An answer.")
    page = await arrive()
    keys = page.keyboard
    await page.get_by_role("tab", name=re.compile("Feedback")).focus()
    await keys.press("ArrowRight")
    await expect(page.get_by_role("tab", name=re.compile("Examples"))).to_be_focused()
    await keys.press("ArrowLeft")
    await row(page, "By keyboard alone").locator("summary").first.focus()
    await keys.press("Enter")
    await expect(row(page, "By keyboard alone").locator(".inside")).to_be_visible()
    await row(page, "By keyboard alone").get_by_label("What it should say").focus()
    await keys.press("Control+Enter")
    await expect(page.locator(".notice")).to_contain_text("Approved as an example.")


# ---- the gate ----------------------------------------------------------------------------------
async def test_nothing_answers_without_the_password_and_files_can_be_read_again(
    tmp_path: Path,
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'review.db'}")
    database.migrate()
    closed = review_site(database, password="tents and bags")
    async with serving(closed.app) as address, httpx.AsyncClient(base_url=address) as client:
        for path in ("/review/waiting", "/review/held-out.jsonl", "/review/config"):
            assert (await client.get(path)).status_code == 401
        joined = await client.post("/review/gradio_api/queue/join", json={})
        assert joined.status_code == 401
        await client.post("/staff/login", data={"password": "tents and bags"})
        assert (await client.get("/review/waiting")).json() == {"waiting": 0}
        for number in range(20):
            question = f"{chr(0x4E00 + number * 40) * 6}?"
            closed.review.approve(closed.give(question).id, question, "Yes.")
        for name, part in (
            ("examples", closed.feedback.examples()),
            ("held-out", closed.feedback.held_out()),
        ):
            sent = await client.get(f"/review/{name}.jsonl")
            assert sent.headers["content-disposition"] == f'attachment; filename="{name}.jsonl"'
            path = tmp_path / f"{name}.jsonl"
            path.write_bytes(sent.content)
            table = read_rows(path)
            read = to_examples(table, guess(table)[0].mapping).examples
            assert [(one.question, one.answer) for one in read] == [
                (one.question, one.answer) for one in part
            ]
    database.close()
