"""Matching questions to FAQ entries: by words, by sense, in several languages."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pytest

from chatapp.knowledge.embedding.bundled import BundledEmbedder
from chatapp.knowledge.faq import FAQ_THRESHOLD, FaqMatcher
from chatapp.knowledge_records import FaqEntry, Vectors
from tests.fake_knowledge import FakeEmbedder, a_collection


class FakeFaqs:
    """FAQ entries in memory; every change raises the revision."""

    def __init__(self) -> None:
        self.rows: dict[str, list[FaqEntry]] = {}
        self.revisions: dict[str, int] = {}
        self.reads = 0

    def add(
        self, answer: str, *questions: str, language: str = "en", collection: str = "public"
    ) -> FaqEntry:
        entry = FaqEntry(
            id=f"{collection}-{len(self.rows.get(collection, []))}",
            collection_id=collection,
            questions=questions,
            answer=answer,
            language=language,
            tags=(),
            updated_at=datetime(2025, 1, 1, tzinfo=UTC),
        )
        self.rows.setdefault(collection, []).append(entry)
        self._raise(collection)
        return entry

    def delete(self, entry: FaqEntry) -> None:
        self.rows[entry.collection_id].remove(entry)
        self._raise(entry.collection_id)

    def revision(self, collection_id: str) -> int:
        return self.revisions.get(collection_id, 0)

    def entries(self, collection_id: str) -> Sequence[FaqEntry]:
        self.reads += 1
        return tuple(self.rows.get(collection_id, ()))

    def _raise(self, collection: str) -> None:
        self.revisions[collection] = self.revision(collection) + 1


class FakeCache:
    """Vectors of texts in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], npt.NDArray[np.float32]] = {}

    def get(self, embedder: str, texts: Sequence[str]) -> Mapping[str, npt.NDArray[np.float32]]:
        return {text: self.kept[embedder, text] for text in texts if (embedder, text) in self.kept}

    def put(self, embedder: str, texts: Sequence[str], vectors: Vectors) -> None:
        self.kept |= {(embedder, text): row for text, row in zip(texts, vectors, strict=True)}


class NoEmbedder:
    """Stands where nothing may be embedded."""

    def __call__(self) -> FakeEmbedder:
        raise AssertionError("the embedder was asked for")


PUBLIC = a_collection()
RETURNS = ("How do I return a tent?", "Can I send a tent back?")
HOURS = ("When is the shop open?", "What are the opening hours?")


@pytest.fixture
def faqs() -> FakeFaqs:
    faqs = FakeFaqs()
    faqs.add("Within 30 days.", *RETURNS)
    faqs.add("From 9 to 18.", *HOURS)
    return faqs


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder(dimension=256)


@pytest.fixture
def matcher(faqs: FakeFaqs, embedder: FakeEmbedder) -> FaqMatcher:
    return FaqMatcher(faqs, lambda: embedder, FakeCache())


@pytest.mark.parametrize(
    "question",
    ["How do I return a tent?", "how do i RETURN a tent", "  Ｈow do I return a tent？！ "],
)
def test_the_same_words_are_exact_without_the_embedder(faqs: FakeFaqs, question: str) -> None:
    match = FaqMatcher(faqs, NoEmbedder(), FakeCache()).match(PUBLIC, question)

    assert match is not None
    assert (match.exact, match.accepted, match.confidence) == (True, True, 1.0)
    assert match.entry.answer == "Within 30 days."
    assert match.question == RETURNS[0]


def test_exact_finds_only_the_very_question(matcher: FaqMatcher) -> None:
    found = matcher.exact(PUBLIC, "what are the opening hours")

    assert found is not None
    assert found.answer == "From 9 to 18."
    assert matcher.exact(PUBLIC, "what are your opening hours") is None
    assert matcher.exact(PUBLIC, "?!") is None


def test_of_two_entries_with_one_question_the_older_answers(
    faqs: FakeFaqs, matcher: FaqMatcher
) -> None:
    faqs.add("A later answer.", "how do I return a TENT")

    found = matcher.exact(PUBLIC, RETURNS[0])

    assert found is not None
    assert found.answer == "Within 30 days."


def test_other_words_for_the_same_are_accepted(matcher: FaqMatcher) -> None:
    match = matcher.match(PUBLIC, "how do I return a tent please")

    assert match is not None
    assert match.entry.answer == "Within 30 days."
    assert match.question == RETURNS[0]
    assert not match.exact
    assert match.accepted
    assert 1 > match.confidence >= match.threshold == FAQ_THRESHOLD
    assert match.runner_up < match.confidence


