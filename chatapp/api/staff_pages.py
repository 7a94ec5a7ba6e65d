"""Signing in to the staff's pages, and the guard in front of everything under them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatapp.api.errors import problem
from chatapp.api.page import Language, language_of, page
from chatapp.api.staff import COOKIE, SESSION_SECONDS, StaffGate, is_own_page
from chatapp.errors import AccessDenied, ChatAppError

PATH: Final = "/staff"
PATHS: Final = (PATH, "/review", "/teach")
"""Each is a page of the staff's, with all that lies under it."""
_PAGES: Final = tuple(f"{path}/" for path in PATHS)
_LOGIN: Final = f"{PATH}/login"
_LOGOUT: Final = f"{PATH}/logout"
_LONGEST_FORM: Final = 4096
_NO_CHANGE: Final = ("GET", "HEAD")

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "app_name": ("Support assistant", "支持助手"),
    "sign_in": ("Staff sign-in", "员工登录"),
    "why": (
        "Documents, approved answers and open questions are for the support team.",
        "文档、标准答案和待解决的问题仅供客服团队查看。",
    ),
    "password": ("Staff password", "员工密码"),
    "enter": ("Sign in", "登录"),
    "back": ("Back to the chat", "返回对话"),
    "closed": ("Staff only", "仅限员工"),
    "WrongPassword": (
        "That is not the staff password. Check it and try again.",
        "密码不正确，请检查后再试。",
    ),
    "TooManyAttempts": (
        "Too many wrong passwords. Try again in {seconds} seconds.",
        "错误次数过多，请在 {seconds} 秒后再试。",
    ),
    "_ForeignPage": (
        "This form names another address than this server's. Open the page at the server's own "
        "address; a proxy in front of it has to pass the Host header on.",
        "此表单的来源地址与服务器不一致。请通过服务器自己的地址打开页面；"
        "如前面有代理，代理须转发 Host 标头。",
    ),
    "no_password": (
        "These pages are closed: others can reach this server, and it has no staff password. "
        "Whoever runs it can set CHATAPP_STAFF_PASSWORD and start it again.",
        "这些页面已关闭：此服务器可被其他人访问，且未设置员工密码。"
        "请管理员设置 CHATAPP_STAFF_PASSWORD 后重新启动。",
    ),
    "not_here": (
        "These pages open only on the machine that runs the app, at its own address. For any "
        "other way, whoever runs it can set CHATAPP_STAFF_PASSWORD and start it again.",
        "这些页面只能在运行本应用的机器上、通过本机地址打开。如需其他方式，"
        "请管理员设置 CHATAPP_STAFF_PASSWORD 后重新启动。",
    ),
}
_FOREIGN: Final = (
    "This request names another address than this server's. Open the page at the server's own "
    "address; a proxy in front of it has to pass the Host header on."
)


class _ForeignPage(ChatAppError):
    """Another site's page sent the form, or a proxy hides our name from us."""


