"""Personas: one Markdown file each, front matter on top and the system prompt below.

    ---
    name: Tutor
    description: Explains step by step and checks that you follow.
    order: 30                    # place in the picker; files without one come last
    language: en                 # of the system prompt
    sampling: {temperature: 0.4, max_tokens: 400}
    collection: public           # the knowledge it answers from; without it, it answers by itself
    starters:
      - Explain photosynthesis in simple words.
    names: {zh: 学习导师}          # the same in other interface languages
    descriptions: {zh: …}
    translated_starters: {zh: [用简单的话解释光合作用。]}
    ---
    You are a patient tutor. …

Only ``name`` and the system prompt are required. The file's name without its ending is the id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

import yaml
from frontmatter.default_handlers import YAMLHandler

from chatapp.errors import InvalidRequest, PersonaError
from chatapp.records import Persona, Sampling

_Value = TypeVar("_Value")
_LARGEST = 64 * 1024
_KEYS = (
    "name",
    "description",
    "order",
    "language",
    "sampling",
    "collection",
    "starters",
    "names",
    "descriptions",
    "translated_starters",
)
_WHOLE = ("max_tokens", "top_k", "seed")
_NUMBERS = ("temperature", "top_p", "repetition_penalty")
_LAST = 1_000_000


def load_personas(folder: Path) -> tuple[dict[str, Persona], list[PersonaError]]:
    """Read every ``*.md`` file of a folder.

    Returns:
        The personas by id, in the order of their ``order`` and then their file names; and what
        is wrong with the files that were skipped, each naming the file and, where it can, the
        line.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if _is_persona(path))
    except OSError as error:
        reason = f"The folder {folder} with the personas cannot be read: {error.strerror}."
        return {}, [PersonaError(reason)]
    found: list[tuple[int, Persona]] = []
    problems: list[PersonaError] = []
    taken: dict[str, str] = {}
    for path in paths:
        try:
            order, persona = _load(path)
            _refuse_twin(path, persona, taken)
            found.append((order, persona))
        except PersonaError as problem:
            problems.append(problem)
    found.sort(key=lambda pair: (pair[0], pair[1].id))
    return {persona.id: persona for _, persona in found}, problems


def answered_from(personas: Mapping[str, Persona]) -> frozenset[str]:
    """The names of the collections that personas answer from: these are open to everybody."""
    return frozenset(one.collection for one in personas.values() if one.collection is not None)


def _is_persona(path: Path) -> bool:
    return path.suffix.lower() == ".md" and not path.name.startswith(".")


def _load(path: Path) -> tuple[int, Persona]:
    """A file's place in the picker and its persona."""
    text = _text(path)
    front, body = _split(path.name, text)
    fields = _Fields.parse(path.name, front, text[: text.index(front)].count("\n") + 1)
    fields.only(_KEYS)
    if not body.strip():
        _refuse(path.name, None, "the system prompt below the front matter is empty")
    persona = Persona(
        id=path.stem,
        name=fields.text("name", required=True),
        description=fields.text("description"),
        system_prompt=body.strip(),
        language=fields.text("language") or "en",
        sampling=_sampling(fields),
        # As the database names collections.
        collection=fields.text("collection").strip().lower() or None,
        starters=fields.texts("starters"),
        names=_by_language(fields, "names", _Fields.text),
        descriptions=_by_language(fields, "descriptions", _Fields.text),
        translated_starters=_by_language(fields, "translated_starters", _Fields.texts),
    )
    return fields.whole("order", _LAST) or 0, persona


