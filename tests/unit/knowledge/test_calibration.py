import numpy as np

from chatapp.knowledge.calibration import THRESHOLD, relevance
from chatapp.knowledge.candidates import Candidates


def candidates(dense: float, match: float = 0.0, context: float = 0.0, foreign: bool = False):
    return Candidates(
        rows=np.array([0]),
        dense=np.array([dense], np.float32),
        lexical=np.array([match * 10], np.float32),
        match=np.array([match], np.float32),
        context=np.array([context], np.float32),
        foreign=np.array([foreign]),
    )


def share(*args: float, foreign: bool = False) -> float:
    return float(relevance(candidates(*args, foreign=foreign))[0])


def test_each_sign_of_relevance_raises_it() -> None:
    assert share(0.3, 0.2, 0.5) < share(0.4, 0.2, 0.5) < share(0.4, 0.4, 0.5)
    assert share(0.4, 0.2, 0.5) < share(0.4, 0.2, 1.0)


def test_it_stays_between_nothing_and_certainty() -> None:
    assert 0 <= share(-1.0) < 0.001
    assert 0.999 < share(1.0, 1.0, 1.0) <= 1


def test_a_foreign_passage_needs_no_words_in_common() -> None:
    assert share(0.42) < THRESHOLD < share(0.42, foreign=True)


def test_likeness_alone_is_enough_only_when_it_is_great() -> None:
    assert share(0.3) < THRESHOLD < share(0.6)
