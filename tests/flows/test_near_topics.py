"""What a refusal offers instead."""

from __future__ import annotations

from dataclasses import replace

from chatapp.flows.routing import Decision
from chatapp.flows.sources import near_topics
from chatapp.knowledge_records import Found, Hit
from tests.fake_answers import a_hit
from tests.fake_knowledge import a_collection


def weak(title: str, number: int, language: str) -> Hit:
    hit = a_hit("some text", number, relevance=0.25, title=title, language=language)
    return replace(hit, dropped="weak")


def refused(language: str, *hits: Hit) -> Decision:
    found = Found(query="?", hits=hits, threshold=0.3, index_version="1", embedder="none")
    return Decision(
        route="refused",
        reason="",
        question="?",
        query="?",
        language=language,
        collection=a_collection(),
        found=found,
    )


def test_topics_in_the_askers_language_come_alone() -> None:
    hits = weak("运费", 1, "zh"), weak("Shipping", 2, "en"), weak("Returns", 3, "en")
    assert near_topics(refused("en", *hits)) == ["Shipping", "Returns"]
    assert near_topics(refused("zh", *hits)) == ["运费"]


def test_where_there_are_none_others_are_better_than_nothing() -> None:
    assert near_topics(refused("en", weak("运费", 1, "zh"))) == ["运费"]
