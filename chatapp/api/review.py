"""How much feedback waits: the count beside the page's name, on every staff page.

The guard in front of ``/review`` decides who gets here.
"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter


def review_routes(waiting: Callable[[], int]) -> APIRouter:
    """The routes under ``/review``; to be added before the page there.

    Args:
        waiting: how many remarks wait for a reviewer. Blocking.
    """
    router = APIRouter(prefix="/review", include_in_schema=False)

    @router.get("/waiting")
    def count() -> dict[str, int]:
        return {"waiting": waiting()}

    return router
