"""Questions that could not be answered: grouped, and drafted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from chatapp.errors import EngineDied
from chatapp.flows.answering import Answering
from chatapp.flows.drafting import Composing, Drafting
from chatapp.flows.unanswered import grouped
from chatapp.knowledge_records import Collection, Found, Hit, Passage, Unanswered
from chatapp.metrics import Metrics
from tests.fake_knowledge import FakeEmbedder, a_collection
from tests.fakes import FakeEngine

NOW = datetime(2025, 3, 9, tzinfo=UTC)


def asked(*questions: str) -> list[Unanswered]:
    """The newest first."""
    return [
        Unanswered(
            id=str(number),
            collection_id="public",
            question=question,
            asked_at=NOW - timedelta(hours=number),
        )
        for number, question in enumerate(questions)
    ]


def test_a_reviewers_notes_go_with_the_group() -> None:
    alike = [
        replace(one, note=note)
        for one, note in zip(
            asked("Do you rent boats?", "Do you rent boats?", "Do you rent boats"),
            ("A price list", "", "A price list"),
            strict=True,
        )
    ]
    (group,) = grouped(alike, FakeEmbedder())
    assert group.notes == ("A price list",)


def hit(text: str, dropped: str | None = "weak") -> Hit:
    passage = Passage(
        id=1,
        document_id="d",
        document="hand.md",
        title="Handbook",
        kind="markdown",
        position=0,
        text=text,
        heading=(),
        page=None,
        start=0,
        end=len(text),
        language="en",
    )
    return Hit(passage=passage, dense=0.3, lexical=1.0, relevance=0.2, dropped=dropped)


class ScriptedSearch:
    """Finds what it was told."""

    def __init__(self, *hits: Hit) -> None:
        self.hits = hits

    def search(self, collection: Collection, query: str, *, k: int = 8) -> Found:
        return Found(
            query=query, hits=self.hits[:k], threshold=0.5, index_version="1", embedder="fake"
        )

    def is_empty(self, collection: Collection) -> bool:
        return not self.hits


def test_alike_questions_are_one_group_the_largest_first() -> None:
    groups = grouped(
        asked(
            "is there parking",
            "do you rent tents",
            "do you rent tents",
            "do you rent out tents",
        ),
        FakeEmbedder(),
    )
    assert [group.ids for group in groups] == [("1", "2", "3"), ("0",)]
    assert groups[0].questions == ("do you rent tents", "do you rent out tents")
    assert groups[0].asked_at == NOW - timedelta(hours=1)


def test_kept_vectors_are_used_and_others_made() -> None:
    embedder = FakeEmbedder()
    questions = asked("one two", "one two", "three four", "five")
    vector = embedder.embed(["one two"])[0]
    questions[0] = replace(questions[0], vector=np.asarray(vector, np.float32).tobytes())
    questions[2] = replace(questions[2], vector=b"of another embedder")
    embedder.read = 0
    assert [len(group.ids) for group in grouped(questions, embedder)] == [2, 1, 1]
    assert embedder.read == 3
    assert grouped([], embedder) == []


async def test_a_draft_quotes_the_closest_passages() -> None:
    search = ScriptedSearch(
        hit("We rent tents for 10 euros a day."), hit("We rent tents.", dropped="duplicate")
    )
    drafting = Drafting(search, FakeEmbedder)
    draft = await drafting.draft(a_collection(), ["Do you rent tents?", "Tent rental?"])
    assert draft.answer == "We rent tents for 10 euros a day."
    assert draft.questions == ("Do you rent tents?", "Tent rental?")
    assert (draft.titles, draft.language, draft.by_model) == (("Handbook",), "en", False)


async def test_a_draft_is_empty_where_nothing_is_near() -> None:
    far = replace(hit("A day pack of 20 litres."), relevance=0.05)
    draft = await Drafting(ScriptedSearch(far), FakeEmbedder).draft(
        a_collection(), ["Do you rent?"]
    )
    assert (draft.answer, draft.titles) == ("", ())


@pytest.mark.parametrize(
    ("style", "said", "answer"),
    [
        ("compose", ["Yes, for", " 10 euros [1]."], "Yes, for 10 euros."),
        ("quote", [], "We rent tents for 10 euros a day."),
        ("compose", [EngineDied("The engine died.")], "We rent tents for 10 euros a day."),
    ],
)
async def test_a_model_that_may_write_writes_the_draft(
    style: str, said: Sequence[str | Exception], answer: str
) -> None:
    engine = FakeEngine(context_length=2000)
    await engine.start()
    if said:
        engine.say(*said)
    composing = Composing(Answering(engine, Metrics()), engine, style)  # type: ignore[arg-type]
    search = ScriptedSearch(hit("We rent tents for 10 euros a day."))
    drafting = Drafting(search, FakeEmbedder, composing.write)
    draft = await drafting.draft(a_collection(), ["Do you rent tents?"])
    assert draft.answer == answer
    assert draft.by_model is (answer == "Yes, for 10 euros.")
    if said:
        assert "We rent tents for 10 euros a day." in engine.asked[-1].messages[-1].content
    else:
        assert engine.asked == []
