"""A school with behaviour: files of rows are really read, runs are real folders on disk.

What a trainer would do, a test does by hand: ``learn`` writes a run's figures, ``finish`` its
report, ``kill`` lets its process vanish.
"""

from __future__ import annotations

import csv
import io
import math
import shlex
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Literal

from chatapp.errors import DatasetError, InvalidRequest, NotFound, TrainingError
from chatapp.records import ChatMessage
from chatapp.training.config import Preset, RunConfig
from chatapp.training.run.folder import RunFolder
from chatapp.training_records import (
    Adapter,
    Bar,
    Check,
    DataMapping,
    Dataset,
    Diagnosis,
    Estimate,
    Example,
    Finding,
    Fix,
    Format,
    Guess,
    MetricPoint,
    Piece,
    Place,
    Preview,
    Promotion,
    Report,
    Run,
    RunState,
    SampleAnswer,
    Slot,
    Task,
)

ROLES: dict[Format, tuple[tuple[str, bool], ...]] = {
    "messages": (("messages", True),),
    "sharegpt": (("conversations", True),),
    "alpaca": (("instruction", True), ("input", False), ("output", True)),
    "prompt_completion": (("prompt", True), ("completion", True)),
    "question_answer": (("question", True), ("answer", True), ("system", False)),
    "text_label": (("text", True), ("label", True)),
    "preference": (("prompt", True), ("chosen", True), ("rejected", False)),
    "plain_text": (("text", True),),
}
_EPOCHS = {"quick": 1.0, "balanced": 3.0, "thorough": 8.0}
_START = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


@dataclass
class _File:
    dataset: Dataset
    rows: list[dict[str, str]]
    removed: bool = False
    labels: dict[int, str] = field(default_factory=dict)


