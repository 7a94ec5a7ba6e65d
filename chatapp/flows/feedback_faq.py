"""An FAQ entry made of a remark, and taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chatapp.errors import InvalidRequest
from chatapp.feedback_records import Outcome
from chatapp.knowledge_records import FaqEntry, NewFaq
from chatapp.store.faqs import Faqs


def add_to_faq(faqs: Faqs, collection_id: str, new: NewFaq) -> Outcome:
    """Take one question and answer in, as a table with this single row would be.

    Where an entry gives the same answer, the question becomes another wording of it.

    Raises:
        NotFound: no such collection.
        InvalidRequest: no question, or no answer.
    """
    before = _by_id(faqs, collection_id)
    same = next((one for one in before.values() if one.answer == new.answer.strip()), None)
    faqs.import_rows(collection_id, [replace(new, language=same.language) if same else new])
    after = _by_id(faqs, collection_id)
    return Outcome(
        collection_id=collection_id,
        faq_added=tuple(id_ for id_ in after if id_ not in before),
        faq_removed=tuple(id_ for id_ in before if id_ not in after),
        faq_changed=tuple(
            entry for id_, entry in before.items() if id_ in after and after[id_] != entry
        ),
        faq_at=max((entry.updated_at for entry in after.values()), default=None),
    )


def take_from_faq(faqs: Faqs, outcome: Outcome) -> None:
    """Bring the FAQ back to how it was.

    Raises:
        InvalidRequest: an entry was changed since; it is not to be lost.
    """
    if not (outcome.faq_added or outcome.faq_changed or outcome.faq_removed):
        return
    now = _by_id(faqs, outcome.collection_id)
    touched = (*outcome.faq_added, *(entry.id for entry in outcome.faq_changed))
    if any(_later(now[id_], outcome.faq_at) for id_ in touched if id_ in now):
        raise InvalidRequest(
            "The FAQ entry was edited since, so it is not taken back. Change it on the Knowledge "
            "page instead."
        )
    faqs.delete(outcome.faq_added)
    faqs.restore(outcome.faq_removed)
    for entry in outcome.faq_changed:
        if entry.id in now:
            faqs.update(entry.id, entry.questions, entry.answer, entry.language, entry.tags)


def _later(entry: FaqEntry, moment: datetime | None) -> bool:
    return moment is not None and entry.updated_at > moment


def _by_id(faqs: Faqs, collection_id: str) -> dict[str, FaqEntry]:
    return {entry.id: entry for entry in faqs.entries(collection_id)}
