"""The list of collections, and the head of the one that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from chatapp.knowledge_records import Collection
from chatapp.ui.staff.figures import counted
from chatapp.ui.staff.icons import sign
from chatapp.ui.staff.texts import StaffWords

TABS = ("documents", "faq", "try", "unanswered")


def collection_list(collections: Sequence[Collection], current: str, words: StaffWords) -> str:
    """Every collection with what it holds; ``current`` is the id of the one that is shown."""
    rows = "".join(_row(one, current, words) for one in collections)
    return f"<ul>{rows}</ul>" if rows else f'<p class="none">{escape(words("no_collections"))}</p>'


def _row(collection: Collection, current: str, words: StaffWords) -> str:
    here = ' aria-current="true"' if collection.id == current else ""
    name = escape(collection.name)
    held = words("held", documents=collection.documents, faq=collection.faq_entries)
    return (
        f'<li{here}><a class="open" data-do="open" data-id="{escape(collection.id)}" '
        f'href="?collection={name}"{here}><span>{name}</span>'
        f'<span class="count" title="{escape(held)}">{collection.documents:,}'
        f'<span class="sr-only"> {escape(words("documents_tab"))}</span></span></a></li>'
    )


def head(collection: Collection, words: StaffWords, *, answers: bool, unanswered: int) -> str:
    """Name, figures and tabs of a collection.

    Args:
        answers: whether the chat answers from it.
        unanswered: how many questions wait in it.
    """
    facts = [
        counted(words, "documents", collection.documents),
        counted(words, "passages", collection.passages),
        counted(words, "faq_entries", collection.faq_entries),
    ]
    used = words("answers_chat" if answers else "answers_nobody")
    counts = {
        "documents": collection.documents,
        "faq": collection.faq_entries,
        "try": None,
        "unanswered": unanswered,
    }
    tabs = "".join(_tab(name, counts[name], words) for name in TABS)
    name = escape(collection.name)
    return (
        f'<div class="title" data-id="{escape(collection.id)}" data-name="{name}">'
        f'<h1>{name}</h1><span class="use" data-used="{_yes(answers)}">{escape(used)}</span>'
        '<span class="acts">'
        f"{_act('rename-collection', 'edit', words('rename_collection', name=collection.name))}"
        f"{_act('remove-collection', 'trash', words('delete_collection', name=collection.name))}"
        f'</span></div><p class="facts">{escape(" · ".join(facts))}</p>'
        f'<div class="panel-tabs" role="tablist" aria-label="{name}">{tabs}</div>'
    )


def _yes(true: bool) -> str:
    return "yes" if true else "no"


def _tab(name: str, count: int | None, words: StaffWords) -> str:
    shown = f' <span class="count">{count:,}</span>' if count else ""
    return (
        f'<button type="button" role="tab" id="tab-{name}" data-tab="{name}" '
        f'aria-controls="panel-{name}">{escape(words(f"{name}_tab"))}{shown}</button>'
    )


def _act(do: str, icon: str, label: str) -> str:
    text = escape(label)
    return (
        f'<button type="button" class="quiet" data-do="{do}" aria-label="{text}" title="{text}">'
        f"{sign(icon)}</button>"
    )
