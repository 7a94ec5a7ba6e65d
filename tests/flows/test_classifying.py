"""Every question is labelled beside its answer: kept, counted, and never in its way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from chatapp.errors import NotFound
from chatapp.events import Token
from chatapp.flows.chat import Chat
from chatapp.metrics import Metrics
from chatapp.records import Sampling
from chatapp.store import Conversations, Database, Messages
from tests.adapters import KeywordClassifier, Registry, classify_report, classify_run
from tests.fakes import FakeEngine

WORDS = {"refund": ["money", "back"], "delivery": ["parcel"]}
MOODS = {"angry": ["bad"], "happy": ["thank"]}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/chat.db")
    database.migrate()
    yield database
    database.close()


@pytest.fixture
async def registry(database: Database, tmp_path: Path) -> Registry:
    """With an intent classifier and a sentiment classifier live."""
    registry = Registry(database, tmp_path, FakeEngine())
    for name, words, purpose in (("bank", WORDS, "intent"), ("mood", MOODS, "sentiment")):
        run = classify_run(tmp_path / "runs", name, words, classify_report(), purpose)  # type: ignore[arg-type]
        registry.adapters.register(run)
        await registry.adapters.promote(name)
    return registry


async def ask(registry: Registry, *questions: str) -> tuple[str, list[str]]:
    """Ask in a new conversation; its id, and those of the questions."""
    conversations = Conversations(registry.database)
    chat = Chat(
        registry.engine,  # type: ignore[arg-type]
        conversations,
        Messages(registry.database),
        on_question=registry.classifying.notice,
    )
    id_ = conversations.create("ann", "tutor", "").id
    for question in questions:
        async for _ in chat.reply("ann", id_, question, Sampling(max_tokens=8)):
            pass
    await asyncio.to_thread(registry.classifying.close)
    return id_, [one.id for one in conversations.branch("ann", id_) if one.role == "user"]


async def test_questions_are_labelled_shown_and_counted(registry: Registry) -> None:
    id_, (first, second) = await ask(registry, "Bad! I want my money back.", "Thank you 谢谢")
    found = registry.labels.of_conversation(id_)
    assert [(one.purpose, one.label, one.adapter) for one in found[first]] == [
        ("intent", "refund", "bank"),
        ("sentiment", "angry", "mood"),
    ]
    assert 0.9 < found[first][0].confidence < 1
    assert found[second][1].label == "happy"
    assert registry.labels.counts("sentiment") == [("angry", 1), ("happy", 1)]
    page = registry.metrics.render()[0].decode()
    assert 'chatapp_message_labels_total{label="happy",purpose="sentiment"} 1.0' in page


async def test_a_slow_classifier_delays_no_answer(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, waits = threading.Event(), threading.Event()

    def slow(self: KeywordClassifier, texts: Sequence[str]) -> list[dict[str, float]]:
        waits.set()
        assert go_on.wait(10)
        return [{"refund": 1.0}]

    monkeypatch.setattr(KeywordClassifier, "classify", slow)
    conversations = Conversations(registry.database)
    chat = Chat(
        registry.engine,  # type: ignore[arg-type]
        conversations,
        Messages(registry.database),
        on_question=registry.classifying.notice,
    )
    id_ = conversations.create("ann", "tutor", "").id
    events = [event async for event in chat.reply("ann", id_, "one two", Sampling())]
    assert any(isinstance(event, Token) for event in events)
    assert await asyncio.to_thread(waits.wait, 10)
    assert registry.labels.of_conversation(id_) == {}
    go_on.set()
    await asyncio.to_thread(registry.classifying.wait)
    (labels,) = registry.labels.of_conversation(id_).values()
    assert [one.label for one in labels] == ["refund", "refund"]


async def test_one_that_fails_leaves_the_others_and_the_answer_alone(registry: Registry) -> None:
    id_, _ = await ask(registry, "crash")
    assert registry.labels.of_conversation(id_) == {}
    assert registry.classifying.label("crash") == ()
    labels = registry.classifying.label("My money, bad")
    assert [one.label for one in labels] == ["refund", "angry"]


async def test_without_a_live_classifier_nothing_is_said(registry: Registry) -> None:
    await registry.adapters.rollback("intent")
    await registry.adapters.rollback("sentiment")
    assert registry.classifying.label("money") == ()
    with pytest.raises(NotFound, match=r"No classifier is live.*mood, bank"):
        registry.classifying.classify(["money"])
    id_, _ = await ask(registry, "money")
    assert registry.labels.of_conversation(id_) == {}


def test_a_classifier_of_a_thousand_labels_makes_few_time_series() -> None:
    metrics = Metrics()
    for number in range(1000):
        metrics.labelled("intent", f"label {number}")
    lines = [line for line in metrics.render()[0].decode().splitlines() if "labels_total{" in line]
    assert len(lines) == 101
    assert 'chatapp_message_labels_total{label="other",purpose="intent"} 900.0' in lines
