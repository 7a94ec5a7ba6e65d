from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

import chatapp.ui
from chatapp.feedback_records import REASONS
from chatapp.training_records import Purpose
from chatapp.ui.texts import Words, keys, language_of, translations

PACKAGE = Path(chatapp.ui.__file__).parent
MADE = {
    *(f"reason_{reason}" for reason in REASONS),
    *(f"feedback_{field}" for field in ("comment", "better")),
    *(f"vote_{choice}" for choice in ("left", "right", "tie", "both_bad")),
    *(f"voted_{verdict}" for verdict in ("tie", "both_bad")),
    *(f"purpose_{purpose}" for purpose in get_args(Purpose)),
}
"""Keys that are put together where they are used."""


def test_both_languages_say_everything_with_the_same_facts() -> None:
    english, chinese = translations("en"), translations("zh")
    for key in keys():
        assert english[key].strip()
        assert chinese[key].strip()
        facts = [{f[1] for f in Formatter().parse(t) if f[1]} for t in (english[key], chinese[key])]
        assert facts[0] == facts[1], key


def test_every_text_is_used() -> None:
    source = "".join(
        path.read_text("utf-8")
        for path in PACKAGE.rglob("*.*")
        if path.suffix in (".py", ".js") and path.name not in ("texts.py", "feedback_texts.py")
    )
    unused = {
        key
        for key in keys() - MADE
        if not re.search(rf"""["']{key.removesuffix("_help")}["']""", source)
    }
    assert unused == set()


@pytest.mark.parametrize(
    ("cookie", "header", "language"),
    [
        ("zh", "en", "zh"),
        ("en", "zh-CN", "en"),
        (None, "zh-TW,zh;q=0.9,en;q=0.8", "zh"),
        (None, "fr-FR, en;q=0.5, zh;q=0.3", "en"),
        ("tlh", "zh", "zh"),
        (None, None, "en"),
    ],
)
def test_the_readers_choice_wins_over_their_browser(
    cookie: str | None, header: str | None, language: str
) -> None:
    assert language_of(cookie, header) == language


def test_an_error_keeps_its_sentence_where_there_is_no_translation() -> None:
    assert Words("zh").error("EngineBusy", "Busy.").startswith("助手正忙")
    assert Words("zh").error("Unheard", "Odd.") == "Odd."
    assert Words("en").error("EngineBusy", "Busy: 3.") == "Busy: 3."
