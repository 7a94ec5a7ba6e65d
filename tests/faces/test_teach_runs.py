"""From a file to something live in a browser, with real runs: each a process of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from chatapp.flows.finetune import FineTune
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.queue import RunQueue
from chatapp.training_records import Adapter
from tests.faces.api_app import serving
from tests.faces.browser import ARGUMENTS, CHROMIUM, DESKTOP
from tests.faces.teach_school import Wardrobe
from tests.faces.teach_site import classroom
from tests.flows.teaching import Bench
from tests.unit.training.run.runs import WORKER, kill, processes

pytestmark = pytest.mark.browser
CHILD = "chatapp.training.run.child"


class Server:
    """One server on a data folder: another one is what remains after a restart."""

    def __init__(self, bench: Bench, adapters: Wardrobe) -> None:
        self.adapters = adapters
        self.finetune = FineTune(
            bench.folder,
            bench.bases,
            register=self._register,
            queue=RunQueue(bench.folder, 1, WORKER),
        )

    def _register(self, folder: RunFolder) -> Adapter:
        return self.adapters.add(self.finetune.run(folder.id), "intent", folder.report)

    @asynccontextmanager
    async def running(self, folder: Path) -> AsyncIterator[str]:
        """Serve the page, and look after the runs."""
        room = classroom(folder, self.finetune, self.adapters)
        watching = asyncio.create_task(self.finetune.watch())
        try:
            async with serving(room.app) as address:
                yield address
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


@asynccontextmanager
async def browser() -> AsyncIterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip(f"needs Chromium at {CHROMIUM} (Debian: apt-get install chromium)")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield await opened.new_context(**DESKTOP)
        await opened.close()


async def pressed(page: Page, name: str | re.Pattern[str]) -> None:
    await page.get_by_role("button", name=name, exact=isinstance(name, str)).last.click()


async def test_a_run_outlives_its_tab_its_server_and_its_own_death(tmp_path: Path) -> None:
    bench, adapters = Bench(tmp_path), Wardrobe()
    bench.script(pause=0.2, report=True)
    async with browser() as context, AsyncExitStack() as first:
        address = await first.enter_async_context(Server(bench, adapters).running(tmp_path))
        page = await context.new_page()
        await page.goto(f"{address}/teach/")
        await page.set_input_files("#pick-data", bench.labelled())
        await expect(page.locator("#checks h3").first).to_contain_text("60 rows ready")
        await expect(page.locator("#source mark").nth(1)).to_contain_text("refund")
        await pressed(page, re.compile("Go on with"))
        await page.get_by_label("What shall it be called?").fill("shop")
        await pressed(page, "Start")
        await expect(page.locator("#run .facts")).to_contain_text(re.compile("step [1-9]"))
        query = page.url.partition("/teach/")[2]
        await page.close()  # the tab
        await first.aclose()  # the server

        second = Server(bench, adapters)
        async with second.running(tmp_path) as address:
            page = await context.new_page()
            await page.goto(f"{address}/teach/{query}")
            await expect(page.locator("#run .state")).to_have_text("Learning")
            (run,) = second.finetune.runs()
            folder = second.finetune.folder(run.id)
            for module in (CHILD, WORKER):  # the run itself
                for process in processes(folder, module):
                    kill(process)
            await expect(page.locator("#run .state")).to_have_text("Interrupted")
            await expect(page.locator("#run [role=alert]")).to_contain_text("Resume it")
            reached = folder.state.step
            assert reached > 0
            bench.script(pause=0.01, report=True)
            await pressed(page, "Resume")
            await expect(page.locator("#verdict .headline")).to_contain_text("9 of 10 texts right")
            assert folder.state.status == "done"
            await expect(page.locator("#history .adapters li")).to_contain_text("shop")
            await page.locator("#verdict").get_by_role("button", name="Make it live").click()
            await page.locator("#gate").get_by_role("button", name="Make it live").click()
            await expect(page.locator("#history .live")).to_contain_text("Intentshop")
