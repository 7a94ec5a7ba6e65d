"""FAQ entries as rows of a table make them: what becomes of those that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chatapp.errors import InvalidRequest
from chatapp.knowledge_records import ImportCount, NewFaq
from chatapp.store.columns import as_tags, harmless, now, one_line
from chatapp.store.knowledge_tables import FaqRow


@dataclass(slots=True)
class FaqDraft:
    """An entry while rows are taken in; its questions by what makes them the same."""

    answer: str
    language: str
    row: FaqRow | None = None
    questions: dict[str, str] = field(default_factory=dict)
    tags: dict[str, None] = field(default_factory=dict)

    def changed(self, row: FaqRow) -> bool:
        """Whether the row has to be written."""
        return (tuple(self.questions.values()), tuple(self.tags)) != (row.questions, row.tags)

    def fill(self, row: FaqRow) -> None:
        """Write it."""
        if self.questions:
            fill_faq(
                row, list(self.questions.values()), self.answer, self.language, list(self.tags)
            )
        else:
            row.deleted_at = now()  # its last question has another answer now


def merged(
    entries: Sequence[FaqRow], rows: Sequence[NewFaq]
) -> tuple[Sequence[FaqDraft], ImportCount]:
    """What the entries become, and what became of the rows; see ``Faqs.import_rows``.

    Raises:
        InvalidRequest: a row without a question or an answer.
    """
    cleaned = [_cleaned(row) for row in rows]
    asked = {(row.language, _key(row.question)): row for row in cleaned}
    drafts = []
    for entry in entries:
        draft = FaqDraft(entry.answer, entry.language, entry, tags=dict.fromkeys(entry.tags))
        for question in entry.questions:
            row = asked.get((entry.language, _key(question)))
            if row is None or row.answer == entry.answer:
                draft.questions[_key(question)] = question
        drafts.append(draft)
    by_answer = {(draft.language, draft.answer): draft for draft in reversed(drafts)}
    added = merged = 0
    for (language, key), row in asked.items():
        found = by_answer.get((language, row.answer))
        if found is None:
            found = by_answer[language, row.answer] = FaqDraft(row.answer, language)
            drafts.append(found)
            added += 1
        elif key not in found.questions:
            merged += 1
        found.questions.setdefault(key, row.question)
    for row in cleaned:
        if tagged := by_answer.get((row.language, row.answer)):
            tagged.tags.update(dict.fromkeys(row.tags))
    return drafts, ImportCount(added, merged, len(rows) - added - merged)


def _cleaned(row: NewFaq) -> NewFaq:
    """As it is kept."""
    question, answer = one_line(row.question), harmless(row.answer).strip()
    if not question or not answer:
        raise InvalidRequest(
            "Each row needs a question and an answer, but one has only "
            f"{(question or answer)[:80]!r}."
        )
    return NewFaq(
        question=question,
        answer=answer,
        language=one_line(row.language).lower(),
        tags=as_tags(row.tags),
    )


def fill_faq(
    row: FaqRow, questions: Sequence[str], answer: str, language: str, tags: Sequence[str]
) -> None:
    """Write an entry, each of its questions once.

    Raises:
        InvalidRequest: no question, or no answer.
    """
    asked = {_key(line): line for text in reversed(questions) if (line := one_line(text))}
    if not asked or not answer.strip():
        raise InvalidRequest("An entry needs a question and an answer.")
    row.questions = tuple(reversed(asked.values()))
    row.answer = harmless(answer).strip()
    row.language = one_line(language).lower()
    row.tags = as_tags(tags)
    row.updated_at = now()


def _key(question: str) -> str:
    """The same for questions that differ in case or spaces only."""
    return one_line(question).casefold()
