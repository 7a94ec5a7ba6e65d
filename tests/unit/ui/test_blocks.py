"""How the page is wired."""

from typing import Any, cast

from chatapp.ui.blocks import build_blocks


def test_an_event_is_heard_while_the_last_of_its_kind_is_still_being_closed() -> None:
    # Gradio's "once" drops it: a question asked right after an answer was lost, now and then.
    unused = cast(Any, None)
    blocks = build_blocks(unused, unused, unused, unused, {}, unused)
    events = blocks.config["dependencies"]
    dropped = [e["targets"] for e in events if e["trigger_mode"] == "once"]
    assert dropped == [[(None, "unload")]]  # which comes once in a tab's life
