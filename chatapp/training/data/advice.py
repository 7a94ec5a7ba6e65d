"""What to do with a file, in a few plain sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chatapp.training_records import Diagnosis

_FEW_ANSWERS, _MANY_ANSWERS = 50, 20_000
_FEW_PER_LABEL, _ENOUGH_PER_LABEL = 10, 50
_SECOND_LANGUAGE = 0.1


def advice_on(diagnosis: Diagnosis, max_length: int, lengths: Sequence[int]) -> tuple[str, ...]:
    """What a person who knows training would say; which base suits is for the task to say."""
    if not diagnosis.ready:
        return ("No row can be learned from yet. Mend the errors first.",)
    said = _on_labels(diagnosis) if diagnosis.task == "classify" else _on_answers(diagnosis)
    return (*said, *_on_length(max_length, lengths), *_on_languages(diagnosis))


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


def _on_languages(diagnosis: Diagnosis) -> Iterator[str]:
    known = [name for name, share in diagnosis.languages.items() if share >= _SECOND_LANGUAGE]
    if len(known) > 1:
        yield f"Choose a multilingual base: the rows are in {' and '.join(known)}."
    elif known and known[0] != "en":
        yield f"Choose a base that knows the language of the rows ({known[0]})."
