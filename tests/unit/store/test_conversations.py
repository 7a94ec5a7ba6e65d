"""Conversations: private, searchable trees whose deletion can be undone."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chatapp.errors import NotFound
from chatapp.records import Message
from chatapp.store import Conversations, Messages


def texts(conversations: Conversations, chat_id: str) -> list[str]:
    return [message.text for message in conversations.branch("ann", chat_id)]


def test_a_new_conversation_is_empty_and_in_utc(conversations: Conversations) -> None:
    made = conversations.create("ann", "tutor", "Be kind.")
    assert conversations.get("ann", made.id) == made
    assert made.leaf_id is None
    assert made.created_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - made.created_at) < timedelta(minutes=1)
    assert conversations.branch("ann", made.id) == []


def test_every_door_is_closed_to_other_owners(
    conversations: Conversations, messages: Messages
) -> None:
    chat = conversations.create("ann", "tutor", "")
    message = messages.add(chat.id, None, "user", "secret")
    doors = [
        lambda: conversations.get("bob", chat.id),
        lambda: conversations.rename("bob", chat.id, "x"),
        lambda: conversations.set_system_prompt("bob", chat.id, "x"),
        lambda: conversations.set_persona("bob", chat.id, "x", "x"),
        lambda: conversations.delete("bob", chat.id),
        lambda: conversations.branch("bob", chat.id),
        lambda: conversations.message("bob", chat.id, message.id),
        lambda: conversations.messages("bob", chat.id),
        lambda: conversations.siblings("bob", chat.id),
        lambda: conversations.show("bob", chat.id, message.id),
        lambda: conversations.rewind("bob", chat.id, message.id),
        lambda: messages.like("bob", message.id, True),
        lambda: conversations.get("ann", "no-such-id"),
    ]
    for door in doors:
        with pytest.raises(NotFound):
            door()
    assert conversations.list("bob") == []
    assert conversations.list("bob", "secret") == []
    conversations.delete("ann", chat.id)
    with pytest.raises(NotFound):
        conversations.restore("bob", chat.id)


def test_a_message_of_another_conversation_is_not_found(
    conversations: Conversations, messages: Messages
) -> None:
    mine = conversations.create("ann", "tutor", "")
    other = conversations.create("bob", "tutor", "")
    theirs = messages.add(other.id, None, "user", "secret")
    for door in (conversations.message, conversations.show, conversations.rewind):
        with pytest.raises(NotFound):
            door("ann", mine.id, theirs.id)
    with pytest.raises(NotFound):
        conversations.branch("ann", mine.id, theirs.id)


def test_the_list_is_newest_first_and_a_new_message_moves_up(
    conversations: Conversations, messages: Messages
) -> None:
    first = conversations.create("ann", "tutor", "")
    second = conversations.create("ann", "tutor", "")
    assert [c.id for c in conversations.list("ann")] == [second.id, first.id]
    messages.add(first.id, None, "user", "hello")
    assert [c.id for c in conversations.list("ann")] == [first.id, second.id]
    assert [c.id for c in conversations.list("ann", limit=1)] == [first.id]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ÄRGER", True),
        ("ärger mit", True),
        ("退货", True),
        ("REFUND", True),
        ("  refund ", True),
        ("100%", True),
        ("100_", False),
        ("_", False),
        ("%", True),
        ("\\", False),
        ("/", False),
        ("nothing", False),
    ],
)
def test_the_search_reads_titles_and_messages_literally(
    conversations: Conversations, messages: Messages, search: str, found: bool
) -> None:
    chat = conversations.create("ann", "tutor", "", title="Ärger mit dem Paket")
    messages.add(chat.id, None, "user", "I want a Refund of 100% 我想退货")
    assert [c.id for c in conversations.list("ann", search)] == ([chat.id] if found else [])


def test_deleting_hides_restoring_shows_and_purging_removes(
    conversations: Conversations, messages: Messages
) -> None:
    chat = conversations.create("ann", "tutor", "")
    message = messages.add(chat.id, None, "user", "hello")
    conversations.delete("ann", chat.id)
    assert conversations.list("ann") == []
    assert conversations.list("ann", "hello") == []
    with pytest.raises(NotFound):
        conversations.get("ann", chat.id)
    conversations.restore("ann", chat.id)
    assert texts(conversations, chat.id) == ["hello"]
    with pytest.raises(NotFound):
        conversations.restore("ann", chat.id)

    conversations.delete("ann", chat.id)
    assert conversations.purge(timedelta(days=1)) == 0
    assert conversations.purge(timedelta(0)) == 1
    with pytest.raises(NotFound):
        conversations.restore("ann", chat.id)
    with pytest.raises(NotFound):
        messages.like("ann", message.id, True)


def test_a_very_long_conversation_can_be_purged(conversations: Conversations) -> None:
    """SQLite follows a chain of cascades only a thousand links deep."""
    moment = datetime.now(UTC)
    chain = [
        Message(
            id=str(place),
            conversation_id="",
            parent_id=str(place - 1) if place else None,
            role="user",
            text="",
            status="complete",
            created_at=moment,
        )
        for place in range(1_500)
    ]
    empty = conversations.create("ann", "tutor", "")
    chat = conversations.insert(replace(empty, leaf_id="1499"), chain)
    assert len(conversations.branch("ann", chat.id)) == 1_500
    conversations.delete("ann", chat.id)
    assert conversations.purge(timedelta(0)) == 1
    assert [c.id for c in conversations.list("ann")] == [empty.id]


@pytest.mark.parametrize("stranger", ["a\x00b", "\ud83d", "x" * 10_000, "", "'; --"])
def test_a_strange_id_is_just_not_found(conversations: Conversations, stranger: str) -> None:
    chat = conversations.create("ann", "tutor", "")
    with pytest.raises(NotFound):
        conversations.get("ann", stranger)
    with pytest.raises(NotFound):
        conversations.message("ann", chat.id, stranger)
    assert conversations.list(stranger, stranger) == []


def test_settings_of_a_conversation_are_kept(conversations: Conversations) -> None:
    chat = conversations.create("ann", "tutor", "old")
    conversations.rename("ann", chat.id, "  Fractions ")
    conversations.set_system_prompt("ann", chat.id, "new")
    assert conversations.get("ann", chat.id).title == "Fractions"
    assert conversations.get("ann", chat.id).system_prompt == "new"
    conversations.set_persona("ann", chat.id, "translator", "Translate.")
    changed = conversations.get("ann", chat.id)
    assert (changed.persona_id, changed.system_prompt) == ("translator", "Translate.")


def test_branches_stay_reachable(conversations: Conversations, messages: Messages) -> None:
    chat = conversations.create("ann", "tutor", "")
    question = messages.add(chat.id, None, "user", "q")
    first = messages.add(chat.id, question.id, "assistant", "a1")
    more = messages.add(chat.id, first.id, "user", "q2")
    last = messages.add(chat.id, more.id, "assistant", "a2")
    assert conversations.siblings("ann", chat.id) == {}

    second = messages.add(chat.id, question.id, "assistant", "b1")
    assert texts(conversations, chat.id) == ["q", "b1"]
    assert conversations.siblings("ann", chat.id) == {second.id: [first.id, second.id]}

    conversations.show("ann", chat.id, first.id)
    assert texts(conversations, chat.id) == ["q", "a1", "q2", "a2"]
    assert conversations.siblings("ann", chat.id) == {first.id: [first.id, second.id]}
    assert [m.id for m in conversations.branch("ann", chat.id, second.id)] == [
        question.id,
        second.id,
    ]

    conversations.rewind("ann", chat.id, more.id)
    assert texts(conversations, chat.id) == ["q", "a1"]
    conversations.rewind("ann", chat.id, question.id)
    assert texts(conversations, chat.id) == []
    conversations.show("ann", chat.id, question.id)
    assert conversations.get("ann", chat.id).leaf_id == second.id
    assert len(conversations.messages("ann", chat.id)) == 5
    assert conversations.message("ann", chat.id, last.id).text == "a2"


@pytest.mark.parametrize("seed", range(8))
def test_any_tree_keeps_its_laws(
    conversations: Conversations, messages: Messages, seed: int
) -> None:
    """Against a model in plain Python: random adding, showing and rewinding."""
    random_ = random.Random(seed)
    chat = conversations.create("ann", "tutor", "")
    parents: dict[str, str | None] = {}
    order: list[str] = []
    leaf: str | None = None

    def path(to: str | None) -> list[str]:
        return [] if to is None else [*path(parents[to]), to]

    for step in range(30):
        move = random_.choice(["add", "add", "fork", "show", "rewind"])
        if move in ("add", "fork") or not order:
            parent = leaf if move == "add" or not order else random_.choice(order)
            made = messages.add(chat.id, parent, random_.choice(["user", "assistant"]), f"{step}")
            parents[made.id], leaf = parent, made.id
            order.append(made.id)
        elif move == "show":
            target = random_.choice(order)
            conversations.show("ann", chat.id, target)
            leaf = [one for one in order if target in path(one)][-1]
        else:
            target = random_.choice(order)
            conversations.rewind("ann", chat.id, target)
            leaf = parents[target]

        assert [m.id for m in conversations.branch("ann", chat.id)] == path(leaf)
        expected = {
            one: twins
            for one in path(leaf)
            if len(twins := [other for other in order if parents[other] == parents[one]]) > 1
        }
        assert conversations.siblings("ann", chat.id) == expected
    assert [m.id for m in conversations.messages("ann", chat.id)] == order