def _text(path: Path) -> str:
    """A file's text, with plain line ends and no byte order mark."""
    try:
        content = path.read_bytes()
    except OSError as error:
        _refuse(path.name, None, f"it cannot be read ({error.strerror})")
    if len(content) > _LARGEST:
        _refuse(path.name, None, f"it is larger than {_LARGEST // 1024} KiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        _refuse(path.name, line, "this is not UTF-8; save the file in that encoding")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _split(file: str, text: str) -> tuple[str, str]:
    handler = YAMLHandler()
    if not handler.detect(text):
        _refuse(file, 1, "there is no front matter; the first line must be ---")
    try:
        front, body = handler.split(text)
    except ValueError:
        _refuse(file, 1, "the front matter has no end; close it with a line ---")
    return front, body


def _sampling(fields: _Fields) -> Sampling:
    nested = fields.nested("sampling")
    nested.only((*_WHOLE, *_NUMBERS, "stop"))
    default = Sampling()
    try:
        return Sampling(
            max_tokens=nested.whole("max_tokens", default.max_tokens) or 0,
            temperature=nested.number("temperature", default.temperature),
            top_p=nested.number("top_p", default.top_p),
            top_k=nested.whole("top_k", default.top_k) or 0,
            repetition_penalty=nested.number("repetition_penalty", default.repetition_penalty),
            seed=nested.whole("seed", default.seed),
            stop=nested.texts("stop"),
        )
    except InvalidRequest as error:
        nested.refuse(str(error.facts["field"]), error.sentence.rstrip("."))


def _by_language(
    fields: _Fields, key: str, read: Callable[[_Fields, str], _Value]
) -> dict[str, _Value]:
    nested = fields.nested(key)
    return {language: read(nested, language) for language in nested.keys}


def _refuse_twin(path: Path, persona: Persona, taken: dict[str, str]) -> None:
    """Names and files that differ only in case cannot be told apart by a person or by macOS."""
    keys = (f"file name {path.stem.casefold()}", f"name {persona.name.casefold()}")
    for key in keys:
        if key in taken:
            _refuse(path.name, None, f"{taken[key]} has the {key} already")
    taken.update(dict.fromkeys(keys, path.name))


def _refuse(file: str, line: int | None, problem: str) -> NoReturn:
    place = f"{file}, line {line}," if line else file
    facts: dict[str, str | int] = {"file": file} | ({"line": line} if line else {})
    raise PersonaError(f"The persona file {place} is skipped: {problem}.", **facts)


class _Fields:
    """One YAML mapping that knows the line of each key, and names it when a value is wrong."""

    def __init__(self, file: str, node: yaml.MappingNode | None, first_line: int) -> None:
        self._file = file
        self._first_line = first_line
        self._values: dict[str, yaml.Node] = {}
        self._lines: dict[str, int] = {}
        for key_node, value in node.value if node else ():
            key, line = str(key_node.value), key_node.start_mark.line + first_line
            if key in self._values:
                _refuse(file, line, f"{key} is given twice")
            self._values[key], self._lines[key] = value, line

    @classmethod
    def parse(cls, file: str, front: str, first_line: int) -> _Fields:
        """Read front matter that begins in this line of its file."""
        try:
            node = yaml.compose(front, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + first_line if error.problem_mark else None
            _refuse(file, line, f"this is not YAML ({error.problem})")
        except yaml.YAMLError as error:
            _refuse(file, None, f"the front matter is not YAML ({str(error).splitlines()[0]})")
        if node is not None and not isinstance(node, yaml.MappingNode):
            _refuse(file, first_line + 1, "the front matter must be lines of the form key: value")
        return cls(file, node, first_line)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self._values)

    def only(self, known: Sequence[str]) -> None:
        for key in self._values:
            if key not in known:
                self.refuse(key, f"{key} is unknown; known are {', '.join(known)}")

    def text(self, key: str, *, required: bool = False) -> str:
        value = self._value(key)
        if required and value is None:
            _refuse(self._file, self._lines.get(key), f"{key} is missing")
        if value is not None and (not isinstance(value, str) or not value.strip()):
            self.refuse(key, f"{key} must be text; put it in quotes if YAML reads it otherwise")
        return value.strip() if isinstance(value, str) else ""

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._value(key)
        listed = [] if value is None else value
        if not isinstance(listed, list) or not all(isinstance(v, str) and v for v in listed):
            self.refuse(key, f"{key} must be a list of texts")
        return tuple(str(item) for item in listed)

    def whole(self, key: str, default: int | None) -> int | None:
        value = self._value(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(key, f"{key} is {value!r}, but must be a whole number")
        return value

    def number(self, key: str, default: float) -> float:
        value = self._value(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(key, f"{key} is {value!r}, but must be a number")
        return float(value)

    def nested(self, key: str) -> _Fields:
        node = self._values.get(key)
        if node is not None and not isinstance(node, yaml.MappingNode):
            self.refuse(key, f"{key} must hold lines of the form key: value")
        return _Fields(self._file, node, self._first_line)

    def refuse(self, key: str, problem: str) -> NoReturn:
        _refuse(self._file, self._lines.get(key), problem)

    def _value(self, key: str) -> object:
        node = self._values.get(key)
        if node is None:
            return None
        try:
            return yaml.SafeLoader("").construct_document(node)
        except (yaml.YAMLError, ValueError):
            self.refuse(key, f"{key} cannot be read")
