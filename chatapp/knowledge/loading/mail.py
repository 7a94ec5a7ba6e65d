"""E-mail: who wrote what and when, the body, and what is attached."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path, PurePosixPath

from chatapp.errors import DocumentError
from chatapp.knowledge.loading.draft import Draft, Progress
from chatapp.knowledge.loading.plain import add_plain
from chatapp.knowledge.loading.text_bytes import decode
from chatapp.knowledge.loading.web import add_html
from chatapp.knowledge_records import LoadedDocument

_HEADERS = ("From", "To", "Cc", "Date")
_DEEPEST = 3
"""Mails in mails in mails."""

LoadAttachment = Callable[[Path, str], Iterable[LoadedDocument]]
"""Reads a file into documents, given its place and its name."""


def load_mail(path: Path, draft: Draft, progress: Progress, load: LoadAttachment) -> None:
    """Read a message; ``load`` reads what is attached.

    Each attachment becomes a part of the document under a heading with its name. One that cannot
    be read (a picture, a locked file) is only named.
    """
    with path.open("rb") as file:
        message = BytesParser(policy=policy.default).parse(file)
    _add(message, draft, load, depth=0)
    progress(1, 1)


def _add(message: EmailMessage, draft: Draft, load: LoadAttachment, depth: int) -> None:
    subject = _header(message, "Subject")
    draft.title = draft.title or subject
    draft.heading(1, subject)
    lines = [f"{key}: {value}" for key in _HEADERS if (value := _header(message, key))]
    draft.paragraph("\n".join(lines))
    body = message.get_body(preferencelist=("html", "plain"))
    if isinstance(body, EmailMessage):
        add = add_html if body.get_content_subtype() == "html" else add_plain
        add(_text(body), draft)
    for part in message.iter_attachments():
        if part.get_content_type() == "message/rfc822" and depth < _DEEPEST:
            inner = part.get_payload(0) if part.is_multipart() else None
            if isinstance(inner, EmailMessage):
                _add(inner, draft, load, depth + 1)
        else:
            _attach(part, draft, load)


def _attach(part: EmailMessage, draft: Draft, load: LoadAttachment) -> None:
    name = PurePosixPath((part.get_filename() or "").replace("\\", "/")).name
    content = part.get_payload(decode=True)
    if not name or not isinstance(content, bytes):
        return
    draft.heading(1, name)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "attachment"
        place.write_bytes(content)
        try:
            for document in load(place, name):
                draft.include(document, levels=1)
        except DocumentError as problem:
            draft.paragraph(f"({problem.sentence})")


def _text(part: EmailMessage) -> str:
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError, KeyError):
        content = part.get_payload(decode=True)
        return decode(content) if isinstance(content, bytes) else ""


def _header(message: EmailMessage, key: str) -> str:
    """A header's value; malformed ones make the parser raise when they are looked at."""
    try:
        return " ".join(str(message.get(key, "")).split())
    except (ValueError, IndexError, AttributeError, TypeError):
        return ""