def test_another_question_is_shown_as_nearest_but_not_accepted(matcher: FaqMatcher) -> None:
    match = matcher.match(PUBLIC, "Does your mother know about whales?")

    assert match is not None
    assert not match.accepted
    assert match.confidence < FAQ_THRESHOLD


def test_the_threshold_of_the_collection_decides(matcher: FaqMatcher) -> None:
    question = "is the shop open on saturday and on sunday"
    plain = matcher.match(PUBLIC, question)
    assert plain is not None

    strict = matcher.match(a_collection(faq_threshold=plain.confidence + 0.01), question)
    lenient = matcher.match(a_collection(faq_threshold=plain.confidence - 0.01), question)

    assert strict is not None
    assert lenient is not None
    assert (strict.accepted, lenient.accepted) == (False, True)
    assert strict.threshold == pytest.approx(plain.confidence + 0.01)


def test_a_question_between_two_entries_is_not_decided_by_chance(
    faqs: FakeFaqs, matcher: FaqMatcher
) -> None:
    faqs.add("Red ones are in stock.", "Is the red tent in stock?")
    faqs.add("Blue ones are sold out.", "Is the blue tent in stock?")

    match = matcher.match(PUBLIC, "Is the tent in stock?")

    assert match is not None
    assert match.confidence == pytest.approx(match.runner_up, abs=0.01)
    assert not match.accepted


@pytest.mark.parametrize("question", ["", "   ", "?!", "😀"])
def test_without_a_word_there_is_no_match(matcher: FaqMatcher, question: str) -> None:
    assert matcher.match(PUBLIC, question) is None


def test_without_entries_there_is_no_match_and_nothing_is_loaded() -> None:
    faqs = FakeFaqs()
    faqs.add("Nothing asks for this.", "?!")
    matcher = FaqMatcher(faqs, NoEmbedder(), FakeCache())

    assert matcher.match(PUBLIC, "When is the shop open?") is None
    assert matcher.match(a_collection("empty"), "When is the shop open?") is None
    matcher.warm([PUBLIC, a_collection("empty")])


def test_changes_are_seen_by_the_next_question(faqs: FakeFaqs, matcher: FaqMatcher) -> None:
    assert matcher.exact(PUBLIC, "Do you repair boots?") is None

    repairs = faqs.add("Yes, in two weeks.", "Do you repair boots?")
    found = matcher.match(PUBLIC, "do you repair boots")
    assert found is not None
    assert found.exact

    faqs.delete(repairs)
    found = matcher.match(PUBLIC, "do you repair boots")
    assert found is None or found.entry.answer != repairs.answer


def test_entries_are_read_again_only_after_a_change(faqs: FakeFaqs, matcher: FaqMatcher) -> None:
    for _ in range(3):
        matcher.match(PUBLIC, "how do I send a tent back")
    assert faqs.reads == 1


def test_collections_do_not_see_each_other(faqs: FakeFaqs, matcher: FaqMatcher) -> None:
    faqs.add("For staff only.", "What is the discount?", collection="internal")

    assert matcher.exact(PUBLIC, "What is the discount?") is None
    assert matcher.exact(a_collection("internal"), "What is the discount?") is not None


def test_variants_are_embedded_once_for_all_starts(faqs: FakeFaqs, embedder: FakeEmbedder) -> None:
    cache = FakeCache()
    FaqMatcher(faqs, lambda: embedder, cache).warm([PUBLIC])
    again = FakeEmbedder(dimension=256)
    matcher = FaqMatcher(faqs, lambda: again, cache)

    matcher.warm([PUBLIC])

    assert {text for _, text in cache.kept} == {*RETURNS, *HOURS}
    read = again.read
    faqs.add("Yes.", "Do you repair boots?")
    matcher.match(PUBLIC, "how can I return my tent")
    assert again.read == read + 2  # the new variant and the question


def test_another_embedder_reads_the_variants_anew(faqs: FakeFaqs) -> None:
    embedders = [FakeEmbedder("one", 256), FakeEmbedder("two", 128)]
    current = embedders[0]
    matcher = FaqMatcher(faqs, lambda: current, FakeCache())
    question = "can I send back my tent"
    before = matcher.match(PUBLIC, question)

    current = embedders[1]
    after = matcher.match(PUBLIC, question)

    assert before is not None
    assert after is not None
    assert before.entry == after.entry
    assert embedders[1].read > 0


