"""What to do with a file, in a few plain sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chatapp.training.classify.bases import recommend_base
from chatapp.training_records import Diagnosis

_FEW_ANSWERS, _MANY_ANSWERS = 50, 20_000
_FEW_PER_LABEL, _ENOUGH_PER_LABEL = 10, 50
_SECOND_LANGUAGE = 0.1
_LANGUAGES = {
    "ar": "Arabic",
    "zh": "Chinese",
    "nl": "Dutch",
    "en": "English",
    "fr": "French",
    "de": "German",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "es": "Spanish",
    "th": "Thai",
    "tr": "Turkish",
}


def advice_on(diagnosis: Diagnosis, max_length: int, lengths: Sequence[int]) -> tuple[str, ...]:
    """What a person who knows training would say."""
    if not diagnosis.ready:
        return ("No row can be learned from yet. Mend the errors first.",)
    said = _on_labels(diagnosis) if diagnosis.task == "classify" else _on_answers(diagnosis)
    return (*said, *_on_length(max_length, lengths), *_on_base(diagnosis))


def _on_answers(diagnosis: Diagnosis) -> Iterator[str]:
    if diagnosis.ready < _FEW_ANSWERS:
        yield (
            f"With {diagnosis.ready:,} rows it can pick up a tone, but hardly facts. Some "
            "hundred questions with their answers, several ways to ask each, teach much more."
        )
    elif diagnosis.ready > _MANY_ANSWERS:
        yield (
            f"{diagnosis.ready:,} rows take long. One epoch is enough to begin with, and on a "
            "CPU a sample of a few thousand rows shows whether it helps."
        )


def _on_labels(diagnosis: Diagnosis) -> Iterator[str]:
    per_label = diagnosis.ready / max(1, len(diagnosis.labels))
    if per_label < _FEW_PER_LABEL:
        yield (
            f"There are only {per_label:.0f} rows a label. Ten or more make a great difference; "
            "until then the instant baseline is likely to be as good as a fine-tune."
        )
    elif per_label < _ENOUGH_PER_LABEL:
        yield (
            f"{per_label:.0f} rows a label are enough to begin with. The report shows whether "
            "more would help."
        )


def _on_length(max_length: int, lengths: Sequence[int]) -> Iterator[str]:
    longest = max(lengths, default=0)
    if longest and longest * 4 < max_length:
        yield (
            f"The longest example has {longest:,} tokens, so a maximum length of "
            f"{max(16, -(-longest // 32) * 32):,} instead of {max_length:,} saves memory and loses "
            "nothing."
        )


def _on_base(diagnosis: Diagnosis) -> Iterator[str]:
    """Which base suits: for labels it is measured, for answers it is the chat's own model."""
    if diagnosis.task == "classify":
        yield recommend_base(diagnosis.languages, diagnosis.ready)[1]
        return
    known = [name for name, share in diagnosis.languages.items() if share >= _SECOND_LANGUAGE]
    if len(known) > 1:
        spoken = " and ".join(language_name(name) for name in known)
        yield f"The rows are in {spoken}, so the model that learns should speak all of them."
    elif known and known[0] != "en":
        spoken = language_name(known[0])
        yield f"The rows are in {spoken}, so the model that learns should speak it already."


def language_name(code: str) -> str:
    """The English name of a language by its code; the code itself where it has none here."""
    return _LANGUAGES.get(code, code)