def staff_routes(gate: StaffGate) -> APIRouter:
    """``/staff/login`` and ``/staff/logout``; to be added before the staff's pages."""
    router = APIRouter(include_in_schema=False)

    async def enter(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{request.url.path}/{query}", 307)

    for path in PATHS:
        router.add_api_route(path, enter, methods=["GET"])

    @router.get(_LOGIN)
    async def ask(request: Request) -> Response:
        target = _target(request.query_params.get("next"))
        if gate.is_staff(request):
            return RedirectResponse(target, 303)
        if not gate.has_password:
            return _closed(gate, language_of(request))
        return _form(language_of(request), target)

    @router.post(_LOGIN)
    async def check(request: Request) -> Response:
        language = language_of(request)
        form = await _read_form(request)
        target = _target(form.get("next"))
        if not is_own_page(request.headers):
            return _form(language, target, status=403, error=_ForeignPage(_FOREIGN))
        try:
            cookie = gate.sign_in(
                form.get("password", ""), request.client.host if request.client else None
            )
        except AccessDenied:
            return _closed(gate, language)
        except ChatAppError as error:
            return _form(language, target, status=error.http_status, error=error)
        answer = RedirectResponse(target, 303)
        answer.headers["set-cookie"] = _set_cookie(request, cookie, SESSION_SECONDS)
        return answer

    @router.post(_LOGOUT)
    async def leave(request: Request) -> Response:
        answer = RedirectResponse("/", 303)
        if is_own_page(request.headers):
            answer.headers["set-cookie"] = _set_cookie(request, "", 0)
        return answer

    return router


class StaffGuard:
    """Lets only staff through to the paths under ``PATHS``: pages, files and endpoints."""

    def __init__(self, app: ASGIApp, gate: StaffGate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in ("http", "websocket") or not _is_staff_path(scope):
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        refusal = self._refusal(request)
        if refusal is None:
            await self._app(scope, receive, self._with_headers(scope, send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    def _refusal(self, request: HTTPConnection) -> Response | None:
        path = request.scope["path"]
        if path in (_LOGIN, _LOGOUT):
            return None
        changes = request.scope.get("method", "GET") not in _NO_CHANGE
        if self._gate.is_staff(request):
            if changes and not is_own_page(request.headers):
                return problem(403, _FOREIGN, code="AccessDenied")
            return None
        if not changes and "text/html" in request.headers.get("accept", ""):
            if self._gate.has_password:
                query = request.scope.get("query_string", b"").decode("latin-1")
                wanted = quote(f"{path}?{query}" if query else path)
                return RedirectResponse(f"{_LOGIN}?next={wanted}", 303)
            return _closed(self._gate, language_of(request))
        if self._gate.has_password:
            return problem(401, "Sign in at /staff/login first.", code="AccessDenied")
        return problem(403, _TEXTS[_why_closed(self._gate)][0], code="AccessDenied")

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        # Without a password there is no cookie that a browser would keep from a frame on another
        # site. With one, the app may stand in the frame of its Hugging Face Space.
        around = " https://huggingface.co" if self._gate.has_password else ""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("content-security-policy", f"frame-ancestors 'self'{around}")
                if scope["path"] in _PAGES:
                    headers["cache-control"] = "no-store"
            await send(message)

        return send_guarded


def _is_staff_path(scope: Scope) -> bool:
    path, root = scope["path"], scope.get("root_path", "")
    inside = path.removeprefix(root) if root else path
    return any(one in PATHS or one.startswith(_PAGES) for one in (path, inside))


def _target(wanted: str | None) -> str:
    """Where to go after signing in: only ever to a staff page of this app."""
    if wanted is None or not wanted.startswith(_PAGES) or "\\" in wanted or wanted == _LOGIN:
        return f"{PATH}/"
    return wanted


def _set_cookie(request: Request, value: str, seconds: int) -> str:
    # As for the browser's identity: behind https the page may live in a frame on another site.
    https = request.url.scheme == "https"
    site = "SameSite=None; Secure; Partitioned" if https else "SameSite=Lax"
    return f"{COOKIE}={value}; Max-Age={seconds}; Path=/; HttpOnly; {site}"


async def _read_form(request: Request) -> dict[str, str]:
    body = bytearray()
    async for chunk in request.stream():
        body.extend(chunk)
        if len(body) > _LONGEST_FORM:
            return {}
    fields = parse_qs(bytes(body).decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}


def _why_closed(gate: StaffGate) -> str:
    return "no_password" if gate.closed else "not_here"


def _closed(gate: StaffGate, language: Language) -> Response:
    body = (
        f"<main>{_head('closed', language)}<p>{escape(_say(_why_closed(gate), language))}</p>"
        f'<p><a href="/">{escape(_say("back", language))}</a></p></main>'
    )
    return page(_say("closed", language), body, language, status=403)


def _form(
    language: Language, target: str, *, status: int = 200, error: ChatAppError | None = None
) -> Response:
    told = ""
    if error is not None:
        sentence = _say(error.code, language).format(**error.facts)
        told = f'<p class="wrong" id="wrong" role="alert">{escape(sentence)}</p>'
    described = ' aria-describedby="wrong" aria-invalid="true"' if told else ""
    body = (
        f"<main>{_head('sign_in', language)}<p>{escape(_say('why', language))}</p>"
        f'<form method="post" action="{_LOGIN}">'
        f'<input type="hidden" name="next" value="{escape(target)}">'
        '<input type="text" name="username" value="staff" autocomplete="username" hidden>'
        f'<label for="password">{escape(_say("password", language))}</label>'
        '<input id="password" name="password" type="password" required data-focus '
        f'autocomplete="current-password"{described}>{told}'
        f'<button type="submit">{escape(_say("enter", language))}</button></form>'
        f'<p class="back"><a href="/">{escape(_say("back", language))}</a></p></main>'
        '<p class="languages"><button type="button" data-language="en" lang="en">EN</button>'
        '<button type="button" data-language="zh" lang="zh">中文</button></p>'
    )
    return page(_say("sign_in", language), body, language, status=status)


def _head(title: str, language: Language) -> str:
    return (
        '<p class="brand"><span class="mark" aria-hidden="true"></span>'
        f"{escape(_say('app_name', language))}</p><h1>{escape(_say(title, language))}</h1>"
    )


def _say(key: str, language: Language) -> str:
    return _TEXTS[key][0 if language == "en" else 1]
