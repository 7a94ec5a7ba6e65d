"""The page's endpoints as a program could call them: what they refuse, and how many they serve."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from chatapp.store import Conversations, Database
from chatapp.ui.identity import COOKIE, Identity
from tests.faces.api_app import serving, until
from tests.faces.conftest import SECRET, page_app
from tests.fakes import FakeEngine, Pause

CONTROLS = ["live", 0.7, 0.95, 0, 1.0, 64, None]  # who answers, and how


class Caller:
    """Speaks the page's protocol without a browser."""

    def __init__(self, client: httpx.AsyncClient, session: str) -> None:
        self.client = client
        self.session = session
        self.events: dict[str, dict[str, Any]] = {}

    @classmethod
    async def arrive(cls, address: str, session: str) -> Caller:
        """A browser that has loaded the page, and so has its cookie."""
        caller = cls(httpx.AsyncClient(base_url=address, timeout=20), session)
        await caller.client.get("/")
        config = (await caller.client.get("/config")).json()
        names = {part["id"]: part["props"].get("elem_id") for part in config["components"]}
        for dependency in config["dependencies"]:
            for target, event in dependency["targets"]:
                caller.events[f"{names.get(target)}.{event}"] = dependency
            for follow in config["dependencies"]:
                if follow.get("trigger_after") == dependency["id"]:
                    first = next(iter(dependency["targets"]))
                    caller.events[f"{names.get(first[0])}.then"] = follow
        return caller

    async def call(
        self, event: str, data: list[Any], event_data: Any = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Trigger an event of a component by its elem_id; yields what the server reports."""
        joined = await self.client.post(
            "/gradio_api/queue/join",
            json={
                "data": data,
                "event_data": event_data,
                "fn_index": self.events[event]["id"],
                "session_hash": self.session,
            },
        )
        assert joined.status_code == 200, joined.text
        mine = joined.json()["event_id"]
        async with self.client.stream(
            "GET", "/gradio_api/queue/data", params={"session_hash": self.session}
        ) as response:
            async for line in response.aiter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                if message.get("event_id") == mine:
                    yield message
                    if message["msg"] == "process_completed":
                        return

    async def result(self, event: str, data: list[Any], event_data: Any = None) -> dict[str, Any]:
        """The last report about an event."""
        return [report async for report in self.call(event, data, event_data)][-1]

    def ask(self, text: str, persona: str = "service") -> AsyncIterator[dict[str, Any]]:
        return self.call("composer.then", [text, "", persona, "Be brief.", *CONTROLS])


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(max_running=8)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'page.db'}")
    database.migrate()
    return database


@pytest_asyncio.fixture
async def address(engine: FakeEngine, database: Database) -> AsyncIterator[str]:
    await engine.start()
    async with serving(page_app(database, engine)) as address:
        yield address
    database.close()


def owner_of(caller: Caller) -> str:
    owner = Identity(SECRET).read(caller.client.cookies[COOKIE])
    assert owner is not None
    return owner


async def test_eight_browsers_stream_at_the_same_time(address: str, engine: FakeEngine) -> None:
    pauses = [Pause() for _ in range(8)]
    for number, pause in enumerate(pauses):
        engine.say(f"beginning {number}", pause, " and end")
    callers = [await Caller.arrive(address, f"tab{n}") for n in range(8)]

    async def read(caller: Caller) -> str:
        return json.dumps([message async for message in caller.ask("Go")])

    reading = [asyncio.create_task(read(caller)) for caller in callers]
    await until(lambda: engine.load() == (8, 0))
    for pause in pauses:
        pause.go_on()
    for texts in await asyncio.gather(*reading):
        assert "beginning" in texts
        assert "and end" in texts


async def test_nobody_can_act_on_anothers_conversation(address: str, database: Database) -> None:
    victim, thief = [await Caller.arrive(address, name) for name in ("victim", "thief")]
    async for _ in victim.ask("My secret plan"):
        pass
    conversations = Conversations(database)
    (chat,) = conversations.list(owner_of(victim))
    question, answer = conversations.branch(owner_of(victim), chat.id)
    attempts: list[tuple[str, list[Any], Any]] = [
        ("turns.open", [], {"id": chat.id}),
        ("turns.retry", [chat.id, "service", *CONTROLS], {"id": answer.id}),
        ("turns.edit", [chat.id, "service", *CONTROLS], {"id": question.id, "text": "x"}),
        ("turns.undo", [chat.id], {"id": question.id}),
        ("turns.show", [chat.id], {"target": question.id}),
        ("turns.like", [chat.id], {"id": answer.id, "verdict": "like"}),
        ("turns.rename", [], {"id": chat.id, "title": "Mine"}),
        ("turns.delete", [chat.id, "service"], {"id": chat.id}),
        ("turns.restore", [], {"id": chat.id}),
        ("turns.export", [chat.id], {"format": "json"}),
        ("persona.input", ["coder", chat.id], None),
        ("instructions.blur", ["Obey me", chat.id], None),
        ("composer.then", ["x", chat.id, "service", "Obey me", *CONTROLS], None),
    ]
    for event, data, event_data in attempts:
        reports = [report async for report in thief.call(event, data, event_data)]
        assert "secret plan" not in json.dumps(reports), event
        if event != "turns.open":  # that one says "not here" on an empty page
            assert reports[-1]["success"] is False, event
            assert "no such conversation" in reports[-1]["output"]["error"].lower(), event
    assert conversations.list(owner_of(victim)) == [chat]
    assert conversations.branch(owner_of(victim), chat.id) == [question, answer]


async def test_every_event_needs_the_queue_or_nothing_secret(address: str) -> None:
    caller = await Caller.arrive(address, "tab")
    info = (await caller.client.get("/gradio_api/info")).json()
    assert info["named_endpoints"] == {}
    assert info["unnamed_endpoints"] == {}
    direct = await caller.client.post(
        "/gradio_api/run/predict",
        json={"data": [""], "fn_index": caller.events["turns.open"]["id"], "session_hash": "x"},
    )
    assert direct.status_code == 404


@pytest.mark.parametrize("path", ["/etc/passwd", "pyproject.toml"])
async def test_server_files_cannot_be_imported(address: str, database: Database, path: str) -> None:
    caller = await Caller.arrive(address, "tab")
    theirs = {"path": path, "orig_name": "chat.json", "meta": {"_type": "gradio.FileData"}}
    report = await caller.result("import.upload", [theirs])
    assert report["success"] is False
    assert "root:" not in json.dumps(report)
    assert Conversations(database).list(owner_of(caller)) == []


async def test_an_upload_of_ones_own_is_imported(address: str, database: Database) -> None:
    caller = await Caller.arrive(address, "tab")
    chat = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    sent = await caller.client.post(
        "/gradio_api/upload", files={"files": ("chat.json", json.dumps(chat).encode())}
    )
    mine = {"path": sent.json()[0], "orig_name": "chat.json", "meta": {"_type": "gradio.FileData"}}
    report = await caller.result("import.upload", [mine])
    assert report["success"] is True
    assert len(Conversations(database).list(owner_of(caller))) == 1


async def test_a_huge_upload_is_refused(address: str) -> None:
    caller = await Caller.arrive(address, "tab")
    sent = await caller.client.post(
        "/gradio_api/upload", files={"files": ("chat.json", b"x" * (11 * 1024**2))}
    )
    assert sent.status_code == 413


async def test_the_cookie_fits_where_the_page_stands(address: str, engine: FakeEngine) -> None:
    async with httpx.AsyncClient(base_url=address) as client:
        cookie = (await client.get("/")).headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        again = await client.get("/")
        assert "set-cookie" not in again.headers
        forged = await client.get("/", headers={"cookie": f"{COOKIE}=IkRvZSI.forged"})
        assert Identity(SECRET).read(forged.headers["set-cookie"].split(";")[0].split("=", 1)[1])


async def test_the_page_works_without_a_persona(database: Database, engine: FakeEngine) -> None:
    await engine.start()
    async with serving(page_app(database, engine, personas={})) as address:
        caller = await Caller.arrive(address, "tab")
        reports = [report async for report in caller.ask("hello", persona="")]
        assert reports[-1]["success"] is True
