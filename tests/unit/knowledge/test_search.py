from collections.abc import Iterator
from pathlib import Path

import pytest

from chatapp.knowledge import search as search_module
from chatapp.knowledge.calibration import THRESHOLD
from chatapp.knowledge.search import Search
from chatapp.knowledge_records import Found
from tests.fake_knowledge import FakeEmbedder, FakePassages, a_collection

PUBLIC = a_collection()


@pytest.fixture
def passages() -> FakePassages:
    return FakePassages(FakeEmbedder())


@pytest.fixture
def search(passages: FakePassages, tmp_path: Path) -> Iterator[Search]:
    made = Search(passages, lambda: passages.embedder, tmp_path)
    yield made
    made.close()


def texts(found: Found) -> list[str]:
    return [hit.passage.text for hit in found.kept]


def fill(passages: FakePassages) -> None:
    passages.add(
        "public",
        "returns.md",
        "Boots can be returned within thirty days.",
        "A refund takes five working days.",
    )
    passages.add("public", "tents.md", "The Heron tent sleeps two people.", title="Tents")
    passages.add("public", "退货.md", "退货须在三十天内办理。", language="zh")


def test_the_passage_with_the_words_comes_first(passages: FakePassages, search: Search) -> None:
    fill(passages)

    found = search.search(PUBLIC, "how long does a refund take")

    assert texts(found)[0] == "A refund takes five working days."
    best = found.hits[0]
    assert best.dense is not None
    assert best.lexical is not None
    assert THRESHOLD < best.relevance <= 1
    assert found.threshold == THRESHOLD


def test_hits_come_by_falling_relevance_and_never_above_one(
    passages: FakePassages, search: Search
) -> None:
    fill(passages)

    shares = [hit.relevance for hit in search.search(PUBLIC, "refund boots tent").hits]

    assert shares == sorted(shares, reverse=True)
    assert all(0 <= share <= 1 for share in shares)


def test_what_is_not_relevant_is_weak(passages: FakePassages, search: Search) -> None:
    fill(passages)

    found = search.search(PUBLIC, "the capital of Mongolia")

    assert found.kept == ()
    assert {hit.dropped for hit in found.hits} == {"weak"}


def test_a_collection_has_its_own_threshold(passages: FakePassages, search: Search) -> None:
    fill(passages)

    open_to_all = search.search(a_collection(threshold=0.0), "the capital of Mongolia")
    closed = search.search(a_collection(threshold=1.0), "A refund takes five working days.")

    assert len(open_to_all.kept) == 4
    assert closed.kept == ()


def test_the_title_helps_to_find_a_passage(passages: FakePassages, search: Search) -> None:
    passages.add("public", "a.md", "It costs 40 dollars.", title="Heron tent")
    passages.add("public", "b.md", "It costs 90 dollars.", title="Alpine boots")

    assert texts(search.search(PUBLIC, "what does the Heron cost"))[0] == "It costs 40 dollars."


def test_a_word_elsewhere_in_the_document_helps(passages: FakePassages, search: Search) -> None:
    passages.add("public", "a.md", "The tent is green.", "About the Heron.")
    passages.add("public", "b.md", "The tent is green!!", "About the Kite.")
    everything = a_collection(threshold=0.0)

    found = search.search(everything, "Heron tent green")

    order = [hit.passage.document for hit in found.hits if "green" in hit.passage.text]
    assert order[0] == "a.md"


def test_collections_are_apart(passages: FakePassages, search: Search) -> None:
    fill(passages)
    passages.add("internal", "secret.md", "A refund takes five working days, in truth ten.")

    assert "secret.md" not in [
        hit.passage.document for hit in search.search(PUBLIC, "refund working days").hits
    ]


def test_language_and_tag_narrow_the_search(passages: FakePassages, search: Search) -> None:
    fill(passages)
    passages.add("public", "vip.md", "A refund takes one working day.", tags=("vip",))
    everything = a_collection(threshold=0.0)

    chinese = search.search(everything, "refund", language="zh")
    tagged = search.search(everything, "refund", tag="vip")

    assert texts(chinese) == ["退货须在三十天内办理。"]
    assert texts(tagged) == ["A refund takes one working day."]
    assert search.search(everything, "refund", tag="no such").hits == ()


