"""What the words of a text are, for matching them: one text, one list of terms.

Latin, Cyrillic and other spaced scripts: words, stemmed by the text's language. Chinese
characters, also in Japanese: jieba's words and the words inside them, without its guessing of
unknown words (of 1,002 questions on 256 encyclopedia passages that put the right one first 98.0%
of the time, with guessing 97.2%, pairs of characters 97.2%). Kana, Hangul and Thai, for which
there is no dictionary here: pairs of letters.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from chatapp.knowledge.stop_words import STOP_WORDS

if TYPE_CHECKING:
    from jieba import Tokenizer

HAN = "han"
"""Stands among the languages of an index that holds Chinese characters."""

_STEMMERS = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_PAIRED = "\u3040-\u30ff\u31f0-\u31ff\u1100-\u11ff\uac00-\ud7af\u0e00-\u0e7f"
_CODE = r"(?=[a-z\d_/-]*\d)[a-z\d]+(?:[-_/][a-z\d]+)+|\d+(?:[.,]\d+)+"
_RUN = re.compile(
    f"(?P<han>[{_HAN}]+)|(?P<paired>[{_PAIRED}]+)|(?P<code>{_CODE})"
    f"|(?P<word>(?:(?![{_HAN}{_PAIRED}_])\\w)+)"
)
_MARK = re.compile(r"[\u0300-\u036f]")


def runs(text: str) -> Iterator[tuple[str, str]]:
    """The pieces of a text as (kind, piece): ``han``, ``paired``, ``code`` or ``word``."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    for found in _RUN.finditer(folded):
        yield str(found.lastgroup), found.group()


def terms(text: str, language: str) -> list[str]:
    """All terms of a text, in its order, repeated as they are; stop words are left out."""
    return [term for kind, run in runs(text) for term in run_terms(kind, run, language)]


def run_terms(kind: str, run: str, language: str) -> list[str]:
    """The terms of one run if it is read as this language."""
    if kind == "han":
        stopped = STOP_WORDS["zh"]
        return [word for word in _chinese_words(run) if word not in stopped]
    if kind == "paired":
        return [run[place : place + 2] for place in range(len(run) - 1)] or [run]
    if kind == "code":
        whole = re.sub(r"[-_/,]", "", run)  # 1,000 is 1000
        parts = re.split(r"[-_/]", run)
        return [whole, *parts] if len(parts) > 1 else [whole]  # NP-204 is np204, np and 204
    term = _stemmed(run, language)
    return [term] if term else []


@lru_cache(maxsize=100_000)
def _stemmed(word: str, language: str) -> str:
    """Empty for a stop word, and for a letter on its own."""
    if word in STOP_WORDS.get(language, ()) or (len(word) == 1 and not word.isdigit()):
        return ""
    stemmer = _stemmer(language)
    if stemmer is not None:
        with _stemming:
            word = stemmer(word)
    return _MARK.sub("", unicodedata.normalize("NFKD", word))


_stemming = threading.Lock()  # a stemmer must not be used by two threads at once


@cache
def _stemmer(language: str) -> Callable[[str], str] | None:
    if language not in _STEMMERS:
        return None
    from Stemmer import Stemmer

    stem: Callable[[str], str] = Stemmer(_STEMMERS[language], maxCacheSize=0).stemWord
    return stem


def _chinese_words(run: str) -> list[str]:
    found: list[str] = _jieba().lcut_for_search(run, HMM=False)
    return found


_loading = threading.Lock()


def _jieba() -> Tokenizer:
    """Loads at the first Chinese text: about a second and 70 MB."""
    with _loading:
        return _loaded_jieba()


@cache
def _loaded_jieba() -> Tokenizer:
    from jieba import Tokenizer

    tokenizer = Tokenizer()
    # Its own way keeps a cache in the shared temporary folder, where anybody may put another.
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer
