"""Why an answer is as it is, as HTML: the search, what was dropped, the prompt, the times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from chatapp.knowledge_records import Trace, TracedHit
from chatapp.records import ChatMessage
from chatapp.ui.passages import passage_html
from chatapp.ui.route_line import duration, route_name
from chatapp.ui.texts import Words

_OUTCOMES: Final[Mapping[str | None, str]] = {
    None: "hit_used",
    "weak": "hit_weak",
    "duplicate": "hit_duplicate",
    "filtered": "hit_filtered",
}
_STEPS: Final[Mapping[str, str]] = {
    "understand": "step_understand",
    "faq": "step_faq",
    "search": "step_search",
    "prompt": "step_prompt",
    "quote": "step_quote",
    "check": "step_check",
}
_ROLES: Final[Mapping[str, str]] = {
    "system": "instructions",
    "user": "you",
    "assistant": "assistant",
}


def trace_html(trace: Trace | None, words: Words) -> str:
    """All of it, the longest parts folded."""
    if trace is None:
        return f'<p class="none">{escape(words("trace_later"))}</p>'
    return "".join(
        (
            f'<p class="lead" data-route="{trace.route}">{escape(route_name(trace.route, words))}'
            f"</p>{_reason(trace)}",
            _section(words("trace_question"), _question(trace, words)),
            _section(words("trace_faq"), _faq(trace, words)),
            _section(words("trace_hits", count=len(trace.hits)), _hits(trace, words)),
            _section(words("trace_prompt"), _prompt(trace.prompt, words)),
            _section(words("trace_timings"), _timings(trace.timings, words)),
            _section(words("trace_versions"), _versions(trace, words)),
        )
    )


def _reason(trace: Trace) -> str:
    return f'<p class="reason">{escape(trace.reason)}</p>' if trace.reason else ""


def _section(title: str, body: str) -> str:
    return f"<h3>{escape(title)}</h3>{body}" if body else ""


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in facts
        if value
    )
    return f"<dl>{rows}</dl>" if rows else ""


def _question(trace: Trace, words: Words) -> str:
    searched = trace.query if trace.query != trace.question else words("as_asked")
    return _facts(
        [
            (words("trace_asked"), trace.question),
            (words("trace_searched"), searched),
            (words("language"), trace.language),
            (words("trace_collection"), trace.collection),
        ]
    )


def _faq(trace: Trace, words: Words) -> str:
    if trace.faq_question is None:
        return f'<p class="none">{escape(words("faq_none"))}</p>'
    facts = [(words("faq_nearest"), trace.faq_question)]
    if trace.faq_exact:
        facts.append((words("faq_confidence"), words("faq_exact")))
    elif trace.faq_confidence is not None:
        facts.append((words("faq_confidence"), _of_needed(trace, words)))
    return _facts(facts)


def _of_needed(trace: Trace, words: Words) -> str:
    reached = _percent(trace.faq_confidence or 0.0)
    if trace.faq_threshold is None:
        return reached
    return words("of_needed", reached=reached, needed=_percent(trace.faq_threshold))


def _hits(trace: Trace, words: Words) -> str:
    if not trace.hits:
        return f'<p class="none">{escape(words("hits_none"))}</p>'
    needed = words("hits_needed", needed=_percent(trace.threshold))
    columns = ("hit_passage", "hit_relevance", "hit_dense", "hit_lexical")
    head = "".join(f'<th scope="col">{escape(words(column))}</th>' for column in columns)
    rows = "".join(_hit(hit, words) for hit in trace.hits)
    return (
        f'<p class="note">{escape(needed)}</p><div class="scroller" tabindex="0" role="region" '
        f'aria-label="{escape(words("trace_hits", count=len(trace.hits)))}"><table class="hits">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _hit(hit: TracedHit, words: Words) -> str:
    known = _OUTCOMES.get(hit.dropped)
    outcome = words(known) if known else str(hit.dropped)
    place = [*hit.heading, *([words("page", page=hit.page)] if hit.page is not None else [])]
    where = f'<p class="where">{escape(" › ".join(place))}</p>' if place else ""
    used = "used" if hit.dropped is None else "dropped"
    return (
        f'<tr class="{used}"><td><details><summary>{escape(hit.title)}'
        f'<span class="outcome">{escape(outcome)}</span></summary>'
        f'{where}<div class="passage">{passage_html(hit.text)}</div></details></td>'
        f"<td>{_percent(hit.relevance)}</td><td>{_score(hit.dense)}</td>"
        f"<td>{_score(hit.lexical)}</td></tr>"
    )


def _prompt(prompt: Sequence[ChatMessage], words: Words) -> str:
    if not prompt:
        return f'<p class="none">{escape(words("prompt_none"))}</p>'
    length = sum(len(message.content) for message in prompt)
    label = words("prompt_size", messages=len(prompt), characters=length)
    messages = "".join(
        f'<p class="role">{escape(words(_ROLES[message.role]))}</p>'
        f'<pre tabindex="0">{escape(message.content)}</pre>'
        for message in prompt
    )
    return f"<details><summary>{escape(label)}</summary>{messages}</details>"


def _timings(timings: Mapping[str, float], words: Words) -> str:
    return _facts(
        [
            (words(_STEPS[step]) if step in _STEPS else step, duration(took / 1000, words))
            for step, took in timings.items()
        ]
    )


def _versions(trace: Trace, words: Words) -> str:
    return _facts(
        [
            (words("version_model"), trace.model),
            (words("version_adapter"), trace.adapter or ""),
            (words("version_embedder"), trace.embedder),
            (words("version_index"), trace.index_version),
        ]
    )


def _percent(share: float) -> str:
    return f"{min(max(share, 0.0), 1.0):.0%}"


def _score(score: float | None) -> str:
    return "–" if score is None else f"{score:.2f}"
