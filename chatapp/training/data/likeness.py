"""Texts that are nearly the same, also among a hundred thousand.

MinHash (Broder 1997, "On the resemblance and containment of documents") finds candidates whose
runs of characters overlap; each pair of them is then compared exactly. All of it is arithmetic on
arrays, for the usual way, a set of hashes a text, takes minutes where this takes seconds.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from chatapp.knowledge.normalising import normalised

ALIKE = 0.8
"""Share of their runs of characters that two texts have in common, from which on they count as
nearly the same: of a short question a letter or an ending differs, of a long one a word or two."""

_HASHES, _BANDS = 128, 32
_ROWS = _HASHES // _BANDS
# Pairs that are alike to 0.8 share a band of four hashes with a probability of
# 1 - (1 - 0.8^4)^32 = 0.99999995; those alike to 0.5 still with 0.87, hence the exact comparison.
_DOUBT = 0.12
"""Three standard deviations of an estimate from 128 hashes."""
_NEIGHBOURS = 8
_LETTERS, _CHINESE_LETTERS, _WORDS = 4, 2, 3
_LONG = 2_000
"""Characters from which on runs of words are compared, not of characters."""
_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_MOST_RUNS = 20_000
"""Of a text; of a longer one those with the smallest hashes, which are the same in its likes."""
_CHUNK = 50_000
"""Runs that are hashed at once: the intermediate array takes 50 MB."""

Hashes = npt.NDArray[np.uint32]
Progress = Callable[[float], None]


def alike_groups(
    texts: Sequence[str],
    kinds: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> list[int]:
    """For each text the index of the first one of its group; its own where it is alone.

    A group is closed: any two texts that are nearly the same are in one group, over however many
    others they hang together. Case, punctuation and spacing count for nothing where there is
    anything else. Empty texts are in no group.

    Args:
        texts: any number; memory is taken for 600 bytes each.
        kinds: of each text, such as its label: texts of different kinds are in one group only if
            they are the same, and not if they are nearly so.
        progress: told the share that is done.
    """
    plain = [compared(text) for text in texts]
    ids: dict[str, int] = {}
    kind_of = [ids.setdefault(kind, len(ids)) for kind in kinds or [""] * len(texts)]
    firsts: dict[tuple[str, int], int] = {}
    unique: list[int] = []
    numbers: list[int] = []
    for at, key in enumerate(zip(plain, kind_of, strict=True)):
        if key not in firsts:
            firsts[key] = len(unique)
            unique.append(at)
        numbers.append(firsts[key])
    groups = _Groups(len(unique))
    worth = [number for number, at in enumerate(unique) if plain[at]]
    same: dict[str, int] = {}
    for number in worth:
        groups.join(same.setdefault(plain[unique[number]], number), number)
    if len(worth) > 1:
        kind = np.array([kind_of[at] for at in unique], dtype=np.int64)
        _join([plain[at] for at in unique], worth, kind, groups, progress or (lambda _share: None))
    return [
        unique[groups.root(number)] if text else at
        for at, (text, number) in enumerate(zip(plain, numbers, strict=True))
    ]


def alike_to(texts: Sequence[str], others: Sequence[str]) -> list[int]:
    """Which texts are nearly the same as one of the others; not over third ones, as in a group."""
    groups = alike_groups([*others, *texts])
    of_group: dict[int, list[tuple[str, Hashes]]] = {}
    for text, group in zip(map(compared, others), groups, strict=False):
        if text:
            of_group.setdefault(group, []).append((text, _runs(text)))
    found: list[int] = []
    for at, group in enumerate(groups[len(others) :]):
        text = compared(texts[at])
        if text and any(
            text == other or _likeness(_runs(text), runs) >= ALIKE
            for other, runs in of_group.get(group, ())
        ):
            found.append(at)
    return found


def compared(text: str) -> str:
    """A text as it is compared with others: normalised, unless nothing is left then, as of 👍."""
    return normalised(text) or text.strip()


class _Groups:
    """Which texts hang together (union-find); the root of a group is its first text."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def root(self, at: int) -> int:
        while self._above[at] != at:
            self._above[at] = self._above[self._above[at]]
            at = self._above[at]
        return at

    def roots(self) -> npt.NDArray[np.int64]:
        """The root of every text."""
        roots = np.array(self._above, dtype=np.int64)
        while not np.array_equal(above := roots[roots], roots):
            roots = above
        return roots

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.root(one), self.root(other)))
        self._above[high] = low


