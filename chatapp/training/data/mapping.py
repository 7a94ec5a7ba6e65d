"""The rows of a table into examples, by what each column is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chatapp.records import ChatMessage, Role
from chatapp.training.data.formats import NAMES, ROLES
from chatapp.training.data.limits import LONGEST_CELL, refusal, shortened
from chatapp.training.data.places import Collected, be, rows
from chatapp.training.data.table import Row, Table
from chatapp.training.data.turns import NoText, NoTurns, clean, parsed, turns_of
from chatapp.training_records import DataMapping, Example, Finding, Format


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a table holds.

    Attributes:
        examples: one a row, empty texts and all: what is wrong with them is for the doctor.
        findings: about the file, and about rows that cannot be an example at all.
        unread: how many rows those are.
    """

    examples: tuple[Example, ...]
    findings: tuple[Finding, ...]
    unread: int


Cells = Mapping[str, object]
"""The cells of a row by their role."""


def to_examples(table: Table, mapping: DataMapping) -> Mapped:
    """Make an example of every row.

    Raises:
        DatasetError: the mapping names a column that is not there, or leaves out one that is
            needed.
    """
    _check(table, mapping)
    make = _MAKERS[mapping.format]
    examples: list[Example] = []
    collected = Collected()
    for row in table.rows():
        cells = {role: row.cells.get(column) for role, column in mapping.columns.items()}
        try:
            _check_sizes(cells)
            example = make(cells)
        except NoTurns as problem:
            wrong = isinstance(problem, NoText)
            role = next(iter(ROLES[mapping.format])).name
            collected.add(
                "not_text" if wrong else "no_conversation",
                "error",
                _not_text if wrong else _no_conversation,
                file=table.name,
                row=row.number,
                column="" if wrong else mapping.columns.get(role, ""),
                value=problem,
            )
            continue
        examples.append(_placed(example, table, row))
    findings = [*table.findings, *collected.findings()]
    if mapping.format == "preference":
        findings.append(_learns_chosen(table.name, len(examples)))
    return Mapped(tuple(examples), tuple(findings), table.unread + collected.count("error"))


def _check(table: Table, mapping: DataMapping) -> None:
    known = {role.name: role for role in ROLES[mapping.format]}
    listed = ", ".join(shortened(column, 40) for column in table.columns[:20])
    for chosen, column in mapping.columns.items():
        if chosen not in known:
            raise refusal(
                table.name,
                f": {NAMES[mapping.format]} has no role {chosen!r}. Its roles are "
                f"{', '.join(known)}.",
            )
        if column not in table.columns:
            raise refusal(
                table.name,
                f" has no column {shortened(column, 60)!r} for {chosen}. Its columns are {listed}.",
                column=column,
            )
    for role in known.values():
        if role.required and role.name not in mapping.columns:
            raise refusal(
                table.name,
                f" is to be read as {NAMES[mapping.format]}, but no column is chosen for "
                f"{role.name}. Its columns are {listed}.",
            )


def _check_sizes(cells: Cells) -> None:
    for cell in cells.values():
        if isinstance(cell, str) and len(cell) > LONGEST_CELL:
            raise NoText(f"is longer than {LONGEST_CELL // 1024**2} million characters")


def _placed(example: Example, table: Table, row: Row) -> Example:
    """With its place; ``origin`` is a column of files that corrections were saved in."""
    corrected = row.cells.get("origin") == "correction"
    return Example(
        messages=example.messages,
        text=example.text,
        label=example.label,
        file=table.name,
        row=row.number,
        origin="correction" if corrected else "file",
    )


def _messages(cells: Cells) -> Example:
    turns = turns_of(cells.get("messages", cells.get("conversations")))
    return Example(messages=_below_system(cells, turns))


def _answered(question: str, answer: str) -> Callable[[Cells], Example]:
    """Makes a question and its answer of two columns; either may hold turns."""

    def make(cells: Cells) -> Example:
        asked = _turns_or_text(cells.get(question), "user")
        said = _turns_or_text(cells.get(answer), "assistant")
        if (context := clean(cells.get("context"))) and len(asked) == 1:
            asked = (ChatMessage("user", f"{context}\n\n{asked[0].content}"),)
        return Example(messages=_below_system(cells, (*asked, *said)))

    return make


def _turns_or_text(cell: object, role: Role) -> tuple[ChatMessage, ...]:
    value = parsed(cell)
    if isinstance(value, list) and value and isinstance(value[0], dict) and "text" not in value[0]:
        return turns_of(value)
    return (ChatMessage(role, clean(_first_text(cell))),)


def _first_text(cell: object) -> object:
    """Of several answers, as question answering sets have them, the first counts."""
    if isinstance(cell, dict) and "text" in cell:
        return _first_text(cell["text"])
    if isinstance(cell, list) and cell:
        return _first_text(cell[0])
    return cell


def _alpaca(cells: Cells) -> Example:
    asked, given = clean(cells.get("instruction")), clean(cells.get("input"))
    question = f"{asked}\n\n{given}" if asked and given else asked or given
    turns = (ChatMessage("user", question), ChatMessage("assistant", clean(cells.get("output"))))
    return Example(messages=_below_system(cells, turns))


def _preference(cells: Cells) -> Example:
    """The chosen side; it may repeat the turns of the prompt."""
    chosen = _turns_or_text(cells.get("chosen"), "assistant")
    asked = _turns_or_text(cells.get("prompt"), "user") if cells.get("prompt") else ()
    if len(chosen) > 1 and all(turn in chosen for turn in asked):
        asked = ()
    return Example(messages=_below_system(cells, (*asked, *chosen)))


def _labelled(cells: Cells) -> Example:
    label = parsed(cells.get("label"))
    if isinstance(label, list) and len(label) == 1:
        label = label[0]
    return Example(text=clean(cells.get("text")), label=clean(label))


def _plain(cells: Cells) -> Example:
    return Example(text=clean(cells.get("text")))


def _below_system(cells: Cells, turns: tuple[ChatMessage, ...]) -> tuple[ChatMessage, ...]:
    system = clean(cells.get("system"))
    if not system or (turns and turns[0].role == "system"):
        return turns
    return (ChatMessage("system", system), *turns)


_MAKERS: Mapping[Format, Callable[[Cells], Example]] = {
    "messages": _messages,
    "sharegpt": _messages,
    "alpaca": _alpaca,
    "prompt_completion": _answered("prompt", "completion"),
    "question_answer": _answered("question", "answer"),
    "text_label": _labelled,
    "preference": _preference,
    "plain_text": _plain,
}


def _learns_chosen(name: str, count: int) -> Finding:
    return Finding(
        kind="preference",
        severity="note",
        sentence=f"{name} holds pairs of a better and a worse answer. The better one is learned "
        "like any other answer; the worse one is not used.",
        count=count,
    )


def _no_conversation(count: int) -> str:
    return (
        f"{rows(count)} {be(count)} left out, because the cell holds no conversation. It must be a "
        'list of turns such as [{"role": "user", "content": "…"}, {"role": "assistant", '
        '"content": "…"}].'
    )


def _not_text(count: int) -> str:
    return (
        f"{rows(count)} {be(count)} left out, because a cell holds a list, an object or far too "
        "much where a text is expected. Choose another column, or write one text into each cell."
    )
