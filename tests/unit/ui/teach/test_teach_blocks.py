"""How the Teach page is wired."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import chatapp.ui.teach
from chatapp.ui.teach import TeachRooms, build_teach_blocks
from chatapp.ui.teach.parts import EVENTS, TeachParts
from chatapp.ui.teach.screen import TeachScreen


def built() -> Any:
    rooms = {field.name: cast(Any, None) for field in fields(TeachRooms)}
    return build_teach_blocks(TeachRooms(**(rooms | {"teaching": object()})))


def test_every_event_is_heard_and_none_is_an_endpoint() -> None:
    events = built().config["dependencies"]
    assert {event["trigger_mode"] for event in events} == {"multiple"}
    assert {event["api_visibility"] for event in events} == {"private"}


def test_what_the_script_may_ask_for_is_answered_and_its_end_told() -> None:
    events = built().config["dependencies"]
    heard = {kind for event in events for _, kind in event["targets"]}
    assert set(EVENTS) <= heard
    told = [event["js"] for event in events if event["js"] and "over(" in str(event["js"])]
    for name in EVENTS:  # once after a success, once after a failure
        assert sum(f"over('{name}')" in js for js in told) == 2, name


def test_a_frame_has_a_value_for_every_output() -> None:
    names = [field.name for field in fields(TeachParts) if field.name not in ("desk", "wanted")]
    assert names == [field.name for field in fields(TeachScreen)]


def test_what_the_script_asks_for_is_known() -> None:
    assets = Path(chatapp.ui.teach.__file__).parent / "assets"
    script = "".join(path.read_text("utf-8") for path in assets.glob("*.js"))
    asked = {part.split('"')[0] for part in script.split('app.ask("')[1:]}
    assert asked <= set(EVENTS)


def test_server_paths_are_refused_as_uploads() -> None:
    assert built().has_launched is True