def test_a_new_document_is_in_the_next_search_and_a_deleted_one_is_not(
    passages: FakePassages, search: Search
) -> None:
    fill(passages)
    search.search(PUBLIC, "kayak")

    added = passages.add("public", "kayaks.md", "A kayak is rented by the day.")
    assert texts(search.search(PUBLIC, "kayak rented"))[0] == "A kayak is rented by the day."

    passages.remove(*added)
    assert "kayaks.md" not in [
        hit.passage.document for hit in search.search(PUBLIC, "kayak rented").hits
    ]


def test_near_duplicates_are_shown_once(passages: FakePassages, search: Search) -> None:
    text = (
        "Boots can be returned within 30 days if they were not worn outside the house. Please "
        "clean the soles before you send them back to us, and put the receipt into the box."
    )
    passages.add("public", "handbook.md", text, title="Handbook")
    passages.add("public", "handbook-v2.md", text.replace(" if ", " when "), title="Handbook v2")

    found = search.search(PUBLIC, "can boots be returned")

    assert len(found.kept) == 1
    assert [hit.dropped for hit in found.hits] == [None, "duplicate"]


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Handbook", "Boots can be returned within 60 days if they were not worn outside."),
        ("Handbook", "Boots can be returned within 30 days if they were worn outside."),
        ("Stains", "Boots can be returned within 30 days if they were not worn outside."),
    ],
)
def test_another_figure_rule_or_subject_is_no_duplicate(
    passages: FakePassages, search: Search, title: str, text: str
) -> None:
    first = "Boots can be returned within 30 days if they were not worn outside."
    passages.add("public", "handbook.md", first, title="Handbook")
    passages.add("public", "other.md", text, title=title)

    assert len(search.search(PUBLIC, "can boots be returned").kept) == 2


def test_no_more_than_k_are_used(passages: FakePassages, search: Search) -> None:
    passages.add("public", "a.md", *(f"The refund of order {n} came." for n in range(20)))
    everything = a_collection(threshold=0.0)

    assert len(search.search(everything, "refund order", k=3).kept) == 3


def test_a_question_in_another_language_is_judged_by_the_vectors_alone(
    passages: FakePassages, tmp_path: Path
) -> None:
    class Bilingual(FakeEmbedder):
        """Knows one Chinese sentence."""

        def embed(self, texts):
            return super().embed(["refund takes days" if "退款" in t else t for t in texts])

    search = Search(passages, Bilingual, tmp_path)
    fill(passages)

    found = search.search(PUBLIC, "我想知道退款需要多久才能到账")

    assert texts(found)[0] == "A refund takes five working days."
    assert found.hits[0].lexical is None
    search.close()


def test_an_empty_collection_has_nothing_to_search(passages: FakePassages, search: Search) -> None:
    assert search.is_empty(PUBLIC)
    assert search.search(PUBLIC, "anything").hits == ()

    fill(passages)
    assert not search.is_empty(PUBLIC)
    assert search.is_empty(a_collection("internal"))


@pytest.mark.parametrize("query", ["", "?", " ", "的", "the", "\x00", "x" * 50_000])
def test_any_text_can_be_searched_for(passages: FakePassages, search: Search, query: str) -> None:
    fill(passages)

    assert search.search(PUBLIC, query).query == query


def test_closing_saves_and_a_later_search_starts_from_there(
    passages: FakePassages, tmp_path: Path
) -> None:
    fill(passages)
    first = Search(passages, lambda: passages.embedder, tmp_path)
    first.warm([PUBLIC])
    before = first.search(PUBLIC, "refund")
    first.close()

    second = Search(passages, lambda: passages.embedder, tmp_path)
    after = second.search(PUBLIC, "refund")

    assert (tmp_path / "index/public/fake/manifest.json").exists()
    assert after.hits == before.hits
    assert after.index_version == before.index_version == "fake@3"
    second.close()


def test_a_reranker_has_the_greater_say(
    passages: FakePassages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Scores:
        def __init__(self, setting: str) -> None:
            assert setting == "org/cross"

        def relevance(self, query: str, texts: list[str]) -> list[float]:
            return [0.9 if "tent" in text else 0.0 for text in texts]

    monkeypatch.setattr(search_module._Reranking, "_loaded", lambda self: Scores(self._setting))
    fill(passages)
    search = Search(passages, lambda: passages.embedder, tmp_path, reranker="org/cross")

    found = search.search(PUBLIC, "refund working days")

    assert texts(found) == ["The Heron tent sleeps two people."]
    search.close()
