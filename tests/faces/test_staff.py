"""The Knowledge page, as the support team sees it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright, expect

from chatapp.knowledge_records import Collection
from chatapp.store import Database
from tests.faces.api_app import serving
from tests.faces.browser import ARGUMENTS, CHROMIUM, DESKTOP
from tests.faces.staff_site import Desk, staff_parts, working

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
HANDBOOK = (
    "# Returns\n\nUnused tents can be returned within 30 days.\n\nSend them to the warehouse."
)
RENTAL = "Yes, <b>for</b> 10 euros a day."
_NUMBERS = count(1)


class Member:
    """One of the team, with the page open at a collection of their own."""

    def __init__(self, desk: Desk, page: Page, collection: Collection) -> None:
        self.desk = desk
        self.page = page
        self.collection = collection

    async def open(self, tab: str = "documents") -> None:
        address = f"{self.desk.address}/staff/?collection={self.collection.name}&tab={tab}"
        await self.page.goto(address)
        await expect(self.page.locator("#head h1")).to_have_text(self.collection.name)

    async def press(self, name: str | re.Pattern[str]) -> None:
        await self.page.get_by_role("button", name=name, exact=isinstance(name, str)).last.click()

    async def tab(self, name: str) -> None:
        await self.page.get_by_role("tab", name=name).click()

    async def upload(self, *files: tuple[str, str]) -> None:
        await self.page.set_input_files(
            "#pick-files",
            [
                {"name": name, "mimeType": "text/plain", "buffer": content.encode()}
                for name, content in files
            ],
        )

    @property
    def rows(self) -> Any:
        return self.page.locator("#documents tbody tr")

    @property
    def entries(self) -> Any:
        return self.page.locator("#faq tbody tr")

    @property
    def notice(self) -> Any:
        return self.page.locator(".notice")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """One server for all tests here; every test has a collection of its own."""
    if not CHROMIUM.exists():
        pytest.skip(f"needs Chromium at {CHROMIUM} (Debian: apt-get install chromium)")
    folder = tmp_path_factory.mktemp("staff")
    database = Database(f"sqlite:///{folder / 'staff.db'}")
    database.migrate()
    parts = staff_parts(database, folder)
    async with working(parts.desk.ingest), serving(parts.app) as address:
        parts.desk.address = address
        yield parts.desk
    database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chromium() -> AsyncIterator[Any]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared(chromium: Any) -> Any:
    """One browser's memory, so that the page's files are fetched once."""
    return await chromium.new_context(**DESKTOP)


async def opened(desk: Desk, context: Any) -> Member:
    """A member at an empty collection of their own."""
    page = await context.new_page()
    page.set_default_timeout(25_000)
    collection = desk.collections.create(f"shop-{next(_NUMBERS)}")
    member = Member(desk, page, collection)
    await member.open()
    return member


@pytest_asyncio.fixture(loop_scope="session")
async def member(desk: Desk, shared: Any) -> AsyncIterator[Member]:
    arrived = await opened(desk, shared)
    yield arrived
    for page in shared.pages:
        await page.close()


@pytest_asyncio.fixture(loop_scope="session")
async def arrive(desk: Desk, chromium: Any) -> AsyncIterator[Callable[..., Any]]:
    """Opens the page in another kind of browser."""
    contexts = []

    async def arriving(**options: Any) -> Member:
        context = await chromium.new_context(**(DESKTOP | options))
        contexts.append(context)
        return await opened(desk, context)

    yield arriving
    for context in contexts:
        await context.close()


# ---- collections -------------------------------------------------------------------------------
async def test_a_collection_is_made_renamed_and_deleted_with_a_way_back(member: Member) -> None:
    page = member.page
    await member.press("New collection")
    await page.keyboard.type("Winter Sale!")
    await page.keyboard.press("Enter")
    await expect(page.locator(".toast-body")).to_contain_text("letters")
    await member.press("New collection")
    await page.keyboard.type("winter-sale")
    await page.keyboard.press("Enter")
    await expect(page.locator("#head h1")).to_have_text("winter-sale")
    await expect(page).to_have_url(re.compile("collection=winter-sale"))
    await page.locator("#head .title").hover()
    await member.press("Rename “winter-sale”")
    await page.keyboard.type("summer-sale")
    await page.keyboard.press("Enter")
    await expect(page.locator("#head h1")).to_have_text("summer-sale")
    await member.press("Delete “summer-sale”")
    await expect(member.notice).to_contain_text("Deleted the collection “summer-sale”")
    await expect(page.locator("#collections")).not_to_contain_text("summer-sale")
    await member.press("Undo")
    await expect(page.locator("#head h1")).to_have_text("summer-sale")
    await expect(page.locator("#collections")).to_contain_text("summer-sale")


async def test_the_head_says_which_collection_the_chat_answers_from(member: Member) -> None:
    await expect(member.page.locator("#head .use")).to_have_text("Not used in chat")
    await member.page.locator("#collections a").filter(has_text="public").click()
    await expect(member.page.locator("#head .use")).to_have_text("Answers in chat")


# ---- documents ---------------------------------------------------------------------------------
async def test_an_upload_shows_how_far_it_is_and_ends_as_a_row(desk: Desk, member: Member) -> None:
    page = member.page
    pause = desk.reader.hold("handbook.md")
    await member.upload(("handbook.md", HANDBOOK), ("prices.txt", "A tent is 100 euros."))
    intake = page.locator(".intake")
    await expect(intake).to_contain_text("Adding documents")
    await expect(intake.locator(".working")).to_contain_text("Reading · page 1 of 3")
    await expect(intake.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "33")
    await expect(intake.locator(".waiting", has_text="prices.txt")).to_be_visible()
    pause.set()
    await expect(member.rows).to_have_count(2)
    await expect(page.locator(".ended")).to_contain_text("2 files added")
    row = member.rows.filter(has_text="Returns")
    await expect(row).to_contain_text("handbook.md · Markdown · 84 B · en")
    await expect(row.locator(".number .wide")).to_have_text("2")
    await expect(row.locator(".used")).to_contain_text("not yet")
    await expect(page.locator("#head .facts")).to_contain_text("2 documents · 3 passages")
    await member.press("Clear this list")
    await expect(page.locator(".ended")).to_have_count(0)


async def test_a_bad_file_is_listed_with_its_reason_and_harms_no_other(member: Member) -> None:
    page = member.page
    await member.upload(("broken.pdf", "x"), ("good.md", HANDBOOK), ("empty.txt", ""))
    failures = page.locator(".failures")
    await expect(failures).to_contain_text("2 files could not be added")
    await expect(failures).to_contain_text("broken.pdf is damaged. Save it again in its program.")
    await expect(failures).to_contain_text("empty.txt")
    await expect(member.rows).to_have_count(1)
    await member.upload(("huge.txt", "x" * 70_000))
    await expect(page.locator(".upload-failed")).to_contain_text("huge.txt: larger than 0 MB")


async def test_the_same_file_again_changes_nothing(member: Member) -> None:
    await member.upload(("handbook.md", HANDBOOK))
    await expect(member.rows).to_have_count(1)
    await member.upload(("handbook.md", HANDBOOK))
    await expect(member.page.locator(".ended")).to_contain_text("1 was here already")
    await expect(member.rows).to_have_count(1)


async def test_an_upload_can_be_stopped_and_survives_a_reload(desk: Desk, member: Member) -> None:
    pause = desk.reader.hold("slow.md")
    await member.upload(("slow.md", HANDBOOK), ("later.md", HANDBOOK))
    await expect(member.page.locator(".intake .waiting", has_text="later.md")).to_be_visible()
    await member.open()
    await expect(member.page.locator(".intake .working")).to_contain_text("slow.md")
    await member.press("Stop")
    await expect(member.page.locator(".ended")).to_contain_text("2 stopped")
    pause.set()
    assert desk.documents.list(member.collection.id) == []


async def test_a_folder_keeps_its_paths(member: Member, tmp_path: Path) -> None:
    inner = tmp_path / "handbook" / "returns"
    inner.mkdir(parents=True)
    (inner / "tents.md").write_text(HANDBOOK)
    (tmp_path / "handbook" / ".DS_Store").write_text("x")
    await member.page.set_input_files("#pick-folder", tmp_path / "handbook")
    await expect(member.rows).to_have_count(1)
    await expect(member.rows).to_contain_text("handbook/returns/tents.md")


async def test_files_can_be_dropped_anywhere(member: Member) -> None:
    page = member.page
    carried = await page.evaluate_handle(
        """(text) => {
          const carried = new DataTransfer();
          carried.items.add(new File([text], "dropped.md"));
          return carried;
        }""",
        HANDBOOK,
    )
    await page.dispatch_event("#head", "dragenter", {"dataTransfer": carried})
    await expect(page.locator("#drop-zone")).to_contain_text(
        f"Drop to add to “{member.collection.name}”"
    )
    await page.dispatch_event("#head", "drop", {"dataTransfer": carried})
    await expect(page.locator("#drop-zone")).to_be_hidden()
    await expect(member.rows).to_contain_text("dropped.md")


async def test_pasted_text_becomes_a_document(member: Member) -> None:
    await member.press("Paste text")
    await member.page.get_by_label("Title").fill("Opening hours")
    await member.page.get_by_label("Text", exact=True).fill("We open at nine.")
    await member.press("Add")
    await expect(member.rows).to_contain_text("Opening hours")
    await expect(member.page.get_by_label("Title")).to_be_hidden()


async def test_the_demo_fills_an_empty_collection(member: Member) -> None:
    await expect(member.page.locator(".nothing").first).to_contain_text("Nothing here yet")
    await member.press("Load the demo")
    await expect(member.rows).to_contain_text("Demo handbook")
    await member.tab("FAQ")
    await expect(member.entries).to_contain_text("Where is the shop?")


async def test_deleted_documents_come_back(desk: Desk, member: Member) -> None:
    await member.upload(*((f"{name}.txt", f"{name} text") for name in ("one", "two", "three")))
    await expect(member.rows).to_have_count(3)
    await member.press("Delete “two”")
    await expect(member.notice).to_contain_text("Deleted “two”.")
    await expect(member.rows).to_have_count(2)
    await member.press("Undo")
    await expect(member.rows).to_have_count(3)
    await member.page.get_by_label("Select all").check()
    await expect(member.page.locator(".chosen")).to_contain_text("3 selected")
    await member.page.get_by_label("one", exact=True).uncheck()
    await member.press("Delete")
    await expect(member.notice).to_contain_text("Deleted 2 documents.")
    await expect(member.rows).to_have_count(1)
    await member.press("Undo")
    await expect(member.rows).to_have_count(3)
    assert len(desk.documents.list(member.collection.id)) == 3


async def test_documents_are_found_by_name(member: Member) -> None:
    await member.upload(("tents.txt", "about tents"), ("boots.txt", "about boots"))
    await expect(member.rows).to_have_count(2)
    await member.page.get_by_label("Search documents").fill("boot")
    await expect(member.rows).to_have_count(1)
    await member.page.get_by_label("Search documents").fill("${x}<b>{{y}}")
    await expect(member.page.locator("#documents .none")).to_have_text(
        "Nothing here mentions “${x}<b>{{y}}”."
    )


# ---- FAQ ---------------------------------------------------------------------------------------
async def write_entry(member: Member, questions: str, answer: str) -> None:
    await member.press("Add an entry")
    form = member.page.locator("form.entry")
    await form.get_by_label("Questions").fill(questions)
    await form.get_by_label("Approved answer").fill(answer)
    await member.press("Save")
    await expect(form).to_have_count(0)


async def test_an_entry_is_written_changed_and_deleted(desk: Desk, member: Member) -> None:
    await member.tab("FAQ")
    await expect(member.page.locator("#faq")).to_contain_text("No FAQ entries yet")
    await write_entry(member, "Do you rent?\n\nCan I rent a tent?", RENTAL)
    await expect(member.entries).to_contain_text(RENTAL)
    await expect(member.entries).to_contain_text("1 more wording")
    await member.press("Edit “Do you rent?”")
    form = member.page.locator("form.entry")
    await expect(form.get_by_label("Questions")).to_have_value("Do you rent?\nCan I rent a tent?")
    await form.get_by_label("Approved answer").fill("No, we do not rent tents.")
    await form.get_by_label("Tags").fill("Rental, tents")
    await member.press("Save")
    await expect(member.entries).to_contain_text("No, we do not rent tents.")
    await expect(member.notice).to_contain_text("Saved.")
    (entry,) = desk.faqs.entries(member.collection.id)
    assert (entry.answer, entry.tags, entry.language) == (
        "No, we do not rent tents.",
        ("rental", "tents"),
        "en",
    )
    await member.press("Delete “Do you rent?”")
    await expect(member.entries).to_have_count(0)
    await member.press("Undo")
    await expect(member.entries).to_have_count(1)


async def test_entries_are_searched_imported_and_exported(member: Member, tmp_path: Path) -> None:
    page = member.page
    await member.tab("FAQ")
    table = "question,answer\nWhere are you?,By the lake.\nYour address?,By the lake.\nOpen?,At 9."
    (tmp_path / "faq.csv").write_text(table)
    await page.set_input_files("#pick-faq", tmp_path / "faq.csv")
    await expect(page.locator("#told")).to_contain_text(
        "2 entries added, 1 questions merged, 0 unchanged."
    )
    await expect(member.entries).to_have_count(2)
    await page.get_by_label("Search questions and answers").fill("address")
    await expect(member.entries).to_have_count(1)
    (tmp_path / "bad.csv").write_text("question,nothing\nWhere?,x")
    await page.set_input_files("#pick-faq", tmp_path / "bad.csv")
    await expect(page.locator("#told.wrong")).to_contain_text("bad.csv")
    await page.locator("#faq-tools summary").click()
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="CSV").click()
    file = await waiting.value
    assert file.suggested_filename == f"{member.collection.name}-faq.csv"
    await file.save_as(tmp_path / "out.csv")
    assert "Your address?,By the lake." in (tmp_path / "out.csv").read_text("utf-8-sig")


# ---- trying a search ---------------------------------------------------------------------------
async def test_the_hit_test_shows_scores_and_moves_the_threshold(
    desk: Desk, member: Member
) -> None:
    page = member.page
    await member.upload(("handbook.md", HANDBOOK))
    await expect(member.rows).to_have_count(1)
    await member.tab("Try a search")
    await page.get_by_label("A customer’s question").fill(
        "Could tents be returned quickly or never?"
    )
    await page.keyboard.press("Enter")
    verdict = page.locator(".verdict")
    await expect(verdict).to_have_attribute("data-route", "refused")
    first = page.locator(".near li.hit").first
    await expect(first).to_contain_text("Returns")
    await expect(first).to_contain_text("43%")
    await expect(first).to_contain_text("meaning 0.43 · words 4.3 · not used: below the line")
    await page.get_by_text("When to answer").click()
    await page.get_by_label("Documents, from").fill("0.4")
    await member.press("Save")
    await expect(verdict).to_have_attribute("data-route", "sources")
    await expect(first).to_have_attribute("data-kept", "yes")
    assert desk.collections.by_id(member.collection.id).threshold == 0.4
    async with page.context.expect_page() as opening:
        await first.get_by_role("link").click()
    viewer = await opening.value
    await expect(viewer.locator("mark#passage")).to_have_text(
        "Unused tents can be returned within 30 days."
    )


# ---- unanswered --------------------------------------------------------------------------------
async def test_an_unanswered_question_becomes_an_entry(desk: Desk, member: Member) -> None:
    page, here = member.page, member.collection.id
    await member.upload(("handbook.md", HANDBOOK))
    await expect(member.rows).to_have_count(1)
    for question in ("tents returned unused?", "Tents returned, unused", "Is there parking?"):
        desk.unanswered.add(here, question, None)
    await member.open("unanswered")
    groups = page.locator("#groups .group")
    await expect(groups).to_have_count(2)
    await expect(groups.first).to_contain_text("asked 2 times")
    await groups.first.get_by_role("button", name="Draft an answer").click()
    form = page.locator("form.entry")
    await expect(form.get_by_label("Questions")).to_have_value(
        "Tents returned, unused\ntents returned unused?"
    )
    await expect(form.get_by_label("Approved answer")).to_have_value(re.compile("within 30 days"))
    await expect(form).to_contain_text("The closest sentences of “Returns”.")
    await form.get_by_label("Approved answer").fill("Yes, within 30 days.")
    await member.press("Save")
    await expect(groups).to_have_count(1)
    (entry,) = desk.faqs.entries(here)
    assert entry.answer == "Yes, within 30 days."
    await groups.first.get_by_role("button", name="Set aside").click()
    await expect(page.locator("#groups")).to_contain_text("Nothing is waiting")
    await expect(member.notice).to_contain_text("Set 1 question aside.")
    await member.press("Undo")
    await expect(groups).to_contain_text("Is there parking?")


# ---- for everybody -----------------------------------------------------------------------------
async def test_the_page_speaks_chinese(arrive: Callable[..., Any]) -> None:
    member = await arrive(locale="zh-CN")
    await expect(member.page.get_by_role("tab", name="文档")).to_be_visible()
    await expect(member.page.get_by_role("button", name="选择文件")).to_be_visible()
    await member.press("EN")
    await expect(member.page.get_by_role("tab", name="Documents")).to_be_visible()


async def test_tabs_follow_the_arrow_keys_and_the_address(member: Member) -> None:
    await member.page.get_by_role("tab", name="Documents").focus()
    await member.page.keyboard.press("ArrowRight")
    await expect(member.page.get_by_role("tab", name="FAQ")).to_be_focused()
    await expect(member.page.locator("#panel-faq")).to_be_visible()
    await expect(member.page.locator("#panel-documents")).to_be_hidden()
    await expect(member.page).to_have_url(re.compile("tab=faq"))
    await member.page.reload()
    await expect(member.page.get_by_role("tab", name="FAQ")).to_have_attribute(
        "aria-selected", "true"
    )


async def test_on_a_phone_everything_fits(arrive: Callable[..., Any]) -> None:
    member = await arrive(**PHONE)
    await member.upload(("a long name without any place to break it" * 2 + ".md", HANDBOOK))
    await expect(member.rows).to_have_count(1)
    for tab in ("FAQ", "Try a search", "Unanswered", "Documents"):
        await member.tab(tab)
        assert await member.page.evaluate("document.documentElement.scrollWidth") <= 390
    await member.press("Collections")
    await member.page.locator("#collections a").filter(has_text="public").click()
    await expect(member.page.locator("#head h1")).to_have_text("public")
    await expect(member.page.locator("#sidebar")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(
    desk: Desk, arrive: Callable[..., Any], scheme: str
) -> None:
    member = await arrive(color_scheme=scheme)
    desk.faqs.add(member.collection.id, ["Where?", "Where to?"], "By the lake.", "en", ["shop"])
    desk.unanswered.add(member.collection.id, "Is there parking?", None)
    await member.upload(("handbook.md", HANDBOOK), ("broken.md", "x"))
    await expect(member.rows).to_have_count(1)
    await expect(member.page.locator(".failures")).to_be_visible()
    for tab in ("Documents", "FAQ", "Try a search", "Unanswered"):
        await member.tab(tab)
        if tab == "FAQ":
            await member.press("Add an entry")
        if tab == "Try a search":
            await member.page.get_by_label("A customer’s question").fill("unused tents returned")
            await member.press("Try")
            await expect(member.page.locator(".verdict")).to_be_visible()
        if tab == "Unanswered":
            await member.press("Draft an answer")
            await expect(member.page.locator("#groups form.entry")).to_be_visible()
        results = await Axe().run(member.page)
        serious = [
            (violation["id"], [node["html"][:200] for node in violation["nodes"]])
            for violation in results.response["violations"]
            if violation["impact"] in ("serious", "critical")
        ]
        assert serious == [], tab
