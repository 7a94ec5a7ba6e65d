from __future__ import annotations

from dataclasses import replace

import pytest

from chatapp.knowledge_records import Grounding, Source
from chatapp.ui.sources import document_link, parted, relevance, sheet_html, sheet_key
from chatapp.ui.texts import Words
from chatapp.ui.trace import trace_html
from tests.grounded import TRACE, a_source

EN = Words("en")
HOSTILE = '"><img src=x onerror=alert(1)>${alert(1)}'


def grounding(*sources: Source, **more: object) -> Grounding:
    facts = {"route": "sources", "sources": sources} | more
    return Grounding(**facts)  # type: ignore[arg-type]


def test_cited_sources_come_first_and_weak_ones_are_folded() -> None:
    sources = [
        a_source(1, "strong, not cited", relevance=0.9),
        a_source(2, "weak but cited", relevance=0.2, cited=True),
        a_source(3, "far weaker than the best", relevance=0.44),
        a_source(4, "cited", relevance=0.7, cited=True),
    ]
    strong, weak = parted(grounding(*sources))
    assert [source.number for source in strong] == [2, 4, 1]
    assert [source.number for source in weak] == [3]
    shown = sheet_html("m", grounding(*sources), EN)
    assert "<details" in shown
    assert shown.index('data-number="1"') < shown.index("<details") < shown.index('data-number="3"')
    assert "Also found, less relevant (1)" in shown


def test_below_its_collections_threshold_a_source_is_weak() -> None:
    refused = grounding(
        a_source(1, "near", relevance=0.39), route="refused", trace=replace(TRACE, threshold=0.4)
    )
    assert parted(refused)[0] == []
    shown = sheet_html("m", refused, EN)
    assert '<details class="weaker" open>' in shown
    assert "Closest, but not close enough (1)" in shown


@pytest.mark.parametrize(
    ("share", "percent"), [(0.873, 87), (1.7, 100), (-0.2, 0), (1.0, 100), (0.0, 0)]
)
def test_relevance_is_never_beyond_its_scale(share: float, percent: int) -> None:
    shown = relevance(share, EN)
    assert f"width:{percent}%" in shown
    assert f"{percent}% relevant" in shown


def test_a_source_opens_its_document_at_the_passage_and_the_page() -> None:
    source = a_source(1, "x", page=12, heading=("Orders", "Returns"), document_id="a/b?c")
    assert document_link(source) == "documents/a%2Fb%3Fc?passage=71#page=12"
    assert document_link(replace(source, page=None)) == "documents/a%2Fb%3Fc?passage=71"
    shown = sheet_html("m", grounding(source), EN)
    assert 'href="documents/a%2Fb%3Fc?passage=71#page=12" target="_blank"' in shown
    assert "Orders › Returns · page 12" in shown
    slides = sheet_html("m", grounding(replace(source, kind="pptx")), EN)
    assert "slide 12" in slides


def test_an_faq_entry_has_no_document_to_open() -> None:
    entry = a_source(1, "30 days.", passage_id=None, kind="faq", title="How long?", relevance=1.0)
    shown = sheet_html("m", grounding(entry, route="faq"), EN)
    assert "href" not in shown
    assert "Approved answer" in shown
    assert "How long?" in shown


def test_an_untitled_document_goes_by_its_name() -> None:
    assert "handbook-1.pdf" in sheet_html("m", grounding(a_source(1, "x", title="")), EN)


def test_nothing_from_documents_becomes_markup() -> None:
    source = a_source(
        1, HOSTILE, title=HOSTILE, document=HOSTILE, document_id=HOSTILE, heading=(HOSTILE,)
    )
    hit = replace(TRACE.hits[0], title=HOSTILE, heading=(HOSTILE,), text=HOSTILE, dropped=HOSTILE)
    trace = replace(
        TRACE,
        question=HOSTILE,
        query=HOSTILE + "?",
        reason=HOSTILE,
        collection=HOSTILE,
        faq_question=HOSTILE,
        hits=(hit,),
        prompt=(replace(TRACE.prompt[0], content=HOSTILE),),
        timings={HOSTILE: 1.0},
        model=HOSTILE,
    )
    shown = sheet_html(HOSTILE, grounding(source, trace=trace), EN)
    assert "<img" not in shown
    assert "&lt;img" in shown


def test_an_answer_without_sources_says_so() -> None:
    assert "leans on no source" in sheet_html("m", grounding(route="refused"), EN)
    assert "Nothing is kept" in sheet_html("m", None, EN)


def test_a_sheet_is_asked_for_again_when_there_is_more_to_it() -> None:
    first = grounding(a_source(1, "x"))
    cited = grounding(a_source(1, "x", cited=True))
    early = replace(TRACE, prompt=(), timings={"search": 12.4})
    traced = [replace(cited, trace=trace) for trace in (early, TRACE)]
    keys = [sheet_key(g) for g in (None, first, cited, *traced)]
    assert keys[0] == ""
    assert len(set(keys)) == len(keys)
    assert f'data-key="{keys[1]}"' in sheet_html("m", first, EN)


def test_the_trace_tells_the_whole_story() -> None:
    shown = trace_html(TRACE, EN)
    for fact in (
        "Two passages are relevant enough.",
        "and how much is it?",
        "how much is the Fjell 2 tent?",
        "What does the tent cost?",
        "55%, 80% needed",
        "Relevance needed: 40%",
        "91%",
        "0.71",
        "12.30",
        "too weak",
        "We hire in &lt;b&gt;May&lt;/b&gt;.",
        "2 messages, 36 characters",
        "Answer &lt;from&gt; the passages.",
        "12 ms",
        "public-17",
        "bundled",
        "fake-model",
    ):
        assert fact in shown, fact


def test_a_trace_says_what_did_not_happen() -> None:
    bare = replace(TRACE, query=TRACE.question, hits=(), prompt=(), faq_question=None, timings={})
    shown = trace_html(bare, EN)
    for fact in ("as asked", "There was none.", "None was found", "The model was not asked."):
        assert fact in shown
    assert "comes once the answer is complete" in trace_html(None, EN)
    exact = trace_html(replace(TRACE, faq_exact=True, faq_confidence=1.0), EN)
    assert "the same question" in exact


def test_the_panel_speaks_chinese() -> None:
    shown = sheet_html("m", grounding(a_source(1, "x", page=3), trace=TRACE), Words("zh"))
    for fact in ("来自资料", "第 3 页", "相关度 90%", "55%，需要 80%", "相关度不足"):
        assert fact in shown
