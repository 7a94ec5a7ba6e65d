import bm25s
import numpy as np

from chatapp.knowledge.analysis import terms
from chatapp.knowledge.lexical import K1, B, LexicalIndex

TEXTS = [
    ("Boots can be returned within thirty days.", "en"),
    ("The boots are waterproof, and the boots have a steel toe.", "en"),
    ("A tent for two people weighs two kilos.", "en"),
    ("退货须在三十天内。", "zh"),
    ("Delivery takes three days; returned parcels take longer.", "en"),
]


def index(*batches: slice) -> LexicalIndex:
    made = LexicalIndex()
    for batch in batches or (slice(None),):
        made = made.added(TEXTS[batch])
    return made


def scores(made: LexicalIndex, query: str) -> list[float]:
    return made.scores(made.query(query)).tolist()


def test_scores_are_those_of_bm25s() -> None:
    corpus = [terms(text, language) for text, language in TEXTS]
    reference = bm25s.BM25(k1=K1, b=B, method="lucene")
    reference.index(corpus, show_progress=False)

    ours = scores(index(), "waterproof boots returned")

    theirs = reference.get_scores(terms("waterproof boots returned", "en"))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_it_does_not_matter_in_how_many_parts_the_texts_came() -> None:
    at_once = scores(index(), "returned boots")

    assert scores(index(slice(0, 3), slice(3, 4), slice(4, 5)), "returned boots") == at_once


def test_parts_are_merged_so_that_there_are_only_a_few() -> None:
    made = LexicalIndex()
    for number in range(100):
        made = made.added([(f"text {number}", "en")])

    assert len(made.segments) < 9
    assert np.flatnonzero(made.scores(made.query("42"))).tolist() == [42]


def test_rows_that_are_kept_score_as_if_there_had_been_no_others() -> None:
    kept = index(slice(0, 2), slice(2, 5)).kept(np.array([0, 1, 4]))

    alone = LexicalIndex().added([TEXTS[row] for row in (0, 1, 4)])
    assert scores(kept, "returned boots") == scores(alone, "returned boots")


def test_a_question_is_read_in_the_languages_of_the_texts() -> None:
    made = LexicalIndex().added([("Die Rücksendungen sind kostenlos.", "de"), ("a boot", "en")])

    assert scores(made, "Rücksendung")[0] > 0
    assert scores(made, "boots")[1] > 0


def test_chinese_questions_find_chinese_texts() -> None:
    assert np.argmax(scores(index(), "怎么退货？")) == 3


def test_chinese_questions_are_not_cut_where_no_text_is_chinese() -> None:
    assert index(slice(0, 3)).query("怎么退货？") == ()


def test_rare_words_weigh_more_and_unknown_ones_most() -> None:
    made = index()

    returned, steel, unknown = made.weights(made.query("returned steel kayak"))

    assert returned < steel < unknown


def test_nothing_matches_in_an_empty_index() -> None:
    empty = LexicalIndex()

    assert scores(empty, "boots") == []
    assert scores(empty.added([]), "boots") == []


def test_a_text_of_stop_words_only_is_never_found() -> None:
    made = LexicalIndex().added([("what is it", "en"), ("boots", "en")])

    assert scores(made, "what is it") == [0, 0]


def test_stop_words_of_the_question_do_not_count_in_an_index_of_several_languages() -> None:
    made = index()  # English and Chinese; in Chinese, "how" would be a rare word

    assert made.query("How heavy is the tent?", "en") == made.query("heavy tent", "en")
    assert made.query("How heavy is the tent?") == made.query("heavy tent")


def test_a_stop_word_of_another_language_counts_where_the_questions_own_is_known() -> None:
    made = LexicalIndex().added([("une voiture", "fr"), ("a car for rent", "en")])

    assert made.query("rent a car", "en") == made.query("car rent", "en")[::-1]
    assert len(made.query("rent a car", "en")) == 2
