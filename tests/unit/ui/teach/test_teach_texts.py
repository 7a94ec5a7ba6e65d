"""What the Teach page says."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import get_args

import chatapp.ui.teach
from chatapp.training.config import Preset, RunConfig
from chatapp.training.data import ROLES
from chatapp.training_records import (
    FixKind,
    Format,
    MetricPoint,
    Purpose,
    RunStatus,
    Slot,
    Split,
    Task,
)
from chatapp.ui.staff.texts import staff_keys
from chatapp.ui.teach.parts import EVENTS
from chatapp.ui.teach.settings_html import advanced_names
from chatapp.ui.teach.texts import teach_keys, teach_translations
from chatapp.ui.teach.texts_advice import ADVICE_ZH, FIXES_ZH
from chatapp.ui.teach.texts_advice import ROLES as ROLE_NAMES

PACKAGE = Path(chatapp.ui.teach.__file__).parent
MADE = {
    *(f"format_{one}" for one in get_args(Format)),
    *(f"task_{one}{end}" for one in get_args(Task) for end in ("", "_help")),
    *(f"preset_{one}{end}" for one in get_args(Preset) for end in ("", "_help")),
    *(f"purpose_{one}" for one in get_args(Purpose)),
    *(f"status_{one}" for one in get_args(RunStatus)),
    *(f"slot_{one}" for one in get_args(Slot)),
    *(f"part_{one}" for one in get_args(Split)),
    *(f"severity_{one}" for one in ("error", "warning", "note")),
    *(f"step_{one}" for one in ("data", "goal", "run", "result")),
    *(f"base_{one}" for one in ("chat", "minilm", "multilingual")),
    *(f"base_{one}_advice" for one in ("minilm", "multilingual")),
    *(f"export_{one}" for one in ("peft", "merged", "card")),
    *(f"scored_{one}" for one in ("baseline", "adapter")),
    *(f"answers_{one}" for one in ("base", "few_shot", "adapter")),
    *(f"compare_{one}" for one in ("result", "before", "lowest_loss", "took", "data")),
    *(f"busy_{one}" for one in (*EVENTS, "arrive")),
    *(f"figure_{one}" for one in MetricPoint.__dataclass_fields__),
}
"""Keys that are put together where they are used."""


def source() -> str:
    return "".join(
        path.read_text("utf-8")
        for path in PACKAGE.rglob("*.*")
        if path.suffix in (".py", ".js") and not path.name.startswith("texts")
    ) + (PACKAGE / "texts.py").read_text("utf-8")


def test_both_languages_say_everything_with_the_same_facts() -> None:
    english, chinese = teach_translations("en"), teach_translations("zh")
    for key in teach_keys():
        assert english[key].strip()
        assert chinese[key].strip()
        facts = [{f[1] for f in Formatter().parse(t) if f[1]} for t in (english[key], chinese[key])]
        assert facts[0] == facts[1], key


def test_every_text_is_used() -> None:
    written = source()
    unused = {
        key
        for key in teach_keys() - MADE
        if not re.search(rf"""["']{key.removesuffix("_one")}["']""", written)
    }
    assert unused == set()


def test_every_text_that_is_asked_for_exists() -> None:
    asked = set(
        re.findall(r"""(?:words\(|data-text=|data-label=|app\.text\()["'](\w+)["']""", source())
    )
    counted = set(re.findall(r"""counted\([\w.]*words, ["'](\w+)["']""", source()))
    known = teach_keys() | staff_keys()
    assert asked | counted | {f"{key}_one" for key in counted} <= known


def test_chinese_readers_get_advice_on_every_setting() -> None:
    assert set(ADVICE_ZH) == set(advanced_names())
    english = {RunConfig.model_fields[name].description for name in advanced_names()}
    assert None not in english


def test_every_role_and_fix_has_a_name() -> None:
    assert {role.name for roles in ROLES.values() for role in roles} <= set(ROLE_NAMES)
    assert set(FIXES_ZH) == set(get_args(FixKind))
