from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatapp.records import Conversation, Message, Persona, Timing, Usage
from chatapp.ui.live import LiveAnswer
from chatapp.ui.render import Thread, chatbot_messages, literal, turns_json, welcome
from chatapp.ui.sidebar import conversation_list, timezone_of
from chatapp.ui.texts import Words

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
EN = Words("en")


def message(id_: str, role: Any, text: str, **more: Any) -> Message:
    return Message(
        id=id_,
        conversation_id="c",
        parent_id=None,
        role=role,
        text=text,
        status=more.pop("status", "complete"),
        created_at=NOON,
        **more,
    )


def foot(answer: Message, **thread: Any) -> str:
    turns = json.loads(turns_json(Thread("c", [answer], thread.pop("siblings", {}), **thread), EN))
    return str(turns["turns"][0]["foot"])


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("a <b>c</b> & d", "a &lt;b>c&lt;/b> &amp; d"),
        ("`<b>` and <i>", "`<b>` and &lt;i>"),
        ("```html\n<b>&\n```\n<i>", "```html\n<b>&\n```\n&lt;i>"),
        ("```\n<b> never closed", "```\n<b> never closed"),
    ],
)
def test_what_a_person_types_is_shown_as_typed(typed: str, shown: str) -> None:
    assert literal(typed) == shown


def test_texts_are_typed_parts_so_that_code_keeps_its_indentation() -> None:
    text = "\tx\n    y"
    (drawn,) = chatbot_messages(Thread("c", [message("a", "assistant", text)], {}))
    assert drawn["content"] == [{"type": "text", "text": text}]


def test_figures_are_quiet_and_complete() -> None:
    answer = message("a", "assistant", "hi", usage=Usage(9, 42), timing=Timing(0.0, 0.21, 1.33))
    assert "42 tokens · 1.3 s · first 0.2 s<" in foot(answer)
    waited = message("a", "assistant", "hi", usage=Usage(9, 1), timing=Timing(2.0, 2.1, 2.2))
    assert "1 token · 2.2 s · first 2.1 s · queued 2.0 s<" in foot(waited)


def test_an_answer_without_text_cannot_be_copied_or_judged() -> None:
    empty = foot(message("a", "assistant", "", status="stopped"))
    assert "Stopped" in empty
    assert 'data-do="retry"' in empty
    assert 'data-do="copy"' not in empty
    assert 'data-do="like"' not in empty


def test_versions_lead_to_their_neighbours() -> None:
    answer = message("two", "assistant", "hi")
    middle = foot(answer, siblings={"two": ["one", "two", "three"]})
    assert 'data-target="one"' in middle
    assert 'data-target="three"' in middle
    assert "2/3" in middle
    last = foot(answer, siblings={"two": ["one", "two"]})
    assert 'data-do="show" disabled aria-label="Next version"' in last


def test_an_error_sentence_cannot_bring_markup_along() -> None:
    failed = foot(message("a", "assistant", "", status="failed", error="<img src=x>"))
    assert "&lt;img src=x&gt;" in failed
    assert "<img" not in failed


@pytest.mark.parametrize(
    ("phase", "ahead", "said"),
    [
        ("queued", 3, "Queued, 3 ahead of you"),
        ("queued", 1, "Queued, 1 ahead of you"),
        ("thinking", 0, "Thinking…"),
        ("writing", 0, "Writing…"),
    ],
)
async def test_a_growing_answer_says_what_is_happening(phase: Any, ahead: int, said: str) -> None:
    live = LiveAnswer("o", "c", answer_id="a", phase=phase, ahead=ahead, dropped_turns=2)
    growing = foot(message("a", "assistant", "", status="writing"), live=live)
    assert said in growing
    assert "The 2 oldest turns no longer fit" in growing
    assert "data-do" not in growing


def conversation(title: str, hours_ago: float) -> Conversation:
    moment = NOON - timedelta(hours=hours_ago)
    return Conversation(
        id=title,
        owner="o",
        title=title,
        persona_id="p",
        system_prompt="",
        leaf_id=None,
        created_at=moment,
        updated_at=moment,
    )


def test_conversations_are_grouped_by_the_readers_own_day() -> None:
    chats = [conversation("Lunch", 1), conversation("Night", 13)]  # 11:00 and the evening before
    utc = conversation_list(chats, "", "", EN, UTC, NOON)
    assert utc.index("Lunch") < utc.index("Earlier") < utc.index("Night")
    honolulu = conversation_list(chats, "", "", EN, timezone_of("Pacific%2FHonolulu"), NOON)
    assert "Earlier" in honolulu  # 02:00 there: the evening is yesterday's too
    auckland = conversation_list(chats, "", "", EN, timezone_of("Pacific/Auckland"), NOON)
    assert auckland.count("<h2") == 2  # 01:00 there: lunch was yesterday by an hour
    assert auckland.index("Today") < auckland.index("Lunch") < auckland.index("Earlier")


def test_an_unknown_time_zone_is_utc() -> None:
    for name in (None, "Mars/Olympus", "../../etc/passwd", ""):
        assert timezone_of(name) in (UTC, timezone_of("UTC"))


def test_titles_are_escaped() -> None:
    html = conversation_list([conversation('<b>"x', 0)], "", "", EN, UTC, NOON)
    assert "<b>" not in html
    assert "&lt;b&gt;&quot;x" in html


def test_the_start_page_speaks_the_reader_s_language() -> None:
    persona = Persona(
        id="p",
        name="Helper",
        description="Helps.",
        system_prompt="",
        starters=("Where is it?",),
        descriptions={"zh": "帮忙。"},
        translated_starters={"zh": ("在哪里？",)},
    )
    english, chinese = welcome(persona, Words("en")), welcome(persona, Words("zh"))
    assert "Helps." in english
    assert "Where is it?" in english
    assert "帮忙。" in chinese
    assert "在哪里？" in chinese
