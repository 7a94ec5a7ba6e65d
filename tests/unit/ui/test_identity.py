from __future__ import annotations

import gradio as gr
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

from chatapp.ui.document import PageHeadMiddleware
from chatapp.ui.identity import COOKIE, Identity, IdentityMiddleware

IDENTITY = Identity("a secret that is long enough")


async def page(request: Request) -> HTMLResponse:
    return HTMLResponse("<!doctype html><html><head><title>x</title></head><body></body></html>")


async def other(request: Request) -> PlainTextResponse:
    return PlainTextResponse("<head>")


def client(scheme: str = "http") -> httpx.AsyncClient:
    app = Starlette(routes=[Route("/", page), Route("/other", other)])
    app.add_middleware(IdentityMiddleware, identity=IDENTITY)
    app.add_middleware(PageHeadMiddleware)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"{scheme}://test")


def value(response: httpx.Response) -> str:
    return response.headers["set-cookie"].split(";")[0].split("=", 1)[1]


async def test_every_browser_gets_an_id_of_its_own() -> None:
    async with client() as first, client() as second:
        ids = {IDENTITY.read(value(await browser.get("/"))) for browser in (first, second)}
    assert len(ids - {None}) == 2


async def test_only_the_page_itself_sets_the_cookie() -> None:
    async with client() as browser:
        assert "set-cookie" not in (await browser.get("/other")).headers


async def test_behind_https_the_cookie_works_inside_a_frame() -> None:
    async with client("https") as browser:
        cookie = (await browser.get("/")).headers["set-cookie"]
    for attribute in ("HttpOnly", "SameSite=None", "Secure", "Partitioned"):
        assert attribute in cookie


@pytest.mark.parametrize(
    "forged",
    ["", "x", "IkRvZSI.x.y", Identity("another secret").issue()],
    ids=["empty", "short", "three parts", "signed with another secret"],
)
async def test_a_forged_cookie_is_a_new_identity(forged: str) -> None:
    assert IDENTITY.read(forged) is None
    async with client() as browser:
        answer = await browser.get("/", headers={"cookie": f"{COOKIE}={forged}"})
    assert IDENTITY.read(value(answer)) is not None


async def test_a_good_cookie_is_kept() -> None:
    cookie = IDENTITY.issue()
    async with client() as browser:
        answer = await browser.get("/", headers={"cookie": f"a=b; {COOKIE}={cookie}"})
    assert "set-cookie" not in answer.headers


async def test_the_page_carries_our_scripts_first_and_whole() -> None:
    async with client() as browser:
        answer = await browser.get("/", headers={"accept-encoding": "gzip, br"})
        untouched = await browser.get("/other")
    head = answer.text.index("<head>")
    assert answer.text[head:].startswith("<head><script>")
    assert answer.text.index("window.chatapp") < answer.text.index("<title>")
    assert len(answer.content) == int(answer.headers["content-length"])
    assert untouched.text == "<head>"


@pytest.mark.parametrize("cookie", ["", f"{COOKIE}=forged"])
def test_without_a_good_cookie_a_tab_is_alone(cookie: str) -> None:
    def asked_by(session: str) -> gr.Request:
        scope = {"type": "http", "headers": [(b"cookie", cookie.encode())]}
        return gr.Request(Request(scope), session_hash=session)

    first, second = IDENTITY.owner_of(asked_by("a")), IDENTITY.owner_of(asked_by("b"))
    assert first != second
    assert first == IDENTITY.owner_of(asked_by("a"))
