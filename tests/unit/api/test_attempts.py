"""How fast passwords can be guessed."""

from __future__ import annotations

import pytest

from chatapp.api.attempts import BUDGET, FAILURES, FIRST_WAIT, FORGET_AFTER, REFILL, Attempts


class Clock:
    """Time that moves when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts(clock)


def fail(attempts: Attempts, address: str, times: int) -> list[int]:
    return [attempts.begin(address) for _ in range(times)]


def test_an_address_may_be_wrong_five_times_and_then_waits(
    attempts: Attempts, clock: Clock
) -> None:
    assert fail(attempts, "10.0.0.1", FAILURES) == [0] * FAILURES
    assert attempts.begin("10.0.0.1") == FIRST_WAIT
    assert attempts.begin("10.0.0.2") == 0
    clock.now += FIRST_WAIT - 0.5
    assert attempts.begin("10.0.0.1") == 1


def test_each_further_failure_doubles_the_wait(attempts: Attempts, clock: Clock) -> None:
    fail(attempts, "10.0.0.1", FAILURES)
    clock.now += FIRST_WAIT
    assert attempts.begin("10.0.0.1") == 0
    assert attempts.begin("10.0.0.1") == 2 * FIRST_WAIT


def test_the_right_password_starts_afresh(attempts: Attempts) -> None:
    fail(attempts, "10.0.0.1", FAILURES - 1)
    attempts.begin("10.0.0.1")
    attempts.succeeded("10.0.0.1")
    assert fail(attempts, "10.0.0.1", FAILURES) == [0] * FAILURES


def test_old_failures_are_forgotten(attempts: Attempts, clock: Clock) -> None:
    fail(attempts, "10.0.0.1", FAILURES - 1)
    clock.now += FORGET_AFTER + 1
    assert fail(attempts, "10.0.0.1", FAILURES) == [0] * FAILURES


def test_other_addresses_do_not_buy_more_guesses_than_the_budget(
    attempts: Attempts, clock: Clock
) -> None:
    assert [attempts.begin(f"10.0.0.{n}") for n in range(BUDGET)] == [0] * BUDGET
    assert attempts.begin("10.0.1.1") == REFILL
    clock.now += REFILL
    assert attempts.begin("10.0.1.1") == 0
    assert attempts.begin("10.0.1.2") > 0


def test_the_right_password_costs_nothing(attempts: Attempts) -> None:
    for _ in range(BUDGET * 2):
        assert attempts.begin("10.0.0.1") == 0
        attempts.succeeded("10.0.0.1")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8::1", "2001:db8::ffff"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        (None, "not an address"),
    ],
)
def test_one_persons_addresses_count_as_one(
    attempts: Attempts, one: str | None, other: str
) -> None:
    for _ in range(FAILURES):
        attempts.begin(one)
    assert attempts.begin(other) > 0