class School:
    """Keeps files and runs, as ``ui.teach.rooms.Teaches`` says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, _File] = {}
        self._runs: dict[str, Run] = {}
        self._hidden: set[str] = set()
        self._locks: dict[str, ExitStack] = {}
        self._numbers = count(1)
        self.estimating = threading.Event()
        """Dry runs wait until this is set."""
        self.estimating.set()
        self.approved: list[tuple[str, str]] = []
        self.fails = ""
        """Why a dry run fails; empty where it does not."""

    # ---- files ----
    def add_dataset(self, name: str, path: Path) -> Dataset:
        return self.add_text(name, path.read_bytes().decode("utf-8", "replace"))

    def add_text(self, name: str, text: str) -> Dataset:
        if "\0" in text:
            raise DatasetError(f"{name} is not a table: it is a binary file. Save it as CSV.")
        rows = list(csv.DictReader(io.StringIO(text)))
        if not rows:
            raise DatasetError(f"{name} has no rows below its first line.")
        columns = tuple(rows[0])
        guesses = _guesses(columns, rows)
        dataset = Dataset(
            id=f"d{next(self._numbers)}",
            name=name,
            created_at=datetime.now(UTC),
            bytes=len(text.encode()),
            rows=len(rows),
            columns=columns,
            guesses=guesses,
            mapping=guesses[0].mapping,
        )
        self._files[dataset.id] = _File(dataset, rows)
        return dataset

    def add_corrections(self) -> Dataset:
        if not self.approved:
            raise DatasetError("There are no approved corrections yet. Approve some first.")
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerows([("question", "answer"), *self.approved])
        return self.add_text("Corrections.csv", out.getvalue())

    def datasets(self) -> Sequence[Dataset]:
        return [one.dataset for one in reversed(self._files.values()) if not one.removed]

    def dataset(self, dataset_id: str) -> Dataset:
        return self._file(dataset_id).dataset

    def remove_dataset(self, dataset_id: str) -> None:
        self._file(dataset_id).removed = True

    def restore_dataset(self, dataset_id: str) -> None:
        self._files[dataset_id].removed = False

    def set_mapping(self, dataset_id: str, mapping: DataMapping) -> Dataset:
        return self._change(dataset_id, mapping=mapping, fixes=())

    def fix(self, dataset_id: str, fix_id: str) -> Dataset:
        return self._change(dataset_id, fixes=(*self._file(dataset_id).dataset.fixes, fix_id))

    def unfix(self, dataset_id: str, fix_id: str) -> Dataset:
        kept = tuple(one for one in self._file(dataset_id).dataset.fixes if one != fix_id)
        return self._change(dataset_id, fixes=kept)

    def relabel(self, dataset_id: str, row: int, label: str) -> None:
        self._file(dataset_id).labels[row] = label

    def labels_of(self, dataset_id: str) -> dict[int, str]:
        """What was relabelled."""
        return self._file(dataset_id).labels

    def cleaned(self, dataset_id: str) -> Path:
        path = self._folder / f"{dataset_id}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("question", "answer"))
            writer.writerows((one.question, one.answer) for one in self._examples(dataset_id))
        return path

    def _file(self, dataset_id: str) -> _File:
        found = self._files.get(dataset_id)
        if found is None or found.removed:
            raise NotFound("This file is not here any more. Upload it again.")
        return found

    def _change(self, dataset_id: str, **changes: object) -> Dataset:
        file = self._file(dataset_id)
        file.dataset = replace(file.dataset, **changes)  # type: ignore[arg-type]
        return file.dataset

    # ---- the doctor ----
    def _examples(self, dataset_id: str) -> list[Example]:
        file = self._file(dataset_id)
        columns, kind = file.dataset.mapping.columns, file.dataset.mapping.format
        found: list[Example] = []
        seen: set[str] = set()
        for row, cells in enumerate(file.rows, 2):
            one = _example(kind, columns, cells, file.dataset.name, row)
            if not one.question.strip() or not one.answer.strip():
                continue
            if "drop-duplicates" in file.dataset.fixes and one.question in seen:
                continue
            seen.add(one.question)
            if one.label == "refnud" and "merge-refnud" in file.dataset.fixes:
                one = replace(one, label="refund")
            found.append(replace(one, label=file.labels.get(row, one.label)))
        return found

    def examine(self, dataset_id: str, task: Task, base: str = "auto") -> Diagnosis:
        file = self._file(dataset_id)
        examples = self._examples(dataset_id)
        if task == "classify" and all(one.label is None for one in examples):
            raise DatasetError(
                f"{file.dataset.name} has no column of labels. Choose one above, or teach answers."
            )
        findings = [*_empty(file), *_duplicates(examples), *_typos(examples)]
        sizes = [len(one.question.split()) * 2 + 6 for one in examples]
        labels = Counter(one.label for one in examples if one.label is not None)
        chinese = sum(any("一" <= sign <= "鿿" for sign in one.question) for one in examples)
        share = chinese / max(len(examples), 1)
        return Diagnosis(
            task=task,
            ready=len(examples),
            set_aside=len(file.rows) - len(examples),
            findings=tuple(findings),
            lengths=_histogram(sizes),
            labels=dict(labels.most_common()) if task == "classify" else {},
            languages={k: v for k, v in (("en", 1 - share), ("zh", share)) if v},
            advice=("MiniLM learns English files like this one fastest.",)
            if task == "classify"
            else (),
        )

    def preview(self, dataset_id: str, config: RunConfig, count: int = 5) -> Sequence[Preview]:
        shown = []
        for one in self._examples(dataset_id)[:count]:
            before, after = (
                (one.text, one.answer)
                if config.task == "classify"
                else (
                    f"<|im_start|>user\n{one.question}<|im_end|>\n<|im_start|>assistant\n",
                    f"{one.answer}<|im_end|>",
                )
            )
            pieces = (Piece(text=before, trained=False), Piece(text=after, trained=True))
            learned = len(after.split()) + 1
            shown.append(
                Preview(
                    pieces=pieces,
                    tokens=len(before.split()) + learned + 4,
                    trained_tokens=learned,
                )
            )
        return shown

    def augmented(self, dataset_id: str, count: int) -> Sequence[tuple[str, str]]:
        pairs = (
            (one.question, f"Please tell me: {one.question}") for one in self._examples(dataset_id)
        )
        return [pair for _, pair in zip(range(count), pairs, strict=False)]

    # ---- runs ----
    def recommend(self, dataset_id: str, task: Task, preset: Preset) -> RunConfig:
        stem = Path(self._file(dataset_id).dataset.name).stem.replace(" ", "-")
        return RunConfig(
            task=task, name=stem[:40] or "lesson", preset=preset, epochs=_EPOCHS[preset]
        )

    def estimate(self, dataset_id: str, config: RunConfig) -> Estimate:
        self.estimating.wait(20)
        if self.fails:
            raise TrainingError(self.fails)
        rows = self._file(dataset_id).dataset.rows
        return Estimate(
            seconds=rows * config.epochs * 0.12,
            memory_mb=840,
            disk_mb=96,
            steps=math.ceil(rows * config.epochs / config.batch_size),
            chat_meanwhile="It stays. Its first word may take up to three times as long.",
            checks=(
                Check(name="labels", passed=True, sentence="Every row has words to learn."),
                Check(
                    name="loss", passed=True, sentence="The loss falls: 4.34 to 4.02 in 8 steps."
                ),
                Check(name="save", passed=True, sentence="What was saved loads again."),
            ),
        )

    def launch(self, dataset_id: str, config: RunConfig) -> Run:
        dataset = self._file(dataset_id).dataset
        examples = self._examples(dataset_id)
        id_ = f"run-{next(self._numbers)}"
        folder = RunFolder(self._folder / "runs" / id_)
        folder.create(config, {"train": examples[2:], "validation": [], "test": examples[:2]})
        self._runs[id_] = Run(
            id=id_,
            name=config.name,
            task=config.task,
            dataset=dataset.name,
            dataset_id=dataset.id,
            created_at=_START + timedelta(minutes=len(self._runs)),
            config=config.model_dump(),
            state=RunState(status="queued"),
        )
        if not any(self.run(one).state.status in ("starting", "running") for one in self._locks):
            self._begin(id_)
        return self.run(id_)

    def _begin(self, run_id: str) -> None:
        stack = ExitStack()
        stack.enter_context(self.folder(run_id).held())
        self._locks[run_id] = stack
        self.folder(run_id).write_state(
            RunState(status="starting", phase="Loading the model", started_at=datetime.now(UTC))
        )

    def learn(self, run_id: str, step: int, steps: int = 100, *, notice: str = "") -> None:
        """Be at a step: write the figures up to it, and an answer at every tenth."""
        folder = self.folder(run_id)
        done = max((point.step for point in folder.metrics()), default=0)
        folder.add_metrics(_point(one, steps) for one in range(done + 1, step + 1))
        folder.add_samples(
            SampleAnswer(
                step=one,
                question="Can I return a tent?",
                answer=("Yes." if one < 40 else "Yes, within 30 days, unused."),
                expected="Yes, within 30 days, unused.",
            )
            for one in range(done + 1, step + 1)
            if one % 10 == 0
        )
        known = folder.written_state
        with folder.log.open("a") as log:
            log.write(f"step {step} of {steps}\n")
        folder.write_state(
            replace(
                known,
                status="running",
                phase="Training",
                step=step,
                steps=steps,
                epoch=step / steps * 3,
                seconds_left=(steps - step) * 2.4,
                notices=(*known.notices, notice) if notice else known.notices,
            )
        )

    def finish(self, run_id: str, report: Report, adapters: Wardrobe) -> Adapter:
        """Be done, with an adapter registered."""
        folder = self.folder(run_id)
        folder.write_report(report)
        self.end(run_id, "done")
        run = self.run(run_id)
        slot: Slot = "chat" if run.task == "chat" else folder.config.purpose
        return adapters.add(run, slot, report)

    def end(self, run_id: str, status: Literal["done", "stopped", "failed"], why: str = "") -> None:
        """Be over."""
        folder = self.folder(run_id)
        state = replace(folder.written_state, status=status, reason=why, ended_at=datetime.now(UTC))
        folder.write_state(state)
        self._locks.pop(run_id).close()

    def kill(self, run_id: str) -> None:
        """Its process is gone without a word."""
        self._locks.pop(run_id).close()

    def runs(self) -> Sequence[Run]:
        return [self.run(one) for one in reversed(self._runs) if one not in self._hidden]

    def run(self, run_id: str) -> Run:
        if run_id not in self._runs or run_id in self._hidden:
            raise NotFound("There is no such run. It may have been removed.")
        return replace(self._runs[run_id], state=self.folder(run_id).state)

    def folder(self, run_id: str) -> RunFolder:
        return RunFolder(self._folder / "runs" / run_id)

    def stop(self, run_id: str, what: Literal["keep", "discard"]) -> None:
        if what == "discard":
            self.discard(run_id)
            return
        folder = self.folder(run_id)
        folder.ask_to_stop(what)
        folder.write_state(replace(folder.written_state, status="stopping"))

    def resume(self, run_id: str) -> None:
        self._begin(run_id)

    def discard(self, run_id: str) -> None:
        self._hidden.add(run_id)

    def restore(self, run_id: str) -> None:
        self._hidden.discard(run_id)

    def reuse(self, run_id: str) -> RunConfig:
        return self.folder(run_id).config

    def command(self, config: RunConfig, file: str) -> str:
        name = self._file(file).dataset.name
        return shlex.join(
            [
                *("python", "-m", "chatapp", "train", name, "--task", config.task),
                *("--name", config.name, "--preset", config.preset),
                *("--set", f"epochs={config.epochs:g}"),
            ]
        )

    def close(self) -> None:
        """Let go of everything."""
        for stack in self._locks.values():
            stack.close()
        self._locks.clear()

    def forget(self) -> None:
        """Begin anew."""
        self.close()
        self._files.clear()
        self._runs.clear()
        self._hidden.clear()
        self.approved, self.fails = [], ""
        self.estimating.set()


def _point(step: int, steps: int) -> MetricPoint:
    done = step / steps
    measured = step % 10 == 0
    return MetricPoint(
        step=step,
        epoch=done * 3,
        seconds=step * 2.4,
        loss=0.4 + 3.6 * math.exp(-3 * done) + 0.12 * math.sin(step * 1.7),
        eval_loss=0.55 + 3.4 * math.exp(-2.6 * done) if measured else None,
        eval_accuracy=0.87 - 0.8 * math.exp(-4 * done) if measured else None,
        learning_rate=2e-4 * (1 - done),
        grad_norm=1.2 + 0.3 * math.sin(step),
        tokens_per_second=412 + 9 * math.sin(step / 3),
        memory_mb=838,
    )


def _guesses(columns: Sequence[str], rows: Sequence[dict[str, str]]) -> tuple[Guess, ...]:
    first, *rest = columns
    second = rest[0] if rest else first
    distinct = len({row[second] for row in rows})
    label = Guess(
        mapping=DataMapping(format="text_label", columns={"text": first, "label": second}),
        confidence=0.97,
        reason=f"“{second}” has only {distinct} different values in {len(rows):,} rows.",
    )
    asked = Guess(
        mapping=DataMapping(
            format="question_answer", columns={"question": first, "answer": second}
        ),
        confidence=0.94,
        reason=f"The columns are called “{first}” and “{second}”.",
    )
    plain = Guess(
        mapping=DataMapping(format="plain_text", columns={"text": first}),
        confidence=0.3,
        reason=f"“{first}” holds text.",
    )
    if "answer" in columns:
        return (asked, replace(label, confidence=0.2), plain)
    return (label, replace(asked, confidence=0.4), plain) if rest else (plain,)


def _example(kind: Format, columns: object, cells: dict[str, str], file: str, row: int) -> Example:
    assert hasattr(columns, "get")
    roles = [name for name, _ in ROLES[kind]]
    values = {role: cells.get(columns.get(role, ""), "") for role in roles}
    if kind == "text_label":
        return Example(text=values["text"], label=values["label"], file=file, row=row)
    if kind == "plain_text":
        return Example(text=values["text"], file=file, row=row)
    asked, said = roles[0], "output" if kind == "alpaca" else roles[1]
    turns = (
        ChatMessage(role="user", content=values[asked]),
        ChatMessage(role="assistant", content=values[said]),
    )
    return Example(messages=turns, file=file, row=row)


def _empty(file: _File) -> list[Finding]:
    columns = list(file.dataset.mapping.columns.values())
    places = [
        Place(file=file.dataset.name, row=row, column=column)
        for row, cells in enumerate(file.rows, 2)
        for column in columns
        if column and not cells.get(column, "").strip()
    ]
    if not places:
        return []
    told = f"{len(places)} rows are empty in one of their columns. Fill them in; they are left out."
    return [
        Finding(
            kind="empty", severity="error", sentence=told, count=len(places), places=tuple(places)
        )
    ]


def _duplicates(examples: Sequence[Example]) -> list[Finding]:
    seen: set[str] = set()
    twice = []
    for one in examples:
        if one.question in seen:
            twice.append(Place(file=one.file, row=one.row, column="", value=one.question))
        seen.add(one.question)
    if not twice:
        return []
    fix = Fix(
        id="drop-duplicates", kind="keep_first", label=f"Drop {len(twice)} rows", rows=len(twice)
    )
    told = f"{len(twice)} rows say what another says. Keep the first of each."
    return [
        Finding(
            kind="duplicate",
            severity="warning",
            sentence=told,
            count=len(twice),
            places=tuple(twice[:100]),
            fixes=(fix,),
        )
    ]


def _typos(examples: Sequence[Example]) -> list[Finding]:
    wrong = [one for one in examples if one.label == "refnud"]
    if not wrong:
        return []
    fix = Fix(
        id="merge-refnud",
        kind="merge_label",
        label="Change refnud to refund",
        rows=len(wrong),
        details={"from": "refnud", "to": "refund"},
    )
    places = tuple(
        Place(file=one.file, row=one.row, column="label", value="refnud") for one in wrong
    )
    told = "“refnud” looks like a typing error of “refund”."
    return [
        Finding(
            kind="label_typo",
            severity="warning",
            sentence=told,
            count=len(wrong),
            places=places,
            fixes=(fix,),
        )
    ]


def _histogram(sizes: Sequence[int]) -> tuple[Bar, ...]:
    if not sizes:
        return ()
    width = max(1, math.ceil((max(sizes) + 1) / 16))
    counts = Counter(size // width for size in sizes)
    return tuple(
        Bar(low=one * width, high=(one + 1) * width, count=counts.get(one, 0)) for one in range(16)
    )


class Wardrobe:
    """Adapters and what of them is live, as ``ui.teach.rooms.Registry`` says."""

    def __init__(self) -> None:
        self._adapters: dict[str, Adapter] = {}
        self._hidden: set[str] = set()
        self._history: dict[Slot, list[Promotion]] = {}
        self.shut: dict[str, str] = {}
        """Why an adapter may not go live, by its name."""

    def forget(self) -> None:
        """Begin anew."""
        self._adapters.clear()
        self._hidden.clear()
        self._history.clear()
        self.shut.clear()

    def add(self, run: Run, slot: Slot, report: Report | None) -> Adapter:
        """Register what a run made."""
        return self._keep(
            Adapter(
                id=f"a{len(self._adapters) + 1}",
                name=run.name,
                slot=slot,
                kind="lora" if slot == "chat" else "classifier",
                folder="/nowhere",
                base_model="SmolLM2-135M" if slot == "chat" else "all-MiniLM-L6-v2",
                base_hash="5af571cbf074",
                created_at=run.created_at,
                run_id=run.id,
                data_hash="9f2c11d0aa3e",
                config=run.config,
                report=report,
            )
        )

    def _keep(self, adapter: Adapter) -> Adapter:
        self._adapters[adapter.id] = adapter
        return adapter

    def list(self) -> Sequence[Adapter]:
        live = {entries[0].adapter for entries in self._history.values() if entries}
        return [
            replace(one, live=one.name in live)
            for one in reversed(self._adapters.values())
            if one.id not in self._hidden
        ]

    def get(self, name: str) -> Adapter:
        for one in self.list():
            if one.name == name:
                return one
        raise NotFound(f"There is no adapter {name!r}.")

    def problem(self, slot: Slot) -> str | None:
        return None

    def gate(self, name: str) -> tuple[bool, Sequence[str]]:
        if name in self.shut:
            return False, (self.shut[name],)
        return True, ("It beats the base: 68 % against 4 % on 30 questions.", "It forgot nothing.")

    async def promote(self, name: str, reason: str = "") -> Promotion:
        adapter = self.get(name)
        if name in self.shut and not reason:
            raise InvalidRequest(f"{self.shut[name]} To promote it all the same, give a reason.")
        return self._enter(adapter.slot, name, reason)

    async def rollback(self, slot: Slot) -> Promotion:
        entries = self._history.get(slot, [])
        if not entries:
            raise InvalidRequest("Nothing was live before.")
        before = entries[1].adapter if len(entries) > 1 else None
        return self._enter(slot, before, "")

    def _enter(self, slot: Slot, name: str | None, reason: str) -> Promotion:
        made = Promotion(id="p", slot=slot, adapter=name, at=datetime.now(UTC), reason=reason)
        self._history.setdefault(slot, []).insert(0, made)
        return made

    def history(self, slot: Slot) -> Sequence[Promotion]:
        return self._history.get(slot, [])

    def remove(self, name: str) -> Adapter:
        adapter = self.get(name)
        if adapter.live:
            raise InvalidRequest(f"{name} is live. Roll it back first.")
        self._hidden.add(adapter.id)
        return adapter

    def restore(self, id: str) -> Adapter:  # noqa: A002
        self._hidden.discard(id)
        return self._adapters[id]

    def export(self, name: str, what: str, path: Path) -> Path:
        path.write_bytes(f"{what} of {self.get(name).name}".encode())
        return path

    def import_(self, path: Path, name: str, slot: Slot) -> Adapter:
        if not path.read_bytes().startswith(b"PK"):
            raise InvalidRequest(f"{name} is not a zip file of a PEFT folder.")
        made = Adapter(
            id=f"a{len(self._adapters) + 1}",
            name=name,
            slot=slot,
            kind="lora",
            folder="/nowhere",
            base_model="SmolLM2-135M",
            base_hash="5af571cbf074",
            created_at=datetime.now(UTC),
        )
        return self._keep(made)
