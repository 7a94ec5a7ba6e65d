"""The documents of a collection, and the files on their way in, as rows of one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from html import escape
from typing import Final
from urllib.parse import quote

from chatapp.knowledge_records import Document, IngestFile
from chatapp.ui.staff.figures import counted, day, lasting, size
from chatapp.ui.staff.icons import sign
from chatapp.ui.staff.pace import Pace
from chatapp.ui.staff.texts import StaffWords

_STEPS: Final = {"read", "split", "embed", "store"}
_KINDS: Final = {
    "pdf": "PDF",
    "docx": "Word",
    "pptx": "PowerPoint",
    "xlsx": "Excel",
    "csv": "CSV",
    "html": "HTML",
    "markdown": "Markdown",
    "json": "JSON",
}
_SOON: Final = 700
_LATER: Final = 2500
"""Milliseconds until the page asks again while files are on their way in."""
_MANY: Final = 300
"""Files from which on it asks less often."""
_MOST_FAILED: Final = 200
_MOST_QUEUED: Final = 20
"""Waiting files that are listed one by one."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What the table shows.

    Attributes:
        more: whether there are documents beyond those.
        search: what they were filtered by.
        files: what is queued, worked on, or ended since the list was last cleared.
        can_load_demo: whether the empty state offers the demo.
    """

    collection_id: str
    documents: Sequence[Document]
    more: bool
    search: str
    files: Sequence[IngestFile]
    can_load_demo: bool


def documents_html(listing: Listing, pace: Pace, words: StaffWords, zone: tzinfo) -> str:
    """Progress first, then what is stored."""
    unfinished = [file for file in listing.files if file.status in ("queued", "working")]
    failed = [file for file in listing.files if file.status == "failed"]
    wait = 0 if not unfinished else _SOON if len(listing.files) < _MANY else _LATER
    return (
        f'<div class="documents" data-collection="{escape(listing.collection_id)}" '
        f'data-again="{wait}">{_intake(listing.files, unfinished, pace, words)}'
        f"{_failures(failed, words)}{_table(listing, words, zone)}</div>"
    )


# ---- on their way in ---------------------------------------------------------------------------
def _intake(
    files: Sequence[IngestFile], unfinished: Sequence[IngestFile], pace: Pace, words: StaffWords
) -> str:
    if not unfinished:
        return _summary(files, words)
    known = len(files)
    facts = [words("files_done", done=known - len(unfinished), of=known)]
    passages = sum(file.passages for file in files)
    if passages:
        facts.append(counted(words, "passages", passages))
    working = [file for file in unfinished if file.status == "working"]
    waiting = [file for file in unfinished if file.status == "queued"]
    rows = "".join(_working(file, pace, words) for file in working)
    rows += "".join(_waiting(file, words) for file in waiting[:_MOST_QUEUED])
    if len(waiting) > _MOST_QUEUED:
        rest = words("more_waiting", n=len(waiting) - _MOST_QUEUED)
        rows += f'<li class="rest">{escape(rest)}</li>'
    return (
        '<section class="intake" aria-label="'
        f'{escape(words("taking_in"))}"><div class="intake-head"><strong>'
        f"{escape(words('taking_in'))}</strong><span>{escape(' · '.join(facts))}</span>"
        f'<button type="button" class="plain" data-do="stop">{escape(words("stop"))}</button></div>'
        f"<ul>{rows}</ul></section>"
    )


def _working(file: IngestFile, pace: Pace, words: StaffWords) -> str:
    done, total = (file.done, file.total) if file.total else (0, 0)
    step = words(f"step_{file.step}" if file.step in _STEPS else "step_read")
    facts = [step]
    if total > 1:
        unit = "of_pages" if file.step == "read" else "of_passages"
        facts.append(words(unit, done=done, of=total))
    rate = pace.rate(file)
    if rate is not None and total:
        if file.step == "embed":
            facts.append(words("rate", n=max(1, round(rate))))
        facts.append(lasting((total - done) / rate, words))
    share = done / total if total else None
    return (
        f'<li class="working">{sign("file")}<span class="name">{escape(file.name)}</span>'
        f'<span class="what">{escape(" · ".join(facts))}</span>{_bar(share, file.name)}</li>'
    )


def _waiting(file: IngestFile, words: StaffWords) -> str:
    return (
        f'<li class="waiting">{sign("file")}<span class="name">{escape(file.name)}</span>'
        f'<span class="what">{escape(words("waiting"))} · {escape(size(file.size))}</span></li>'
    )


def _bar(share: float | None, name: str) -> str:
    now = "" if share is None else f' aria-valuenow="{round(share * 100)}"'
    width = "" if share is None else f' style="width:{share * 100:.1f}%"'
    kind = "bar" if share is not None else "bar unknown"
    return (
        f'<span class="{kind}" role="progressbar" aria-label="{escape(name)}" aria-valuemin="0" '
        f'aria-valuemax="100"{now}><span{width}></span></span>'
    )


def _summary(files: Sequence[IngestFile], words: StaffWords) -> str:
    """How the last files ended, until the list is cleared."""
    told = []
    for status in ("done", "unchanged", "stopped"):
        count = sum(file.status == status for file in files)
        if count:
            told.append(counted(words, f"ended_{status}", count))
    if not told:
        return ""
    return (
        f'<div class="ended" role="status">{sign("check")}<span>{escape(" · ".join(told))}</span>'
        f"{_clear(words)}</div>"
    )


def _failures(failed: Sequence[IngestFile], words: StaffWords) -> str:
    if not failed:
        return ""
    rows = "".join(
        f"<li><strong>{escape(file.name)}</strong><span>{escape(file.reason or '')}</span></li>"
        for file in failed[:_MOST_FAILED]
    )
    if len(failed) > _MOST_FAILED:
        rows += f"<li>{escape(words('more_failed', n=len(failed) - _MOST_FAILED))}</li>"
    return (
        f'<section class="failures"><div class="failures-head">{sign("alert")}<strong>'
        f"{escape(counted(words, 'failed_files', len(failed)))}</strong>{_clear(words)}</div>"
        f"<ul>{rows}</ul></section>"
    )


def _clear(words: StaffWords) -> str:
    label = escape(words("clear"))
    return (
        f'<button type="button" class="quiet" data-do="clear" aria-label="{label}" '
        f'title="{label}">{sign("close")}</button>'
    )


# ---- what is stored ----------------------------------------------------------------------------
def _table(listing: Listing, words: StaffWords, zone: tzinfo) -> str:
    if not listing.documents:
        return _empty(listing, words)
    heads = "".join(
        f'<th scope="col" class="{kind}">{escape(words(key))}</th>'
        for kind, key in (
            ("what", "column_document"),
            ("status", "column_status"),
            ("number", "column_passages"),
            ("used", "column_used"),
        )
    )
    rows = "".join(_row(document, words, zone) for document in listing.documents)
    more = (
        f'<button type="button" class="plain more" data-do="more">{escape(words("more"))}</button>'
        if listing.more
        else ""
    )
    every = escape(words("select_all"))
    return (
        f'<div class="chosen" hidden><span class="chosen-count"></span>'
        f'<button type="button" class="plain danger" data-do="delete-chosen">{sign("trash")}'
        f"{escape(words('delete_chosen'))}</button></div>"
        '<table class="rows"><thead><tr><th class="check"><input type="checkbox" data-do-all '
        f'aria-label="{every}"></th>{heads}<th class="acts"></th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{more}"
    )


def _row(document: Document, words: StaffWords, zone: tzinfo) -> str:
    title = document.title or document.name
    facts = [document.name] if document.name != title else []
    kind = _KINDS.get(document.kind) or words(
        f"kind_{document.kind}" if document.kind in ("email", "text", "row") else "kind_other"
    )
    facts += [kind, size(document.size)]
    if document.pages:
        facts.append(counted(words, "pages_count", document.pages))
    if document.language:
        facts.append(document.language)
    tags = "".join(f'<span class="tag">{escape(tag)}</span>' for tag in document.tags)
    last = document.last_used_at
    used = day(last, words, zone) if last else words("never_used")
    label = escape(words("delete_document", title=title))
    return (
        f'<tr data-id="{escape(document.id)}"><td class="check"><input type="checkbox" '
        f'aria-label="{escape(title)}"></td>'
        f'<td class="what"><a href="/documents/{quote(document.id, safe="")}" target="_blank" '
        f'rel="noopener">{escape(title)}</a><span class="sub">{escape(" · ".join(facts))} {tags}'
        f'</span></td><td class="status">{escape(words("ready"))}</td>'
        f'<td class="number"><span class="wide">{document.passages:,}</span><span class="narrow">'
        f"{escape(counted(words, 'passages', document.passages))}</span></td>"
        f'<td class="used"><span class="narrow">{escape(words("column_used"))}: </span>'
        f'{escape(used)}</td><td class="acts"><button type="button" class="quiet" '
        f'data-do="delete-document" aria-label="{label}" title="{label}">{sign("trash")}</button>'
        "</td></tr>"
    )


def _empty(listing: Listing, words: StaffWords) -> str:
    if listing.search:
        return f'<p class="none">{escape(words("nothing_found", search=listing.search))}</p>'
    if any(file.status in ("queued", "working") for file in listing.files):
        return ""
    demo = (
        f'<p class="or">{escape(words("demo_offer"))}</p><button type="button" class="plain" '
        f'data-do="demo">{escape(words("load_demo"))}</button>'
        if listing.can_load_demo
        else ""
    )
    return (
        f'<div class="nothing"><h2>{escape(words("no_documents"))}</h2>'
        f"<p>{escape(words('no_documents_help'))}</p>{demo}</div>"
    )
