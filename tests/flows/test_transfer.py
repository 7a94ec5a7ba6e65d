"""A conversation as a file: nothing is lost on the way, and a bad file is told apart clearly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chatapp.errors import InvalidRequest
from chatapp.flows.transfer import (
    LARGEST_FILE,
    MOST_MESSAGES,
    export_json,
    export_markdown,
    import_json,
)
from chatapp.knowledge_records import Flag, Grounding, Source, Trace
from chatapp.records import ChatMessage, Conversation, Message, Timing, Usage
from chatapp.store import Conversations, Database, Messages
from chatapp.store.messages import Ending

_GROUNDING = Grounding(
    route="sources",
    sources=(
        Source(
            number=1,
            document_id="d",
            document="guide.md",
            title="Guide",
            kind="markdown",
            text="Halves and quarters",
            relevance=0.75,
            passage_id=3,
            heading=("Fractions", "分数"),
            spans=((0, 6),),
        ),
    ),
    flags=(Flag(start=0, end=4, reason="unsupported"),),
    trace=Trace(
        question="How?",
        query="How?",
        language="en",
        collection="public",
        route="sources",
        reason="relevant",
        threshold=0.5,
        prompt=(ChatMessage("user", "How?"),),
        timings={"search": 2.5},
    ),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/chat.db")
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def conversations(database: Database) -> Conversations:
    return Conversations(database)


@pytest.fixture
def chat(database: Database, conversations: Conversations) -> Conversation:
    """Two answers to one question, the second stopped; one like; text of every kind."""
    messages = Messages(database)
    chat = conversations.create("ann", "tutor", "Be kind.\nAlways.", title="Fractions 分数")
    question, first = messages.ask(chat.id, None, "How?\n\n    code", title="", model="m")
    messages.finish(
        first.id,
        "Like *this* 😀",
        Ending(
            status="complete",
            finish_reason="stop",
            usage=Usage(7, 3),
            timing=Timing(0.1, 0.25, 0.75),
            dropped_turns=2,
            grounding=_GROUNDING,
        ),
    )
    messages.like("ann", first.id, True)
    second = messages.add(chat.id, question.id, "assistant", "", "writing", model="m")
    messages.finish(second.id, "Or", Ending(status="failed", error="It broke.", error_code="X"))
    conversations.show("ann", chat.id, first.id)
    return conversations.get("ann", chat.id)


def without_ids(tree: list[Message]) -> list[Message]:
    """The messages with their ids replaced by their places."""
    places = {message.id: str(place) for place, message in enumerate(tree)}
    return [
        replace(
            message,
            id=places[message.id],
            parent_id=message.parent_id and places[message.parent_id],
            conversation_id="",
        )
        for message in tree
    ]


def test_json_brings_everything_back(conversations: Conversations, chat: Conversation) -> None:
    before = conversations.messages("ann", chat.id)
    data = export_json(chat, before).encode()
    made = import_json(conversations, "bob", data)
    assert made.owner == "bob"
    assert made.id != chat.id
    assert (made.title, made.persona_id, made.system_prompt, made.created_at) == (
        chat.title,
        chat.persona_id,
        chat.system_prompt,
        chat.created_at,
    )
    after = conversations.messages("bob", made.id)
    assert without_ids(after) == without_ids(before)
    assert not {m.id for m in after} & {m.id for m in before}
    shown = conversations.branch("bob", made.id)
    assert [m.text for m in shown] == ["How?\n\n    code", "Like *this* 😀"]
    assert conversations.messages("ann", chat.id) == before
    assert conversations.list("bob")[0] == made


def test_an_answer_that_was_being_written_arrives_stopped(
    database: Database, conversations: Conversations
) -> None:
    chat = conversations.create("ann", "tutor", "")
    Messages(database).ask(chat.id, None, "q", title="")
    every = conversations.messages("ann", chat.id)
    made = import_json(conversations, "ann", export_json(chat, every).encode())
    assert conversations.branch("ann", made.id)[-1].status == "stopped"


def test_an_empty_conversation_travels_too(conversations: Conversations) -> None:
    chat = conversations.create("ann", "tutor", "")
    made = import_json(conversations, "ann", export_json(chat, []).encode())
    assert conversations.branch("ann", made.id) == []
    assert made.title == "Imported conversation"


def test_markdown_is_for_people(conversations: Conversations, chat: Conversation) -> None:
    shown = export_markdown(chat, conversations.branch("ann", chat.id))
    assert shown == (
        "# Fractions 分数\n\n"
        f"*{chat.created_at:%Y-%m-%d %H:%M} UTC*\n\n"
        "> Be kind.\n> Always.\n\n"
        "## You\n\nHow?\n\n    code\n\n"
        "## Assistant (m)\n\nLike *this* 😀\n"
    )
    failed = conversations.messages("ann", chat.id)[2]
    assert export_markdown(chat, [failed]).endswith("Or\n\n*(It broke.)*\n")
    stopped = replace(failed, status="stopped", error=None, text="Half")
    assert export_markdown(chat, [stopped]).endswith("Half\n\n*(stopped)*\n")


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_plain_list_of_turns_is_read(conversations: Conversations, wrapped: bool) -> None:
    turns = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "A long question that becomes the title, " * 3},
        {"role": "assistant", "content": "a", "name": "ignored"},
    ]
    content = {"messages": turns} if wrapped else turns
    made = import_json(conversations, "ann", b"\xef\xbb\xbf" + json.dumps(content).encode())
    assert made.system_prompt == "Be kind."
    assert made.title == "A long question that becomes the title, A long…"
    assert [m.role for m in conversations.branch("ann", made.id)] == ["user", "assistant"]


def exported(*changes: tuple[int, str, object], **fields: object) -> bytes:
    """A good file of three messages with something changed in it; None takes a field away."""
    messages: list[dict[str, object]] = [
        {"id": "a", "parent_id": None, "role": "user", "text": "q"},
        {"id": "b", "parent_id": "a", "role": "assistant", "text": "a"},
        {"id": "c", "parent_id": "b", "role": "user", "text": "q2"},
    ]
    for place, key, value in changes:
        messages[place][key] = value
        if value is None:
            del messages[place][key]
    content = {"format": "chatapp-conversation", "version": 1, "messages": messages} | fields
    return json.dumps(content).encode()


def test_a_long_title_that_was_given_is_kept(conversations: Conversations) -> None:
    title = "A title somebody wrote with care, longer than the ones that are made here"
    assert import_json(conversations, "ann", exported(title=title)).title == title


def test_a_file_with_only_what_is_needed_is_read(conversations: Conversations) -> None:
    made = import_json(conversations, "ann", exported())
    assert [m.text for m in conversations.branch("ann", made.id)] == ["q", "a", "q2"]


def test_messages_may_come_in_any_order(conversations: Conversations) -> None:
    content = json.loads(exported())
    content["messages"].reverse()
    made = import_json(conversations, "ann", json.dumps(content).encode())
    assert [m.text for m in conversations.branch("ann", made.id)] == ["q", "a", "q2"]


TURN = {"role": "user", "content": "q"}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is not JSON: Expecting value in line 1, column 1."),
        (b'{"a": 1,\n}', "The file is not JSON: .* in line 2, column 1."),
        (b"\xff\xfe\x00", "not UTF-8 text"),
        (b"[" * 100_000, "nested too deep"),
        (b"[" + b"9" * 5000 + b"]", "endless numbers"),
        (b'"text"', "no messages in it"),
        (b"{}", "no messages in it"),
        (b" " * (LARGEST_FILE + 1), "larger than 20 MiB"),
        (exported(format="other"), "format is 'other', not 'chatapp-conversation'"),
        (exported(version=2), "version 2 of its format"),
        (exported(version=None), "version None of its format"),
        (exported(messages="none"), "The file has a wrong messages"),
        (exported(messages=[1]), "Message 1 is not a JSON object"),
        (exported(title=3), "The file has a wrong title"),
        (exported((2, "role", None)), "^Message 3 has no role.$"),
        (exported((1, "role", "robot")), "Message 2 has the role 'robot', but it must be 'user'"),
        (exported((1, "role", "system")), "Message 2 has the role 'system'"),
        (exported((1, "text", None)), "Message 2 has no text"),
        (exported((1, "text", 5)), "Message 2 has a wrong text"),
        (exported((1, "id", "")), "Message 2 has a wrong id"),
        (exported((1, "id", "a")), "Message 1 has the same id as another one"),
        (exported((1, "parent_id", "z")), "Message 2 follows a message that is not in the file"),
        (exported((0, "parent_id", "c")), "Message 1 follows itself in a circle"),
        (exported((2, "parent_id", "c")), "Message 3 follows itself in a circle"),
        (exported((1, "status", "gone")), "Message 2 has the status 'gone'"),
        (exported((1, "usage", {"prompt_tokens": 1})), "has no usage.completion_tokens"),
        (
            exported((1, "usage", {"prompt_tokens": 2**70, "completion_tokens": 0})),
            "wrong usage.prompt_tokens",
        ),
        (
            exported((1, "timing", {"queued": float("nan"), "first_token": 0.0, "total": 0.0})),
            "wrong timing.queued",
        ),
        (exported((1, "created_at", "yesterday")), "Message 2 has a wrong created_at"),
        (exported((1, "created_at", "0001-01-01T00:00:00+14:00")), "between 1970 and 9000"),
        (exported((1, "grounding", {"route": "oracle"})), "Message 2 has a wrong grounding: it mu"),
        (exported(leaf_id="z"), "shows the message 'z', which is not in it"),
        (json.dumps([TURN, {"content": "x"}]).encode(), "^Message 2 has no role.$"),
        (json.dumps([TURN, {"role": "user"}]).encode(), "^Message 2 has no content.$"),
        (json.dumps([TURN, {"role": "tool", "content": ""}]).encode(), "has the role 'tool'"),
        (
            json.dumps([TURN, {"role": "system", "content": ""}]).encode(),
            "Message 2 has the role system, which only the first may have",
        ),
        (json.dumps([TURN] * (MOST_MESSAGES + 1)).encode(), "more than 10,000 messages"),
    ],
)
def test_a_bad_file_is_told_in_one_sentence(
    conversations: Conversations, data: bytes, sentence: str
) -> None:
    with pytest.raises(InvalidRequest, match=sentence) as caught:
        import_json(conversations, "ann", data)
    assert "\n" not in caught.value.sentence
    assert len(caught.value.sentence) < 250
    assert conversations.list("ann") == []


def test_a_very_long_conversation_travels(conversations: Conversations) -> None:
    turns = [{"role": "user", "content": str(i)} for i in range(1_000)]
    made = import_json(conversations, "ann", json.dumps(turns).encode())
    every = conversations.messages("ann", made.id)
    again = import_json(conversations, "bob", export_json(made, every).encode())
    texts = [m.text for m in conversations.branch("bob", again.id)]
    assert texts == [str(i) for i in range(1_000)]
