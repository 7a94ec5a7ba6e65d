"""``doctor``: what is wrong with a file of labelled data, and a mended copy of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from chatapp.commands.terminal import (
    AsJson,
    one_sentence_on_failure,
    read_settings,
    stderr,
    write_json,
)
from chatapp.engine.models.prepare import resolve, tokenizer_if_ready
from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.errors import DatasetError, InvalidRequest, ModelError
from chatapp.training import data
from chatapp.training_records import Diagnosis, Example, Finding, Guess, Task

_DIAGNOSIS = TypeAdapter(Diagnosis)
_GUESS = TypeAdapter(Guess)
_ALL = "all"
_JUDGED = frozenset({"near_duplicate", "rare_label", "mixed_languages"})
"""Not among all fixes: whether such rows are bad is for a person to say."""
_ROUNDS = 4
"""How often all fixes are looked for: mending one thing can uncover another."""
_SHOWN_PLACES = 3
_SHOWN_LABELS = 12
_WIDTH = 40
_SIGNS = {"error": "✗", "warning": "!", "note": "·"}

Advance = Callable[[float], None]


def doctor(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, metavar="FILE", help="The labelled data."),
    ],
    task: Annotated[
        Task | None, typer.Option(help="What it is for; by default what suits its layout.")
    ] = None,
    clean: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, metavar="OUT", help="Write the rows that are ready (.csv or .jsonl)."
        ),
    ] = None,
    fix: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Apply this fix first, or all that drop no sound row."),
    ] = None,
    max_length: Annotated[
        int, typer.Option(min=16, help="Longest example in tokens; more is cut off.")
    ] = 1024,
    as_json: AsJson = False,
) -> None:
    """Check every row of a file before anything is trained on it.

    The file itself is never changed.
    """
    with one_sentence_on_failure():
        with _bar() as advance:
            patient = _Patient.of(file, task, max_length)
            fixes = patient.treat(fix or [], advance)
        if as_json:
            write_json(_as_json(patient, fixes))
        else:
            _show(patient, fixes)
        if clean is not None:
            data.write_cleaned(patient.ready(), clean)
            stderr.print(f"Wrote {patient.diagnosis.ready:,} rows to {clean}.", soft_wrap=True)
        if not patient.diagnosis.ready:
            raise DatasetError(f"{file.name} has no row that can be learned from.")


@dataclass
class _Patient:
    """A file under examination.

    Attributes:
        exact: whether tokens were counted with the chat model's own tokenizer.
    """

    table: data.Table
    guesses: Sequence[Guess]
    mapped: data.Mapped
    task: Task
    max_length: int
    counting: ChatTokenizer | Callable[[str], int]
    examples: Sequence[Example]
    diagnosis: Diagnosis

    @classmethod
    def of(cls, file: Path, task: Task | None, max_length: int) -> _Patient:
        table = data.read_rows(file)
        guesses = data.guess(table)
        mapped = data.to_examples(table, guesses[0].mapping)
        suits: Task = "classify" if guesses[0].mapping.format == "text_label" else "chat"
        unexamined = Diagnosis(
            task=task or suits,
            ready=0,
            set_aside=0,
            findings=(),
            lengths=(),
            labels={},
            languages={},
        )
        return cls(
            table,
            guesses,
            mapped,
            task or suits,
            max_length,
            _counting(),
            mapped.examples,
            unexamined,
        )

    @property
    def exact(self) -> bool:
        return isinstance(self.counting, ChatTokenizer)

    def treat(self, wanted: Sequence[str], advance: Advance) -> list[str]:
        """Examine, with the wanted fixes applied; returns the ids of those."""
        done = [one for one in wanted if one != _ALL]
        self._apply(done)
        self._examine(advance)
        for _ in range(_ROUNDS if _ALL in wanted else 0):
            more = [one for one in _first_fixes(self.diagnosis.findings) if one not in done]
            if not more:
                break
            self._apply(more)
            done += more
            self._examine(advance)
        return done

    def ready(self) -> list[Example]:
        return data.ready_examples(self.examples, self.task, self.counting, self.max_length)

    def _apply(self, fixes: Sequence[str]) -> None:
        try:
            self.examples = data.apply_fixes(
                self.examples, fixes, self.task, self.counting, self.max_length
            )
        except InvalidRequest as error:
            raise typer.BadParameter(error.sentence, param_hint="--fix") from None

    def _examine(self, advance: Advance) -> None:
        self.diagnosis = data.examine(
            self.examples,
            self.mapped.findings,
            self.task,
            self.counting,
            self.max_length,
            mapping=self.guesses[0].mapping,
            unread=self.mapped.unread,
            progress=advance,
        )


def _counting() -> ChatTokenizer | Callable[[str], int]:
    """The chat model's tokenizer where it lies ready; nothing is downloaded for a check."""
    try:
        settings = read_settings()
        folder = tokenizer_if_ready(resolve(settings.model), settings.data)
        return ChatTokenizer.load(folder) if folder else data.estimated_tokens
    except ModelError:
        return data.estimated_tokens


