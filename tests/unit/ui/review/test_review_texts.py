"""What the Review page says, and what it takes from its reader's browser."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import Any

import gradio as gr
import pytest

import chatapp.ui.review
from chatapp.feedback_records import DECISIONS, REASONS
from chatapp.ui.review.queue_html import TABS
from chatapp.ui.review.texts import review_keys, review_translations
from chatapp.ui.review.view import MOST, PAGE, View, view_of

PACKAGE = Path(chatapp.ui.review.__file__).parent
MADE = {
    *(f"{tab}_tab" for tab in TABS),
    *(f"status_{status}" for status in ("open", "all", *DECISIONS)),
    *(f"reason_{reason}" for reason in REASONS),
    *(f"done_{status}" for status in DECISIONS),
    *(f"said_{role}" for role in ("user", "assistant", "system")),
    *(f"route_{route}" for route in ("faq", "sources", "quote", "refused", "persona")),
    *(f"purpose_{purpose}" for purpose in ("intent", "topic", "sentiment")),
    *(f"column_{name}" for name in ("pair", "votes", "won", "lost", "tie", "bad", "rate")),
}
"""Keys that are put together where they are used."""


def test_both_languages_say_everything_with_the_same_facts() -> None:
    english, chinese = review_translations("en"), review_translations("zh")
    assert english.keys() == chinese.keys()
    for key in english:
        assert english[key].strip()
        assert chinese[key].strip()
        facts = [{f[1] for f in Formatter().parse(t) if f[1]} for t in (english[key], chinese[key])]
        assert facts[0] == facts[1], key


def test_every_text_is_used_and_every_one_that_is_asked_for_exists() -> None:
    source = "".join(
        path.read_text("utf-8")
        for path in PACKAGE.rglob("*.*")
        if path.suffix in (".py", ".js") and path.name != "texts.py"
    )
    unused = {key for key in review_keys() - MADE if not re.search(rf"""["']{key}["']""", source)}
    assert unused == set()
    asked = set(re.findall(r"""app\.text\(["'](\w+)["']""", source))
    assert asked <= review_translations("en").keys()


def picked(data: Any) -> gr.EventData:
    return gr.EventData(None, data)


@pytest.mark.parametrize(
    ("sent", "view"),
    [
        (None, View()),
        ({"view": "x"}, View()),
        ({"view": {"status": "withdrawn", "reason": "spite", "limit": "9"}}, View()),
        ({"view": {"status": "all", "limit": 10**9}}, View(status=None, limit=MOST)),
        (
            {"view": {"status": "faq", "reason": "tone", "search": " x ", "limit": -1}},
            View(status="faq", reason="tone", search="x", limit=PAGE),
        ),
    ],
)
def test_what_the_page_sends_is_read_with_care(sent: Any, view: View) -> None:
    assert view_of(picked(sent)) == view
