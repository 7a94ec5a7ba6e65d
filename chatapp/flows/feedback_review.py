"""A reviewer decides what becomes of a remark: each decision is made once, and can be undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from chatapp.errors import InvalidRequest, NotFound
from chatapp.feedback_records import DECISIONS, Correction, Outcome, Reason, Remark, RemarkStatus
from chatapp.flows.feedback import LONGEST_ANSWER, LONGEST_QUESTION
from chatapp.flows.feedback_examples import key_of
from chatapp.flows.feedback_faq import add_to_faq, take_from_faq
from chatapp.knowledge_records import NewFaq
from chatapp.store.examples import Corrections
from chatapp.store.faqs import Faqs
from chatapp.store.feedback import Remarks
from chatapp.store.unanswered import UnansweredQuestions

LONGEST_NOTE: Final = 500
"""Characters."""

Mask = Callable[[str], str]
"""Puts placeholders where a text tells who somebody is; a masked text comes back as it is."""


class Review:
    """The remarks that wait, and the examples that were made of others.

    Args:
        mask: hides personal data in what becomes an example.
        language_of: the language code of a text.
    """

    def __init__(
        self,
        remarks: Remarks,
        corrections: Corrections,
        faqs: Faqs,
        unanswered: UnansweredQuestions,
        mask: Mask,
        language_of: Callable[[str], str],
    ) -> None:
        self._remarks = remarks
        self._corrections = corrections
        self._faqs = faqs
        self._unanswered = unanswered
        self._language_of = language_of
        self.mask = mask

    def queue(
        self,
        status: RemarkStatus | None = "open",
        reason: Reason | None = None,
        search: str = "",
        limit: int = 100,
    ) -> Sequence[Remark]:
        """Remarks, newest first; see ``Remarks.list``."""
        return self._remarks.list(status, reason, search, limit)

    def counts(self) -> Mapping[RemarkStatus, int]:
        """How many there are of each status."""
        return self._remarks.counts()

    def approve(self, id: str, question: str, answer: str, *, masked: bool = True) -> Remark:  # noqa: A002
        """Make an example of a remark. One that asks the same takes this answer instead.

        Args:
            id: the remark's.
            question, answer: as the reviewer edited them.
            masked: whether personal data is hidden first.

        Raises:
            NotFound: no such remark.
            InvalidRequest: it is not open, or the question or the answer is empty or too long.
        """
        _check_pair(question, answer)
        if masked:
            question, answer = self.mask(question), self.mask(answer)

        def make() -> Outcome:
            made, before = self._corrections.put(question, answer, key_of(question), id)
            replaced = (before.question, before.answer) if before else None
            return Outcome(example_id=made.id, replaced=replaced)

        return self._decide(id, "approved", make)

    def to_faq(self, id: str, collection_id: str, question: str, answer: str) -> Remark:  # noqa: A002
        """Make an FAQ entry of a remark, or another wording of the entry with the same answer.

        Raises: as ``approve``; and NotFound for an unknown collection.
        """
        _check_pair(question, answer)
        new = NewFaq(question=question, answer=answer, language=self._language_of(answer))
        return self._decide(id, "faq", lambda: add_to_faq(self._faqs, collection_id, new))

    def missing_document(self, id: str, collection_id: str, question: str, note: str) -> Remark:  # noqa: A002
        """Say that a document is missing: the question joins those that could not be answered.

        Raises: as ``approve``.
        """
        if not question.strip():
            raise InvalidRequest("The question is empty. Write what could not be answered.")
        _check_length("question", question, LONGEST_QUESTION)
        _check_length("note", note, LONGEST_NOTE)

        def make() -> Outcome:
            added = self._unanswered.add(collection_id, question.strip(), None, note.strip())
            return Outcome(unanswered_id=added.id, collection_id=collection_id)

        return self._decide(id, "missing_document", make)

    def reject(self, id: str) -> Remark:  # noqa: A002
        """Close a remark without making anything of it. Raises as ``approve``."""
        return self._decide(id, "rejected", Outcome)

    def undo(self, id: str) -> None:  # noqa: A002
        """Take a decision back, with what it made: the remark is open again.

        Raises:
            NotFound: no such remark.
            InvalidRequest: it was not decided, or what it made was changed meanwhile.
        """
        remark = self._remarks.get(id)
        if remark.status not in DECISIONS:
            raise InvalidRequest("This feedback is open: there is nothing to undo.")
        outcome = remark.outcome or Outcome()
        if outcome.example_id:
            self._take_example(outcome)
        take_from_faq(self._faqs, outcome)
        if outcome.unanswered_id:
            self._unanswered.dismiss([outcome.unanswered_id])
        self._remarks.reopen(id)

    def corrections(self, search: str = "") -> Sequence[Correction]:
        """The approved examples, newest first."""
        return self._corrections.list(search)

    def edit(
        self, correction_id: str, question: str, answer: str, *, masked: bool = True
    ) -> Correction:
        """Change an approved example.

        Raises:
            NotFound: no such example.
            InvalidRequest: empty or too long, or another example asks the same.
        """
        _check_pair(question, answer)
        if masked:
            question, answer = self.mask(question), self.mask(answer)
        return self._corrections.edit(correction_id, question, answer, key_of(question))

    def delete(self, correction_ids: Sequence[str]) -> None:
        """Hide approved examples until they are restored."""
        self._corrections.delete(correction_ids)

    def restore(self, correction_ids: Sequence[str]) -> None:
        """Undo ``delete``. Raises InvalidRequest where another example asks the same by now."""
        self._corrections.restore(correction_ids)

    def _decide(self, id: str, status: RemarkStatus, make: Callable[[], Outcome]) -> Remark:  # noqa: A002
        """Close the remark first, so that of two reviewers only one makes something of it."""
        self._remarks.decide(id, status)
        try:
            self._remarks.made(id, make())
        except Exception:
            self._remarks.reopen(id)
            raise
        return self._remarks.get(id)

    def _take_example(self, outcome: Outcome) -> None:
        if outcome.replaced is None:
            self._corrections.delete([outcome.example_id])
            return
        question, answer = outcome.replaced
        with suppress(NotFound):  # somebody deleted the example meanwhile
            self._corrections.edit(outcome.example_id, question, answer, key_of(question))


def _check_pair(question: str, answer: str) -> None:
    if not question.strip() or not answer.strip():
        raise InvalidRequest("An example needs a question and an answer. Write both.")
    _check_length("question", question, LONGEST_QUESTION)
    _check_length("answer", answer, LONGEST_ANSWER)


def _check_length(name: str, text: str, most: int) -> None:
    if len(text) > most:
        raise InvalidRequest(
            f"The {name} is {len(text):,} characters long, but at most {most:,} are allowed. "
            "Please shorten it.",
            length=len(text),
            limit=most,
        )
