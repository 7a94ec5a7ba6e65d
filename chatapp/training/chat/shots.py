"""The baseline of a fine-tune: the base with a few of the same examples in its prompt."""

from __future__ import annotations

from collections.abc import Sequence

from chatapp.records import ChatMessage
from chatapp.training_records import Example

_SHOTS = 4


class Shots:
    """Finds the examples whose questions are most like a given one.

    Args:
        examples: to choose from; those without a question are left out.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._examples = [one for one in examples if one.messages]
        self._weigher = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
        self._vectors = (
            self._weigher.fit_transform([one.question for one in self._examples])
            if self._examples
            else None
        )

    def before(self, example: Example) -> list[ChatMessage]:
        """The turns of the nearest examples, the nearest last; never of the example itself."""
        if self._vectors is None:
            return []
        nearness = (self._vectors @ self._weigher.transform([example.question]).T).toarray()[:, 0]
        chosen: list[Example] = []
        for at in (-nearness).argsort(kind="stable"):
            other = self._examples[at]
            if other.question != example.question:
                chosen.append(other)
            if len(chosen) == _SHOTS:
                break
        return [
            turn
            for one in reversed(chosen)
            for turn in (ChatMessage("user", one.question), ChatMessage("assistant", one.answer))
        ]
