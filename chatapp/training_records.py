"""The nouns of teaching: labelled examples, what is wrong with them, runs, reports, adapters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from chatapp.records import ChatMessage

Task = Literal["chat", "classify"]
"""``chat``: learn to answer. ``classify``: sort a text into labels."""

Purpose = Literal["intent", "topic", "sentiment"]
"""What a classifier tells about a message; one classifier is live for each."""

Slot = Literal["chat", "intent", "topic", "sentiment"]
"""Where an adapter can be live: at most one in each."""

Format = Literal[
    "messages",
    "sharegpt",
    "alpaca",
    "prompt_completion",
    "question_answer",
    "text_label",
    "preference",
    "plain_text",
]
"""How a file of labelled data is laid out."""

Split = Literal["train", "validation", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One labelled example; the one record that files and corrections become.

    Attributes:
        messages: of a conversation, the last by the assistant; empty for the other kinds.
        text: what is to be sorted, or plain text to continue.
        label: of ``text``; None where there is none.
        file, row: where it came from; the row as a spreadsheet or an editor counts it, from 1.
        origin: a file, or a correction made in the chat.
    """

    messages: tuple[ChatMessage, ...] = ()
    text: str = ""
    label: str | None = None
    file: str = ""
    row: int = 0
    origin: Literal["file", "correction"] = "file"

    @property
    def question(self) -> str:
        """What is asked: the text, or the last turn by the user."""
        asked = [turn.content for turn in self.messages if turn.role == "user"]
        return asked[-1] if asked else self.text

    @property
    def answer(self) -> str:
        """What is to be learned: the label, or the last turn by the assistant."""
        if self.label is not None:
            return self.label
        said = [turn.content for turn in self.messages if turn.role == "assistant"]
        return said[-1] if said else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class DataMapping:
    """Which column holds what.

    Attributes:
        columns: the column's name by the role it plays, e.g. ``{"text": "utterance", "label":
            "category"}``. The roles of each format are in ``training.data``.
    """

    format: Format
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What a file may be. ``confidence`` is from 0 to 1; ``reason`` is a plain sentence."""

    mapping: DataMapping
    confidence: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands; ``row`` as in ``Example``, ``column`` empty where it is the row."""

    file: str
    row: int
    column: str = ""
    value: str = ""


