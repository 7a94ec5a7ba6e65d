"""A model's answer, checked sentence by sentence before it is shown."""

from __future__ import annotations

import pytest

from chatapp.events import Event, Flagged, Sources, Token
from chatapp.flows.release import Release
from chatapp.flows.sources import passage_sources
from chatapp.knowledge.grounding import Evidence
from tests.fake_answers import a_hit
from tests.fake_knowledge import FakeEmbedder

RETURNS = "Unused items can be returned within 30 days of delivery. Please keep the packaging."
SHIPPING = "Standard shipping takes two to four working days and is free above 50 euros."


def released(text: str, *, pieces: int = 3) -> tuple[str, list[Event], Release]:
    """The text as it is shown, its events, and the release, for a text in pieces that long."""
    hits = [a_hit(RETURNS, 1), a_hit(SHIPPING, 2)]
    evidence = Evidence([hit.passage for hit in hits], FakeEmbedder(dimension=256))
    release = Release(evidence, passage_sources(hits))
    sentences: list[str] = []
    for start in range(0, len(text), pieces):
        sentences += release.feed(text[start : start + pieces])
    sentences += release.rest()
    events = [event for sentence in sentences for event in release.judge(sentence)]
    return "".join(event.text for event in events if isinstance(event, Token)), events, release


def cited(release: Release) -> list[int]:
    return [source.number for source in release.sources if source.cited]


@pytest.mark.parametrize("pieces", [1, 3, 7, 1_000])
def test_what_is_supported_comes_through_with_its_citation(pieces: int) -> None:
    text = "Please keep the packaging. [1] Shipping is free above 50 euros [2].\n\nHope that helps!"
    shown, events, release = released(text, pieces=pieces)
    assert shown == (
        "Please keep the packaging. [1] Shipping is free above 50 euros. [2]\n\nHope that helps!"
    )
    assert not any(isinstance(event, Flagged) for event in events)
    assert cited(release) == [1, 2]


def test_a_missing_citation_is_added_and_a_wrong_one_put_right() -> None:
    shown, _, release = released("Please keep the packaging. Shipping is free above 50 euros. [1]")
    assert shown == "Please keep the packaging. [1] Shipping is free above 50 euros. [2]"
    assert cited(release) == [1, 2]


def test_a_citation_of_nothing_is_dropped() -> None:
    shown, _, release = released("Please keep the packaging. [7]")
    assert shown == "Please keep the packaging. [1]"
    assert cited(release) == [1]


def test_the_span_that_supports_is_marked() -> None:
    _, events, release = released("Please keep the packaging.")
    (span,) = release.sources[0].spans
    assert RETURNS[slice(*span)] == "Please keep the packaging."
    assert events[-1] == Sources(release.sources)


def test_an_unsupported_sentence_is_shown_and_flagged() -> None:
    shown, events, release = released("Please keep the packaging. We run a loyalty programme.")
    (flag,) = [event.flag for event in events if isinstance(event, Flagged)]
    assert shown[flag.start : flag.end] == "We run a loyalty programme."
    assert flag.reason == "unsupported"
    assert cited(release) == [1]


def test_a_wrong_figure_is_never_shown_but_the_source_is_quoted() -> None:
    shown, events, release = released("Unused items can be returned within 90 days. [1]")
    assert "90" not in shown
    assert shown == "“Unused items can be returned within 30 days of delivery.” [1]"
    assert not any(isinstance(event, Flagged) for event in events)
    assert cited(release) == [1]


def test_the_same_source_is_not_quoted_twice() -> None:
    text = "Unused items can be returned within 90 days. So items can be returned within 90 days!"
    shown, _, _ = released(text)
    assert shown == "“Unused items can be returned within 30 days of delivery.” [1]"


def test_a_figure_nobody_wrote_about_is_flagged_as_one() -> None:
    shown, events, _ = released("Call the hotline 555-0199 tonight.")
    (flag,) = [event.flag for event in events if isinstance(event, Flagged)]
    assert (shown[flag.start : flag.end], flag.reason) == (shown, "figure")


def test_the_shape_of_the_text_is_kept() -> None:
    text = (
        "Here is what to know:\n\n- Please keep the packaging.\n- Shipping is free above 50 euros"
    )
    shown, _, _ = released(text)
    assert shown == (
        "Here is what to know:\n\n- Please keep the packaging. [1]"
        "\n- Shipping is free above 50 euros [2]"
    )


@pytest.mark.parametrize("text", ["NO_ANSWER", " NO_ANSWER.\n", "**NO_ANSWER**. Sorry about that."])
def test_a_model_that_gives_up_is_not_heard(text: str) -> None:
    shown, _, release = released(text)
    assert (shown, release.gave_up, release.has_shown) == ("", True, False)


def test_an_empty_answer_shows_nothing() -> None:
    shown, events, release = released("  \n")
    assert (shown, events, release.gave_up) == ("", [], False)
