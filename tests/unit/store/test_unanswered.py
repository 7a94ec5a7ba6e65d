"""Refused questions: kept for the team, but not without end."""

from __future__ import annotations

import pytest

from chatapp.knowledge_records import Collection
from chatapp.store import Database, UnansweredQuestions
from chatapp.store import unanswered as module


def test_questions_are_listed_newest_first_until_dismissed(
    db: Database, collection: Collection
) -> None:
    questions = UnansweredQuestions(db)
    first = questions.add(collection.id, "Do you sell boats?", b"\x00\x01")
    second = questions.add(collection.id, "再见吗?")
    assert (first.question, first.vector) == ("Do you sell boats?", b"\x00\x01")
    assert [one.id for one in questions.list(collection.id)] == [second.id, first.id]
    assert questions.list(collection.id, limit=1)[0].vector is None
    noted = questions.add(collection.id, "Tax?", note="The price list of 2026 is missing.")
    assert questions.list(collection.id)[0] == noted
    questions.dismiss([noted.id])
    questions.dismiss([second.id])
    (left,) = questions.list(collection.id)
    assert (left.question, left.vector) == ("Do you sell boats?", b"\x00\x01")


def test_the_oldest_make_room(
    db: Database, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    questions = UnansweredQuestions(db)
    for text in ("a", "b", "c", "d"):
        questions.add(collection.id, text)
    assert [one.question for one in questions.list(collection.id)] == ["d", "c"]
