from __future__ import annotations

from collections.abc import AsyncIterator

import gradio as gr
import pytest
import pytest_asyncio
from fastapi import FastAPI
from playwright.async_api import async_playwright

from chatapp import ui
from chatapp.flows.chat import Chat
from chatapp.records import Persona, Sampling
from chatapp.store import Conversations, Database, Messages
from tests.faces.api_app import serving
from tests.faces.browser import ARGUMENTS, CHROMIUM, DESKTOP, Site, Visitor
from tests.fakes import FakeEngine

SECRET = "a secret of the tests, long enough"
PERSONAS = {
    persona.id: persona
    for persona in (
        Persona(
            id="service",
            name="Customer service",
            description="Helps with orders and returns.",
            system_prompt="Be kind and brief.",
            starters=("How long can I return a tent?", "Where is my parcel?"),
            names={"zh": "客户服务"},
        ),
        Persona(
            id="coder",
            name="Coding helper",
            description="Explains and writes code.",
            system_prompt="Write correct code.",
            starters=("Sort a list in Python",),
            sampling=Sampling(temperature=0.2, max_tokens=300),
        ),
    )
}


def page_app(
    database: Database, engine: FakeEngine, personas: dict[str, Persona] | None = None
) -> FastAPI:
    """The page alone, mounted as the app mounts it."""
    conversations, messages = Conversations(database), Messages(database)
    identity = ui.Identity(SECRET)
    blocks = ui.build_blocks(
        Chat(engine, conversations, messages),
        conversations,
        messages,
        engine,
        PERSONAS if personas is None else personas,
        identity.owner_of,
    )
    app = FastAPI()
    gr.mount_gradio_app(app, blocks, path="/", **ui.mount_kwargs())
    app.add_middleware(ui.IdentityMiddleware, identity=identity)
    app.add_middleware(ui.PageHeadMiddleware)
    return app


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One server and one browser for all page tests; every visitor is a new person."""
    if not CHROMIUM.exists():
        pytest.skip(f"needs Chromium at {CHROMIUM} (Debian: apt-get install chromium)")
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('page') / 'page.db'}")
    database.migrate()
    engine = FakeEngine(context_length=600, max_running=16, max_waiting=16)
    await engine.start()
    async with serving(page_app(database, engine)) as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        shared = await browser.new_context(**DESKTOP)
        yield Site(address, engine, Conversations(database), browser, shared)
        await browser.close()
    database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(site: Site) -> AsyncIterator[Visitor]:
    """A new person on the start page; their browser keeps nothing but its cache of files."""
    await site.shared.clear_cookies()
    person = Visitor(site, site.shared)
    await person.open()
    yield person
    for page in site.shared.pages:
        await page.close()
