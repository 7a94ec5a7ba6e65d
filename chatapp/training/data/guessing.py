"""What a table may be: by the names of its columns, and by what stands in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chatapp.training.data.formats import ROLES
from chatapp.training.data.synonyms import is_exact, role_of
from chatapp.training.data.table import Table
from chatapp.training.data.turns import NoTurns, parsed, turns_of
from chatapp.training_records import DataMapping, Format, Guess

_MOST_LABELS = 200
_LONGEST_LABEL = 60
_LABEL_SHARE = 0.5
_TURNS_SHARE = 0.8
_QUESTION_SIGNS = ("?", "？", "吗", "呢", "么")


@dataclass(frozen=True, slots=True)
class _Column:
    """What is known of a column.

    Attributes:
        role: that its name speaks of.
        filled: share of rows with something in it.
        length: mean length of its texts.
        distinct: how many different values it has, and as a share of the filled cells.
        turns: share of its cells that hold a conversation; likewise ``from_value`` in ShareGPT's
            way, ``numbers``, and ``lists`` or objects.
        asking: share of its cells that end as questions do.
    """

    name: str
    role: str
    filled: float
    length: float
    distinct: int
    variety: float
    longest: int
    turns: float
    from_value: float
    numbers: float
    lists: float
    asking: float

    @property
    def is_text(self) -> bool:
        """Whether people wrote it."""
        return self.filled > 0 and max(self.numbers, self.turns, self.lists) < 0.5

    @property
    def is_label(self) -> bool:
        """Few short values that come again and again."""
        return (
            self.filled > 0.5
            and self.turns == self.lists == 0
            and self.distinct <= _MOST_LABELS
            and self.longest <= _LONGEST_LABEL
            and self.variety <= _LABEL_SHARE
        )


def guess(table: Table) -> list[Guess]:
    """What the table may be, likeliest first; at least one guess."""
    rows = table.sample
    columns = [_column(name, [row.cells.get(name) for row in rows]) for name in table.columns]
    found = [one for make in (_by_turns, _by_names, _by_content) for one in make(columns)]
    best: dict[Format, Guess] = {}
    for one in sorted(found, key=lambda guess: -guess.confidence):
        best.setdefault(one.mapping.format, one)
    return list(best.values())


def _column(name: str, cells: Sequence[object]) -> _Column:
    filled = [cell for cell in cells if cell is not None and str(cell).strip()]
    texts = [cell if isinstance(cell, str) else str(cell) for cell in filled]
    count = max(1, len(filled))
    turns = [_turns_kind(cell) for cell in filled]
    distinct = len({text.strip() for text in texts})
    return _Column(
        name=name,
        role=role_of(name),
        filled=len(filled) / max(1, len(cells)),
        length=sum(map(len, texts)) / count,
        distinct=distinct,
        variety=distinct / count,
        longest=max(map(len, texts), default=0),
        turns=sum(map(bool, turns)) / count,
        from_value=turns.count("sharegpt") / count,
        numbers=sum(_is_number(text) for text in texts) / count,
        lists=sum(isinstance(cell, list | dict) for cell in filled) / count,
        asking=sum(text.rstrip().endswith(_QUESTION_SIGNS) for text in texts) / count,
    )


def _turns_kind(cell: object) -> str:
    """``messages`` or ``sharegpt`` for a cell with a conversation in it."""
    value = parsed(cell)
    try:
        turns_of(value)
    except NoTurns:
        return ""
    return "sharegpt" if "'from'" in repr(value)[:2_000] else "messages"


def _is_number(text: str) -> bool:
    return text.strip().replace(".", "", 1).lstrip("-").isdigit()


def _by_turns(columns: Sequence[_Column]) -> Iterator[Guess]:
    """A column that holds conversations leaves no doubt."""
    system = next((one.name for one in columns if one.role == "system" and one.is_text), None)
    for column in columns:
        if column.turns < _TURNS_SHARE or column.role in ("chosen", "rejected", "prompt"):
            continue
        is_sharegpt = column.from_value > 0.5
        role, way = (
            ("conversations", "from and value, as ShareGPT has them")
            if is_sharegpt
            else ("messages", "role and content, as OpenAI has them")
        )
        names = {role: column.name} | ({"system": system} if system else {})
        yield Guess(
            mapping=DataMapping(format="sharegpt" if is_sharegpt else "messages", columns=names),
            confidence=0.99 if column.role in ("messages", "conversations") else 0.95,
            reason=f"The column {column.name} holds lists of turns with {way}.",
        )


_BY_NAME: tuple[tuple[Format, float], ...] = (
    ("preference", 0.97),
    ("alpaca", 0.96),
    ("prompt_completion", 0.95),
    ("question_answer", 0.94),
    ("text_label", 0.93),
)


def _by_names(columns: Sequence[_Column]) -> Iterator[Guess]:
    """Columns that are called what the roles of a format are called, or near it."""
    for form, confidence in _BY_NAME:
        chosen: dict[str, str] = {}
        exact = True
        for role in ROLES[form]:
            named = [one for one in columns if one.role == role.name and one.filled > 0]
            named.sort(key=lambda one: (not is_exact(one.name, role.name), -one.length))
            if named:
                chosen[role.name] = named[0].name
                exact = exact and is_exact(named[0].name, role.name)
        needed = [role.name for role in ROLES[form] if role.required]
        if form == "preference":
            needed.append("rejected")
        if all(role in chosen for role in needed):
            said = " and ".join(chosen[role] for role in needed)
            yield Guess(
                mapping=DataMapping(format=form, columns=chosen),
                confidence=confidence if exact else confidence - 0.08,
                reason=f"It has columns called {said}.",
            )


def _by_content(columns: Sequence[_Column]) -> Iterator[Guess]:
    """What stands in the columns, whatever they are called."""
    texts = sorted((one for one in columns if one.is_text), key=lambda one: -one.length)
    yield from _labels(columns, texts)
    longest = texts[0] if texts else max(columns, key=lambda one: one.length)
    several = [one for one in texts if one.variety > 0.3 and not one.is_label]
    if len(several) >= 2:
        yield _question_answer(several)
    alone = len([one for one in columns if one.filled > 0]) == 1
    named = longest.role == "text"
    yield Guess(
        mapping=DataMapping(format="plain_text", columns={"text": longest.name}),
        confidence=0.9 if alone and texts else 0.3 if named and not several[1:] else 0.1,
        reason=(
            "It has a single column of text."
            if alone
            else f"The column {longest.name} has the longest texts; they can be continued."
        ),
    )


def _labels(columns: Sequence[_Column], texts: Sequence[_Column]) -> Iterator[Guess]:
    candidates = [one for one in columns if one.is_label]
    for label in sorted(candidates, key=_unlikely_label):
        text = next((one for one in texts if one is not label and one.variety > 0.5), None)
        if text is None:
            continue
        named = label.role == "label"
        spoken = text.role in ("text", "question")
        confidence = 0.6 + 0.15 * named + 0.1 * spoken + 0.05 * (label.distinct > 1)
        yield Guess(
            mapping=DataMapping(
                format="text_label", columns={"text": text.name, "label": label.name}
            ),
            confidence=confidence,
            reason=f"The column {label.name} has few different, short values "
            f"({label.distinct} among the first rows), as labels do, and {text.name} has texts.",
        )
        return


def _unlikely_label(column: _Column) -> tuple[bool, bool, float]:
    return column.role != "label", column.numbers > 0.5, column.variety


def _question_answer(several: Sequence[_Column]) -> Guess:
    """The question is shorter or ends as questions do."""
    first, second = several[0], several[1]
    asked, said = (
        (first, second)
        if (first.asking, -first.length) > (second.asking, -second.length)
        else (second, first)
    )
    sure = 0.6 if asked.asking > 0.5 > said.asking else 0.4
    return Guess(
        mapping=DataMapping(
            format="question_answer", columns={"question": asked.name, "answer": said.name}
        ),
        confidence=sure,
        reason=f"The columns {asked.name} and {said.name} have texts, and those of {asked.name} "
        f"{'end as questions do' if asked.asking > 0.5 else 'are shorter'}.",
    )
