"""The panel beside the conversation, as HTML: what an answer leaned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final
from urllib.parse import quote

from chatapp.knowledge_records import Grounding, Source
from chatapp.ui.icons import icon
from chatapp.ui.passages import passage_html
from chatapp.ui.route_line import route_name, says_something
from chatapp.ui.texts import Words
from chatapp.ui.trace import trace_html

_PAGES: Final[Mapping[str, str]] = {"pptx": "slide", "xlsx": "worksheet"}


def sheet_key(grounding: Grounding | None) -> str:
    """Changes whenever the sheet does; empty where there is no sheet.

    The page's script compares it with the one it shows, and asks for the sheet again.
    """
    if grounding is None or not says_something(grounding):
        return ""
    cited = sum(source.cited for source in grounding.sources)
    # The trace may come twice: before the model is asked, and at the end.
    trace = grounding.trace
    traced = f"{len(trace.timings)}-{len(trace.prompt)}" if trace else ""
    return f"{grounding.route}-{len(grounding.sources)}-{cited}-{traced}"


def sheet_html(message_id: str, grounding: Grounding | None, words: Words) -> str:
    """Both views of one answer: its sources, and why it is as it is."""
    if grounding is None:
        sources = trace = f'<p class="none">{escape(words("no_grounding"))}</p>'
    else:
        sources, trace = _sources(grounding, words), trace_html(grounding.trace, words)
    return (
        f'<div class="sheet" data-id="{escape(message_id)}" data-key="{sheet_key(grounding)}">'
        '<section id="view-sources" role="tabpanel" aria-labelledby="tab-sources">'
        f"{sources}</section>"
        '<section id="view-trace" role="tabpanel" aria-labelledby="tab-trace">'
        f"{trace}</section></div>"
    )


def _sources(grounding: Grounding, words: Words) -> str:
    strong, weak = parted(grounding)
    route = escape(route_name(grounding.route, words))
    said = f'<p class="lead" data-route="{grounding.route}">{route}</p>'
    if not grounding.sources:
        return f'{said}<p class="none">{escape(words("no_sources"))}</p>'
    shown = "".join(_source(source, words) for source in strong)
    if not weak:
        return said + shown
    refused = grounding.route == "refused"
    label = words("closest" if refused else "weaker", count=len(weak))
    folded = "".join(_source(source, words) for source in weak)
    opened = "" if strong else " open"
    return (
        f'{said}{shown}<details class="weaker"{opened}><summary>{escape(label)}</summary>'
        f"{folded}</details>"
    )


def parted(grounding: Grounding) -> tuple[Sequence[Source], Sequence[Source]]:
    """The sources to show, cited ones first, and the weak ones to fold away.

    Weak is what is not cited and either below the threshold of its collection or less than half
    as relevant as the best.
    """
    best = max((source.relevance for source in grounding.sources), default=0.0)
    least = max(best / 2, grounding.trace.threshold if grounding.trace else 0.0)
    ordered = sorted(grounding.sources, key=lambda source: (not source.cited, source.number))
    strong = [source for source in ordered if source.cited or source.relevance >= least]
    weak = [source for source in ordered if not (source.cited or source.relevance >= least)]
    return strong, weak


def _source(source: Source, words: Words) -> str:
    number = source.number
    title = escape(source.title or source.document)
    cited = f'<span class="cited">{escape(words("cited"))}</span>' if source.cited else ""
    return (
        f'<article class="source" data-number="{number}" tabindex="-1" '
        f'aria-labelledby="source-title-{number}"><header>'
        f'<span class="number" aria-hidden="true">{number}</span>'
        f'<h3 id="source-title-{number}">{_titled(source, title, words)}</h3></header>'
        f'{_place(source, words)}<p class="facts">{relevance(source.relevance, words)}{cited}</p>'
        f'<div class="passage">{passage_html(source.text, source.spans)}</div></article>'
    )


def _titled(source: Source, title: str, words: Words) -> str:
    if source.passage_id is None:  # an FAQ entry has no document to open
        return title
    label = escape(words("open_document"))
    return (
        f'<a href="{escape(document_link(source))}" target="_blank" rel="noopener" '
        f'title="{label}">{title}{icon("open")}<span class="sr-only"> ({label})</span></a>'
    )


def document_link(source: Source) -> str:
    """Where the document can be read: at the passage, and at its page where it has pages.

    Relative to the page, which may be served below a path of some proxy.
    """
    at = f"documents/{quote(source.document_id, safe='')}?passage={source.passage_id}"
    return at if source.page is None else f"{at}#page={source.page}"


def _place(source: Source, words: Words) -> str:
    place = list(source.heading)
    if place[:1] == [source.title]:
        del place[0]  # it stands right above
    if source.passage_id is None:
        place = [words("faq_entry")]
    shown = " › ".join(escape(part) for part in place)
    unit = _PAGES.get(source.kind, "page")
    page = escape(words(unit, page=source.page)) if source.page is not None else ""
    where = " · ".join(part for part in (shown, page) if part)
    return f'<p class="where">{where}</p>' if where else ""


def relevance(share: float, words: Words) -> str:
    """A calibrated relevance as a quiet bar and in percent."""
    percent = round(min(max(share, 0.0), 1.0) * 100)
    return (
        f'<span class="relevance"><span class="bar" aria-hidden="true">'
        f'<span style="width:{percent}%"></span></span>'
        f"{escape(words('relevant', percent=percent))}</span>"
    )
