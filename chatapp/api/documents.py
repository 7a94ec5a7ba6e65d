"""``/documents``: where a citation leads, to the document at the very page or passage.

A PDF is shown by the browser itself; everything else as the text that was read of it. What people
uploaded is never a page of this app: originals other than PDF are only ever saved, and a sandbox
keeps even those that a browser insists on opening from running anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from chatapp.api.document_page import Opened, document_page, gone_page, pdf_body, text_body
from chatapp.api.page import language_of
from chatapp.api.staff import StaffGate
from chatapp.errors import NotFound
from chatapp.knowledge_records import Document
from chatapp.store import Collections, Documents


@dataclass(frozen=True, slots=True)
class Library:
    """Where documents are, and who may read which.

    Attributes:
        folder: where the originals are kept.
        open_collections: names of the collections that everybody may read, as a persona
            answers from them.
    """

    documents: Documents
    collections: Collections
    folder: Path
    gate: StaffGate
    open_collections: Callable[[], frozenset[str]]

    def find(self, request: Request, document_id: str) -> Document:
        """The document, for whoever may read it.

        Raises:
            NotFound: there is none, or it is for staff only: a visitor cannot tell which.
        """
        document = self.documents.get(document_id)
        collection = self.collections.by_id(document.collection_id)
        if collection.name in self.open_collections() or self.gate.is_staff(request):
            return document
        raise NotFound("There is no such document. It may have been deleted.")

    def original(self, document: Document) -> Path | None:
        """The uploaded file, where it was kept."""
        if document.file is None:
            return None
        path = self.folder / Path(document.file).name
        return path if path.is_file() else None

    def is_pdf(self, document: Document) -> bool:
        """Whether the original can be shown by a browser; its first bytes decide, not its name."""
        path = self.original(document) if document.kind == "pdf" else None
        if path is None:
            return False
        with path.open("rb") as file:
            return file.read(5) == b"%PDF-"


def document_routes(library: Library) -> APIRouter:
    """The viewer and the originals; to be added before a page that answers at ``/``."""
    router = APIRouter(include_in_schema=False)

    def opened(request: Request, document_id: str, passage_id: int | None) -> Opened:
        document = library.find(request, document_id)
        passages = library.documents.passages(document_id) if passage_id is not None else ()
        found = next((one for one in passages if one.id == passage_id), None)
        return Opened(
            document,
            found,
            passage_id is not None and found is None,
            library.is_pdf(document),
            library.original(document) is not None,
        )

    @router.get("/documents/{document_id}")
    async def view(
        request: Request, document_id: str, passage: str = "", part: str = "", view: str = ""
    ) -> Response:
        language = language_of(request)
        passage_id = int(passage) if passage.isdecimal() and len(passage) < 19 else None
        number = int(part) - 1 if part.isdecimal() and len(part) < 6 else None

        def drawn() -> Response:
            shown = opened(request, document_id, passage_id)
            if shown.is_pdf and view != "text":
                return document_page(shown, pdf_body(shown, language), language, as_text=False)
            loaded = library.documents.text(document_id)
            body = text_body(shown, loaded, number, language)
            return document_page(shown, body, language, as_text=True)

        try:
            return await asyncio.to_thread(drawn)
        except NotFound:
            return gone_page(language)

    @router.get("/documents/{document_id}/file")
    async def original(request: Request, document_id: str) -> Response:
        def located() -> tuple[Document, Path | None, bool]:
            document = library.find(request, document_id)
            return document, library.original(document), library.is_pdf(document)

        document, path, is_pdf = await asyncio.to_thread(located)
        if path is None:
            raise NotFound("The original of this document was not kept; its text is.")
        return _served(path, document, inline=is_pdf)

    return router


def _served(path: Path, document: Document, *, inline: bool) -> FileResponse:
    name = Path(document.name).name
    # Chromium does not draw a PDF in a sandbox; nothing but a PDF is sent without one.
    policy = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'"
    return FileResponse(
        path,
        media_type="application/pdf" if inline else "application/octet-stream",
        headers={
            "content-disposition": (
                f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(name, safe='')}"
            ),
            "x-content-type-options": "nosniff",
            "content-security-policy": (
                f"{policy}; frame-ancestors 'self'" if inline else f"sandbox; {policy}"
            ),
            "cross-origin-resource-policy": "same-origin",
            "cache-control": "private, no-cache",
        },
    )
