"""What the app says by itself."""

from __future__ import annotations

from dataclasses import astuple

import pytest

from chatapp.knowledge.languages import LANGUAGES as EMBEDDED
from chatapp.knowledge.languages import language_of
from chatapp.phrases import LANGUAGES, phrases, reason


def test_there_are_phrases_in_every_language_of_the_bundled_embedder() -> None:
    assert set(EMBEDDED) <= set(LANGUAGES)
    assert phrases("en") == phrases("xx") == phrases("")


@pytest.mark.parametrize("language", LANGUAGES)
def test_phrases_are_whole_and_in_their_language(language: str) -> None:
    words = phrases(language)
    assert all(text.strip() == text and text for text in astuple(words))
    for text in (words.refusal, words.person):
        assert language_of(text) == language


def test_a_reason_is_said_with_its_figures() -> None:
    said = reason("passages", "en", count=2, best=0.91, needed=0.5)
    assert said == "Passages that are relevant enough: 2. The best reaches 91%, 50% are needed."
    assert reason("small_talk", "zh") == "这是闲聊，不需要资料。"
    assert reason("small_talk", "de") == reason("small_talk", "en")
