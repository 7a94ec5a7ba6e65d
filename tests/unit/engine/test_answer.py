"""Stop texts, end tokens, limits and timing of one answer."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from chatapp.engine.answer import Answer, StopText, Stopwatch

LETTERS = "ab中😀"


def pieces(text: str, dice: random.Random) -> Iterator[str]:
    """``text`` cut at random places."""
    while text:
        length = dice.randint(0, 3)
        yield text[:length]
        text = text[length:]


def naive(text: str, stops: tuple[str, ...]) -> tuple[str, bool]:
    """What is shown of a text that comes in one piece."""
    found = [at for stop in stops if (at := text.find(stop)) >= 0]
    return (text[: min(found)], True) if found else (text, False)


@pytest.mark.parametrize("seed", range(8))
def test_stop_text_does_the_same_however_the_text_is_cut(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(2_000):
        cut_at_random(dice)


def cut_at_random(dice: random.Random) -> None:
    text = "".join(dice.choices(LETTERS, k=dice.randint(0, 14)))
    stops = tuple(
        "".join(dice.choices(LETTERS, k=dice.randint(1, 4))) for _ in range(dice.randint(0, 3))
    )
    expected, matched = one_by_one(text, stops)
    stop, shown = StopText(stops), ""
    for piece in pieces(text, dice):
        shown += stop.feed(piece)
        assert not any(known in shown for known in stops), "a stop text was shown"
        assert expected.startswith(shown)
    shown += stop.flush()
    assert (shown, stop.matched) == (expected, matched)


def one_by_one(text: str, stops: tuple[str, ...]) -> tuple[str, bool]:
    """The stop text whose end comes first ends the answer; of those, the longest counts."""
    for end in range(1, len(text) + 1):
        shown, matched = naive(text[:end], stops)
        if matched:
            return shown, True
    return text, False


def test_text_is_held_back_only_while_it_may_become_a_stop_text() -> None:
    stop = StopText(["END"])
    assert stop.feed("xE") == "x"
    assert stop.feed("N") == ""
    assert stop.feed("!") == "EN!"
    assert stop.feed("EEN") == "E"
    assert stop.feed("D more") == ""
    assert stop.matched
    assert stop.feed("anything") == ""
    assert stop.flush() == ""


class Letters:
    """A decoder for which token 1 is ``a``, 2 is ``b``, …; 0 is half a character."""

    def step(self, token_id: int) -> str:
        return "" if token_id == 0 else chr(ord("a") + token_id - 1)


def make(*, stop: tuple[str, ...] = (), max_tokens: int = 10) -> Answer:
    return Answer(
        Letters(), eos_ids=frozenset({99}), stop=stop, max_tokens=max_tokens, prompt_tokens=5
    )


def test_an_end_token_ends_it_and_is_not_counted() -> None:
    answer = make()
    assert answer.feed([1, 2, 99, 3]) == "ab"
    assert answer.ended == "stop"
    assert answer.feed([4]) == ""
    done = answer.done()
    assert (done.reason, done.usage.prompt_tokens, done.usage.completion_tokens) == ("stop", 5, 2)


def test_the_limit_ends_it() -> None:
    answer = make(max_tokens=3)
    assert answer.feed([1, 0]) == "a"
    assert answer.ended is None
    assert answer.feed([2, 3]) == "b"
    assert answer.done().reason == "length"
    assert answer.done().usage.completion_tokens == 3


def test_what_was_held_back_is_shown_at_the_limit_and_at_the_end_token() -> None:
    limited = make(stop=("bcd",), max_tokens=3)
    assert limited.feed([1, 2]) == "a"
    assert limited.feed([3]) == "bc"
    ended = make(stop=("bcd",))
    assert ended.feed([1, 2, 3]) == "a"
    assert ended.feed([99]) == "bc"


def test_a_stop_text_on_the_last_token_is_a_stop() -> None:
    answer = make(stop=("bc",), max_tokens=3)
    assert answer.feed([1, 2, 3]) == "a"
    assert answer.done().reason == "stop"


def test_a_reason_from_outside_wins() -> None:
    answer = make()
    answer.feed([1])
    assert answer.done("cancelled").reason == "cancelled"


def test_the_stopwatch_never_runs_backwards() -> None:
    watch = Stopwatch()
    untouched = watch.read()
    assert 0 <= untouched.queued <= untouched.first_token <= untouched.total
    watch.slot()
    no_text = watch.read()
    assert no_text.first_token == no_text.total
    watch.text()
    first = watch.read().first_token
    watch.text()
    timing = watch.read()
    assert timing.first_token == first
    assert timing.queued <= timing.first_token <= timing.total
