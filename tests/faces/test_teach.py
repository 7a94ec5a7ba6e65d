"""The Teach page, as the support team sees it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright, expect

from tests.faces.api_app import serving
from tests.faces.browser import ARGUMENTS, CHROMIUM, DESKTOP
from tests.faces.teach_reports import chat_report, classify_report
from tests.faces.teach_school import School, Wardrobe
from tests.faces.teach_site import Classroom, classroom

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
ANSWERS = "question,answer\n" + "\n".join(
    f"How long can I return item {n}?,Within {n} days." for n in range(1, 21)
)
LABELLED = (
    "text,category\nWhere is my parcel?,delivery\nWhere is my parcel?,delivery\n"
    "My money <b>back</b>,refund\nI want a refund,refnud\n,delivery\nPay by card?,payment\n"
)


class Teacher:
    """One of the team, with the page open."""

    def __init__(self, room: Classroom, page: Page) -> None:
        self.room = room
        self.school: School = room.school
        self.adapters: Wardrobe = room.adapters
        self.page = page

    async def open(self, query: str = "") -> None:
        await self.page.goto(f"{self.room.address}/teach/{query}")
        await expect(self.page.locator("#history .history")).to_be_visible()

    async def press(self, name: str | re.Pattern[str], within: str = "#shell") -> None:
        root = self.page.locator(within)
        await root.get_by_role("button", name=name, exact=isinstance(name, str)).last.click()

    async def upload(self, name: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        await self.page.set_input_files(
            "#pick-data", {"name": name, "mimeType": "text/csv", "buffer": data}
        )

    async def at_goal(self, content: str = ANSWERS, name: str = "answers.csv") -> str:
        """A file taken in and confirmed; returns its id."""
        made = self.school.add_text(name, content)
        await self.open(f"?data={made.id}")
        await self.press(re.compile("Go on with"))
        await expect(self.page.locator("#goal form")).to_be_visible()
        return made.id

    def launched(self, content: str = ANSWERS, name: str = "lesson", **config: Any) -> str:
        """A run that goes on; returns its id."""
        made = self.school.add_text(f"{name}.csv", content)
        task = "classify" if "category" in content else "chat"
        settings = self.school.recommend(made.id, task, "balanced")
        return self.school.launch(made.id, settings.model_copy(update=config)).id

    def step(self, name: str) -> Any:
        return self.page.locator(f"#step-{name}")

    @property
    def notice(self) -> Any:
        return self.page.locator(".notice")


async def read(download: Any) -> bytes:
    """What was downloaded."""
    path = await (await download.value).path()
    return await asyncio.to_thread(Path(path).read_bytes)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Classroom]:
    """One server for all tests here; ``teacher`` empties it between them."""
    if not CHROMIUM.exists():
        pytest.skip(f"needs Chromium at {CHROMIUM} (Debian: apt-get install chromium)")
    made = classroom(tmp_path_factory.mktemp("teach"))
    async with serving(made.app) as address:
        made.address = address
        yield made
    made.school.close()


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


@pytest_asyncio.fixture(loop_scope="session")
async def teacher(room: Classroom, shared: Any) -> AsyncIterator[Teacher]:
    room.school.forget()
    room.adapters.forget()
    page = await shared.new_page()
    page.set_default_timeout(20_000)
    yield Teacher(room, page)
    for one in shared.pages:
        await one.close()


@pytest_asyncio.fixture(loop_scope="session")
async def arrive(room: Classroom, chromium: Any) -> AsyncIterator[Callable[..., Any]]:
    """Opens a page in another kind of browser."""
    contexts = []

    async def arriving(**options: Any) -> Teacher:
        context = await chromium.new_context(**(DESKTOP | options))
        contexts.append(context)
        return Teacher(room, await context.new_page())

    yield arriving
    for context in contexts:
        await context.close()


# ---- step 1 ------------------------------------------------------------------------------------
async def test_a_file_is_read_checked_and_shown_as_the_model_sees_it(teacher: Teacher) -> None:
    page = teacher.page
    await teacher.open()
    await teacher.upload("tickets.csv", LABELLED)
    await expect(page.locator("#source .file")).to_contain_text("tickets.csv6 rows")
    await expect(page.get_by_label("This file is")).to_have_value("text_label")
    await expect(page.locator("#source .sure")).to_have_text("97% sure")
    first = page.locator("#source .examples li").first
    await expect(first).to_contain_text("Where is my parcel?")
    await expect(first.locator("mark")).to_have_text("delivery")
    await expect(page.locator("#checks h3").first).to_have_text("5 rows ready, 1 set aside")
    await expect(page.locator(".balance li").first).to_contain_text("delivery2")
    await expect(page).to_have_url(re.compile(r"\?data=d\d+$"))
    await page.locator('[data-kind="empty"] summary').click()
    await expect(page.locator('[data-kind="empty"] tbody tr')).to_have_text("6textempty")


async def test_a_finding_is_mended_with_one_press_and_taken_back(teacher: Teacher) -> None:
    page = teacher.page
    made = teacher.school.add_text("tickets.csv", LABELLED)
    await teacher.open(f"?data={made.id}")
    await teacher.press("Change refnud to refund")
    await expect(teacher.notice).to_contain_text("Mended: Change refnud to refund")
    await expect(page.locator("#checks .mended")).to_contain_text("Change refnud to refund")
    await expect(page.locator('[data-kind="label_typo"]')).to_have_count(0)
    await teacher.press("Drop 1 rows")
    await expect(page.locator("#checks h3").first).to_have_text("4 rows ready, 2 set aside")
    await teacher.press("Undo", ".notice")
    await expect(page.locator("#checks h3").first).to_have_text("5 rows ready, 1 set aside")
    await page.locator("#checks .mended").get_by_role("button", name="Undo").click()
    await expect(page.locator('[data-kind="label_typo"]')).to_be_visible()
    assert teacher.school.dataset(made.id).fixes == ()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download the cleaned file").click()
    assert (await download.value).suggested_filename == "tickets-cleaned.csv"


async def test_columns_are_mapped_by_hand_and_the_preview_follows(teacher: Teacher) -> None:
    page = teacher.page
    made = teacher.school.add_text("odd.csv", "a,b,c\nWhy?,x,Because.\nHow?,y,Like this.\n")
    await teacher.open(f"?data={made.id}")
    await page.get_by_label("This file is").select_option("question_answer")
    await expect(page.get_by_label("Answer to learn", exact=True)).to_have_value("b")
    await page.get_by_label("Answer to learn").select_option("c")
    await expect(page.locator("#source mark").nth(1)).to_contain_text("Because.")
    await page.get_by_label("This file is").select_option("alpaca")
    await expect(page.locator("#checks")).to_contain_text("Choose the column for “Instruction”")
    assert teacher.school.dataset(made.id).mapping.format == "question_answer"
    await page.get_by_label("Instruction").select_option("a")
    await page.get_by_label("Answer to learn").select_option("c")
    await expect(page.locator("#source mark").nth(1)).to_contain_text("Because.")
    assert teacher.school.dataset(made.id).mapping.columns == {"instruction": "a", "output": "c"}


async def test_what_cannot_be_read_is_said_and_harms_nothing(teacher: Teacher) -> None:
    page = teacher.page
    await teacher.open()
    await teacher.upload("photo.csv", b"\0\1\2\n")
    failed = page.locator(".upload-failed")
    await expect(failed).to_contain_text("photo.csv is not a table")
    await teacher.upload("huge.csv", "x" * 600_000)
    await expect(failed).to_contain_text("huge.csv: larger than 0 MB")
    await teacher.upload("answers.csv", ANSWERS)
    await expect(page.locator("#checks h3").first).to_have_text("20 rows ready")
    await teacher.open("?data=nothing")
    await expect(teacher.notice).to_contain_text("This file is not here any more")
    await expect(page.locator("#adding")).to_be_visible()


async def test_rows_can_be_pasted_dropped_and_taken_from_corrections(teacher: Teacher) -> None:
    page = teacher.page
    await teacher.open()
    await expect(page.locator(".corrections")).to_contain_text("No approved corrections")
    await teacher.press("Paste rows")
    await page.get_by_label("Rows").fill(ANSWERS)
    await teacher.press("Add")
    await expect(page.locator("#source .file")).to_contain_text("pasted.csv")
    await teacher.press("New")
    carried = await page.evaluate_handle(
        """(text) => {
          const carried = new DataTransfer();
          carried.items.add(new File([text], "dropped.csv"));
          return carried;
        }""",
        LABELLED,
    )
    await page.dispatch_event("#main", "dragenter", {"dataTransfer": carried})
    await expect(page.locator("#drop-zone")).to_contain_text("Drop to learn from it")
    await page.dispatch_event("#main", "drop", {"dataTransfer": carried})
    await expect(page.locator("#source .file")).to_contain_text("dropped.csv")
    teacher.school.approved = [("Can I pay later?", "Yes, by invoice.")] * 3
    await teacher.open("?corrections=1")
    await expect(page.locator("#source .file")).to_contain_text("Corrections.csv")
    await expect(page).to_have_url(re.compile(r"/teach/\?data="))  # a reload adds no other


async def test_a_removed_file_comes_back(teacher: Teacher) -> None:
    page = teacher.page
    teacher.school.add_text("answers.csv", ANSWERS)
    await teacher.open()
    await expect(page.locator(".recent li")).to_have_count(1)
    await teacher.press("Remove “answers.csv”")
    await expect(teacher.notice).to_contain_text("Removed “answers.csv”.")
    await expect(page.locator(".recent li")).to_have_count(0)
    await teacher.press("Undo")
    await expect(page.locator("#source .file")).to_contain_text("answers.csv")


# ---- step 2 ------------------------------------------------------------------------------------
async def test_a_step_folds_to_a_line_when_it_is_done(teacher: Teacher) -> None:
    await teacher.at_goal()
    data = teacher.step("data")
    await expect(data.locator(".step-body")).to_be_hidden()
    await expect(data.locator(".summary")).to_have_text("answers.csv · 20 rows ready")
    await data.locator(".step-head button").click()
    await expect(data.locator(".examples")).to_be_visible()
    await expect(data.locator(".step-head button")).to_have_attribute("aria-expanded", "true")
    await expect(teacher.page.locator("#goal form")).to_be_visible()


async def test_the_settings_follow_the_preset_and_the_task(teacher: Teacher) -> None:
    page = teacher.page
    await teacher.at_goal(LABELLED, "tickets.csv")
    await expect(page.get_by_label("To sort into these labels")).to_be_checked()
    await expect(page.locator("[data-base]")).to_contain_text("Recommended: MiniLM")
    await expect(page.locator("#goal")).to_contain_text("English, which MiniLM reads best")
    await page.get_by_label("What shall it be called?").fill("my-labels")
    await page.get_by_label("How they feel (sentiment)").check()
    await page.get_by_label("Thorough").check()
    await expect(page.locator("#goal form")).to_have_attribute("data-summary", re.compile("Thor"))
    await expect(page.get_by_label("Thorough")).to_be_focused()  # the form was drawn anew
    await page.locator("#goal .advanced > summary").click()
    await expect(page.locator("[name=epochs]")).to_have_value("8")
    await expect(page.get_by_label("What shall it be called?")).to_have_value("my-labels")
    await expect(page.get_by_label("How they feel (sentiment)")).to_be_checked()
    await page.get_by_label("To answer like this").check()
    await expect(page.get_by_label("How they feel (sentiment)")).to_have_count(0)
    await teacher.step("data").locator(".step-head button").click()
    await expect(page.locator("#source .examples")).to_contain_text("<|im_start|>user")


async def test_an_estimate_says_what_a_run_will_take(teacher: Teacher) -> None:
    page = teacher.page
    teacher.school.estimating.clear()
    id_ = await teacher.at_goal()
    await teacher.press("Estimate first")
    await expect(page.locator("#estimate")).to_contain_text("Trying a few steps · Balanced")
    await teacher.open(f"?data={id_}")  # the dry run goes on, and is not made twice
    teacher.school.estimating.set()
    await teacher.press(re.compile("Go on with"))
    await teacher.press("Estimate first")
    await expect(page.locator("#estimate dl")).to_contain_text("Memory840 MB")
    await expect(page.locator("#estimate .proved li").first).to_contain_text("words to learn")
    await expect(page.locator("#estimate .meanwhile")).to_contain_text("It stays.")
    await expect(page.locator("label:has([value=balanced]) .took")).to_have_text("7 s · 840 MB")
    teacher.school.fails = "There is not enough memory for this base. Choose a smaller one."
    await page.get_by_label("Quick try").check()
    await expect(page.locator("#estimate .estimate")).to_have_count(0)
    await teacher.press("Estimate first")
    await expect(page.locator("#estimate [role=alert]")).to_contain_text("not enough memory")
    await expect(page.get_by_role("button", name="Start")).to_be_enabled()


async def test_the_same_can_be_done_without_the_page(teacher: Teacher) -> None:
    page = teacher.page
    await teacher.at_goal()
    await page.locator("#goal .advanced > summary").click()
    await page.locator("[name=epochs]").fill("5")
    await teacher.press("Show the command")
    await expect(page.locator("#extra pre")).to_contain_text(
        "python -m chatapp train answers.csv --task chat --name answers"
    )
    await expect(page.locator("#extra pre")).to_contain_text("epochs=5")
    async with page.expect_download() as download:
        await teacher.press("Download as YAML")
    saved = (await read(download)).decode()
    assert "epochs: 5" in saved
    await page.get_by_label("Quick try").check()
    await expect(page.locator("[name=epochs]")).to_have_value("1")
    await page.set_input_files(
        "#pick-settings", {"name": "s.yaml", "mimeType": "text/yaml", "buffer": saved.encode()}
    )
    await expect(page.locator("[name=epochs]")).to_have_value("5")
    await teacher.press("See rephrased copies")
    await expect(page.locator("#extra tbody tr").first).to_contain_text("Please tell me: How long")


async def test_a_wrong_setting_is_said_in_one_sentence(teacher: Teacher) -> None:
    page = teacher.page
    await teacher.at_goal()
    await page.locator("#goal .advanced > summary").click()
    await page.locator("[name=validation_share]").fill("0.45")
    await page.locator("[name=test_share]").fill("0.46")
    await teacher.press("Start")
    await expect(page.locator(".toast-body")).to_contain_text("leave almost nothing to learn from")
    await expect(page.get_by_role("button", name="Start")).to_be_enabled()


# ---- step 3 ------------------------------------------------------------------------------------
async def test_a_run_is_watched_from_start_to_report(teacher: Teacher) -> None:
    page = teacher.page
    await teacher.at_goal()
    await teacher.press("Start")
    await expect(page.locator("#run h3").first).to_contain_text("answers Starting")
    await expect(teacher.step("goal").locator(".summary")).to_have_text(
        "To answer like this · Balanced"
    )
    (run,) = teacher.school.runs()
    await expect(page).to_have_url(re.compile(f"run={run.id}"))
    teacher.school.learn(run.id, 30, notice="Out of memory; it goes on with half the batch.")
    bar = page.locator("#run").get_by_role("progressbar")
    await expect(bar).to_have_attribute("aria-valuenow", "30")
    await expect(page.locator("#run .facts")).to_contain_text("step 30 of 100 · about 3 min left")
    await expect(page.locator("#run .notices")).to_contain_text("half the batch")
    await expect(page.locator("#run .legend").first).to_contain_text("Validation loss 2.11")
    await expect(page.locator("#run .samples .answer")).to_contain_text("Yes.")
    await page.locator("#run .log > summary").click()
    teacher.school.learn(run.id, 60)
    await expect(bar).to_have_attribute("aria-valuenow", "60")
    await expect(page.locator("#run .log pre")).to_contain_text("step 60 of 100")  # still unfolded
    await expect(page.locator("#run .samples .answer")).to_contain_text("within 30 days, unused")
    await expect(page.locator("#history .runs li")).to_contain_text("60%")
    teacher.school.finish(run.id, chat_report(), teacher.adapters)
    await expect(page.locator("#verdict .headline")).to_contain_text("It helped: 68 %")
    await expect(teacher.step("run").locator(".summary")).to_contain_text("answers · Done")
    await expect(teacher.step("run").locator(".step-body")).to_be_hidden()
    await expect(page.get_by_role("button", name="Make it live").first).to_be_visible()


async def test_a_run_goes_on_without_its_tab_and_is_found_again(
    teacher: Teacher, shared: Any
) -> None:
    await teacher.at_goal()
    await teacher.press("Start")
    await expect(teacher.page.locator("#run .run")).to_be_visible()
    (run,) = teacher.school.runs()
    await teacher.page.close()
    teacher.school.learn(run.id, 70)
    for query in (f"?run={run.id}", ""):  # by its address, and by just coming back
        again = Teacher(teacher.room, await shared.new_page())
        await again.open(query)
        bar = again.page.locator("#run").get_by_role("progressbar")
        await expect(bar).to_have_attribute("aria-valuenow", "70")
        await expect(again.step("run").locator(".step-body")).to_be_visible()
        await again.page.close()
    teacher.school.kill(run.id)
    again = Teacher(teacher.room, await shared.new_page())
    await again.open(f"?run={run.id}")
    await expect(again.page.locator("#run [role=alert]")).to_contain_text("ended without a word")
    await again.press("Resume")
    await expect(again.notice).to_contain_text("It goes on from its last checkpoint.")
    await expect(again.page.locator("#run .state")).to_have_text("Starting")


async def test_a_run_can_be_stopped_and_kept_or_discarded(teacher: Teacher) -> None:
    page = teacher.page
    run = teacher.launched()
    teacher.school.learn(run, 20)
    await teacher.open(f"?run={run}")
    await page.locator("#run details.menu summary").click()
    teacher.school.learn(run, 30)  # drawn anew meanwhile: the menu stays open
    await expect(page.locator("#run .facts")).to_contain_text("step 30")
    await teacher.press(re.compile("Keep the best so far"))
    await expect(page.locator("#run .state")).to_have_text("Stopping")
    assert teacher.school.folder(run).wanted_stop == "keep"
    teacher.school.end(run, "stopped")
    await expect(page.locator("#run .state")).to_have_text("Stopped early")
    second = teacher.launched(name="second")
    teacher.school.learn(second, 20)
    await teacher.open(f"?run={second}")
    await page.locator("#run details.menu summary").click()
    await teacher.press(re.compile("Nothing of it is kept"))
    await expect(teacher.notice).to_contain_text("Removed the run “second”.")
    await expect(page.locator("#adding")).to_be_visible()
    await teacher.press("Undo")
    await expect(page.locator("#run h3").first).to_contain_text("second")


async def test_the_instant_baseline_is_shown_before_the_fine_tune_is_done(
    teacher: Teacher,
) -> None:
    run = teacher.launched(LABELLED)
    teacher.school.folder(run).write_report(classify_report(fine_tuned=False))
    teacher.school.learn(run, 5, notice="The instant baseline, trained in 3 seconds, sorts many.")
    await teacher.open(f"?run={run}")
    baseline = teacher.page.locator("#run .baseline")
    await expect(baseline).to_contain_text("already gets 63.7 % right")
    await expect(teacher.page.locator("#run .notices")).to_have_count(0)
    teacher.school.end(run, "failed", "The disk is full. Free some space, then resume.")
    await expect(teacher.page.locator("#run [role=alert]")).to_contain_text("The disk is full.")
    await expect(teacher.page.locator("#verdict [data-run]")).to_have_count(0)


async def test_a_second_run_waits_and_says_so(teacher: Teacher) -> None:
    page = teacher.page
    teacher.launched(name="first")
    waits = teacher.launched(name="waits")
    await teacher.open(f"?run={waits}")
    await expect(page.locator("#run .facts")).to_have_text("One run is before it.")
    await teacher.press("Take it out of the queue")
    await expect(page.locator("#history .runs")).not_to_contain_text("waits")


async def test_a_failed_run_says_why_and_offers_ways_on(teacher: Teacher) -> None:
    page = teacher.page
    run = teacher.launched(epochs=4.0)
    teacher.school.end(run, "failed", "The loss became NaN at step 40. Halve the learning rate.")
    await teacher.open(f"?run={run}")
    await expect(page.locator("#run [role=alert]")).to_contain_text("Halve the learning rate.")
    await teacher.press("Change the settings", "#run")
    await expect(page.locator("#goal form")).to_be_visible()
    await page.locator("#goal .advanced > summary").click()
    await expect(page.locator("[name=epochs]")).to_have_value("4")
    await expect(teacher.step("data").locator(".summary")).to_contain_text("20 rows ready")


# ---- step 4 ------------------------------------------------------------------------------------
async def finished(teacher: Teacher, **config: Any) -> str:
    run = teacher.launched(LABELLED, **({"name": "lesson"} | config))
    teacher.school.learn(run, 100)
    teacher.school.finish(run, classify_report(), teacher.adapters)
    return run


async def test_a_classifier_report_leads_to_its_examples(teacher: Teacher) -> None:
    page = teacher.page
    run = await finished(teacher)
    await teacher.open(f"?run={run}")
    await expect(page.locator("#verdict .headline")).to_contain_text("It helped: 66.7%")
    scores = page.locator("#result .scores").first
    await expect(scores).to_contain_text("Fine-tune")
    await expect(page.locator("#result .matrix tbody tr").nth(1)).to_contain_text("payment11")
    await expect(page.locator("#result .mistakes li").first).to_contain_text(
        "My card was charged twice"
    )
    await page.get_by_role("button", name="1 of payment taken for refund").click()
    cell = page.locator("#cell .cell")
    await expect(cell.locator("h3")).to_have_text("1 payment taken for refund")
    await expect(cell).to_contain_text("support.csv, row 3")
    await cell.get_by_label("Label").select_option("refund")
    await expect(teacher.notice).to_contain_text("Row 3 is “refund” now.")
    dataset = teacher.school.run(run).dataset_id
    assert teacher.school.labels_of(dataset) == {3: "refund"}
    await teacher.press("Undo")
    await expect(teacher.notice).to_have_count(0)
    assert teacher.school.labels_of(dataset) == {3: "payment"}
    await expect(cell.get_by_label("Label")).to_have_value("payment")
    await page.keyboard.press("Escape")
    await expect(cell).to_have_count(0)


async def test_the_report_can_be_taken_away(teacher: Teacher) -> None:
    page = teacher.page
    run = await finished(teacher)
    await teacher.open(f"?run={run}")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="HTML").click()
    report = (await read(download)).decode()
    assert (await download.value).suggested_filename == "lesson-report.html"
    other = await page.context.new_page()
    await other.set_content(report)
    await expect(other.locator(".headline")).to_contain_text("It helped: 66.7%")
    await expect(other.locator(".matrix td.right").first).to_be_visible()
    assert await other.locator("script, link, button").count() == 0


async def test_going_live_and_rolling_back(teacher: Teacher) -> None:
    page = teacher.page
    run = await finished(teacher)
    await teacher.open(f"?run={run}")
    await teacher.press("Make it live", "#verdict")
    gate = page.locator("#gate .gate")
    await expect(gate).to_contain_text("“lesson” may go live")
    await expect(gate).to_contain_text("It forgot nothing.")
    await teacher.press("Make it live", "#gate")
    await expect(teacher.notice).to_contain_text("“lesson” is live.")
    await expect(page.locator("#verdict .use")).to_have_text("Live now")
    live = page.locator("#history .live")
    await expect(live).to_contain_text("Intentlesson")
    await live.get_by_role("button", name=re.compile("Roll back")).click()
    await expect(teacher.notice).to_contain_text("Rolled back: “the base model” is live again.")
    await expect(page.locator("#verdict .use")).to_have_count(0)


async def test_an_adapter_goes_live_from_the_history_too(teacher: Teacher) -> None:
    page = teacher.page
    await finished(teacher)
    await teacher.open()
    await page.locator("#history .adapters summary").first.click()
    await expect(page.locator("#history .lineage")).to_contain_text("all-MiniLM-L6-v2 5af571cbf0")
    await teacher.press("Make it live", "#history")
    await expect(page.locator("#gate .gate")).to_be_visible()
    await teacher.press("Make it live", "#gate")
    await expect(page.locator("#history .live")).to_contain_text("Intentlesson")
    await expect(page.locator("#history .adapters").get_by_text("Make it live")).to_have_count(0)


async def test_a_shut_gate_opens_with_a_reason(teacher: Teacher) -> None:
    page = teacher.page
    run = teacher.launched(name="shop")
    teacher.school.finish(run, chat_report(forgot=True), teacher.adapters)
    teacher.adapters.shut["shop"] = "It forgot everyday things: 12 of 24 right, 18 before."
    await teacher.open(f"?run={run}")
    await expect(page.locator("#result .general")).to_contain_text("It forgot some: 12 of 24")
    compare = page.get_by_role("link", name="Compare in chat")
    await expect(compare).to_have_attribute("href", "/?compare=shop")
    await teacher.press("Make it live", "#verdict")
    await expect(page.locator("#gate .gate")).to_contain_text("It forgot everyday things")
    await teacher.press("Make it live anyway")
    await expect(page.locator("#gate .gate")).to_be_visible()  # a reason is required
    await page.get_by_label("Why shall it go live all the same?").fill("Its tone is better.")
    await teacher.press("Make it live anyway")
    await expect(page.locator("#history .live")).to_contain_text("“Its tone is better.”")


async def test_what_was_learned_can_be_discarded_and_brought_back(teacher: Teacher) -> None:
    page = teacher.page
    run = await finished(teacher)
    await teacher.open(f"?run={run}")
    await teacher.press("Discard", "#verdict")
    await expect(teacher.notice).to_contain_text("Deleted “lesson”.")
    await expect(page.locator("#history .adapters")).to_contain_text("Nothing yet.")
    await teacher.press("Undo")
    await expect(page.locator("#history .adapters li")).to_contain_text("Intent · 66.7%")


async def test_runs_are_compared_side_by_side(teacher: Teacher) -> None:
    page = teacher.page
    for name, epochs in (("short", 1.0), ("long", 9.0)):
        run = teacher.launched(name=name, epochs=epochs)
        teacher.school.learn(run, 50)
        teacher.school.finish(run, chat_report(), teacher.adapters)
    await teacher.open()
    await page.get_by_label("Choose short to compare").check()
    await expect(page.get_by_role("button", name=re.compile("Compare"))).to_be_hidden()
    await page.get_by_label("Choose long to compare").check()
    await teacher.press("Compare 2 runs")
    beside = page.locator("#comparison")
    await expect(beside.locator("tr.differs")).to_contain_text(
        ["short.csvlong.csv", "epochs1.09.0"]
    )
    await expect(beside.locator(".legend")).to_contain_text("long · validation")
    await teacher.press("Close", "#comparison")
    await expect(beside.locator("section")).to_have_count(0)


async def test_somebodys_adapter_is_imported(teacher: Teacher) -> None:
    page = teacher.page
    await teacher.open()
    await page.set_input_files(
        "#pick-adapter", {"name": "x.zip", "mimeType": "application/zip", "buffer": b"no zip"}
    )
    await expect(page.locator("#imports")).to_contain_text("x is not a zip file")
    await page.set_input_files(
        "#pick-adapter", {"name": "my tone.zip", "mimeType": "application/zip", "buffer": b"PK.."}
    )
    await expect(page.locator("#history .adapters li")).to_contain_text("my-tone")


# ---- everybody ---------------------------------------------------------------------------------
async def test_it_speaks_chinese(teacher: Teacher, arrive: Callable[..., Any]) -> None:
    run = await finished(teacher)
    visitor = await arrive(locale="zh-CN")
    await visitor.open(f"?run={run}")
    page = visitor.page
    await expect(page.get_by_role("heading", name="训练助手")).to_be_visible()
    await expect(page.locator("#verdict .headline")).to_contain_text("有效：6 条未见过的消息判对")
    await expect(visitor.step("run").locator(".summary")).to_contain_text("已完成")
    await visitor.step("goal").locator(".step-head button").click()
    await visitor.press("调整设置", "#goal")
    await page.locator("#goal .advanced > summary").click()
    await expect(page.locator("#goal .settings")).to_contain_text("把整个文件读几遍")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(
    teacher: Teacher, arrive: Callable[..., Any], scheme: str
) -> None:
    run = await finished(teacher)
    goes_on = teacher.launched(name="goes-on")
    teacher.school.learn(goes_on, 40)
    made = teacher.school.add_text("tickets.csv", LABELLED)
    visitor = await arrive(color_scheme=scheme)
    page = visitor.page
    for query, shown in (
        (f"?data={made.id}", "#checks .findings"),
        (f"?run={goes_on}", "#run .chart"),
        (f"?run={run}", "#result .matrix"),
    ):
        await visitor.open(query)
        await expect(page.locator(shown).first).to_be_visible()
        if "data" in query:
            await visitor.press(re.compile("Go on with"))
            await page.locator("#goal .advanced > summary").click()
            await visitor.step("data").locator(".step-head button").click()
        results = await Axe().run(page)
        serious = [
            (violation["id"], [node["html"][:160] for node in violation["nodes"]])
            for violation in results.response["violations"]
            if violation["impact"] in ("serious", "critical")
        ]
        assert serious == []


async def test_on_a_phone_everything_fits_and_the_history_is_below(
    teacher: Teacher, arrive: Callable[..., Any]
) -> None:
    run = await finished(teacher)
    made = teacher.school.add_text("tickets.csv", LABELLED)
    visitor = await arrive(**PHONE)
    page = visitor.page
    width = "document.documentElement.scrollWidth"
    for query, shown in ((f"?data={made.id}", "#checks .findings"), (f"?run={run}", "#result")):
        await visitor.open(query)
        await expect(page.locator(shown).first).to_be_visible()
        assert await page.evaluate(width) <= 390
    main, side = page.locator("#main"), page.locator("#sidebar")
    above, below = await main.bounding_box(), await side.bounding_box()
    assert above is not None
    assert below is not None
    assert below["y"] >= above["y"] + above["height"] - 1
    await page.get_by_role("link", name="lesson").first.scroll_into_view_if_needed()
