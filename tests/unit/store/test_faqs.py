"""FAQ entries: edited by hand, and taken in from tables again and again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chatapp.errors import InvalidRequest, NotFound
from chatapp.knowledge_records import Collection, ImportCount, NewFaq
from chatapp.store import Faqs


def test_an_entry_is_kept_word_for_word(faqs: Faqs, collection: Collection) -> None:
    answer = "Within **30 days**.\n\n- unused\n- with receipt"
    entry = faqs.add(
        collection.id, ["Can I return it? ", "can i  return it?", "Returns"], answer, "EN", ["Shop"]
    )
    assert entry == faqs.get(entry.id)
    assert entry.questions == ("Can I return it?", "Returns")
    assert (entry.answer, entry.language, entry.tags) == (answer, "en", ("shop",))


def test_entries_are_searched_in_questions_answers_and_tags(
    faqs: Faqs, collection: Collection
) -> None:
    first = faqs.add(collection.id, ["Wo ist mein Päckchen?"], "Unterwegs.", "de", ["delivery"])
    second = faqs.add(collection.id, ["怎么退货?"], "30 天内。", "zh")
    assert faqs.entries(collection.id) == [first, second]
    assert faqs.entries(collection.id, "PÄCKCHEN") == [first]
    assert faqs.entries(collection.id, "30 天") == [second]
    assert faqs.entries(collection.id, "deliver") == [first]


def test_every_change_raises_the_revision(faqs: Faqs, collection: Collection) -> None:
    seen = [faqs.revision(collection.id)]
    entry = faqs.add(collection.id, ["Q?"], "A.")
    seen.append(faqs.revision(collection.id))
    changed = faqs.update(entry.id, ["Q2?"], "B.", "en", ["t"])
    assert changed == faqs.get(entry.id)
    assert (changed.questions, changed.answer) == (("Q2?",), "B.")
    seen.append(faqs.revision(collection.id))
    faqs.delete([entry.id])
    seen.append(faqs.revision(collection.id))
    faqs.restore([entry.id])
    seen.append(faqs.revision(collection.id))
    assert seen == [0, 1, 2, 3, 4]
    assert faqs.revision("nowhere") == 0


def test_a_deleted_entry_comes_back_until_it_is_purged(faqs: Faqs, collection: Collection) -> None:
    entry = faqs.add(collection.id, ["Q?"], "A.")
    faqs.delete([entry.id])
    assert faqs.entries(collection.id) == []
    with pytest.raises(NotFound):
        faqs.update(entry.id, ["Q?"], "B.", "", [])
    faqs.restore([entry.id])
    assert faqs.entries(collection.id) == [entry]
    faqs.delete([entry.id])
    assert faqs.purge(timedelta(0)) == 1
    faqs.restore([entry.id])
    assert faqs.entries(collection.id) == []


@pytest.mark.parametrize(("questions", "answer"), [([], "A."), ([" \n"], "A."), (["Q?"], " ")])
def test_an_entry_needs_both_sides(
    faqs: Faqs, collection: Collection, questions: list[str], answer: str
) -> None:
    with pytest.raises(InvalidRequest, match="question and an answer"):
        faqs.add(collection.id, questions, answer)
    assert faqs.revision(collection.id) == 0


def test_rows_with_one_answer_become_one_entry(faqs: Faqs, collection: Collection) -> None:
    rows = [
        NewFaq(question="Can I return it?", answer="30 days.", language="en", tags=("shop",)),
        NewFaq(question="How do returns work?", answer=" 30 days.\n", language="en", tags=("b",)),
        NewFaq(question="CAN I  RETURN IT?", answer="30 days.", language="en"),
        NewFaq(question="Where are you?", answer="In Bern.", language="en"),
        NewFaq(question="Can I return it?", answer="30 days.", language="de"),
    ]
    assert faqs.import_rows(collection.id, rows) == ImportCount(added=3, merged=1, unchanged=1)
    before = faqs.entries(collection.id)
    assert [(one.questions, one.tags) for one in before] == [
        (("CAN I RETURN IT?", "How do returns work?"), ("shop", "b")),
        (("Where are you?",), ()),
        (("Can I return it?",), ()),
    ]
    assert faqs.import_rows(collection.id, rows) == ImportCount(added=0, merged=0, unchanged=5)
    assert faqs.entries(collection.id) == before


def test_a_corrected_table_replaces_the_old_answers(faqs: Faqs, collection: Collection) -> None:
    faqs.import_rows(
        collection.id,
        [NewFaq(question="Price?", answer="9 €"), NewFaq(question="Cost?", answer="9 €")],
    )
    count = faqs.import_rows(
        collection.id,
        [NewFaq(question="price?", answer="10 €"), NewFaq(question="Fee?", answer="9 €")],
    )
    assert count == ImportCount(added=1, merged=1, unchanged=0)
    assert [(one.questions, one.answer) for one in faqs.entries(collection.id)] == [
        (("Cost?", "Fee?"), "9 €"),
        (("price?",), "10 €"),
    ]
    faqs.import_rows(
        collection.id,
        [NewFaq(question=question, answer="11 €") for question in ("Price?", "Cost?", "Fee?")],
    )
    assert [one.answer for one in faqs.entries(collection.id)] == ["11 €"]


def test_of_two_rows_that_disagree_the_later_counts(faqs: Faqs, collection: Collection) -> None:
    rows = [NewFaq(question="Q?", answer="A."), NewFaq(question="Q?", answer="B.")]
    assert faqs.import_rows(collection.id, rows) == ImportCount(added=1, merged=0, unchanged=1)
    assert faqs.import_rows(collection.id, rows) == ImportCount(added=0, merged=0, unchanged=2)
    assert [one.answer for one in faqs.entries(collection.id)] == ["B."]


def test_a_bad_row_leaves_the_table_outside(faqs: Faqs, collection: Collection) -> None:
    rows = [NewFaq(question="Q?", answer="A."), NewFaq(question="R?", answer="")]
    with pytest.raises(InvalidRequest, match=r"only 'R\?'"):
        faqs.import_rows(collection.id, rows)
    assert faqs.entries(collection.id) == []
