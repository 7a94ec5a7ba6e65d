"""Files in and out of teaching, for staff: labelled data, settings, reports and adapters.

The guard in front of ``/teach`` decides who gets here. What comes in is a request's whole body, so
that it can be of any size without being held in memory.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, Protocol, get_args
from urllib.parse import quote

from fastapi import APIRouter, Body, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, JSONResponse, Response

from chatapp.api.page import Language, language_of
from chatapp.api.received import received
from chatapp.errors import InvalidRequest, NotFound
from chatapp.training.config import RunConfig, make_config
from chatapp.training.run.folder import RunFolder
from chatapp.training_records import Adapter, Dataset, Report, Run, Slot

Export = Literal["peft", "merged", "card"]

_SLOTS: Final[tuple[Slot, ...]] = get_args(Slot)
_NOT_KEPT: Final = {"x-content-type-options": "nosniff", "cache-control": "no-store"}


class Teaches(Protocol):
    """Keeps labelled files and runs; ``flows.finetune.FineTune`` is one. Every method blocks."""

    def add_dataset(self, name: str, path: Path) -> Dataset:
        """Take a file in."""
        ...

    def dataset(self, dataset_id: str) -> Dataset:
        """One of them."""
        ...

    def cleaned(self, dataset_id: str) -> Path:
        """What of it would be learned, as a file."""
        ...

    def run(self, run_id: str) -> Run:
        """A run."""
        ...

    def folder(self, run_id: str) -> RunFolder:
        """Its folder."""
        ...


class Registry(Protocol):
    """What was learned; ``flows.adapters.Adapters`` is one."""

    def export(self, name: str, what: Export, path: Path) -> Path:
        """Write an adapter to a file; returns it."""
        ...

    def import_(self, path: Path, name: str, slot: Slot) -> Adapter:
        """Take somebody's PEFT folder in, zipped."""
        ...


@dataclass(frozen=True, slots=True)
class Teaching:
    """What the routes need.

    Attributes:
        report_page: a report as one HTML file, in a language.
        folder: where a file waits while it comes in.
        max_bytes: the largest that is taken in; a larger one is refused while it comes in.
    """

    teaching: Teaches
    adapters: Registry
    report_page: Callable[[Run, Report, Language], str]
    folder: Path
    max_bytes: int


def teach_routes(rooms: Teaching) -> APIRouter:
    """The routes under ``/teach/files``; to be added before the page at ``/teach``."""
    router = APIRouter(prefix="/teach/files", include_in_schema=False)
    _add_data(router, rooms)
    _add_runs(router, rooms)
    _add_adapters(router, rooms)
    return router


def _add_data(router: APIRouter, rooms: Teaching) -> None:
    @router.post("/datasets")
    async def add_dataset(request: Request, name: str) -> Response:
        async with received(request, rooms.folder, name, rooms.max_bytes) as path:
            made = await asyncio.to_thread(rooms.teaching.add_dataset, name, path)
        return JSONResponse({"id": made.id, "name": made.name, "rows": made.rows}, 201)

    @router.get("/datasets/{dataset_id}/cleaned")
    async def cleaned(dataset_id: str) -> Response:
        dataset = await asyncio.to_thread(rooms.teaching.dataset, dataset_id)
        path = await asyncio.to_thread(rooms.teaching.cleaned, dataset_id)
        return _file(path, f"{Path(dataset.name).stem}-cleaned{path.suffix}")

    @router.post("/config.yaml")
    async def settings(values: Annotated[dict[str, object], Body()]) -> Response:
        return _settings(make_config(values))


def _add_runs(router: APIRouter, rooms: Teaching) -> None:
    async def reported(run_id: str) -> tuple[Run, Report]:
        run = await asyncio.to_thread(rooms.teaching.run, run_id)
        folder = await asyncio.to_thread(rooms.teaching.folder, run_id)
        report = await asyncio.to_thread(lambda: folder.report)
        if report is None:
            raise NotFound(f"{run.name} has no report yet. It is written when the run is done.")
        return run, report

    @router.get("/runs/{run_id}/config.yaml")
    async def config(run_id: str) -> Response:
        folder = await asyncio.to_thread(rooms.teaching.folder, run_id)
        return _settings(await asyncio.to_thread(lambda: folder.config))

    @router.get("/runs/{run_id}/report.json")
    async def report_json(run_id: str) -> Response:
        run, _ = await reported(run_id)
        folder = await asyncio.to_thread(rooms.teaching.folder, run_id)
        return _file(folder.path / "report.json", f"{run.name}-report.json")

    @router.get("/runs/{run_id}/report.html")
    async def report_html(request: Request, run_id: str) -> Response:
        run, report = await reported(run_id)
        page = await asyncio.to_thread(rooms.report_page, run, report, language_of(request))
        return _text(page, "text/html; charset=utf-8", f"{run.name}-report.html")

    @router.get("/runs/{run_id}/log.txt")
    async def log(run_id: str) -> Response:
        run = await asyncio.to_thread(rooms.teaching.run, run_id)
        folder = await asyncio.to_thread(rooms.teaching.folder, run_id)
        if not folder.log.exists():
            raise NotFound(f"{run.name} has written no log yet.")
        return _file(folder.log, f"{run.name}-log.txt")


def _add_adapters(router: APIRouter, rooms: Teaching) -> None:
    @router.get("/adapters/{name}/{what}")
    async def export(name: str, what: Export) -> Response:
        made = tempfile.TemporaryDirectory()
        try:
            wanted = Path(made.name) / (f"{name}.md" if what == "card" else f"{name}-{what}.zip")
            path = await asyncio.to_thread(rooms.adapters.export, name, what, wanted)
        except BaseException:
            made.cleanup()
            raise
        return _file(path, path.name, BackgroundTask(made.cleanup))

    @router.post("/adapters")
    async def import_adapter(request: Request, name: str, slot: str = "chat") -> Response:
        wanted = next((one for one in _SLOTS if one == slot), None)
        if wanted is None:
            raise InvalidRequest(f"There is no slot {slot!r}. Known: {', '.join(_SLOTS)}.")
        async with received(request, rooms.folder, f"{name}.zip", rooms.max_bytes) as path:
            made = await asyncio.to_thread(rooms.adapters.import_, path, name, wanted)
        return JSONResponse({"name": made.name, "slot": made.slot}, 201)


def _settings(config: RunConfig) -> Response:
    return _text(config.as_yaml(), "application/yaml; charset=utf-8", f"{config.name}.yaml")


def _text(content: str, kind: str, name: str) -> Response:
    return Response(content, media_type=kind, headers={**_NOT_KEPT, **_attached(name)})


def _file(path: Path, name: str, after: BackgroundTask | None = None) -> Response:
    kind = "application/octet-stream"
    headers = {**_NOT_KEPT, **_attached(name)}
    return FileResponse(path, media_type=kind, headers=headers, background=after)


def _attached(name: str) -> dict[str, str]:
    return {"content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
