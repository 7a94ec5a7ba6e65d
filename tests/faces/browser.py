"""The page in a real browser: a running site with a fake engine, and what a person does on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, expect

from chatapp.store import Conversations
from tests.fakes import FakeEngine, Pause

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
]
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "locale": "en-US"}
expect.set_options(timeout=45_000)


@dataclass
class Site:
    """A served app, with its insides at hand."""

    address: str
    engine: FakeEngine
    conversations: Conversations
    browser: Browser
    shared: BrowserContext

    async def visit(self, path: str = "/", **options: Any) -> Visitor:
        """A person with a fresh browser."""
        visitor = Visitor(self, await self.browser.new_context(**(DESKTOP | options)))
        await visitor.open(path)
        return visitor


class Visitor:
    """What a person sees and does, in one tab."""

    def __init__(self, site: Site, context: BrowserContext) -> None:
        self.site = site
        self.context = context
        self.page: Page
        self.elsewhere: list[str] = []
        """Addresses outside the site that the page asked for."""

    async def open(self, path: str = "/") -> None:
        """Go to a page of the site and wait until it can be used."""
        self.page = await self.context.new_page()
        self.page.set_default_timeout(25_000)
        self.page.on("request", self._note)
        await self.page.goto(self.site.address + path)
        await self.ready()

    async def ready(self) -> None:
        """The page is drawn and connected."""
        await expect(self.page.locator("#model-line .model-line")).to_be_attached()

    def _note(self, request: Any) -> None:
        if not request.url.startswith((self.site.address, "data:", "blob:", "about:")):
            self.elsewhere.append(request.url)

    async def close(self) -> None:
        await self.context.close()

    # ---- doing ----
    async def say(self, text: str) -> None:
        """Type a question and press Enter."""
        await self.page.fill("#composer textarea", text)
        await self.page.keyboard.press("Enter")

    async def ask(self, text: str) -> None:
        """Ask, and wait for the whole answer."""
        before = await self.answers.count()
        await self.say(text)
        await expect(self.answers).to_have_count(before + 1)
        await self.idle()

    async def idle(self) -> None:
        """No answer is being written."""
        await expect(self.page.locator("#send")).to_be_visible()
        await expect(self.page.locator("#thread .progress")).to_have_count(0)

    async def new_chat(self) -> None:
        """Start anew and wait for the empty page."""
        await self.press("New chat", self.page.locator("#sidebar"))
        await expect(self.page.locator(".welcome")).to_be_visible()

    async def press(self, name: str, within: Any = None) -> None:
        """Click the button of that name; the last one where there are several."""
        root = within if within is not None else self.page.locator("#main")
        await root.get_by_role("button", name=name, exact=True).last.click()

    # ---- seeing ----
    @property
    def answers(self) -> Any:
        return self.page.locator("#thread .bot-row")

    @property
    def questions(self) -> Any:
        return self.page.locator("#thread .user-row")

    @property
    def last_answer(self) -> Any:
        return self.answers.last.locator(".message-content")

    @property
    def titles(self) -> Any:
        return self.page.locator("#conversations a.open")

    @property
    def toast(self) -> Any:
        return self.page.locator(".toast-body")

    async def sees(self, text: str | re.Pattern[str]) -> None:
        """The last answer reads exactly so."""
        await expect(self.last_answer).to_have_text(text)


def paced(*texts: str) -> tuple[list[str | Pause], list[Pause]]:
    """A script that waits for the test before each text but the first."""
    pauses = [Pause() for _ in texts[1:]]
    script: list[str | Pause] = [texts[0]]
    for pause, text in zip(pauses, texts[1:], strict=True):
        script += [pause, text]
    return script, pauses
