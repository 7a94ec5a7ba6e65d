"""Routes, citations, marked sentences and the panel beside them, as a person sees them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, expect

from chatapp.knowledge_records import Flag, Grounding, Source
from chatapp.store import Conversations, Database
from tests.faces.api_app import serving
from tests.faces.browser import Site, Visitor
from tests.faces.knowing import KnowingChat, knowing_app
from tests.faces.test_ui_http import Caller, owner_of
from tests.fakes import FakeEngine, Pause
from tests.grounded import TRACE, a_source

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>${window.hacked=1}'
ANSWER = "Unused goods go back within 30 days [1]. A bottle is free. Gift cards stay [2]."
FALSE = "A bottle is free."
GROUNDING = Grounding(
    route="sources",
    sources=(
        a_source(
            1,
            f"## Returns\nUnused goods can be returned within 30 days. {HOSTILE}\n"
            "| Goods | Days |\n| --- | --- |\n| Tents | 14 |",
            title="Shop handbook",
            heading=("Orders", "Returns"),
            page=12,
            cited=True,
            spans=((11, 55),),
        ),
        a_source(2, "Gift cards cannot be returned.", title=HOSTILE, cited=True, relevance=0.6),
        a_source(3, "Open from 9 to 18.", title="Contact", relevance=0.1),
    ),
    flags=(
        Flag(start=ANSWER.index(FALSE), end=ANSWER.index(FALSE) + len(FALSE), reason="unsupported"),
    ),
    trace=replace(TRACE, question="Can I bring it back?"),
)


@dataclass
class KnowingSite(Site):
    """A site whose next answers can be scripted with what they lean on."""

    chat: KnowingChat

    def script(self, text: str, grounding: Grounding) -> None:
        self.chat.know(grounding)
        self.engine.say(*re.findall(r".{1,7}", text, re.DOTALL))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def knowing(
    site: Site, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[KnowingSite]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('knowing') / 'page.db'}")
    database.migrate()
    engine = FakeEngine(max_running=16)
    await engine.start()
    asgi, chat = knowing_app(database, engine, staff=("zh",))
    async with serving(asgi) as address:
        conversations = Conversations(database)
        yield KnowingSite(address, engine, conversations, site.browser, site.shared, chat)
    database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def newcomer(knowing: KnowingSite) -> AsyncIterator[Visitor]:
    """A new person on the start page; their browser keeps nothing but its cache of files."""
    await knowing.shared.clear_cookies()
    person = Visitor(knowing, knowing.shared)
    await person.open()
    yield person
    for page in knowing.shared.pages:
        await page.close()


@pytest_asyncio.fixture(loop_scope="session")
async def reader(knowing: KnowingSite, newcomer: Visitor) -> Visitor:
    """Somebody who has just been answered from sources."""
    knowing.script(ANSWER, GROUNDING)
    await newcomer.ask("Can I bring it back?")
    return newcomer


def panel(person: Visitor) -> Locator:
    return person.page.locator("#sources")


def source(person: Visitor, number: int) -> Locator:
    return person.page.locator(f'#sheet .source[data-number="{number}"]')


async def test_an_answer_shows_its_route_citations_and_doubts(reader: Visitor) -> None:
    line = reader.page.locator("#thread .route")
    for _ in range(2):
        await expect(line).to_have_text(
            re.compile(r"^▸From sources · 2 · \d+(\.\d s| ms) · why\?$")
        )
        await expect(reader.last_answer.locator("a.cite")).to_have_text(["[1]", "[2]"])
        await expect(reader.last_answer.locator("mark.flag")).to_have_text(FALSE)
        await expect(reader.last_answer).to_contain_text("no source says so")
        await expect(panel(reader)).to_be_hidden()
        await reader.page.reload()
        await reader.ready()


async def test_a_citation_opens_its_source(reader: Visitor) -> None:
    page = reader.page
    address = page.url
    await reader.last_answer.locator("a.cite").last.click()
    await expect(source(reader, 2)).to_be_focused()
    await expect(page.get_by_role("tab", name="Sources")).to_have_attribute("aria-selected", "true")
    await reader.last_answer.locator("a.cite").first.click()
    first = source(reader, 1)
    await expect(first).to_be_focused()
    await expect(first).to_contain_text("Orders › Returns · page 12")
    await expect(first).to_contain_text("90% relevant")
    await expect(first.locator("mark")).to_have_text("Unused goods can be returned within 30 days.")
    await expect(first.locator("td")).to_have_text(["Tents", "14"])
    assert page.url == address


async def test_weak_sources_are_folded_and_documents_open_beside_the_chat(
    knowing: KnowingSite, reader: Visitor
) -> None:
    await reader.page.locator('[data-do="sources"]').click()
    await expect(source(reader, 3)).to_be_hidden()
    await reader.page.get_by_text("Also found, less relevant (1)").click()
    await expect(source(reader, 3)).to_be_visible()
    async with reader.context.expect_page() as opening:
        await source(reader, 1).get_by_role("link").click()
    opened = await opening.value
    await expect(opened.get_by_text("The document doc-1 at passage 71.")).to_be_visible()
    assert opened.url == f"{knowing.address}/documents/doc-1?passage=71#page=12"


async def test_why_shows_the_whole_trace(reader: Visitor) -> None:
    await reader.page.get_by_role("button", name="Why this answer?").click()
    view = panel(reader).get_by_role("tabpanel", name="Why this answer?")
    for fact in ("how much is the Fjell 2 tent?", "55%, 80% needed", "too weak", "public-17"):
        await expect(view).to_contain_text(fact)
    prompt = view.get_by_text("Answer <from> the passages.")
    await expect(prompt).to_be_hidden()
    await view.get_by_text("What the model read: 2 messages").click()
    await expect(prompt).to_be_visible()
    await view.get_by_text("Careers").click()
    await expect(view.get_by_text("We hire in <b>May</b>.")).to_be_visible()


async def test_what_documents_say_is_never_run(knowing: KnowingSite, reader: Visitor) -> None:
    await reader.page.locator('[data-do="sources"]').click()
    await expect(source(reader, 2)).to_contain_text(HOSTILE)
    await reader.page.get_by_role("tab", name="Why this answer?").click()
    hostile = HOSTILE + " ![x](https://elsewhere.example/x.png) [2]"
    knowing.script(hostile, replace(GROUNDING, flags=()))
    await reader.ask("Quote it")
    await expect(reader.last_answer).to_contain_text(HOSTILE)
    await reader.last_answer.locator("a.cite").click()
    await expect(source(reader, 2)).to_be_focused()
    assert await reader.page.evaluate("window.hacked") is None
    assert reader.elsewhere == []


async def test_sources_can_be_read_while_the_answer_grows(
    knowing: KnowingSite, newcomer: Visitor
) -> None:
    person = newcomer
    pause = Pause()
    knowing.chat.know(GROUNDING)
    knowing.engine.say(ANSWER[:39], pause, ANSWER[39:])
    await person.say("Can I bring it back?")
    await person.sees("Unused goods go back within 30 days [1]")
    await person.page.locator("#thread .route button").click()
    await expect(source(person, 1)).to_be_visible()
    await expect(source(person, 1)).not_to_contain_text("cited")
    await person.page.get_by_role("tab", name="Why this answer?").click()
    await expect(panel(person)).to_contain_text("comes once the answer is complete")
    pause.go_on()
    await person.idle()
    await expect(panel(person)).to_contain_text("Two passages are relevant enough.")
    await person.page.get_by_role("tab", name="Sources").click()
    await expect(source(person, 1)).to_contain_text("cited")
    await expect(person.last_answer.locator("mark.flag")).to_have_text(FALSE)


async def test_the_panel_is_opened_and_closed_by_keyboard(reader: Visitor) -> None:
    page, keys = reader.page, reader.page.keyboard
    opener = page.locator('[data-do="sources"]')
    await opener.focus()
    await keys.press("Enter")
    tab = page.get_by_role("tab", name="Sources")
    await expect(tab).to_be_focused()
    await keys.press("ArrowRight")
    await expect(page.get_by_role("tab", name="Why this answer?")).to_be_focused()
    await expect(page.get_by_role("tabpanel", name="Why this answer?")).to_be_visible()
    await keys.press("Escape")
    await expect(panel(reader)).to_be_hidden()
    await expect(opener).to_be_focused()


async def test_another_conversation_closes_the_panel(reader: Visitor) -> None:
    await reader.page.locator('[data-do="sources"]').click()
    await expect(source(reader, 1)).to_be_visible()
    await reader.new_chat()
    await expect(panel(reader)).to_be_hidden()


async def test_each_answer_has_its_own_sources(knowing: KnowingSite, reader: Visitor) -> None:
    entry: Source = a_source(
        1, "By post or in the shop.", title="How do I return?", passage_id=None, relevance=1.0
    )
    knowing.script("By post or in the shop.", Grounding(route="faq", sources=(entry,)))
    await reader.ask("How?")
    lines = reader.page.locator("#thread .route")
    await expect(lines.last).to_have_text(re.compile(r"^▸From the FAQ · \d+ ms"))
    await reader.page.locator('[data-do="sources"]').last.click()
    await expect(source(reader, 1)).to_contain_text("How do I return?")
    await expect(source(reader, 1).get_by_role("link")).to_have_count(0)
    await reader.page.locator('[data-do="sources"]').first.click()
    await expect(source(reader, 1)).to_contain_text("Shop handbook")


async def test_without_knowledge_nothing_is_said_of_sources(
    knowing: KnowingSite, reader: Visitor
) -> None:
    knowing.chat.know(Grounding(route="refused", trace=TRACE))
    await reader.ask("Who won the match?")
    await expect(reader.page.locator("#thread .route").last).to_contain_text("Not in the documents")
    await reader.ask("An answer of its own")
    await expect(reader.page.locator("#thread .route")).to_have_count(2)


async def test_on_a_phone_the_panel_is_a_drawer(knowing: KnowingSite) -> None:
    person = await knowing.visit(**PHONE)
    knowing.script(ANSWER, GROUNDING)
    await person.ask("Can I bring it back?")
    await person.last_answer.locator("a.cite").first.tap()
    await expect(source(person, 1)).to_be_visible()
    assert await person.page.evaluate("document.documentElement.scrollWidth") <= 390
    sheet, fits = person.page.locator("#sheet"), "sheet => sheet.scrollWidth <= sheet.clientWidth"
    assert await sheet.evaluate(fits)
    await person.page.get_by_role("tab", name="Why this answer?").tap()
    assert await sheet.evaluate(fits)
    await person.page.locator(".backdrop").tap(position={"x": 8, "y": 400})
    await expect(panel(person)).to_be_hidden()
    await person.press("Chat settings")  # the page behind can be used again
    await expect(person.page.locator("#settings")).to_be_visible()
    await person.close()


async def test_staff_are_shown_the_way_to_the_knowledge(
    knowing: KnowingSite, reader: Visitor
) -> None:
    await expect(reader.page.locator(".staff-link")).to_have_count(0)
    person = await knowing.visit(locale="zh-CN")
    link = person.page.get_by_role("link", name="知识库")
    await expect(link).to_be_visible()
    assert await link.evaluate("link => link.href") == f"{knowing.address}/staff/"
    knowing.script(ANSWER, GROUNDING)
    await person.ask("可以退货吗？")
    await expect(person.page.locator("#thread .route")).to_contain_text("来自资料 · 2")
    await expect(person.last_answer).to_contain_text("资料中没有依据")
    await person.page.get_by_role("button", name="为什么这样回答？").click()
    await expect(panel(person)).to_contain_text("所需相关度：40%")
    await person.close()


async def test_nobody_reads_the_sources_of_anothers_answer(knowing: KnowingSite) -> None:
    victim, thief = [await Caller.arrive(knowing.address, name) for name in ("victim", "thief")]
    knowing.script(ANSWER, GROUNDING)
    async for _ in victim.ask("Can I bring it back?"):
        pass
    (chat,) = knowing.conversations.list(owner_of(victim))
    answer = knowing.conversations.branch(owner_of(victim), chat.id)[-1]
    mine = await victim.result("turns.sheet", [chat.id], {"id": answer.id})
    assert "Shop handbook" in json.dumps(mine)
    stolen = await thief.result("turns.sheet", [chat.id], {"id": answer.id})
    assert stolen["success"] is False
    assert "Shop handbook" not in json.dumps(stolen)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_with_the_panel_open(
    knowing: KnowingSite, scheme: str
) -> None:
    person = await knowing.visit(color_scheme=scheme)
    knowing.script(ANSWER, GROUNDING)
    await person.ask("Can I bring it back?")
    await person.page.locator('[data-do="sources"]').click()
    await expect(source(person, 1)).to_be_visible()
    for tab in ("Sources", "Why this answer?"):
        await person.page.get_by_role("tab", name=tab).click()
        results = await Axe().run(person.page)
        serious = [
            (violation["id"], [node["html"][:200] for node in violation["nodes"]])
            for violation in results.response["violations"]
            if violation["impact"] in ("serious", "critical")
        ]
        assert serious == []
    await person.close()
