"""How the staff's page is wired."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, cast

from chatapp.ui.staff import StaffRooms, build_staff_blocks
from chatapp.ui.staff.parts import EVENTS


def built() -> Any:
    rooms = {field.name: cast(Any, None) for field in fields(StaffRooms)}
    return build_staff_blocks(StaffRooms(**rooms))


def test_every_event_is_heard_and_none_is_an_endpoint() -> None:
    events = built().config["dependencies"]
    assert {event["trigger_mode"] for event in events} <= {"multiple", "always_last"}
    assert {event["api_visibility"] for event in events} == {"private"}


def test_what_the_script_may_ask_for_is_answered() -> None:
    blocks = built()
    heard = {kind for event in blocks.config["dependencies"] for _, kind in event["targets"]}
    assert set(EVENTS) <= heard


def test_server_paths_are_refused_as_uploads() -> None:
    assert built().has_launched is True
