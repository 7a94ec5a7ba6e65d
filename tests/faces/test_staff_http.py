"""The Knowledge page and the documents, as a program could call them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from chatapp.flows.uploads import Upload
from chatapp.knowledge_records import Collection
from chatapp.store import Database
from tests.faces.api_app import serving, until
from tests.faces.staff_site import Desk, StaffParts, staff_parts, working

PASSWORD = "tents and bags"
HANDBOOK = "# Returns\n\nUnused <b>tents</b> can be returned within 30 days.\n\nSend them back."


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'staff.db'}")
    database.migrate()
    return database


@pytest.fixture
def parts(database: Database, tmp_path: Path) -> StaffParts:
    return staff_parts(database, tmp_path, password=PASSWORD, host="0.0.0.0")


@pytest_asyncio.fixture
async def desk(parts: StaffParts, database: Database) -> AsyncIterator[Desk]:
    async with working(parts.desk.ingest), serving(parts.app) as address:
        parts.desk.address = address
        yield parts.desk
    database.close()


@pytest_asyncio.fixture
async def visitor(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=desk.address, timeout=20) as client:
        yield client


@pytest_asyncio.fixture
async def staff(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=desk.address, timeout=20) as client:
        await client.post("/staff/login", data={"password": PASSWORD})
        yield client


async def added(desk: Desk, collection: Collection, name: str, content: bytes, folder: Path) -> str:
    """A document that has been taken in; returns its id."""
    path = folder / "original"
    path.write_bytes(content)
    desk.ingest.add(collection.id, [Upload(name, path)])
    await until(lambda: desk.documents.find(collection.id, name))
    found = desk.documents.find(collection.id, name)
    assert found is not None
    return found.id


# ---- the gate ----------------------------------------------------------------------------------
async def test_nothing_of_the_page_answers_without_the_password(
    desk: Desk, visitor: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    config = (await staff.get("/staff/config")).json()
    events = range(len(config["dependencies"]))
    here = desk.public.id
    attempts: list[tuple[str, str, Any]] = [
        *(("GET", path, None) for path in ("/staff/config", "/staff/gradio_api/info")),
        ("GET", "/staff/theme.css", None),
        ("GET", "/staff/gradio_api/startup-events", None),
        ("GET", "/staff/gradio_api/queue/data?session_hash=x", None),
        ("GET", "/staff/gradio_api/heartbeat/x", None),
        ("GET", f"/staff/gradio_api/file={desk.folder / 'staff.db'}", None),
        ("POST", "/staff/gradio_api/upload", None),
        ("POST", "/staff/gradio_api/reset", {"event_id": "x"}),
        ("POST", "/staff/gradio_api/component_server", {}),
        ("POST", f"/staff/collections/{here}/documents?name=x.md", None),
        ("POST", f"/staff/collections/{here}/faq?name=x.csv", None),
        ("GET", f"/staff/collections/{here}/faq.json", None),
        *(
            ("POST", f"/staff/gradio_api/{call}", {"data": [], "fn_index": n, "session_hash": "x"})
            for n in events
            for call in ("queue/join", "run/predict")
        ),
    ]
    for method, path, body in attempts:
        answer = await visitor.request(method, path, json=body)
        assert answer.status_code == 401, (method, path)
    assert (await visitor.get("/staff/", headers={"accept": "text/html"})).status_code == 303
    assert desk.files.list() == []


async def test_with_it_the_page_has_no_endpoint_but_its_queue(staff: httpx.AsyncClient) -> None:
    page = await staff.get("/staff/")
    assert "window.chatapp" in page.text
    info = (await staff.get("/staff/gradio_api/info")).json()
    assert info["named_endpoints"] == {}
    direct = await staff.post(
        "/staff/gradio_api/run/predict", json={"data": [""], "fn_index": 0, "session_hash": "x"}
    )
    assert direct.status_code == 404
    database = await staff.get("/staff/gradio_api/file=/etc/hostname")
    assert database.status_code == 403


async def test_an_event_works_only_with_the_password(
    staff: httpx.AsyncClient, visitor: httpx.AsyncClient, desk: Desk
) -> None:
    config = (await staff.get("/staff/config")).json()
    load = next(
        one for one in config["dependencies"] if any(kind == "load" for _, kind in one["targets"])
    )
    call = {"data": ["public"], "fn_index": load["id"], "session_hash": "tab"}
    assert (await visitor.post("/staff/gradio_api/queue/join", json=call)).status_code == 401
    assert (await staff.post("/staff/gradio_api/queue/join", json=call)).status_code == 200
    async with staff.stream(
        "GET", "/staff/gradio_api/queue/data", params={"session_hash": "tab"}
    ) as response:
        async for line in response.aiter_lines():
            if line.startswith("data:") and "process_completed" in line:
                report = json.loads(line[5:])
                break
    assert report["success"] is True
    assert desk.public.id in json.dumps(report["output"])


# ---- files in and out --------------------------------------------------------------------------
async def test_files_come_in_by_http(staff: httpx.AsyncClient, desk: Desk) -> None:
    where = f"/staff/collections/{desk.public.id}"
    answer = await staff.post(
        f"{where}/documents",
        params={"name": "a/hand.md", "tags": "x, y"},
        content=HANDBOOK.encode(),
    )
    assert answer.status_code == 202
    await until(lambda: desk.documents.find(desk.public.id, "a/hand.md"))
    found = desk.documents.find(desk.public.id, "a/hand.md")
    assert found is not None
    assert found.tags == ("x", "y")
    assert list((desk.folder / "incoming").iterdir()) == []


async def test_what_cannot_come_in_is_told(staff: httpx.AsyncClient, desk: Desk) -> None:
    where = f"/staff/collections/{desk.public.id}"

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 40_000

    for content in (b"x" * 100_000, chunks()):  # with and without a length in front
        large = await staff.post(f"{where}/documents", params={"name": "big.md"}, content=content)
        assert large.status_code == 413
        assert "big.md is larger than" in large.json()["error"]["message"]
    nameless = await staff.post(f"{where}/documents", params={"name": " "}, content=b"x")
    assert nameless.status_code == 400
    nowhere = await staff.post("/staff/collections/no/documents?name=x.md", content=b"x")
    assert nowhere.status_code == 404
    table = await staff.post(f"{where}/faq?name=x.csv", content=b"question,other\nWhy?,x")
    assert table.status_code == 422
    assert "x.csv" in table.json()["error"]["message"]
    assert list((desk.folder / "incoming").iterdir()) == []


@pytest.mark.parametrize("ending", ["csv", "xlsx", "json", "jsonl"])
async def test_the_faq_comes_back_as_it_went_out(
    staff: httpx.AsyncClient, desk: Desk, ending: str
) -> None:
    desk.faqs.add(desk.public.id, ["Where?", "Where to?"], "By the lake.", "en", ["shop"])
    where = f"/staff/collections/{desk.public.id}/faq"
    out = await staff.get(f"{where}.{ending}")
    assert f"public-faq.{ending}" in out.headers["content-disposition"]
    other = desk.collections.create("other")
    back = await staff.post(
        f"/staff/collections/{other.id}/faq?name=faq.{ending}", content=out.content
    )
    assert back.json() == {"added": 1, "merged": 1, "unchanged": 0}
    (entry,) = desk.faqs.entries(other.id)
    assert (entry.questions, entry.answer) == (("Where?", "Where to?"), "By the lake.")


# ---- reading documents -------------------------------------------------------------------------
async def test_a_citation_opens_at_its_passage(
    visitor: httpx.AsyncClient, desk: Desk, tmp_path: Path
) -> None:
    id_ = await added(desk, desk.public, "hand.md", HANDBOOK.encode(), tmp_path)
    first = desk.documents.passages(id_)[0]
    page = await visitor.get(f"/documents/{id_}", params={"passage": first.id})
    assert page.status_code == 200
    assert (
        '<mark id="passage">Unused &lt;b&gt;tents&lt;/b&gt; can be returned within 30 days.</mark>'
        in page.text
    )
    assert "Send them back." in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    gone = await visitor.get(f"/documents/{id_}", params={"passage": "999999"})
    assert "it has changed since" in gone.text
    assert (await visitor.get(f"/documents/{id_}", params={"passage": "x'"})).status_code == 200


async def test_an_uploaded_page_is_never_one_of_ours(
    visitor: httpx.AsyncClient, desk: Desk, tmp_path: Path
) -> None:
    nasty = b"<html><script>alert(1)</script>"
    for name in ("page.html", "not-really.pdf", 'a"b\r\nc.svg'):
        id_ = await added(desk, desk.public, " ".join(name.split()), nasty, tmp_path)
        shown = await visitor.get(f"/documents/{id_}")
        assert "<script>alert" not in shown.text
        file = await visitor.get(f"/documents/{id_}/file")
        assert file.content == nasty
        assert file.headers["content-type"] == "application/octet-stream"
        assert file.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
        assert file.headers["content-security-policy"].startswith("sandbox;")
        assert file.headers["x-content-type-options"] == "nosniff"


async def test_a_pdf_is_shown_by_the_browser_at_its_page(
    visitor: httpx.AsyncClient, desk: Desk, tmp_path: Path
) -> None:
    id_ = await added(desk, desk.public, "hand.pdf", b"%PDF-1.4 text", tmp_path)
    passage = desk.documents.passages(id_)[0]
    page = await visitor.get(f"/documents/{id_}", params={"passage": passage.id})
    assert f'data="/documents/{id_}/file#page=1"' in page.text
    assert "Cited passage" in page.text
    file = await visitor.get(f"/documents/{id_}/file")
    assert file.headers["content-type"] == "application/pdf"
    assert file.headers["content-disposition"].startswith("inline;")
    as_text = await visitor.get(f"/documents/{id_}", params={"view": "text"})
    assert "<article>" in as_text.text


async def test_internal_documents_are_for_staff_only(
    visitor: httpx.AsyncClient, staff: httpx.AsyncClient, desk: Desk, tmp_path: Path
) -> None:
    internal = desk.collections.create("internal")
    id_ = await added(desk, internal, "wages.md", b"# Wages\n\nA secret.", tmp_path)
    for path in (f"/documents/{id_}", f"/documents/{id_}/file", f"/documents/{id_}?view=text"):
        hidden = await visitor.get(path)
        unknown = await visitor.get(path.replace(id_, "nowhere"))
        assert hidden.status_code == unknown.status_code == 404
        assert hidden.text == unknown.text
        assert (await staff.get(path)).status_code == 200


async def test_a_deleted_document_is_gone(
    visitor: httpx.AsyncClient, staff: httpx.AsyncClient, desk: Desk, tmp_path: Path
) -> None:
    id_ = await added(desk, desk.public, "hand.md", HANDBOOK.encode(), tmp_path)
    desk.documents.delete([id_])
    for client in (visitor, staff):
        assert (await client.get(f"/documents/{id_}")).status_code == 404
        assert (await client.get(f"/documents/{id_}/file")).status_code == 404
    chinese = await visitor.get("/documents/x", headers={"cookie": "chatapp_language=zh"})
    assert "没有这个文档" in chinese.text
