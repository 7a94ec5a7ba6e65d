"""Line icons, drawn here so that nothing is fetched: 24-unit paths in the text's colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_PATHS: Final[Mapping[str, str]] = {
    "plus": "M12 5v14M5 12h14",
    "copy": "M9 9h11v11H9zM5 15H4V4h11v1",
    "retry": "M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6",
    "undo": "M9 14 4 9l5-5M4 9h9a7 7 0 0 1 0 14h-2",
    "edit": "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
    "like": "M7 11v9H3v-9zM7 11l4-8q3 0 3 3l-1 4h6q2 0 2 2l-1 6q-.3 2-2 2H7",
    "dislike": "M17 13V4h4v9zM17 13l-4 8q-3 0-3-3l1-4H5q-2 0-2-2l1-6q.3-2 2-2H17",
    "alert": "M12 8v5M12 16.5v.5M12 3 2 20h20z",
    "trash": "M4 7h16M10 11v6M14 11v6M6 7l1 13h10l1-13M9 7V4h6v3",
    "menu": "M4 6h16M4 12h16M4 18h16",
    "close": "M6 6l12 12M18 6 6 18",
    "sliders": "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
    "book": "M5 4h11q3 0 3 3v13H8q-3 0-3-3zM5 17q0-3 3-3h11M9 8h6",
    "teach": "M12 5 2 10l10 5 10-5zM6 12v5q6 4 12 0v-5M22 10v6",
    "review": "M4 4h16v12h-8l-5 4v-4H4zM8 10l3 3 5-5",
    "compare": "M4 5h7v14H4zM13 5h7v14h-7zM7 9h1M16 9h1",
    "open": "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
    "theme": "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
}


def icon(name: str) -> str:
    """The icon as inline SVG, hidden from screen readers: its button carries the label."""
    return (
        '<svg class="icon" viewBox="0 0 24 24" width="18" height="18" fill="none" '
        'stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" '
        f'aria-hidden="true"><path d="{_PATHS[name]}"/></svg>'
    )
