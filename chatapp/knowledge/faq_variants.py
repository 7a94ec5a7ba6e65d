"""All ways to ask that an FAQ knows, by their words and by their vectors."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from chatapp.knowledge.base import Embedder, VectorCache
from chatapp.knowledge.faq_nearness import Classifier, Nearest, View
from chatapp.knowledge.languages import language_of
from chatapp.knowledge.normalising import normalised
from chatapp.knowledge_records import FaqEntry, Vectors

_Vector = npt.NDArray[np.float32]

_ENGLISH = "en"
_ENGLISH_SHARE = 0.7
"""Of the English reader where both read; with 0.8 it is the same, with 0.5 a little worse."""

_AT_ONCE = 512
"""Texts that are read before they are kept: whoever is stopped has lost no more."""

_DOUBTED = 3
"""The power to which the confidence in a foreign variant is raised then: 0.8 becomes 0.5."""

_FOREIGN = 0.15
"""How much surer an entry asked for in another language must be than one in the question's."""

_UNRELATED = (
    "How tall is the highest mountain?",
    "My brother plays the violin.",
    "The recipe needs two eggs.",
    "When does the last train leave?",
    "Photosynthesis turns light into sugar.",
    "She painted the garden gate green.",
    "Interest rates fell in March.",
    "Whales breathe air.",
)
_USUAL_COSINE = 0.2
"""Mean cosine of unrelated sentences that the bundled embedders stay below."""


class Readers:
    """Who turns variants and questions into vectors, and what they have read already.

    Args:
        cache: keeps the vectors of variants from one start to the next.
        english: reads what is in English beside the embedder.
    """

    def __init__(self, cache: VectorCache, english: Embedder | None) -> None:
        self.english = english
        self._cache = cache
        self._spreads: dict[str, float] = {}

    def read(self, reader: Embedder, texts: Sequence[str]) -> dict[str, _Vector]:
        """Vectors of variants, by text: from the cache, or new and then in the cache."""
        known = dict(self._cache.get(reader.name, texts))
        new = list(dict.fromkeys(text for text in texts if text not in known))
        for start in range(0, len(new), _AT_ONCE):
            some = new[start : start + _AT_ONCE]
            vectors = reader.embed(some)
            self._cache.put(reader.name, some, vectors)
            known |= zip(some, vectors, strict=True)
        return known

    def spread(self, reader: Embedder) -> float:
        """Some models find all texts alike: how much their distances have to be stretched."""
        if reader.name not in self._spreads:
            vectors = reader.embed(_UNRELATED)
            cosines = (vectors @ vectors.T)[np.triu_indices(len(_UNRELATED), 1)]
            room = max(1 - float(cosines.mean()), 1e-3)
            self._spreads[reader.name] = max(1.0, (1 - _USUAL_COSINE) / room)
        return self._spreads[reader.name]


@dataclass(frozen=True, slots=True)
class _Judge:
    """A classifier over some of the variants."""

    variants: Sequence[int]
    readers: Sequence[Embedder]
    classifier: Classifier

    def nearest(self, question: Mapping[str, Vectors]) -> Nearest:
        """The best entry for a question, given its vectors by the reader's name."""
        found = self.classifier.nearest([question[reader.name] for reader in self.readers])
        return replace(found, variant=self.variants[found.variant])


class FaqVariants:
    """The entries of one collection at one revision. Any thread may ask."""

    def __init__(self, entries: Sequence[FaqEntry], readers: Readers) -> None:
        self.entries = entries
        self.texts: list[str] = []
        self._owners: list[int] = []
        self._languages: list[str] = []
        self._verbatim: dict[str, tuple[FaqEntry, str]] = {}
        for number, entry in enumerate(entries):
            for text in entry.questions:
                if not (plain := normalised(text)):
                    continue
                self.texts.append(text)
                self._owners.append(number)
                self._languages.append(language_of(text) or entry.language or _ENGLISH)
                self._verbatim.setdefault(plain, (entry, text))
        self._readers = readers
        self._lock = threading.Lock()
        self._vectors: dict[str, dict[str, _Vector]] = {}
        self._judges: dict[tuple[str, str], list[_Judge]] = {}

    def inherit(self, before: FaqVariants) -> None:
        """Take over the vectors of the variants that were there before."""
        wanted = set(self.texts)
        # Not under its lock, which is held for as long as it reads; a copy is whole without.
        for name, vectors in list(before._vectors.items()):
            had = vectors.copy()
            self._vectors[name] = {text: had[text] for text in had.keys() & wanted}

    def verbatim(self, question: str) -> tuple[FaqEntry, str] | None:
        """The oldest entry with this question, and the question as it is written there."""
        plain = normalised(question)
        return self._verbatim.get(plain) if plain else None

    def nearest(self, question: str, embedder: Embedder) -> Nearest:
        """The best entry, among the variants in the question's language and among the others.

        Kept apart, a question and its translation do not split what they say for one answer.
        Needs at least one variant.
        """
        judges = self._judges_for(language_of(question) or _ENGLISH, embedder)
        readers = {reader.name: reader for judge in judges for reader in judge.readers}
        read = {name: reader.embed_queries([question]) for name, reader in readers.items()}
        found = [judge.nearest(read) for judge in judges]
        best, *others = found
        # Where some variants are in the question's language, a foreign one has to be nearly sure:
        # the English "How much does it cost?" is close to the Chinese for "How much is delivery?".
        others = [replace(one, confidence=one.confidence**_DOUBTED) for one in others]
        if others and others[0].confidence > best.confidence + _FOREIGN:
            best, others = others[0], [best]
        runners_up = [other.confidence for other in others if other.entry != best.entry]
        runner_up = max([best.runner_up, *runners_up])
        return replace(best, runner_up=min(runner_up, best.confidence))

    def one_of_each_language(self) -> list[str]:
        """The first variant in each of the languages there are."""
        firsts: dict[str, str] = {}
        for language, text in zip(self._languages, self.texts, strict=True):
            firsts.setdefault(language, text)
        return list(firsts.values())

    def _judges_for(self, language: str, embedder: Embedder) -> list[_Judge]:
        """One for the variants in that language, one for the others, where there are any."""
        # Languages that no variant is in share one judge, for all variants.
        own_language = language if language in self._languages else ""
        key = (embedder.name, own_language)
        with self._lock:
            if key not in self._judges:
                everything = range(len(self.texts))
                own = [n for n in everything if self._languages[n] == own_language]
                others = [n for n in everything if self._languages[n] != own_language]
                english = self._readers.english if own_language == _ENGLISH else None
                self._judges[key] = [
                    self._judge(variants, embedder, reader)
                    for variants, reader in ((own, english), (others, None))
                    if variants
                ]
            return self._judges[key]

    def _judge(
        self, variants: Sequence[int], embedder: Embedder, english: Embedder | None
    ) -> _Judge:
        shares = [(embedder, 1.0)]
        if english is not None:
            shares = [(embedder, 1 - _ENGLISH_SHARE), (english, _ENGLISH_SHARE)]
        texts = [self.texts[number] for number in variants]
        views = [
            View(self._read(reader, texts), share, self._readers.spread(reader))
            for reader, share in shares
        ]
        owners = [self._owners[number] for number in variants]
        return _Judge(variants, [reader for reader, _ in shares], Classifier(owners, views))

    def _read(self, reader: Embedder, texts: Sequence[str]) -> Vectors:
        """Vectors of variants, shape (texts, dimension)."""
        known = self._vectors.setdefault(reader.name, {})
        if unknown := [text for text in texts if text not in known]:
            known |= self._readers.read(reader, unknown)
        return np.stack([known[text] for text in texts])
