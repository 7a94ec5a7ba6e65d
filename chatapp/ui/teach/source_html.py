"""Step 1, first half: the file, what it was taken for, and its first examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from html import escape
from typing import Final, get_args

from chatapp.training_records import DataMapping, Dataset, Format, Guess, Preview
from chatapp.ui.staff.figures import counted, day, size
from chatapp.ui.staff.icons import sign
from chatapp.ui.teach.anew import anew
from chatapp.ui.teach.rooms import Role
from chatapp.ui.teach.texts import TeachWords

_RECENT: Final = 6
_LONGEST: Final = 4000
"""Characters of one example that are drawn; a whole handbook would bury the page."""

_SHAPES: Final = (
    ("shape_labels", ("text", "label"), ("Where is my parcel?", "delivery")),
    ("shape_answers", ("question", "answer"), ("Do you rent tents?", "Yes, for 10 euros a day.")),
)


def nothing_html(
    recent: Sequence[Dataset], corrections: int, words: TeachWords, zone: tzinfo
) -> str:
    """Before a file is chosen: what else could be learned from, and what a file looks like."""
    rows = "".join(_recent(one, words, zone) for one in recent[:_RECENT])
    listed = (
        f'<h3>{escape(words("recent_files"))}</h3><ul class="recent">{rows}</ul>' if rows else ""
    )
    return (
        f'<div class="source" data-done="no" data-summary="">{_corrections(corrections, words)}'
        f'{listed}<details class="shapes" data-keep="shapes"><summary>'
        f"{escape(words('what_file'))}</summary>"
        f'<div class="shape-list">{"".join(_shape(*one, words) for one in _SHAPES)}</div>'
        f"<p>{escape(words('other_shapes'))}</p></details></div>"
    )


def _corrections(count: int, words: TeachWords) -> str:
    if not count:
        return (
            f'<p class="corrections none">{escape(words("no_corrections"))} '
            f'<a href="/review/">{escape(words("to_review"))}</a></p>'
        )
    return (
        f'<p class="corrections">{sign("like")}<span>'
        f"{escape(counted(words, 'corrections_wait', count))}</span>"
        '<button type="button" class="plain" data-do="corrections">'
        f"{escape(words('use_corrections'))}</button></p>"
    )


def _recent(dataset: Dataset, words: TeachWords, zone: tzinfo) -> str:
    facts = [counted(words, "rows", dataset.rows), day(dataset.created_at, words, zone)]
    label = escape(words("remove_file", name=dataset.name))
    return (
        f'<li data-id="{escape(dataset.id)}"><button type="button" class="open" '
        f'data-do="open-data">{sign("file")}<span>{escape(dataset.name)}</span>'
        f'<span class="sub">{escape(" · ".join(facts))}</span></button>'
        f'<button type="button" class="quiet" data-do="remove-data" aria-label="{label}" '
        f'title="{label}">{sign("trash")}</button></li>'
    )


def _shape(key: str, columns: Sequence[str], row: Sequence[str], words: TeachWords) -> str:
    heads = "".join(f'<th scope="col">{escape(one)}</th>' for one in columns)
    cells = "".join(f"<td>{escape(one)}</td>" for one in row)
    return (
        f"<div><p>{escape(words(key))}</p><table><thead><tr>{heads}</tr></thead>"
        f"<tbody><tr>{cells}</tr></tbody></table></div>"
    )


def source_html(
    dataset: Dataset,
    previews: Sequence[Preview],
    roles: Callable[[Format], Sequence[Role]],
    words: TeachWords,
    problem: str = "",
    *,
    sorting: bool = False,
) -> str:
    """A chosen file.

    Args:
        sorting: whether its texts are to be sorted, and not answered.
        problem: why its examples cannot be shown, in a plain sentence.
    """
    facts = [counted(words, "rows", dataset.rows), size(dataset.bytes)]
    label = escape(words("remove_file", name=dataset.name))
    return (
        f'<div class="source" data-dataset="{escape(dataset.id)}">'
        f'<div class="file">{sign("file")}<strong>{escape(dataset.name)}</strong>'
        f'<span class="sub">{escape(" · ".join(facts))}</span><span class="acts">'
        f'<button type="button" class="plain" data-do="new">{escape(words("other_file"))}</button>'
        f'<button type="button" class="quiet" data-do="remove-data" data-id="{escape(dataset.id)}" '
        f'aria-label="{label}" title="{label}">{sign("trash")}</button></span></div>'
        f"{anew(_format(dataset, roles, words))}"
        f"{_examples(previews, problem, words, sorting=sorting)}</div>"
    )


def _format(dataset: Dataset, roles: Callable[[Format], Sequence[Role]], words: TeachWords) -> str:
    chosen = dataset.mapping.format
    guesses = {guess.mapping.format: guess for guess in reversed(dataset.guesses)}
    likeliest = [guess.mapping.format for guess in dataset.guesses]
    options = "".join(
        _option(one, _named(one, guesses.get(one), words), one == chosen)
        for one in dict.fromkeys((*likeliest, *get_args(Format)))
    )
    guess = guesses.get(chosen)
    told = escape(words.guess(guess) if guess else words("by_hand"))
    sure = (
        f'<span class="sure" data-sure="{"yes" if guess.confidence >= 0.8 else "no"}">'
        f"{escape(words('sure', share=f'{guess.confidence:.0%}'))}</span>"
        if guess
        else ""
    )
    return (
        f'<form class="mapping" data-form="mapping"><label><span>{escape(words("file_is"))}</span>'
        f'<select name="format" aria-label="{escape(words("file_is"))}">{options}</select></label>'
        f"{_columns(dataset.mapping, roles(chosen), dataset.columns, words)}"
        f'<p class="reason">{sure}<span>{told}</span></p></form>'
    )


def _named(kind: Format, guess: Guess | None, words: TeachWords) -> str:
    name = words(f"format_{kind}")
    return f"{name} · {guess.confidence:.0%}" if guess else name


def _columns(
    mapping: DataMapping, roles: Sequence[Role], columns: Sequence[str], words: TeachWords
) -> str:
    fields = []
    for role in roles:
        chosen = mapping.columns.get(role.name, "")
        none = "" if role.required else _option("", words("no_column"), not chosen)
        if role.required and not chosen:
            none = _option("", words("choose_column"), True)
        options = none + "".join(_option(one, one, one == chosen) for one in columns)
        fields.append(
            f"<label><span>{escape(words.role(role.name))}</span>"
            f'<select data-role="{escape(role.name)}" aria-label="{escape(words.role(role.name))}">'
            f"{options}</select></label>"
        )
    return "".join(fields)


def _option(value: str, shown: str, chosen: bool) -> str:
    mark = " selected" if chosen else ""
    return f'<option value="{escape(value)}"{mark}>{escape(shown)}</option>'


def _examples(
    previews: Sequence[Preview], problem: str, words: TeachWords, *, sorting: bool
) -> str:
    if problem:
        return (
            f'<p class="told wrong" role="alert">{sign("alert")}<span>{escape(problem)}</span></p>'
        )
    if not previews:
        return ""
    shown = "".join(_example(one, words, sorting=sorting) for one in previews)
    return (
        f'<section class="examples"><h3>{escape(words("as_seen"))}</h3>'
        f'<p class="lead">{words.marked("as_sorted_help" if sorting else "as_seen_help")}</p>'
        f"<ol>{shown}</ol></section>"
    )


def _example(preview: Preview, words: TeachWords, *, sorting: bool) -> str:
    parts, left = [], _LONGEST
    for piece in preview.pieces:
        text = piece.text[:left]
        left -= len(text)
        between = "\n→ " if sorting and piece.trained else ""
        parts.append(f"{between}<mark>{escape(text)}</mark>" if piece.trained else escape(text))
        if left <= 0:
            parts.append("…")
            break
    key = "tokens_read" if sorting else "tokens_of"
    told = escape(words(key, trained=preview.trained_tokens, n=preview.tokens))
    none = "" if preview.trained_tokens else ' class="untrained"'
    return f'<li{none}><pre tabindex="0">{"".join(parts)}</pre><p class="sub">{told}</p></li>'
