"""Messages: saved while they grow, finished once, never lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from chatapp.errors import InvalidRequest, NotFound
from chatapp.knowledge_records import Flag, Grounding, Source, Trace
from chatapp.records import ChatMessage, Timing, Usage
from chatapp.store import Conversations, Database, Messages
from chatapp.store import messages as module
from chatapp.store.messages import Ending


@pytest.fixture
def chat_id(conversations: Conversations) -> str:
    return conversations.create("ann", "tutor", "").id


def test_an_answer_grows_and_is_finished(
    conversations: Conversations, messages: Messages, chat_id: str
) -> None:
    question, answer = messages.ask(chat_id, None, "q", title="Title", model="m")
    assert answer.status == "writing"
    assert answer.parent_id == question.id
    assert conversations.get("ann", chat_id).title == "Title"
    messages.write(answer.id, "half")
    assert conversations.branch("ann", chat_id)[-1].text == "half"

    ending = Ending(
        status="complete",
        finish_reason="stop",
        usage=Usage(7, 3),
        timing=Timing(0.1, 0.2, 0.9),
        dropped_turns=2,
    )
    messages.finish(answer.id, "whole", ending)
    messages.write(answer.id, "a late frame")
    saved = conversations.message("ann", chat_id, answer.id)
    assert (saved.text, saved.status, saved.finish_reason) == ("whole", "complete", "stop")
    assert (saved.usage, saved.timing, saved.dropped_turns) == (ending.usage, ending.timing, 2)
    assert saved.model == "m"


def test_what_an_answer_leaned_on_is_kept_with_it(
    db: Database, conversations: Conversations, messages: Messages, chat_id: str
) -> None:
    grounding = Grounding(
        route="sources",
        sources=(
            Source(
                number=1,
                document_id="d",
                document="guide.md",
                title="Guide \ud83d",
                kind="markdown",
                text="Tents weigh 2 kg.\x00",
                relevance=0.9,
                passage_id=2**40,
                heading=("Tents", "重量"),
                cited=True,
                spans=((0, 5), (6, 11)),
            ),
        ),
        flags=(Flag(start=3, end=9, reason="figure"),),
        trace=Trace(
            question="q",
            query="q",
            language="en",
            collection="public",
            route="sources",
            reason="relevant",
            threshold=0.4,
            prompt=(ChatMessage("user", "q"),),
            timings={"search": 1.5},
        ),
    )
    _, answer = messages.ask(chat_id, None, "q", title="")
    messages.finish(answer.id, "whole", Ending(status="complete", grounding=grounding))
    saved = conversations.message("ann", chat_id, answer.id).grounding
    assert saved is not None
    harmless = replace(grounding.sources[0], title="Guide ?")
    assert saved == replace(grounding, sources=(harmless,))

    for unreadable in ("{", '{"route": "oracle"}', "[]"):
        with db.write() as session:
            session.execute(text("UPDATE messages SET grounding = :it"), {"it": unreadable})
        assert conversations.branch("ann", chat_id)[-1].grounding is None


def test_a_title_that_was_given_stays(
    conversations: Conversations, messages: Messages, chat_id: str
) -> None:
    conversations.rename("ann", chat_id, "Mine")
    messages.ask(chat_id, None, "q", title="Other")
    assert conversations.get("ann", chat_id).title == "Mine"


def test_a_verdict_can_be_given_and_taken_back(
    conversations: Conversations, messages: Messages, chat_id: str
) -> None:
    answer = messages.add(chat_id, None, "assistant", "a")
    for verdict in (True, False, None):
        messages.like("ann", answer.id, verdict)
        assert conversations.message("ann", chat_id, answer.id).liked is verdict


def test_text_no_database_takes_is_made_harmless(
    conversations: Conversations, messages: Messages, chat_id: str
) -> None:
    messages.add(chat_id, None, "user", "a\x00b \ud83d 😀 你好")
    assert conversations.branch("ann", chat_id)[0].text == "ab ? 😀 你好"


def test_a_message_needs_a_conversation(messages: Messages) -> None:
    with pytest.raises(NotFound):
        messages.add("nowhere", None, "user", "q")
    with pytest.raises(NotFound):
        messages.ask("nowhere", None, "q", title="")


def test_finishing_a_purged_answer_does_nothing(
    conversations: Conversations, messages: Messages, chat_id: str
) -> None:
    _, answer = messages.ask(chat_id, None, "q", title="")
    conversations.delete("ann", chat_id)
    conversations.purge(timedelta(0))
    messages.write(answer.id, "x")
    messages.finish(answer.id, "x", Ending(status="complete"))


def test_what_a_killed_server_left_is_stopped_and_its_text_kept(
    db: Database, conversations: Conversations, messages: Messages, chat_id: str
) -> None:
    _, answer = messages.ask(chat_id, None, "q", title="")
    messages.write(answer.id, "shown")
    elsewhere = conversations.create("ann", "tutor", "").id
    other = Messages(db, "there")
    _, living = other.ask(elsewhere, None, "q", title="")

    assert Messages(db, "here").interrupt_unfinished() == 1
    stopped = conversations.message("ann", chat_id, answer.id)
    assert (stopped.text, stopped.status, stopped.finish_reason) == (
        "shown",
        "stopped",
        "cancelled",
    )
    assert conversations.message("ann", elsewhere, living.id).status == "writing"


def test_an_answer_nobody_writes_any_more_is_stopped_by_any_server(
    db: Database,
    conversations: Conversations,
    chat_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, answer = Messages(db, "there").ask(chat_id, None, "q", title="")
    assert Messages(db, "here").interrupt_unfinished() == 0
    later = module.now() + timedelta(minutes=3)
    monkeypatch.setattr(module, "now", lambda: later)
    assert Messages(db, "here").interrupt_unfinished() == 1
    assert conversations.message("ann", chat_id, answer.id).status == "stopped"


def test_a_server_without_an_id_is_taken_for_this_one(db: Database, chat_id: str) -> None:
    Messages(db).ask(chat_id, None, "q", title="")
    assert Messages(db, "here").interrupt_unfinished() == 1


def test_two_servers_do_not_answer_in_one_conversation(
    db: Database, messages: Messages, chat_id: str
) -> None:
    _, answer = Messages(db, "there").ask(chat_id, None, "q", title="")
    with pytest.raises(InvalidRequest, match="still being written"):
        messages.ask(chat_id, None, "q", title="")
    with pytest.raises(InvalidRequest, match="still being written"):
        messages.add(chat_id, answer.parent_id, "assistant", "", "writing")
    messages.finish(answer.id, "a", Ending(status="complete"))
    messages.ask(chat_id, answer.id, "q", title="")


def test_a_leftover_of_this_server_makes_room(
    conversations: Conversations, messages: Messages, chat_id: str
) -> None:
    _, lost = messages.ask(chat_id, None, "q", title="")
    messages.write(lost.id, "part")
    messages.ask(chat_id, lost.id, "q2", title="")
    saved = conversations.message("ann", chat_id, lost.id)
    assert (saved.status, saved.text) == ("stopped", "part")


def test_thumbs_of_the_last_days_are_counted(
    conversations: Conversations, messages: Messages
) -> None:
    chat = conversations.create("ann", "service", "")
    assert messages.thumbs() == (0, 0)
    for liked in (True, True, False, None):
        said = messages.add(chat.id, None, "assistant", "An answer")
        messages.like("ann", said.id, liked)
    assert messages.thumbs() == (2, 1)
    assert messages.thumbs(days=0) == (0, 0)
