"""JSON values as they are built, never deeper or larger than a row can be."""

from __future__ import annotations

from collections.abc import Iterator

from chatapp.training.data.limits import DEEPEST

_MOST_NODES = 100_000
"""Values within one row."""


class TooLarge(Exception):
    """A row holds more values than any example does."""


class Builder:
    """One value out of its events, without recursion."""

    def __init__(self) -> None:
        self._open: list[list[object] | dict[str, object]] = []
        self._keys: list[str] = []
        self._nodes = 0
        self.value: object = None

    @property
    def done(self) -> bool:
        """Whether the value is complete."""
        return not self._open

    def feed(self, event: str, value: object) -> None:
        """Take the next event.

        Raises:
            TooLarge: there are too many values in it.
        """
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise TooLarge
        if event == "map_key":
            self._keys.append(str(value))
        elif event in ("end_map", "end_array"):
            closed = self._open.pop()
            if not self._open:
                self.value = closed
        elif event in ("start_map", "start_array"):
            opened: list[object] | dict[str, object] = {} if event == "start_map" else []
            self._put(opened)
            self._open.append(opened)
        else:
            self._put(value)

    def _put(self, value: object) -> None:
        if not self._open:
            self.value = value
        elif isinstance(holder := self._open[-1], dict):
            holder[self._keys.pop()] = value
        else:
            holder.append(value)


def is_too_deep(value: object) -> bool:
    """Whether a value that was read goes deeper than is allowed."""
    level = [value]
    for _ in range(DEEPEST):
        level = [child for one in level for child in _children(one)]
        if not level:
            return False
    return True


def _children(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        return iter(value.values())
    return iter(value) if isinstance(value, list) else iter(())
