"""Files in and out of the knowledge, for staff: documents to take in, and FAQ tables both ways.

The guard in front of ``/staff`` decides who gets here. A file is the request's whole body, so that
it can be of any size without being held in memory.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, Protocol
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from chatapp.api.received import received
from chatapp.flows.uploads import Upload
from chatapp.knowledge.faq_export import write_faqs
from chatapp.knowledge.faq_tables import LARGEST_FILE, read_faqs
from chatapp.knowledge_records import ImportCount
from chatapp.store import Collections, Faqs

FaqFormat = Literal["csv", "xlsx", "json", "jsonl"]

_MEDIA: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "jsonl": "application/jsonl",
}


class TakesUploads(Protocol):
    """Keeps copies of files and queues them; ``flows.ingest.Ingest`` is one."""

    def add(self, collection_id: str, uploads: Sequence[Upload], tags: Sequence[str] = ()) -> str:
        """Queue files; returns the batch's id. Blocking."""
        ...


@dataclass(frozen=True, slots=True)
class Loading:
    """What taking files in needs.

    Attributes:
        folder: where a file waits while it comes in.
        max_bytes: the largest document; a larger one is refused while it comes in.
    """

    ingest: TakesUploads
    faqs: Faqs
    collections: Collections
    folder: Path
    max_bytes: int


def knowledge_routes(loading: Loading) -> APIRouter:
    """The routes under ``/staff/collections``; to be added before the page at ``/staff``."""
    router = APIRouter(prefix="/staff/collections", include_in_schema=False)

    @router.post("/{collection_id}/documents")
    async def add_documents(
        request: Request, collection_id: str, name: str, tags: str = ""
    ) -> Response:
        marks = [tag.strip() for tag in tags.split(",") if tag.strip()]
        async with received(request, loading.folder, name, loading.max_bytes) as path:
            batch = await asyncio.to_thread(
                loading.ingest.add, collection_id, [Upload(name, path)], marks
            )
        return JSONResponse({"batch": batch}, 202)

    @router.post("/{collection_id}/faq")
    async def import_faq(request: Request, collection_id: str, name: str) -> Response:
        def taken_in(path: Path) -> ImportCount:
            return loading.faqs.import_rows(collection_id, read_faqs(path, name))

        async with received(request, loading.folder, name, LARGEST_FILE) as path:
            count = await asyncio.to_thread(taken_in, path)
        return JSONResponse(asdict(count))

    @router.get("/{collection_id}/faq.{ending}")
    async def export_faq(collection_id: str, ending: FaqFormat) -> Response:
        def written() -> tuple[str, bytes]:
            collection = loading.collections.by_id(collection_id)
            entries = loading.faqs.entries(collection_id)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"faq.{ending}"
                write_faqs(entries, path)
                return f"{collection.name}-faq.{ending}", path.read_bytes()

        name, content = await asyncio.to_thread(written)
        headers = {
            "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "x-content-type-options": "nosniff",
            "cache-control": "no-store",
        }
        return Response(content, media_type=_MEDIA[ending], headers=headers)

    return router