def _join(
    texts: Sequence[str],
    worth: Sequence[int],
    kind: npt.NDArray[np.int64],
    groups: _Groups,
    progress: Progress,
) -> None:
    """Join those of the texts ``worth`` comparing that are alike and of one kind."""
    signatures = _signatures([texts[at] for at in worth], lambda share: progress(share / 2))
    number = np.array(worth, dtype=np.int64)
    runs = lru_cache(maxsize=20_000)(lambda at: _runs(texts[at]))
    for band in range(_BANDS):
        for pairs in _candidates(signatures[:, band * _ROWS : (band + 1) * _ROWS]):
            ends = number[pairs]
            roots = groups.roots()[ends]
            open_ = (roots[:, 0] != roots[:, 1]) & (kind[ends[:, 0]] == kind[ends[:, 1]])
            near = _estimated_near(signatures, pairs[open_])
            for one, other in ends[open_][near].tolist():
                if groups.root(one) != groups.root(other) and (
                    _likeness(runs(one), runs(other)) >= ALIKE
                ):
                    groups.join(one, other)
        progress(0.5 + (band + 1) / _BANDS / 2)


def _estimated_near(signatures: Hashes, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which pairs may be alike, by how many of their hashes agree."""
    near = np.zeros(len(pairs), dtype=np.bool_)
    for start in range(0, len(pairs), _CHUNK):
        part = pairs[start : start + _CHUNK]
        same = signatures[part[:, 0]] == signatures[part[:, 1]]
        near[start : start + _CHUNK] = same.mean(axis=1) >= ALIKE - _DOUBT
    return near


def _candidates(band: Hashes) -> Iterator[npt.NDArray[np.int64]]:
    """Pairs of texts with the same hashes, each with its next neighbours among those and with the
    first of them: enough to find a group, and not the square of its size."""
    keys = np.zeros(len(band), dtype=np.uint64)
    for column in range(band.shape[1]):
        keys = keys * np.uint64(0x9E3779B97F4A7C15) + band[:, column]
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    same = ordered[1:] == ordered[:-1]
    if not same.any():
        return
    begins = np.concatenate(([True], ~same))
    first = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    later = np.flatnonzero(~begins)
    yield np.stack((order[first[later]], order[later]), axis=1)
    for distance in range(1, _NEIGHBOURS + 1):
        later = later[later - distance > first[later]]
        if not len(later):
            return
        yield np.stack((order[later - distance], order[later]), axis=1)


def _signatures(texts: Sequence[str], progress: Progress) -> Hashes:
    random = np.random.default_rng(7)
    factors = random.integers(1, 2**63, size=(_HASHES, 1), dtype=np.uint64) | np.uint64(1)
    offsets = random.integers(0, 2**63, size=(_HASHES, 1), dtype=np.uint64)
    signatures = np.empty((len(texts), _HASHES), dtype=np.uint32)
    start = 0
    while start < len(texts):
        found: list[Hashes] = []
        size = 0
        while start + len(found) < len(texts) and (not found or size < _CHUNK):
            found.append(_runs(texts[start + len(found)]))
            size += len(found[-1])
        begins = np.cumsum([0, *map(len, found[:-1])])
        values = np.concatenate(found).astype(np.uint64)
        # Multiply-shift hashing (Dietzfelbinger et al. 1997): the upper half of a product.
        hashed = ((factors * values + offsets) >> np.uint64(32)).astype(np.uint32)
        signatures[start : start + len(found)] = np.minimum.reduceat(hashed, begins, axis=1).T
        start += len(found)
        progress(start / len(texts))
    return signatures


def _runs(text: str) -> Hashes:
    """Hashes of the runs of characters, or in a long text of words; sorted, each once."""
    if len(text) > _LONG and text.count(" ") > len(text) / 20:
        words = text.split()
        hashes = [
            zlib.crc32(" ".join(words[at : at + _WORDS]).encode("utf-8", "replace"))
            for at in range(len(words) - _WORDS + 1)
        ]
        return np.unique(np.array(hashes, dtype=np.uint32))[:_MOST_RUNS]
    length = _CHINESE_LETTERS if _CJK.search(text) else _LETTERS
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    length = min(length, len(codes))
    mixed = np.zeros(len(codes) - length + 1, dtype=np.uint64)
    for at in range(length):
        mixed = (mixed + codes[at : at + len(mixed)]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return np.unique((mixed >> np.uint64(32)).astype(np.uint32))[:_MOST_RUNS]


def _likeness(one: Hashes, other: Hashes) -> float:
    """Shared runs by all runs (Jaccard)."""
    if min(len(one), len(other)) < ALIKE * 0.5 * max(len(one), len(other)):
        return 0.0
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / (len(one) + len(other) - both)
