"""The model card of an adapter: where it comes from and how good it is, in Hugging Face's form."""

from __future__ import annotations

import yaml

from chatapp.training_records import Adapter, ChatReport, ClassifyReport

_SETTINGS = (
    "method",
    "rank",
    "alpha",
    "dropout",
    "epochs",
    "learning_rate",
    "schedule",
    "batch_size",
    "gradient_accumulation",
    "seed",
)


def model_card(adapter: Adapter) -> str:
    """The text of ``README.md``."""
    front = yaml.safe_dump(_front_matter(adapter), sort_keys=False, allow_unicode=True)
    parts = [f"---\n{front}---\n\n# {adapter.name}", _summary(adapter)]
    match adapter.report:
        case ChatReport() as report:
            parts.append(_chat_figures(report))
        case ClassifyReport() as report:
            parts.append(_classify_figures(report))
        case None:
            parts.append("It was imported and never measured here.")
    parts.append(_lineage(adapter))
    if adapter.slot == "chat":
        parts.append(_use(adapter))
    return "\n\n".join(parts) + "\n"


def _front_matter(adapter: Adapter) -> dict[str, object]:
    chat = adapter.slot == "chat"
    front: dict[str, object] = {
        "base_model": adapter.base_model,
        "library_name": "peft" if chat else "chatapp",
        "pipeline_tag": "text-generation" if chat else "text-classification",
        "tags": [adapter.kind if chat else adapter.slot, "chatapp"],
    }
    if metrics := _metrics(adapter):
        task = {"type": front["pipeline_tag"]}
        dataset = {"name": "held-out test part", "type": "private"}
        result = {"task": task, "dataset": dataset, "metrics": metrics}
        front["model-index"] = [{"name": adapter.name, "results": [result]}]
    return front


def _metrics(adapter: Adapter) -> list[dict[str, object]]:
    match adapter.report:
        case ChatReport(adapter=scores):
            named = {"exact_match": scores.exact, "contained": scores.contained}
            named["rougeL"] = scores.rouge_l
        case ClassifyReport() as report:
            named = {"accuracy": report.accuracy, "f1": report.macro.f1}
        case _:
            return []
    return [{"type": name, "value": round(value, 4)} for name, value in named.items()]


def _summary(adapter: Adapter) -> str:
    what = (
        f"An adapter that changes how {adapter.base_model} answers."
        if adapter.slot == "chat"
        else f"A classifier that tells the {adapter.slot} of a message, on {adapter.base_model}."
    )
    return f"{what} {adapter.report.sentence}" if adapter.report else what


def _chat_figures(report: ChatReport) -> str:
    rows = [
        "| | right word for word | contains the right answer | ROUGE-L | perplexity |",
        "|---|---|---|---|---|",
    ]
    for scores in (report.base, report.few_shot, report.adapter):
        perplexity = "" if scores.perplexity is None else f"{scores.perplexity:.2f}"
        rows.append(
            f"| {scores.name} | {scores.exact:.1%} | {scores.contained:.1%} | "
            f"{scores.rouge_l:.3f} | {perplexity} |"
        )
    check = report.general
    rows.append(
        f"\nGeneral ability, on {check.questions} everyday questions: {check.before:.0%} before, "
        f"{check.after:.0%} after."
    )
    return _heading("How good it is", report.rows.get("test", 0)) + "\n".join(rows)


def _classify_figures(report: ClassifyReport) -> str:
    rows = ["| label | precision | recall | F1 | examples |", "|---|---|---|---|---|"]
    rows += [
        f"| {score.label or 'mean'} | {score.precision:.3f} | {score.recall:.3f} | "
        f"{score.f1:.3f} | {score.support} |"
        for score in (*report.per_label, report.macro)
    ]
    rows.append(
        f"\nAccuracy {report.accuracy:.1%}; a logistic regression on frozen embeddings reaches "
        f"{report.baseline.accuracy:.1%}. Calibration error {report.calibration_error:.3f}."
    )
    return _heading("How good it is", len(report.predictions)) + "\n".join(rows)


def _heading(title: str, rows: int) -> str:
    return f"## {title}\n\nMeasured on {rows:,} held-out examples.\n\n"


def _lineage(adapter: Adapter) -> str:
    settings = ", ".join(
        f"{name} {adapter.config[name]}" for name in _SETTINGS if name in adapter.config
    )
    facts = {
        "Base model": adapter.base_model,
        "SHA-256 of its weights": adapter.base_hash,
        "SHA-256 of the training data": adapter.data_hash,
        "Made": adapter.created_at.isoformat(timespec="seconds"),
        "Run": adapter.run_id or "",
        "Settings": settings,
    }
    lines = [f"- {name}: {value}" for name, value in facts.items() if value]
    return "## Where it comes from\n\n" + "\n".join(lines)


def _use(adapter: Adapter) -> str:
    return f"""## How to use it

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained({adapter.base_model!r})
model = PeftModel.from_pretrained(model, "path/to/this/folder")
```"""