def test_english_is_read_by_the_english_reader_too(faqs: FakeFaqs, embedder: FakeEmbedder) -> None:
    english = FakeEmbedder("english", 256)
    cache = FakeCache()
    faqs.add("三十天内。", "怎么退货？", language="zh")
    matcher = FaqMatcher(faqs, lambda: embedder, cache, english)

    asked = matcher.match(PUBLIC, "how could I return a tent")
    read = english.read
    fremd = matcher.match(PUBLIC, "我怎么退货")

    assert asked is not None
    assert asked.accepted
    assert {text for name, text in cache.kept if name == "english"} == {*RETURNS, *HOURS}
    assert fremd is not None
    assert fremd.entry.answer == "三十天内。"
    assert english.read == read


class Dictionary(FakeEmbedder):
    """Knows two languages: words and their translations are one."""

    _same: Mapping[str, str] = {"zelt": "tent", "zurückgeben": "return", "wie": "how", "das": "a"}

    def embed(self, texts: Sequence[str]) -> Vectors:
        translated = [
            " ".join(self._same.get(word, word) for word in text.lower().strip("?").split())
            for text in texts
        ]
        return super().embed(translated)


def test_a_translation_does_not_take_an_answer_its_confidence(faqs: FakeFaqs) -> None:
    faqs.add("Innerhalb von 30 Tagen.", "Wie das Zelt zurückgeben?", language="de")
    matcher = FaqMatcher(faqs, lambda: Dictionary(dimension=256), FakeCache())

    german = matcher.match(PUBLIC, "Wie kann ich das Zelt zurückgeben?")
    english = matcher.match(PUBLIC, "how can I return a tent?")

    assert german is not None
    assert english is not None
    assert (german.entry.language, english.entry.language) == ("de", "en")
    assert german.accepted
    assert english.accepted


def test_a_question_in_a_language_without_entries_finds_the_others(faqs: FakeFaqs) -> None:
    matcher = FaqMatcher(faqs, lambda: Dictionary(dimension=256), FakeCache())

    match = matcher.match(PUBLIC, "Wie ein Zelt zurückgeben")

    assert match is not None
    assert match.entry.answer == "Within 30 days."


def test_only_the_beginning_of_a_long_message_is_compared(
    faqs: FakeFaqs, matcher: FaqMatcher
) -> None:
    match = matcher.match(PUBLIC, "word " * 200_000)

    assert match is not None
    assert not match.accepted


def test_many_may_ask_while_entries_change(faqs: FakeFaqs, matcher: FaqMatcher) -> None:
    stop = threading.Event()

    def ask() -> int:
        asked = 0
        while not stop.is_set() or asked == 0:
            match = matcher.match(PUBLIC, "how can I return my tent")
            assert match is not None
            assert match.entry.answer == "Within 30 days."
            asked += 1
        return asked

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask) for _ in range(4)]
        for number in range(20):
            faqs.add(f"Answer {number}.", f"Is number {number} in stock?")
        stop.set()
        assert all(one.result() > 0 for one in asking)


def test_confidence_does_not_depend_on_how_alike_the_embedder_finds_everything(
    faqs: FakeFaqs,
) -> None:
    class Narrow(FakeEmbedder):
        """All its vectors point much the same way."""

        def embed(self, texts: Sequence[str]) -> Vectors:
            apart = super().embed(texts)
            together = np.zeros_like(apart)
            together[:, 0] = 2
            vectors = together + apart
            return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    matcher = FaqMatcher(faqs, lambda: Narrow("narrow", 256), FakeCache())

    same = matcher.match(PUBLIC, "how do I return a tent please")
    other = matcher.match(PUBLIC, "Does your mother know about whales?")

    assert same is not None
    assert other is not None
    assert same.accepted
    assert not other.accepted


def test_a_foreign_entry_that_is_only_close_is_not_given_where_there_are_own_ones() -> None:
    embedder = BundledEmbedder()
    faqs = FakeFaqs()
    faqs.add("标准配送 7.50 加元。", "运费多少钱？", language="zh")
    alone = FaqMatcher(faqs, lambda: embedder, FakeCache())
    close = alone.match(a_collection(), "How much does the tent cost?")
    faqs.add("Yes, on a leash.", "Are dogs allowed in the store?", "Can I bring my dog?")
    together = FaqMatcher(faqs, lambda: embedder, FakeCache())
    beside = together.match(a_collection(), "How much does the tent cost?")
    meant = together.match(a_collection(), "How much is shipping?")

    assert close is not None
    assert beside is not None
    assert beside.confidence < close.confidence
    assert not beside.accepted
    assert meant is not None
    assert (meant.entry.language, meant.accepted) == ("zh", True)
