"""The Teach page's files and its guard, as a program could call them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml

from tests.faces.api_app import serving
from tests.faces.teach_reports import classify_report
from tests.faces.teach_site import Classroom, classroom

PASSWORD = "tents and bags"
LABELLED = b"text,category\nWhere is my parcel?,delivery\nMy money back,refund\nPay?,payment\n"
FILES = "/teach/files"


@pytest_asyncio.fixture
async def room(tmp_path: Path) -> AsyncIterator[Classroom]:
    made = classroom(tmp_path, password=PASSWORD, host="0.0.0.0")
    async with serving(made.app) as address:
        made.address = address
        yield made
    made.school.close()


@pytest_asyncio.fixture
async def visitor(room: Classroom) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=room.address, timeout=20) as client:
        yield client


@pytest_asyncio.fixture
async def staff(room: Classroom) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=room.address, timeout=20) as client:
        await client.post("/staff/login", data={"password": PASSWORD})
        yield client


def finished(room: Classroom) -> str:
    made = room.school.add_text("tickets.csv", LABELLED.decode())
    config = room.school.recommend(made.id, "classify", "quick")
    run = room.school.launch(made.id, config).id
    room.school.learn(run, 10)
    room.school.finish(run, classify_report(), room.adapters)
    return run


async def test_nothing_answers_without_the_password(
    room: Classroom, visitor: httpx.AsyncClient, staff: httpx.AsyncClient
) -> None:
    run = finished(room)
    config = (await staff.get("/teach/config")).json()
    attempts: list[tuple[str, str, Any]] = [
        *(("GET", path, None) for path in ("/teach/config", "/teach/gradio_api/info")),
        ("GET", "/teach/gradio_api/startup-events", None),
        ("GET", "/teach/gradio_api/queue/data?session_hash=x", None),
        ("POST", "/teach/gradio_api/upload", None),
        ("POST", f"{FILES}/datasets?name=x.csv", None),
        ("GET", f"{FILES}/datasets/d1/cleaned", None),
        ("POST", f"{FILES}/config.yaml", {}),
        *(
            ("GET", f"{FILES}/runs/{run}/{name}", None)
            for name in ("config.yaml", "report.json", "report.html", "log.txt")
        ),
        ("GET", f"{FILES}/adapters/tickets/peft", None),
        ("POST", f"{FILES}/adapters?name=x", None),
        *(
            ("POST", f"/teach/gradio_api/{call}", {"data": [], "fn_index": n, "session_hash": "x"})
            for n in range(len(config["dependencies"]))
            for call in ("queue/join", "run/predict")
        ),
    ]
    for method, path, body in attempts:
        answer = await visitor.request(method, path, json=body)
        assert answer.status_code == 401, (method, path)
    gate = await visitor.get("/teach/?run=1", headers={"accept": "text/html"})
    assert gate.status_code == 303
    assert gate.headers["location"] == "/staff/login?next=/teach/%3Frun%3D1"
    assert len(room.school.datasets()) == 1


async def test_with_it_the_page_has_no_endpoint_but_its_queue(staff: httpx.AsyncClient) -> None:
    assert "window.chatapp" in (await staff.get("/teach/")).text
    info = (await staff.get("/teach/gradio_api/info")).json()
    assert info["named_endpoints"] == {}
    assert (await staff.get("/teach/gradio_api/file=/etc/hostname")).status_code == 403


async def test_a_file_comes_in_and_goes_out_cleaned(
    staff: httpx.AsyncClient, room: Classroom, tmp_path: Path
) -> None:
    answer = await staff.post(f"{FILES}/datasets", params={"name": "t.csv"}, content=LABELLED)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["name"], made["rows"]) == ("t.csv", 3)
    cleaned = await staff.get(f"{FILES}/datasets/{made['id']}/cleaned")
    assert "t-cleaned.csv" in cleaned.headers["content-disposition"]
    assert b"My money back,refund" in cleaned.content
    assert list((tmp_path / "incoming").iterdir()) == []


async def test_what_cannot_come_in_is_told(staff: httpx.AsyncClient, room: Classroom) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 400_000

    for content in (b"x" * 600_000, chunks()):  # with and without a length in front
        large = await staff.post(f"{FILES}/datasets", params={"name": "b.csv"}, content=content)
        assert large.status_code == 413
        assert "b.csv is larger than" in large.json()["error"]["message"]
    binary = await staff.post(f"{FILES}/datasets?name=photo.csv", content=b"\0\1")
    assert binary.status_code == 422
    assert "photo.csv" in binary.json()["error"]["message"]
    assert (await staff.post(f"{FILES}/datasets?name=%20", content=b"x")).status_code == 400
    assert (await staff.get(f"{FILES}/datasets/none/cleaned")).status_code == 404
    assert room.school.datasets() == []


async def test_settings_go_out_as_they_would_run(staff: httpx.AsyncClient) -> None:
    values = {"task": "chat", "name": "tone", "epochs": "2.5", "packing": "true"}
    good = await staff.post(f"{FILES}/config.yaml", json=values)
    assert "tone.yaml" in good.headers["content-disposition"]
    written = yaml.safe_load(good.text)
    assert (written["epochs"], written["packing"]) == (2.5, True)
    wrong = await staff.post(f"{FILES}/config.yaml", json=values | {"rank": "0"})
    assert wrong.status_code == 400
    assert wrong.json()["error"]["message"].startswith("rank is '0'")


async def test_a_report_goes_out_whole(staff: httpx.AsyncClient, room: Classroom) -> None:
    where = f"{FILES}/runs/{finished(room)}"
    as_json = (await staff.get(f"{where}/report.json")).json()
    assert as_json["labels"] == ["delivery", "payment", "refund"]
    page = await staff.get(f"{where}/report.html", headers={"accept-language": "zh"})
    assert page.headers["content-disposition"].startswith("attachment; filename*=UTF-8''tickets")
    assert 'lang="zh-CN"' in page.text
    assert "混淆矩阵" in page.text
    assert "Can I pay by" not in page.text or "<b>invoice</b>" not in page.text
    assert "http" not in page.text.replace("http-equiv", "")
    assert "epochs: 1" in (await staff.get(f"{where}/config.yaml")).text
    assert "step 10 of 100" in (await staff.get(f"{where}/log.txt")).text
    made = room.school.add_text("more.csv", LABELLED.decode())
    fresh = room.school.launch(made.id, room.school.recommend(made.id, "classify", "quick")).id
    none = await staff.get(f"{FILES}/runs/{fresh}/report.html")
    assert none.status_code == 404
    assert "has no report yet" in none.json()["error"]["message"]


@pytest.mark.parametrize("what", ["peft", "merged", "card"])
async def test_an_adapter_goes_out(staff: httpx.AsyncClient, room: Classroom, what: str) -> None:
    finished(room)
    answer = await staff.get(f"{FILES}/adapters/tickets/{what}")
    assert answer.content == f"{what} of tickets".encode()
    ending = "tickets.md" if what == "card" else f"tickets-{what}.zip"
    assert ending in answer.headers["content-disposition"]
    assert (await staff.get(f"{FILES}/adapters/nobody/{what}")).status_code == 404


async def test_an_adapter_comes_in(staff: httpx.AsyncClient, room: Classroom) -> None:
    made = await staff.post(f"{FILES}/adapters?name=theirs&slot=chat", content=b"PK..")
    assert made.status_code == 201
    assert room.adapters.get("theirs").slot == "chat"
    wrong = await staff.post(f"{FILES}/adapters?name=x&slot=door", content=b"PK..")
    assert "no slot 'door'" in wrong.json()["error"]["message"]
