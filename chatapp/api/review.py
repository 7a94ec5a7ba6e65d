"""What the Review page offers beside itself: how much waits, and its examples as files.

The guard in front of ``/review`` decides who gets here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from fastapi import APIRouter
from starlette.responses import Response

from chatapp.training_records import Example

Examples = Callable[[], Sequence[Example]]


def review_routes(waiting: Callable[[], int], learned: Examples, held_out: Examples) -> APIRouter:
    """The routes under ``/review``; to be added before the page there.

    Args:
        waiting: how many remarks wait for a reviewer. Blocking, as the others.
        learned: the approved examples that are learned from.
        held_out: those that only measure, as ``evaluate adapter`` reads them.
    """
    router = APIRouter(prefix="/review", include_in_schema=False)

    @router.get("/waiting")
    def count() -> dict[str, int]:
        return {"waiting": waiting()}

    @router.get("/examples.jsonl")
    def examples_file() -> Response:
        return _file("examples.jsonl", learned())

    @router.get("/held-out.jsonl")
    def held_out_file() -> Response:
        return _file("held-out.jsonl", held_out())

    return router


def _file(name: str, examples: Sequence[Example]) -> Response:
    """One conversation a line, as OpenAI has them."""
    lines = [
        json.dumps(
            {"messages": [{"role": turn.role, "content": turn.content} for turn in one.messages]},
            ensure_ascii=False,
        )
        for one in examples
    ]
    return Response(
        "".join(f"{line}\n" for line in lines),
        media_type="application/jsonl",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
