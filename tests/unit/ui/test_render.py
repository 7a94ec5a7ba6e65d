from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatapp.knowledge_records import Flag, Grounding, Route
from chatapp.records import Conversation, Message, Persona, Timing, Usage
from chatapp.ui.live import LiveAnswer
from chatapp.ui.markdown import literal
from chatapp.ui.render import chatbot_messages, turns_json, welcome
from chatapp.ui.sidebar import conversation_list, staff_links, timezone_of
from chatapp.ui.texts import Words
from chatapp.ui.thread import Thread
from tests.grounded import TRACE, a_source

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
    (drawn,) = chatbot_messages(Thread("c", [message("a", "assistant", text)], {}), EN)
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


def grounded(route: Route, **more: Any) -> Grounding:
    return Grounding(route=route, **more)


@pytest.mark.parametrize(
    ("grounding", "said"),
    [
        (grounded("sources", sources=(a_source(1, "x"), a_source(2, "y"))), "From sources · 2"),
        (
            grounded("sources", sources=(a_source(1, "x", cited=True), a_source(2, "y"))),
            "From sources · 1",
        ),
        (grounded("quote", sources=(a_source(1, "x", cited=True),)), "Quoted from sources · 1"),
        (grounded("faq", sources=(a_source(1, "x", passage_id=None),)), "From the FAQ<"),
        (grounded("refused"), "Not in the documents<"),
        (grounded("persona", trace=TRACE), "Without sources<"),
    ],
)
def test_an_answer_says_where_it_comes_from(grounding: Grounding, said: str) -> None:
    answer = message("a", "assistant", "hi", grounding=grounding, timing=Timing(0, 0.2, 0.91))
    line = foot(answer)
    assert said in line
    assert "0.9 s" in line
    assert ('data-do="sources"' in line) is bool(grounding.sources)
    assert ('data-do="why"' in line) is (grounding.trace is not None)


def test_an_answer_without_knowledge_says_nothing_of_sources() -> None:
    for grounding in (None, grounded("persona")):
        answer = message("a", "assistant", "hi", grounding=grounding)
        (turn,) = json.loads(turns_json(Thread("c", [answer], {}), EN))["turns"]
        assert "route" not in turn["foot"]
        assert turn["sheet"] == ""


def test_the_time_is_said_once_and_milliseconds_where_it_is_short() -> None:
    timed = {"usage": Usage(9, 42), "timing": Timing(0.0, 0.21, 1.33)}
    line = foot(message("a", "assistant", "hi", grounding=grounded("sources"), **timed))
    assert line.count("1.3 s") == 1
    assert "42 tokens · first 0.2 s<" in line
    quick = message("a", "assistant", "x", grounding=grounded("faq"), timing=Timing(0, 0, 0.012))
    assert "12 ms" in foot(quick)


async def test_a_growing_answer_shows_its_route_and_its_citations() -> None:
    sources = (a_source(1, "Within 30 days."),)
    live = LiveAnswer("o", "c", answer_id="a", phase="writing", text="Within 30 days [1]. Then [")
    live.grounding = grounded("sources", sources=sources)
    thread = Thread("c", [message("a", "assistant", "", status="writing")], {}, live)
    (drawn,) = chatbot_messages(thread, EN)
    assert drawn["content"][0]["text"].endswith("</a>. Then ")
    (turn,) = json.loads(turns_json(thread, EN))["turns"]
    assert "From sources · 1" in turn["foot"]
    assert "Writing…" in turn["foot"]
    assert turn["sheet"]


def test_the_long_texts_of_sources_do_not_travel_with_the_turns() -> None:
    grounding = grounded("sources", sources=(a_source(1, "long " * 1000),), trace=TRACE)
    answer = message("a", "assistant", "Short [1].", grounding=grounding)
    turns = turns_json(Thread("c", [answer], {}), EN)
    assert "long" not in turns
    assert len(turns) < 4_000


def test_the_announcement_says_where_the_answer_comes_from() -> None:
    answer = message("a", "assistant", "Within 30 days.", grounding=grounded("faq"))
    said = json.loads(turns_json(Thread("c", [answer], {}), EN, announce=True))["announce"]
    assert said == "The assistant answered: Within 30 days. (From the FAQ)"


def test_the_way_to_the_staffs_pages_speaks_the_readers_language() -> None:
    assert "Knowledge" in staff_links(EN)
    assert "知识库" in staff_links(Words("zh"))
    assert "waiting" not in staff_links(EN)
    assert 'title="3 waiting">3<' in staff_links(EN, waiting=3)


@pytest.mark.parametrize("status", ["writing", "stopped"])
def test_an_answer_of_unknown_grounds_is_drawn_with_care(status: Any) -> None:
    text = "![x](https://elsewhere.example) <img src=x>"
    answer = message("a", "assistant", text, status=status)
    (drawn,) = chatbot_messages(Thread("c", [answer], {}), EN)
    assert drawn["content"][0]["text"] == "\\![x](https://elsewhere.example) &lt;img src=x>"


def test_only_grounded_answers_are_drawn_anew() -> None:
    text = "<b>bold</b> [1]"
    flags = (Flag(start=0, end=3, reason="figure"),)
    sources = (a_source(1, "x"),)
    for grounding in (None, grounded("persona", sources=sources, flags=flags)):
        answer = message("a", "assistant", text, grounding=grounding)
        (drawn,) = chatbot_messages(Thread("c", [answer], {}), EN)
        assert drawn["content"][0]["text"] == text


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
