"""Who gets through to the staff's pages, and who does not."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.types import Message

from chatapp.api.attempts import FAILURES
from chatapp.api.staff import COOKIE, SESSION_SECONDS, StaffGate, is_loopback, is_own_page
from chatapp.api.staff_pages import StaffGuard, staff_routes
from chatapp.errors import AccessDenied

SECRET = "a secret of the tests, long enough"
PASSWORD = "tents and bags"
LOCAL = "http://127.0.0.1:7860"
PUBLIC = "https://help.example.com"


def app_behind(gate: StaffGate) -> FastAPI:
    """The gate around an app that answers everything."""
    app = FastAPI()
    app.include_router(staff_routes(gate))

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def anything(path: str, request: Request) -> dict[str, object]:
        return {"path": path, "staff": gate.is_staff(request)}

    app.add_middleware(StaffGuard, gate=gate)
    return app


def browser(gate: StaffGate, address: str = LOCAL, **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app_behind(gate), client=("192.0.2.7", 50000))
    return httpx.AsyncClient(transport=transport, base_url=address, headers=headers)


@pytest.fixture
def local() -> StaffGate:
    return StaffGate("127.0.0.1", None, SECRET)


@pytest.fixture
def guarded() -> StaffGate:
    return StaffGate("0.0.0.0", PASSWORD, SECRET)


def signed_in(gate: StaffGate) -> httpx.AsyncClient:
    return browser(gate, PUBLIC, cookie=f"{COOKIE}={gate.sign_in(PASSWORD, None)}")


# ---- without a password ------------------------------------------------------------------------
@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:7860", "http://localhost:7860", "http://[::1]:7860"]
)
async def test_on_loopback_the_person_at_this_machine_is_staff(
    local: StaffGate, address: str
) -> None:
    async with browser(local, address) as client:
        assert (await client.get("/staff/x")).json() == {"path": "staff/x", "staff": True}
        assert (await client.post("/staff/x", headers={"origin": address})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "rebound.example.com"},
        {"host": "127.0.0.1.example.com"},
        {"host": ""},
        {"origin": "https://evil.example.com"},
        {"origin": "null"},
        {"origin": "http://[broken"},
        {"x-forwarded-for": "203.0.113.9"},
        {"x-forwarded-host": "127.0.0.1"},
        {"forwarded": "for=203.0.113.9"},
        {"via": "1.1 proxy"},
    ],
)
async def test_a_request_from_elsewhere_is_not(local: StaffGate, headers: dict[str, str]) -> None:
    async with browser(local) as client:
        for answer in (
            await client.get("/staff/", headers=headers),
            await client.post("/staff/gradio_api/queue/join", headers=headers, json={}),
        ):
            assert answer.status_code == 403
        assert (await client.get("/elsewhere", headers=headers)).json()["staff"] is False


async def test_another_local_page_can_read_nothing_into_a_change(local: StaffGate) -> None:
    async with browser(local) as client:
        other_port = {"origin": "http://127.0.0.1:3000"}
        assert (await client.post("/staff/x", headers=other_port)).status_code == 403
        from_a_site = {"sec-fetch-site": "cross-site"}
        assert (await client.post("/staff/x", headers=from_a_site)).status_code == 403


async def test_beyond_loopback_nobody_is_staff() -> None:
    gate = StaffGate("0.0.0.0", None, SECRET)
    assert gate.closed
    async with browser(gate) as client:
        page = await client.get("/staff/", headers={"accept": "text/html"})
        assert page.status_code == 403
        assert "CHATAPP_STAFF_PASSWORD" in page.text
        answer = await client.post("/staff/login", data={"password": ""})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    with pytest.raises(AccessDenied):
        gate.sign_in("", "192.0.2.7")


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("localhost.example.com", False),
        ("", False),
    ],
)
def test_only_this_machines_own_addresses_are_loopback(host: str, own: bool) -> None:
    assert is_loopback(host) is own


# ---- with one ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/staff"),
        ("GET", "/staff/"),
        ("GET", "/staff/config"),
        ("GET", "/staff/gradio_api/info"),
        ("GET", "/staff/gradio_api/file=/etc/hostname"),
        ("GET", "/staff/gradio_api/queue/data"),
        ("POST", "/staff/gradio_api/upload"),
        ("POST", "/staff/gradio_api/queue/join"),
        ("POST", "/staff/gradio_api/run/predict"),
        ("GET", "/staff/assets/index.js"),
        ("GET", "/staff/login/"),
        ("GET", "/staff/login/../config"),
        ("GET", "/%73taff/config"),
        ("HEAD", "/staff/config"),
        ("OPTIONS", "/staff/config"),
        ("GET", "/review"),
        ("GET", "/review/"),
        ("POST", "/review/gradio_api/queue/join"),
        ("GET", "/review/waiting"),
        ("GET", "/teach"),
        ("GET", "/teach/config"),
        ("POST", "/teach/gradio_api/upload"),
    ],
)
async def test_nothing_answers_without_the_password(
    guarded: StaffGate, method: str, path: str
) -> None:
    async with browser(guarded, PUBLIC) as client:
        answer = await client.request(method, path)
        assert answer.status_code == 401
        if method != "HEAD":
            assert answer.json()["error"]["message"] == "Sign in at /staff/login first."


async def test_a_loopback_name_is_no_way_around_the_password(guarded: StaffGate) -> None:
    async with browser(guarded, LOCAL) as client:
        assert (await client.get("/staff/config")).status_code == 401


async def test_a_websocket_is_closed(guarded: StaffGate) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "websocket", "path": "/staff/socket", "headers": []}
    await app_behind(guarded)(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_a_mounted_app_is_guarded_under_its_prefix(guarded: StaffGate) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/prefix/staff/config",
        "root_path": "/prefix",
        "headers": [],
        "query_string": b"",
    }
    await app_behind(guarded)(scope, receive, send)
    assert sent[0]["status"] == 401


async def test_a_visitor_is_shown_the_sign_in_and_comes_back(guarded: StaffGate) -> None:
    async with browser(guarded, PUBLIC) as client:
        sent = await client.get("/staff/", headers={"accept": "text/html"})
        assert sent.status_code == 303
        assert sent.headers["location"] == "/staff/login?next=/staff/"
        form = await client.get(sent.headers["location"])
        assert form.status_code == 200
        assert '<input type="hidden" name="next" value="/staff/">' in form.text
        assert "unsafe-inline'; img" in form.headers["content-security-policy"]
        answer = await client.post(
            "/staff/login",
            data={"password": PASSWORD, "next": "/staff/"},
            headers={"origin": PUBLIC},
        )
        assert answer.headers["location"] == "/staff/"
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly; SameSite=None; Secure; Partitioned" in cookie
        assert (await client.get("/staff/x")).json()["staff"] is True
        assert (await client.get("/staff/login")).headers["location"] == "/staff/"
        assert (await client.get("/documents/1")).json()["staff"] is True
        left = await client.post("/staff/logout")
        assert (left.status_code, left.headers["location"]) == (303, "/")
        assert (await client.get("/staff/x")).status_code == 401


async def test_after_signing_in_the_page_that_was_wanted_opens(guarded: StaffGate) -> None:
    async with browser(guarded, PUBLIC) as client:
        wanted = "/teach/?corrections=1"
        sent = await client.get(wanted, headers={"accept": "text/html"})
        form = await client.get(sent.headers["location"])
        assert f'<input type="hidden" name="next" value="{wanted}">' in form.text
        answer = await client.post("/staff/login", data={"password": PASSWORD, "next": wanted})
        assert answer.headers["location"] == wanted
        entered = await client.get("/teach?corrections=1")
        assert entered.headers["location"] == wanted
        assert (await client.get("/review/")).headers["cache-control"] == "no-store"


async def test_on_plain_http_the_cookie_stays_on_its_site(guarded: StaffGate) -> None:
    async with browser(guarded, LOCAL) as client:
        answer = await client.post("/staff/login", data={"password": PASSWORD})
        assert answer.headers["set-cookie"].endswith("HttpOnly; SameSite=Lax")


@pytest.mark.parametrize(
    "target",
    ["https://evil.example.com", "//evil.example.com", "/staff/\\evil", "/", "/reviews/", "", "x"],
)
async def test_signing_in_never_leads_elsewhere(guarded: StaffGate, target: str) -> None:
    async with browser(guarded, PUBLIC) as client:
        answer = await client.post("/staff/login", data={"password": PASSWORD, "next": target})
        assert answer.headers["location"] == "/staff/"


async def test_a_wrong_password_is_told_and_five_lock(guarded: StaffGate) -> None:
    async with browser(guarded, PUBLIC) as client:
        for _ in range(FAILURES):
            answer = await client.post("/staff/login", data={"password": "guess"})
            assert answer.status_code == 401
            assert "That is not the staff password." in answer.text
            assert "set-cookie" not in answer.headers
        answer = await client.post("/staff/login", data={"password": PASSWORD})
        assert answer.status_code == 429
        assert re.search(r"Try again in \d+ seconds", answer.text)
        answer = await client.post(
            "/staff/login", data={"password": PASSWORD}, headers={"cookie": "chatapp_language=zh"}
        )
        assert "错误次数过多" in answer.text


async def test_a_form_of_another_site_cannot_sign_in_or_out(guarded: StaffGate) -> None:
    evil = {"origin": "https://evil.example.com"}
    async with browser(guarded, PUBLIC) as client:
        answer = await client.post("/staff/login", data={"password": PASSWORD}, headers=evil)
        assert "set-cookie" not in answer.headers
    async with signed_in(guarded) as client:
        assert "set-cookie" not in (await client.post("/staff/logout", headers=evil)).headers
        assert (await client.post("/staff/x", headers=evil)).status_code == 403
        assert (await client.get("/staff/x", headers=evil)).status_code == 200


async def test_a_huge_form_is_not_read(guarded: StaffGate) -> None:
    async with browser(guarded, PUBLIC) as client:
        answer = await client.post("/staff/login", data={"password": PASSWORD, "x": "x" * 10_000})
        assert answer.status_code == 401


async def test_a_cookie_ends_with_its_day_its_password_and_its_secret(
    guarded: StaffGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = guarded.sign_in(PASSWORD, "192.0.2.7")

    def opens(gate: StaffGate, value: str = cookie) -> bool:
        return gate.admits({"cookie": f"{COOKIE}={value}"})

    assert opens(guarded)
    assert opens(StaffGate("0.0.0.0", PASSWORD, SECRET))
    assert not opens(StaffGate("0.0.0.0", "another password", SECRET))
    assert not opens(StaffGate("0.0.0.0", PASSWORD, "another secret of the tests"))
    assert not opens(guarded, cookie[:-1])
    assert not opens(guarded, "")
    later = int(time.time()) + SESSION_SECONDS + 1
    monkeypatch.setattr("itsdangerous.timed.TimestampSigner.get_timestamp", lambda self: later)
    assert not opens(guarded)


async def test_who_stands_around_the_page_is_limited(local: StaffGate, guarded: StaffGate) -> None:
    async with browser(local) as client:
        policy = (await client.get("/staff/")).headers["content-security-policy"]
        assert policy == "frame-ancestors 'self'"
    async with signed_in(guarded) as client:
        policy = (await client.get("/staff/")).headers["content-security-policy"]
        assert policy == "frame-ancestors 'self' https://huggingface.co"


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"host": "help.example.com"}, True),
        ({"host": "help.example.com", "origin": "https://help.example.com"}, True),
        (
            {
                "host": "inner:7860",
                "x-forwarded-host": "help.example.com",
                "origin": "https://help.example.com",
            },
            True,
        ),
        ({"host": "inner:7860", "origin": "https://help.example.com"}, False),
        ({"host": "", "origin": "null"}, False),
        ({"host": "help.example.com", "sec-fetch-site": "same-site"}, False),
    ],
)
def test_a_page_is_ours_when_its_origin_is_our_host(headers: dict[str, str], own: bool) -> None:
    assert is_own_page(headers) is own
