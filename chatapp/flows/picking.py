"""Which adapter of the chat model is to answer."""

from __future__ import annotations

from typing import Protocol


class PicksAdapters(Protocol):
    """Knows the adapters of the chat model; ``flows.adapters.Adapters`` does."""

    async def pick(self, choice: str) -> str | None:
        """The adapter's name, loaded by now; None for the base model.

        Args:
            choice: ``LIVE``, ``BASE`` or a name.

        Raises:
            NotFound: no such adapter.
            ModelError: it cannot be loaded.
        """
        ...