def _first_fixes(findings: Sequence[Finding]) -> Iterator[str]:
    """Of each finding the fix that keeps most; of labels every merge."""
    for finding in findings:
        if finding.kind in _JUDGED:
            continue
        merges = [one for one in finding.fixes if one.kind == "merge_label"]
        yield from (one.id for one in merges or finding.fixes[:1])


def _as_json(patient: _Patient, fixes: Sequence[str]) -> dict[str, object]:
    return {
        "file": patient.table.name,
        "kind": patient.table.kind,
        "columns": list(patient.table.columns),
        "rows": patient.table.count + patient.table.unread,
        "guesses": [_GUESS.dump_python(one, mode="json") for one in patient.guesses],
        "fixes": list(fixes),
        "tokens": "exact" if patient.exact else "estimated",
        **_DIAGNOSIS.dump_python(patient.diagnosis, mode="json"),
    }


def _show(patient: _Patient, fixes: Sequence[str]) -> None:
    found, best = patient.diagnosis, patient.guesses[0]
    columns = ", ".join(f"{role}: {column}" for role, column in best.mapping.columns.items())
    typer.echo(
        f"{patient.table.name}: {patient.table.count:,} rows, {data.NAMES[best.mapping.format]} "
        f"({columns}; {best.confidence:.0%} sure). {best.reason}"
    )
    if fixes:
        typer.echo(f"Fixes applied: {' '.join(fixes)}")
    spoken = [(name, share) for name, share in found.languages.items() if share >= 0.005]
    languages = ", ".join(f"{name} {share:.0%}" for name, share in spoken)
    typer.echo(
        f"For {found.task}: {found.ready:,} rows ready, {found.set_aside:,} set aside"
        f"{f'; languages: {languages}' if languages else ''}."
    )
    for finding in found.findings:
        _show_finding(finding)
    _show_bars(
        [(label, count) for label, count in list(found.labels.items())[:_SHOWN_LABELS]],
        f"Labels ({len(found.labels):,})",
    )
    _show_bars(
        [(f"{bar.low:,}–{bar.high - 1:,}", bar.count) for bar in found.lengths],
        "Tokens" if patient.exact else "Tokens (estimated)",
    )
    for sentence in found.advice:
        typer.echo(f"→ {sentence}")


def _show_finding(finding: Finding) -> None:
    typer.echo(f"\n{_SIGNS[finding.severity]} {finding.kind}: {finding.sentence}")
    for place in finding.places[:_SHOWN_PLACES]:
        column = f", column {place.column}" if place.column else ""
        typer.echo(f"    row {place.row}{column}: {place.value}")
    for one in finding.fixes:
        typer.echo(f"    --fix {one.id}   ({one.label})")


def _show_bars(bars: Sequence[tuple[str, int]], title: str) -> None:
    if not bars:
        return
    most = max(count for _, count in bars) or 1
    wide = min(36, max(len(name) for name, _ in bars))
    typer.echo(f"\n{title}")
    for name, count in bars:
        typer.echo(f"    {name[:wide]:<{wide}} {'█' * round(_WIDTH * count / most)} {count:,}")


@contextmanager
def _bar() -> Iterator[Advance]:
    columns = (TextColumn("Checking"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    silent = not stderr.is_terminal
    with Progress(*columns, console=stderr, transient=True, disable=silent) as bars:
        task = bars.add_task("", total=1.0)
        yield lambda share: bars.update(task, completed=share)
