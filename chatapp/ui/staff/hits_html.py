"""The hit test: what the chat would do with a question, and why."""

from __future__ import annotations

from html import escape
from typing import Final
from urllib.parse import quote

from chatapp.flows.routing import Decision
from chatapp.knowledge_records import Collection, FaqMatch, Found, Hit
from chatapp.ui.staff.icons import sign
from chatapp.ui.staff.texts import StaffWords

_DROPPED: Final = {"weak", "duplicate", "filtered"}


def hits_html(decision: Decision, beside: Found | None, words: StaffWords) -> str:
    """One question's whole way.

    Args:
        beside: what the documents would have given, where the decision did without them.
    """
    found = decision.found or beside
    return (
        f'<div class="tried">{_verdict(decision, words)}{_faq(decision.faq, words)}'
        f"{_passages(found, words, needed=decision.found is not None)}"
        f"{_small_print(decision, found, words)}</div>"
    )


def _verdict(decision: Decision, words: StaffWords) -> str:
    searched = ""
    if decision.query != decision.question:
        searched = f"<p>{escape(words('searched_as', query=decision.query))}</p>"
    return (
        f'<div class="verdict" data-route="{decision.route}" role="status"><h2>'
        f"{escape(words(f'route_{decision.route}'))}</h2>"
        f"<p>{escape(decision.reason)}</p>{searched}</div>"
    )


def _faq(match: FaqMatch | None, words: StaffWords) -> str:
    if match is None:
        return _section("nearest_faq", f'<p class="none">{escape(words("no_faq"))}</p>', words)
    told = words("exact" if match.exact else "accepted" if match.accepted else "not_accepted")
    runner = "" if match.exact else words("runner_up", share=_percent(match.runner_up))
    nearest = (
        f'<div class="hit" data-kept="{_yes(match.accepted)}">'
        f"{_meter(match.confidence, match.threshold, words)}"
        f'<div class="hit-text"><strong>{escape(match.question)}</strong>'
        f'<p class="clip">{escape(match.entry.answer)}</p><p class="sub">'
        f"{escape(' · '.join(one for one in (told, runner) if one))}</p></div></div>"
    )
    return _section("nearest_faq", nearest, words)


def _passages(found: Found | None, words: StaffWords, *, needed: bool) -> str:
    if found is None or not found.hits:
        why = words("not_searched" if found is None else "no_hits")
        return _section("nearest_passages", f'<p class="none">{escape(why)}</p>', words)
    rows = "".join(_hit(hit, found.threshold, words) for hit in found.hits)
    note = "" if needed else f'<p class="sub">{escape(words("not_needed"))}</p>'
    return _section("nearest_passages", f"{note}<ol>{rows}</ol>", words)


def _section(title: str, inner: str, words: StaffWords) -> str:
    return f'<section class="near"><h3>{escape(words(title))}</h3>{inner}</section>'


def _hit(hit: Hit, threshold: float, words: StaffWords) -> str:
    passage = hit.passage
    place = list(dict.fromkeys([passage.title, *passage.heading]))
    if passage.page is not None:
        place.append(words("page", n=passage.page))
    address = f"/documents/{quote(passage.document_id, safe='')}?passage={passage.id}"
    if passage.page is not None:
        address += f"#page={passage.page}"
    scores = []
    if hit.dense is not None:
        scores.append(words("dense", score=f"{hit.dense:.2f}"))
    if hit.lexical is not None:
        scores.append(words("lexical", score=f"{hit.lexical:.1f}"))
    if hit.dropped is not None:
        key = f"dropped_{hit.dropped}" if hit.dropped in _DROPPED else "dropped"
        scores.append(words(key))
    return (
        f'<li class="hit" data-kept="{_yes(hit.dropped is None)}">'
        f"{_meter(hit.relevance, threshold, words)}"
        f'<div class="hit-text"><a href="{address}" target="_blank" rel="noopener">'
        f"{escape(' › '.join(place))}</a>"
        f'<p class="clip" data-do="unfold">{escape(passage.text)}</p>'
        f'<p class="sub">{escape(" · ".join(scores))}</p></div></li>'
    )


def _meter(value: float, threshold: float, words: StaffWords) -> str:
    told = words("score_of", share=_percent(value), threshold=_percent(threshold))
    return (
        f'<div class="meter" role="img" aria-label="{escape(told)}" title="{escape(told)}">'
        f"<strong>{_percent(value)}</strong><span class='track'>"
        f'<span style="width:{_width(value)}"></span>'
        f'<i style="left:{_width(threshold)}"></i></span></div>'
    )


def _small_print(decision: Decision, found: Found | None, words: StaffWords) -> str:
    facts = [f"{escape(step)} {took:.1f} ms" for step, took in decision.timings.items()]
    if found is not None:
        facts += [escape(words("embedder", name=found.embedder))]
        facts += [escape(words("index", name=found.index_version))] if found.index_version else []
    return f'<p class="small-print">{" · ".join(facts)}</p>' if facts else ""


def thresholds_html(
    collection: Collection, built_in: tuple[float, float], words: StaffWords
) -> str:
    """Where the lines are drawn, and a form to move them."""

    def field(name: str, value: float | None, default: float) -> str:
        shown = "" if value is None else f"{value:g}"
        return (
            f"<label><span>{escape(words(f'threshold_{name}'))}</span>"
            f'<input type="number" name="{name}" min="0" max="1" step="0.01" value="{shown}" '
            f'placeholder="{default:.2f}"></label>'
        )

    return (
        f'<details class="thresholds"><summary>{sign("sliders")}{escape(words("thresholds"))}'
        f"</summary><p>{escape(words('thresholds_help'))}</p>"
        f'<form data-form="thresholds">{field("documents", collection.threshold, built_in[0])}'
        f"{field('faq', collection.faq_threshold, built_in[1])}"
        f'<button type="submit" class="solid">{escape(words("save"))}</button></form></details>'
    )


def _percent(value: float) -> str:
    return f"{round(value * 100)}%"


def _width(value: float) -> str:
    return f"{min(max(value, 0), 1) * 100:.1f}%"


def _yes(kept: bool) -> str:
    return "yes" if kept else "no"
