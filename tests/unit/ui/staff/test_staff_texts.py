"""What the staff's page says."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import chatapp.ui.staff
from chatapp.ui.staff.texts import staff_keys, staff_translations

PACKAGE = Path(chatapp.ui.staff.__file__).parent
MADE = {
    *(f"step_{step}" for step in ("read", "split", "embed", "store")),
    *(f"route_{route}" for route in ("faq", "sources", "quote", "refused", "persona")),
    *(f"dropped_{reason}" for reason in ("weak", "duplicate", "filtered")),
    *(f"ended_{status}" for status in ("done", "unchanged", "stopped")),
    *(f"{tab}_tab" for tab in ("documents", "faq", "try", "unanswered")),
    *(f"kind_{kind}" for kind in ("email", "text", "row")),
    *(f"threshold_{name}" for name in ("documents", "faq")),
}
"""Keys that are put together where they are used."""


def test_both_languages_say_everything_with_the_same_facts() -> None:
    english, chinese = staff_translations("en"), staff_translations("zh")
    for key in staff_keys():
        assert english[key].strip()
        assert chinese[key].strip()
        facts = [{f[1] for f in Formatter().parse(t) if f[1]} for t in (english[key], chinese[key])]
        assert facts[0] == facts[1], key


def test_every_text_is_used() -> None:
    source = "".join(
        path.read_text("utf-8")
        for path in PACKAGE.rglob("*.*")
        if path.suffix in (".py", ".js") and path.name != "texts.py"
    )
    unused = {
        key
        for key in staff_keys() - MADE
        if not re.search(rf"""["']{key.removesuffix("_one")}["']""", source)
        and key.removesuffix("_one") not in MADE
    }
    assert unused == set()


def test_every_text_that_is_asked_for_exists() -> None:
    source = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.*") if path.is_file())
    asked = set(
        re.findall(r"""(?:words\(|data-text=|data-label=|app\.text\()["'](\w+)["']""", source)
    )
    counted = set(re.findall(r"""counted\([\w.]*words, ["'](\w+)["']""", source))
    assert asked | counted | {f"{key}_one" for key in counted} <= staff_keys()
