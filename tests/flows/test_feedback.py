"""From a thumbs-down to an example: giving, reviewing, setting aside, and taking it all back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatapp.errors import InvalidRequest, NotFound
from chatapp.feedback_records import Remark
from chatapp.flows.feedback import LONGEST_COMMENT, Feedback
from chatapp.flows.feedback_examples import key_of, near_approved
from chatapp.flows.feedback_review import Review
from chatapp.knowledge_records import Collection, Grounding, Trace, TracedHit
from chatapp.records import ChatMessage
from chatapp.store import (
    Collections,
    Conversations,
    Corrections,
    Database,
    Faqs,
    Messages,
    Remarks,
    UnansweredQuestions,
)
from chatapp.store.messages import Ending


def mask(text: str) -> str:
    return re.sub(r"\S+@\S+", "[email]", text)


@dataclass
class Team:
    """Everything at hand."""

    conversations: Conversations
    messages: Messages
    faqs: Faqs
    unanswered: UnansweredQuestions
    feedback: Feedback
    review: Review
    public: Collection

    def asked(
        self, question: str, answer: str, owner: str = "ann", **ending: object
    ) -> tuple[str, str]:
        """A stored question with its answer; returns the conversation's and the answer's id."""
        chat = self.conversations.create(owner, "service", "Be kind.")
        _, said = self.messages.ask(chat.id, None, question, title=question, model="smol")
        self.messages.finish(said.id, answer, Ending(status="complete", **ending))  # type: ignore[arg-type]
        return chat.id, said.id

    def remark(self, question: str, better: str = "Within 30 days.") -> Remark:
        chat, message = self.asked(question, "Never.")
        return self.feedback.give("ann", chat, message, "wrong", "", better)


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    database = Database(f"sqlite:///{tmp_path / 'chat.db'}")
    database.migrate()
    conversations, messages = Conversations(database), Messages(database, "here")
    remarks, corrections = Remarks(database), Corrections(database)
    faqs, unanswered = Faqs(database), UnansweredQuestions(database)
    yield Team(
        conversations,
        messages,
        faqs,
        unanswered,
        Feedback(conversations, messages, remarks, corrections),
        Review(remarks, corrections, faqs, unanswered, mask, lambda _: "en"),
        Collections(database).create("public"),
    )
    database.close()


def question_of(held_out: bool, start: str = "Question") -> str:
    """A question that falls into the wanted part."""
    for number in range(100):
        question = f"{start} {number}?"
        if (int(key_of(question)[:8], 16) % 5 == 0) is held_out:
            return question
    raise AssertionError


# ---- giving ------------------------------------------------------------------------------------
def test_a_remark_keeps_what_was_shown_and_lowers_the_thumb(team: Team) -> None:
    trace = Trace(
        question="q", query="q", language="en", collection="public", route="quote", reason="r",
        threshold=0.5, prompt=(ChatMessage("user", "long"),),
        hits=(TracedHit(passage_id=1, title="t", heading=(), page=None, text="x", dense=1.0,
                        lexical=1.0, relevance=0.5, dropped=None),),
    )  # fmt: skip
    chat, first = team.asked(
        "Tents?", "30 days.", adapter="returns-2", grounding=Grounding(route="quote", trace=trace)
    )
    _, second = team.messages.ask(chat, first, "And boots?", title="", model="smol")
    team.messages.finish(second.id, "Never.", Ending(status="complete"))
    given = team.feedback.give("ann", chat, second.id, "incomplete", " Why? ", " 14 days. ")
    assert (given.question, given.answer, given.comment, given.better) == (
        "And boots?", "Never.", "Why?", "14 days."
    )  # fmt: skip
    assert given.earlier == (ChatMessage("user", "Tents?"), ChatMessage("assistant", "30 days."))
    on_first = team.feedback.give("ann", chat, first, "tone")
    assert on_first.adapter == "returns-2"
    assert on_first.grounding is not None
    kept = on_first.grounding.trace
    assert kept is not None
    assert (kept.collection, kept.hits, kept.prompt) == ("public", (), ())
    liked = {one.id: one.liked for one in team.conversations.messages("ann", chat)}
    assert (liked[first], liked[second.id]) == (False, False)
    assert team.feedback.waiting() == 2


def test_only_the_conversations_owner_can_say_something(team: Team) -> None:
    chat, message = team.asked("Tents?", "Never.")
    mine, _ = team.asked("Mine?", "Yes.", owner="ben")
    with pytest.raises(NotFound):
        team.feedback.give("ben", chat, message, "wrong")
    with pytest.raises(NotFound):
        team.feedback.give("ben", mine, message, "wrong")
    team.feedback.give("ann", chat, message, "wrong")
    with pytest.raises(NotFound):
        team.feedback.withdraw("ben", message)
    assert team.feedback.of_conversation("ben", chat) == {}


def test_what_cannot_be_reviewed_is_refused_with_a_sentence(team: Team) -> None:
    chat, message = team.asked("Tents?", "Never.")
    with pytest.raises(InvalidRequest, match="Choose a reason or write something"):
        team.feedback.give("ann", chat, message, None, "  ", "\n")
    with pytest.raises(InvalidRequest, match=r"comment is 2,001 characters long.* 2,000"):
        team.feedback.give("ann", chat, message, "other", "x" * (LONGEST_COMMENT + 1))
    with pytest.raises(InvalidRequest, match="better answer is 8,001"):
        team.feedback.give("ann", chat, message, None, "", "x" * 8_001)
    with pytest.raises(InvalidRequest, match="no reason that is known"):
        team.feedback.give("ann", chat, message, "spite")
    question = team.conversations.messages("ann", chat)[0]
    with pytest.raises(InvalidRequest, match="about an answer"):
        team.feedback.give("ann", chat, question.id, "wrong")
    _, growing = team.messages.ask(chat, message, "More?", title="", model="smol")
    with pytest.raises(InvalidRequest, match="still being written"):
        team.feedback.give("ann", chat, growing.id, "wrong")
    assert team.feedback.waiting() == 0


def test_a_remark_can_be_taken_back(team: Team) -> None:
    chat, message = team.asked("Tents?", "Never.")
    team.feedback.give("ann", chat, message, "wrong")
    team.feedback.withdraw("ann", message)
    assert team.feedback.waiting() == 0
    assert team.conversations.messages("ann", chat)[1].liked is None


# ---- reviewing ---------------------------------------------------------------------------------
def test_an_approved_example_is_masked_and_can_be_undone(team: Team) -> None:
    remark = team.remark("Who helps?")
    team.review.approve(remark.id, "Who helps ann@example.com?", "Write to bob@example.com now.")
    (kept,) = team.review.corrections()
    assert (kept.question, kept.answer) == ("Who helps [email]", "Write to [email] now.")
    assert team.review.counts()["approved"] == 1
    with pytest.raises(InvalidRequest, match="not open"):
        team.review.reject(remark.id)
    team.review.undo(remark.id)
    assert team.review.corrections() == []
    assert [one.id for one in team.review.queue()] == [remark.id]
    with pytest.raises(InvalidRequest, match="nothing to undo"):
        team.review.undo(remark.id)
    team.review.approve(remark.id, "Who helps?", "bob@example.com", masked=False)
    assert team.review.corrections()[0].answer == "bob@example.com"


def test_the_same_question_is_one_example_and_undoing_brings_the_older_answer(team: Team) -> None:
    first, second = team.remark("How long?"), team.remark("how  LONG")
    team.review.approve(first.id, "How long?", "30 days.")
    team.review.approve(second.id, "how  LONG", "60 days.")
    assert [one.answer for one in team.review.corrections()] == ["60 days."]
    team.review.undo(second.id)
    assert [(one.question, one.answer) for one in team.review.corrections()] == [
        ("How long?", "30 days.")
    ]


def test_a_decision_that_fails_leaves_the_remark_open(team: Team) -> None:
    remark = team.remark("How long?")
    with pytest.raises(NotFound):
        team.review.to_faq(remark.id, "no-such-collection", "How long?", "30 days.")
    with pytest.raises(InvalidRequest, match="needs a question and an answer"):
        team.review.approve(remark.id, "How long?", " ")
    with pytest.raises(InvalidRequest, match="answer is 8,001"):
        team.review.approve(remark.id, "How long?", "x" * 8_001)
    assert team.review.queue()[0].status == "open"


def test_a_new_faq_entry_comes_and_goes(team: Team) -> None:
    remark = team.remark("How long?")
    team.review.to_faq(remark.id, team.public.id, "How long?", "30 days.")
    (entry,) = team.faqs.entries(team.public.id)
    assert (entry.questions, entry.answer, entry.language) == (("How long?",), "30 days.", "en")
    team.review.undo(remark.id)
    assert team.faqs.entries(team.public.id) == []


def test_the_same_answer_gets_another_wording(team: Team) -> None:
    entry = team.faqs.add(team.public.id, ["Return period?"], "30 days.", "", ["returns"])
    remark = team.remark("How long?")
    team.review.to_faq(remark.id, team.public.id, "How long?", "30 days.")
    (merged,) = team.faqs.entries(team.public.id)
    assert (merged.id, merged.questions) == (entry.id, ("Return period?", "How long?"))
    team.review.undo(remark.id)
    assert team.faqs.entries(team.public.id)[0].questions == ("Return period?",)


def test_a_question_moves_to_its_new_answer_and_back(team: Team) -> None:
    old = team.faqs.add(team.public.id, ["How long?"], "14 days.", "en", [])
    remark = team.remark("How long?")
    team.review.to_faq(remark.id, team.public.id, "How long?", "30 days.")
    assert [one.answer for one in team.faqs.entries(team.public.id)] == ["30 days."]
    team.review.undo(remark.id)
    assert [one.id for one in team.faqs.entries(team.public.id)] == [old.id]


def test_an_faq_entry_that_was_edited_since_is_not_taken_back(team: Team) -> None:
    remark = team.remark("How long?")
    team.review.to_faq(remark.id, team.public.id, "How long?", "30 days.")
    (entry,) = team.faqs.entries(team.public.id)
    team.faqs.update(entry.id, entry.questions, "Thirty days.", "en", [])
    with pytest.raises(InvalidRequest, match="was edited since"):
        team.review.undo(remark.id)
    assert team.faqs.entries(team.public.id)[0].answer == "Thirty days."
    assert team.review.queue("faq")[0].id == remark.id


def test_a_missing_document_joins_the_open_questions(team: Team) -> None:
    remark = team.remark("Do you rent boats?")
    team.review.missing_document(remark.id, team.public.id, "Do you rent boats?", "No price list")
    (waiting,) = team.unanswered.list(team.public.id)
    assert (waiting.question, waiting.note) == ("Do you rent boats?", "No price list")
    team.review.undo(remark.id)
    assert team.unanswered.list(team.public.id) == []


# ---- what is learned ---------------------------------------------------------------------------
def test_a_fifth_is_set_aside_and_never_trained_on(team: Team) -> None:
    for number in range(60):
        remark = team.remark(f"{chr(0x4E00 + number * 40) * 6}?")
        team.review.approve(remark.id, remark.question, f"Answer {number}")
    trained = {one.question for one in team.feedback.examples()}
    aside = {one.question for one in team.feedback.held_out()}
    assert trained.isdisjoint(aside)
    assert len(trained) + len(aside) == 60
    assert 6 <= len(aside) <= 18
    example = team.feedback.examples()[0]
    assert (example.origin, example.row) == ("correction", 1)
    assert [turn.role for turn in example.messages] == ["user", "assistant"]


def test_a_question_stays_in_its_part_however_it_is_spelt(team: Team) -> None:
    question = question_of(held_out=True)
    for spelt in (question, f"  {question.upper()} ", question.replace("?", " ？")):
        remark = team.remark(spelt)
        team.review.approve(remark.id, spelt, "An answer.")
        assert [one.answer for one in team.feedback.held_out()] == ["An answer."]
        assert team.feedback.examples() == []


def test_what_asks_nearly_a_set_aside_question_is_not_trained_on(team: Team) -> None:
    aside = question_of(held_out=True, start="How long may I keep the tent number")
    near = next(
        text
        for text in (f"{aside[:-1]} {word}?" for word in ("then", "now", "please", "so", "ok"))
        if int(key_of(text)[:8], 16) % 5
    )
    for question in (aside, near):
        remark = team.remark(question)
        team.review.approve(remark.id, question, "30 days.")
    assert [one.question for one in team.feedback.held_out()] == [aside]
    assert team.feedback.examples() == []
    assert [one.question for one in team.feedback.parts().too_near] == [near]
    asked = [near, "Where is my parcel?"]
    found, nothing = near_approved(asked, team.review.corrections())
    assert found is not None
    assert nothing is None


def test_an_edited_example_is_what_is_learned(team: Team) -> None:
    question = question_of(held_out=False)
    remark = team.remark(question)
    team.review.approve(remark.id, question, "Old.")
    assert team.feedback.examples()[0].answer == "Old."
    (kept,) = team.review.corrections()
    team.review.edit(kept.id, question, "New, says ann@example.com")
    assert team.feedback.examples()[0].answer == "New, says [email]"
    team.review.delete([kept.id])
    assert team.feedback.examples() == []
    team.review.restore([kept.id])
    assert len(team.feedback.examples()) == 1