FixKind = Literal["drop", "trim", "merge_label", "mask", "keep_first"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A way to mend a finding with one click.

    Attributes:
        id: stable: the same file and finding give the same id.
        label: what the button says, e.g. ``Drop 12 rows``.
        rows: how many it changes or sets aside.
        details: what it needs to know, e.g. ``{"from": "refnud", "to": "refund"}``.
    """

    id: str
    kind: FixKind
    label: str
    rows: int
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One kind of problem with a file.

    Attributes:
        kind: stable name, e.g. ``empty``, ``near_duplicate``, ``label_typo``.
        severity: an ``error`` keeps its rows out of training until it is mended; a ``warning``
            does not; a ``note`` is worth knowing.
        sentence: what is wrong and what to do.
        count: how many rows have it; ``places`` are the first hundred of them.
    """

    kind: str
    severity: Literal["error", "warning", "note"]
    sentence: str
    count: int
    places: tuple[Place, ...] = ()
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of a histogram: so many between ``low`` and ``high``, which is not in it."""

    low: int
    high: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What the data doctor says of a file, for one task.

    Attributes:
        ready: rows that can be learned from now.
        set_aside: rows that cannot, or were dropped.
        lengths: of the ready rows, in tokens of the base.
        labels: how many ready rows each label has, most first.
        languages: the share of each language among the ready rows, most first.
        advice: plain sentences on what to do with such a file, e.g. which base suits it.
    """

    task: Task
    ready: int
    set_aside: int
    findings: tuple[Finding, ...]
    lengths: tuple[Bar, ...]
    labels: Mapping[str, int]
    languages: Mapping[str, float]
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a rendered example; ``trained``: the model learns to write it."""

    text: str
    trained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One example exactly as the model will see it."""

    pieces: tuple[Piece, ...]
    tokens: int
    trained_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """An uploaded file of labelled data, and what was decided about it.

    Attributes:
        guesses: what it may be, likeliest first.
        mapping: what it is taken for: the first guess, or what a person chose.
        columns: the file's columns, in its order.
        rows: how many the file has.
        fixes: ids of the fixes that were applied, in their order.
    """

    id: str
    name: str
    created_at: datetime
    bytes: int
    rows: int
    columns: tuple[str, ...]
    guesses: tuple[Guess, ...]
    mapping: DataMapping
    fixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that a dry run proved, or did not."""

    name: str
    passed: bool
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run will take, from a timed few steps.

    Attributes:
        chat_meanwhile: what happens to the chat while it runs, in a plain sentence.
    """

    seconds: float
    memory_mb: float
    disk_mb: float
    steps: int
    chat_meanwhile: str
    checks: tuple[Check, ...]

    @property
    def fits(self) -> bool:
        """Whether nothing speaks against starting."""
        return all(check.passed for check in self.checks)


RunStatus = Literal[
    "queued",
    "starting",
    "running",
    "stopping",
    "done",
    "stopped",
    "discarded",
    "failed",
    "interrupted",
]
"""``interrupted``: its process is gone without a word; it can be resumed."""

UNFINISHED: tuple[RunStatus, ...] = ("queued", "starting", "running", "stopping")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """How far a run is, as its process last wrote it down.

    Attributes:
        phase: what it is doing, for a person, e.g. ``Training`` or ``Measuring on the test part``.
        step, steps: optimizer steps done and planned; 0 while unknown.
        seconds: how long it has been working, pauses left out.
        seconds_left: an estimate; None while there is none.
        notices: plain sentences about what happened, such as a halved batch; oldest first.
        reason: why it failed or was interrupted, and what to do; empty otherwise.
    """

    status: RunStatus
    phase: str = ""
    step: int = 0
    steps: int = 0
    epoch: float = 0.0
    seconds: float = 0.0
    seconds_left: float | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    notices: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPoint:
    """A line of ``metrics.jsonl``; what was not measured at this step is None.

    Attributes:
        seconds: since the run began, pauses left out.
        tokens_per_second: trained tokens, padding not counted.
        memory_mb: the process's resident set, or the GPU's allocated memory.
    """

    step: int
    epoch: float
    seconds: float
    loss: float | None = None
    eval_loss: float | None = None
    eval_accuracy: float | None = None
    learning_rate: float | None = None
    grad_norm: float | None = None
    tokens_per_second: float | None = None
    memory_mb: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleAnswer:
    """A line of ``samples.jsonl``: what the model says to a fixed question at an evaluation."""

    step: int
    question: str
    answer: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run, for whoever looks at it.

    Attributes:
        config: its settings by name, as ``RunConfig`` has them.
        dataset: the name of its file.
        dataset_id: of the uploaded file, while it is kept; empty where it never was one.
    """

    id: str
    name: str
    task: Task
    dataset: str
    created_at: datetime
    config: Mapping[str, object]
    state: RunState
    dataset_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelScore:
    """One row of a classification report; every figure but ``support`` from 0 to 1."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """One classifier on the test part.

    Attributes:
        name: what it is, for a person.
        seconds: how long its training took.
    """

    name: str
    accuracy: float
    macro_f1: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One example of the test part, and what the classifier said.

    ``confidence`` is the calibrated probability of ``predicted``, 0 to 1.
    """

    text: str
    label: str
    predicted: str
    confidence: float
    file: str = ""
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationBin:
    """Predictions of about the same confidence, and the share of them that is right."""

    confidence: float
    accuracy: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """How good the classifier is with a part of the training data."""

    share: float
    rows: int
    macro_f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyReport:
    """How good a classifier is on the test part.

    Attributes:
        sentence: did it help, with the number and what it was measured on.
        winner: what promotion offers, the better of the two.
        confusion: row: the true label, column: the predicted one, in the order of ``labels``.
        predictions: every example of the test part.
        curve: the macro F1 against the share of the training data.
    """

    sentence: str
    winner: Literal["adapter", "baseline"]
    labels: tuple[str, ...]
    rows: Mapping[str, int]
    accuracy: float
    per_label: tuple[LabelScore, ...]
    macro: LabelScore
    weighted: LabelScore
    confusion: tuple[tuple[int, ...], ...]
    predictions: tuple[Prediction, ...]
    calibration: tuple[CalibrationBin, ...]
    calibration_error: float
    curve: tuple[CurvePoint, ...]
    baseline: Scores
    fine_tuned: Scores | None
    task: Literal["classify"] = "classify"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerScores:
    """Answers of one model on the test part; all from 0 to 1, ``perplexity`` from 1 up.

    Attributes:
        exact: share of answers equal to the expected one, case and outer punctuation aside.
        contained: share of answers that contain the expected one, or are it.
        rouge_l: mean F1 of the longest common subsequence (Lin 2004, "ROUGE").
        loss: mean negative log-likelihood of the expected answers' tokens, in nats.
    """

    name: str
    exact: float
    contained: float
    rouge_l: float
    loss: float | None = None
    perplexity: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPair:
    """One question, answered before and after."""

    question: str
    expected: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralCheck:
    """A small fixed set about everyday matters, which a fine-tune must not unlearn.

    ``before`` and ``after`` are shares of right answers, 0 to 1.
    """

    questions: int
    before: float
    after: float
    allowed_drop: float

    @property
    def kept(self) -> bool:
        """Whether the adapter still knows what the base knew."""
        return self.after >= self.before - self.allowed_drop


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatReport:
    """How good a chat adapter is on the test part.

    Attributes:
        base: the base model as it is.
        few_shot: the base model with a few of the examples in its prompt; the baseline to beat.
        corrections: each correction that it was trained on, asked once more.
    """

    sentence: str
    rows: Mapping[str, int]
    base: AnswerScores
    few_shot: AnswerScores
    adapter: AnswerScores
    answers: tuple[AnswerPair, ...]
    general: GeneralCheck
    corrections: tuple[AnswerPair, ...] = ()
    task: Literal["chat"] = "chat"


Report = ClassifyReport | ChatReport

AdapterKind = Literal["lora", "prompt", "classifier"]
"""``lora``, ``prompt``: a PEFT folder for the chat model. ``classifier``: a folder of
``training.classify``, be it a fine-tune or the baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """Something that was learned, and where it comes from.

    Attributes:
        name: unique; how people and programs ask for it.
        slot: where it may go live.
        folder: absolute path of its files.
        run_id: the run that made it; None for an imported one.
        base_model, base_hash: what it changes; the hash is of the base's weights.
        data_hash: of the training part.
        test_hash: of the part that its report was measured on; two reports can be compared where
            it is the same. Empty for an imported one.
        config: the run's settings.
        report: as ``report.json`` holds it; None for an imported one.
        live: whether new answers use it now.
    """

    id: str
    name: str
    slot: Slot
    kind: AdapterKind
    folder: str
    base_model: str
    base_hash: str
    created_at: datetime
    run_id: str | None = None
    data_hash: str = ""
    test_hash: str = ""
    config: Mapping[str, object] = field(default_factory=dict)
    report: Report | None = None
    live: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """One change of what is live in a slot; ``adapter`` is None when the base came back.

    Attributes:
        adapter: its name.
        reason: what a person gave who overrode the gate; empty otherwise.
        rollback: whether it took the promotion before it back.
    """

    id: str
    slot: Slot
    adapter: str | None
    at: datetime
    reason: str = ""
    rollback: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLabel:
    """What a classifier says of a message.

    Attributes:
        confidence: the calibrated probability of ``label``, 0 to 1.
        adapter: the classifier's name.
    """

    purpose: Purpose
    label: str
    confidence: float
    adapter: str
