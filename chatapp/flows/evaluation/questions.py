"""Questions whose answers are known: one JSON object a line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from chatapp.errors import DocumentError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, as a customer would ask it, and what is known of its answer.

    Attributes:
        line: where it stands in its file, from 1.
        answer: the approved answer of the FAQ entry that fits, or words the answer must contain.
        documents: names, base names or titles of documents that hold the answer.
        contains: words that the passage with the answer contains.
        in_scope: whether it should be answered at all; False for one that is to be refused.
    """

    question: str
    line: int = 0
    answer: str | None = None
    documents: tuple[str, ...] = ()
    contains: str | None = None
    in_scope: bool = True


def read_questions(path: Path) -> list[Question]:
    """Read a JSONL file with ``question`` and ``answer``, ``document`` (one or a list),
    ``contains`` and ``in_scope``, as far as they are known; other fields are left alone, and so are
    lines whose question is blank.

    Raises:
        DocumentError: what is wrong, with the line and the field.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DocumentError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise DocumentError(f"{path.name} is not UTF-8. Save it in that encoding.") from None
    lines = enumerate(text.split("\n"), 1)
    rows = [_Fields(path.name, at, line) for at, line in lines if line.strip()]
    # Published question sets have a few of these; they ask nothing, so nothing can be measured.
    for row in rows:
        if row.is_blank("question"):
            log.warning("%s, line %d: the question is blank and was left out.", path.name, row.line)
    questions = [_question(row) for row in rows if not row.is_blank("question")]
    if not questions:
        raise DocumentError(f"{path.name} holds no questions.")
    return questions


def _question(fields: _Fields) -> Question:
    question = fields.text("question")
    if question is None:
        fields.refuse("question is missing")
    answer, documents = fields.text("answer"), tuple(fields.texts("document"))
    in_scope = fields.flag("in_scope")
    known = answer is not None or bool(documents)
    if in_scope is None and not known:
        fields.refuse("give an answer or a document, or say that in_scope is false")
    if in_scope is False and known:
        fields.refuse("a question out of scope has no answer and no document")
    if in_scope and not known:
        fields.refuse("a question in scope needs an answer or a document")
    return Question(
        question=question,
        line=fields.line,
        answer=answer,
        documents=documents,
        contains=fields.text("contains"),
        in_scope=in_scope is not False,
    )


class _Fields:
    """One line, which names itself when a field is wrong."""

    def __init__(self, file: str, line: int, text: str) -> None:
        self._file = file
        self.line = line
        try:
            value: object = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            self.refuse(f"this is not JSON ({error})")
        if not isinstance(value, dict):
            self.refuse("this is not an object with question, answer or document, and in_scope")
        self._values: dict[str, object] = value

    def is_blank(self, name: str) -> bool:
        value = self._values.get(name)
        return isinstance(value, str) and not value.strip()

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self.refuse(f"{name} must be text")
        return value.strip()

    def texts(self, name: str) -> Iterator[str]:
        value = self._values.get(name)
        for one in value if isinstance(value, list) else [value] if value is not None else []:
            if not isinstance(one, str | int) or isinstance(one, bool) or not str(one).strip():
                self.refuse(f"{name} must be the name of a document, or a list of names")
            yield str(one).strip()

    def flag(self, name: str) -> bool | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            self.refuse(f"{name} must be true or false")
        return value

    def refuse(self, problem: str) -> NoReturn:
        raise DocumentError(
            f"{self._file}, line {self.line}: {problem}.", file=self._file, line=self.line
        )
