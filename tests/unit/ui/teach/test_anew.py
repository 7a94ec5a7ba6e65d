"""HTML that is replaced and not fitted in."""

from __future__ import annotations

import re

from chatapp.ui.teach.anew import anew


def test_other_content_has_another_tag_and_the_same_has_the_same() -> None:
    first, again, other = anew("<p>a</p>"), anew("<p>a</p>"), anew("<p>b</p>")
    assert first == again
    assert re.match(r"<drawn-\w+", first)[0] != re.match(r"<drawn-\w+", other)[0]  # type: ignore[index]
    assert "<p>a</p>" in first
