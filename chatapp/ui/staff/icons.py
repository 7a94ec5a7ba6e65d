"""The staff pages' own icons, beside those of the chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chatapp.ui.icons import icon

_PATHS: Final[Mapping[str, str]] = {
    "upload": "M12 16V4M7 9l5-5 5 5M4 16v4h16v-4",
    "save": "M12 4v12M7 11l5 5 5-5M4 16v4h16v-4",
    "folder": "M3 6h6l2 3h10v10H3z",
    "text": "M5 4h14M12 4v16M8 20h8",
    "file": "M6 3h8l4 4v14H6zM14 3v5h4",
    "check": "M5 12l5 5L19 7",
    "search": "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4 4",
    "leave": "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
    "down": "M6 9l6 6 6-6",
    "pen": "M4 20h4L19 9l-4-4L4 16z",
}


def sign(name: str) -> str:
    """The icon as inline SVG, hidden from screen readers."""
    if name not in _PATHS:
        return icon(name)
    return (
        '<svg class="icon" viewBox="0 0 24 24" width="18" height="18" fill="none" '
        'stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" '
        f'aria-hidden="true"><path d="{_PATHS[name]}"/></svg>'
    )
