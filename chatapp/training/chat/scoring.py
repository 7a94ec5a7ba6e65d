"""How near an answer is to the expected one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rapidfuzz.distance import LCSseq

from chatapp.training_records import AnswerScores

_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+(?:[.,:]\d+)*")
"""A word, a figure, or one character of a script that writes without spaces."""

_EDGES = " \t\n.,;:!?\"'“”‘’。，；：！？、()[]"


def score_answers(name: str, expected: Sequence[str], answers: Sequence[str]) -> AnswerScores:
    """Compare answers with the expected ones, one by one.

    Args:
        name: of whoever wrote the answers.
    """
    pairs = list(zip(expected, answers, strict=True))
    count = max(1, len(pairs))
    return AnswerScores(
        name=name,
        exact=sum(is_exact(*pair) for pair in pairs) / count,
        contained=sum(is_contained(*pair) for pair in pairs) / count,
        rouge_l=sum(rouge_l(*pair) for pair in pairs) / count,
    )


def is_exact(expected: str, answer: str) -> bool:
    """Whether they are equal, case, spaces and outer punctuation aside."""
    return _bare(expected) == _bare(answer)


def is_contained(expected: str, answer: str) -> bool:
    """Whether the expected words stand in the answer, one after the other."""
    wanted, said = words(expected), words(answer)
    if not wanted:
        return is_exact(expected, answer)
    length = len(wanted)
    return any(said[at : at + length] == wanted for at in range(len(said) - length + 1))


def rouge_l(expected: str, answer: str) -> float:
    """F1 of the longest common subsequence of words (Lin 2004, "ROUGE: A Package for Automatic
    Evaluation of Summaries", section 3); 0 to 1."""
    wanted, said = words(expected), words(answer)
    if not wanted or not said:
        return float(is_exact(expected, answer))
    return 2 * LCSseq.similarity(wanted, said) / (len(wanted) + len(said))


def words(text: str) -> list[str]:
    """The words that are compared, in lower case."""
    return _WORDS.findall(unicodedata.normalize("NFKC", text).lower())


def _bare(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).lower().split()).strip(_EDGES)
