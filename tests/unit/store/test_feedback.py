"""Remarks, approved examples and blind votes: what is kept, and who may change it when."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from chatapp.errors import InvalidRequest, NotFound
from chatapp.feedback_records import NewRemark, NewVote, Outcome
from chatapp.knowledge_records import FaqEntry, Grounding, Source
from chatapp.records import ChatMessage
from chatapp.store import Corrections, Database, Remarks, Votes
from chatapp.store.columns import now


def said(message_id: str = "m1", **changed: Any) -> NewRemark:
    facts: dict[str, Any] = {
        "message_id": message_id,
        "conversation_id": "c1",
        "owner": "ann",
        "question": "How long can I return a tent?",
        "answer": "Never.",
        "reason": "wrong",
        "comment": "The page says otherwise",
        "better": "Within 30 days.",
    }
    return NewRemark(**(facts | changed))


def key_of(question: str) -> str:
    return hashlib.sha256(question.encode()).hexdigest()


def test_a_remark_keeps_all_a_reviewer_needs(db: Database) -> None:
    source = Source(
        number=1, document_id="d", document="d.md", title="Returns", kind="markdown",
        text="30 days", page=None, heading=(), relevance=0.9, passage_id=7, spans=(), cited=True,
    )  # fmt: skip
    given = said(
        earlier=(ChatMessage("user", "Hello"), ChatMessage("assistant", "你好 \U0001f600")),
        model="smol",
        adapter="returns-2",
        grounding=Grounding(route="sources", sources=(source,)),
    )
    kept = Remarks(db).give(given)
    assert Remarks(db).get(kept.id) == kept
    assert {name: getattr(kept, name) for name in ("earlier", "adapter", "grounding")} == {
        "earlier": given.earlier,
        "adapter": "returns-2",
        "grounding": given.grounding,
    }
    assert (kept.status, kept.decided_at, kept.outcome) == ("open", None, None)


def test_saying_more_changes_the_remark(db: Database) -> None:
    remarks = Remarks(db)
    first = remarks.give(said())
    second = remarks.give(said(reason="tone", comment="Too curt"))
    assert (second.id, second.reason, second.comment) == (first.id, "tone", "Too curt")
    assert remarks.of_conversation("ann", "c1") == {"m1": second}
    assert remarks.of_conversation("ben", "c1") == {}


def test_a_withdrawn_remark_waits_for_nobody_but_can_be_given_again(db: Database) -> None:
    remarks = Remarks(db)
    remarks.give(said())
    with pytest.raises(NotFound):
        remarks.withdraw("ben", "m1")
    remarks.withdraw("ann", "m1")
    assert remarks.list() == []
    assert remarks.list(None) == []
    assert remarks.of_conversation("ann", "c1")["m1"].better == "Within 30 days."
    assert remarks.give(said()).status == "open"
    with pytest.raises(NotFound):
        remarks.withdraw("ann", "m2")


def test_a_reviewed_remark_can_neither_be_changed_nor_taken_back(db: Database) -> None:
    remarks = Remarks(db)
    kept = remarks.give(said())
    remarks.decide(kept.id, "rejected")
    with pytest.raises(InvalidRequest, match="already reviewed"):
        remarks.give(said())
    with pytest.raises(InvalidRequest, match="already reviewed"):
        remarks.withdraw("ann", "m1")


def test_of_two_who_decide_one_is_refused_until_it_is_undone(db: Database) -> None:
    remarks = Remarks(db)
    kept = remarks.give(said())
    entry = FaqEntry(
        id="f", collection_id="c", questions=("Q?",), answer="A.", language="en", tags=(),
        updated_at=now(),
    )  # fmt: skip
    outcome = Outcome(faq_added=("g",), faq_changed=(entry,), replaced=("Q", "A"))
    assert remarks.decide(kept.id, "faq").decided_at is not None
    remarks.made(kept.id, outcome)
    assert remarks.get(kept.id).outcome == outcome
    with pytest.raises(InvalidRequest, match="not open any more"):
        remarks.decide(kept.id, "rejected")
    remarks.reopen(kept.id)
    again = remarks.decide(kept.id, "rejected")
    assert (again.status, again.outcome) == ("rejected", None)
    with pytest.raises(NotFound):
        remarks.decide("nothing", "rejected")


def test_remarks_are_found_by_status_reason_and_text(db: Database) -> None:
    remarks = Remarks(db)
    old = remarks.give(said("m1"))
    new = remarks.give(said("m2", reason="tone", better="Say ÄRGER kindly", comment=""))
    done = remarks.give(said("m3", reason=None))
    remarks.decide(done.id, "rejected")
    assert [one.id for one in remarks.list()] == [new.id, old.id]
    assert [one.id for one in remarks.list(limit=1)] == [new.id]
    assert [one.id for one in remarks.list(None)] == [done.id, new.id, old.id]
    assert [one.id for one in remarks.list("rejected")] == [done.id]
    assert [one.id for one in remarks.list(reason="wrong")] == [old.id]
    assert [one.id for one in remarks.list(search="ärger")] == [new.id]
    assert remarks.list(search="100%") == []
    counts = remarks.counts()
    assert (counts["open"], counts["rejected"], counts["faq"]) == (2, 1, 0)


def test_an_example_with_the_same_question_takes_the_newer_answer(db: Database) -> None:
    examples = Corrections(db)
    first, before = examples.put("How long?", "30 days.", key_of("how long"), "r1")
    assert before is None
    second, before = examples.put("how long", "60 days.", key_of("how long"), "r2")
    assert (second.id, second.answer, before) == (first.id, "60 days.", first)
    assert [one.answer for one in examples.list()] == ["60 days."]
    with pytest.raises(InvalidRequest):
        examples.put("  ", "x", key_of("x"), "r3")


def test_examples_are_edited_deleted_and_brought_back(db: Database) -> None:
    examples = Corrections(db)
    one, _ = examples.put("One?", "1", key_of("one"), "r1")
    two, _ = examples.put("Two?", "2", key_of("two"), "r2")
    assert [example.id for example in examples.list()] == [two.id, one.id]
    assert [example.id for example in examples.list("TWO")] == [two.id]
    with pytest.raises(InvalidRequest, match="Another example asks the same: “Two\\?”"):
        examples.edit(one.id, "Two?", "1", key_of("two"))
    assert examples.edit(one.id, "One!", "1.0", key_of("one")).answer == "1.0"
    examples.delete([one.id])
    with pytest.raises(NotFound):
        examples.edit(one.id, "One", "1", key_of("one"))
    again, before = examples.put("One?", "I", key_of("one"), "r3")
    assert before is None
    with pytest.raises(InvalidRequest, match="asks the same"):
        examples.restore([one.id])
    examples.delete([again.id])
    examples.restore([one.id])
    assert {example.id for example in examples.list()} == {one.id, two.id}
    assert examples.purge(timedelta(0)) == 1


def test_the_key_alone_says_what_is_set_aside(db: Database) -> None:
    examples = Corrections(db)
    parts = [
        examples.put(f"Question {number}", "x", key_of(str(number)), "r")[0].held_out
        for number in range(100)
    ]
    assert 10 < sum(parts) < 30
    assert [one.held_out for one in reversed(examples.list())] == parts


def test_votes_are_counted_by_pair_and_verdict(db: Database) -> None:
    votes = Votes(db)

    def vote(first: str | None, second: str | None, verdict: Any) -> str:
        return votes.add(
            NewVote(
                question="Q?",
                adapters=(first, second),
                answers=("one", "two"),
                swapped=True,
                verdict=verdict,
            )
        ).id

    vote(None, "a", "first")
    vote(None, "a", "first")
    gone = vote("b", "a", "tie")
    assert sorted(votes.counts(), key=str) == [("b", "a", "tie", 1), (None, "a", "first", 2)]
    assert votes.list()[0].adapters == ("b", "a")
    votes.remove(gone)
    votes.remove(gone)
    assert list(votes.counts()) == [(None, "a", "first", 2)]
