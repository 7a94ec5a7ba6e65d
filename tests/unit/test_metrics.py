from __future__ import annotations

import asyncio

import pytest

from chatapp.errors import EngineBusy
from chatapp.events import Done
from chatapp.metrics import Metrics
from chatapp.records import Timing, Usage

DONE = Done("stop", Usage(10, 41), Timing(queued=0.1, first_token=0.5, total=2.5))


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_a_finished_answer_is_counted_once_with_its_figures():
    metrics = Metrics()
    with metrics.answer("api") as meter:
        meter.queued()
        meter.queued()
        meter.token()
        meter.token()
        meter.done(DONE)
        meter.done(DONE)
        meter.cancelled()
    assert sample(metrics, "chatapp_answers_total", face="api", outcome="stop") == 1
    assert sample(metrics, "chatapp_answers_total", face="api", outcome="cancelled") is None
    assert sample(metrics, "chatapp_answers_queued_total", face="api") == 1
    assert sample(metrics, "chatapp_first_token_seconds_count", face="api") == 1
    assert sample(metrics, "chatapp_tokens_in_total", face="api") == 10
    assert sample(metrics, "chatapp_tokens_out_total", face="api") == 41
    assert sample(metrics, "chatapp_tokens_per_second_sum", face="api") == pytest.approx(20)
    assert sample(metrics, "chatapp_queue_seconds_sum", face="api") == pytest.approx(0.1)
    assert sample(metrics, "chatapp_answer_seconds_count", face="api") == 1


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (EngineBusy(1, 2), "EngineBusy"),
        (RuntimeError("boom"), "InternalError"),
        (GeneratorExit(), "cancelled"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
def test_an_answer_left_by_an_error_counts_as_that_outcome(error: BaseException, outcome: str):
    metrics = Metrics()
    with pytest.raises(type(error)), metrics.answer("ui"):
        raise error
    assert sample(metrics, "chatapp_answers_total", face="ui", outcome=outcome) == 1


def test_an_answer_left_without_an_outcome_was_cancelled():
    metrics = Metrics()
    with metrics.answer("cli"):
        pass
    assert sample(metrics, "chatapp_answers_total", face="cli", outcome="cancelled") == 1
    assert sample(metrics, "chatapp_answer_seconds_count", face="cli") == 1


def test_the_load_is_read_when_the_page_is():
    metrics = Metrics()
    load = (1, 2)
    metrics.watch(lambda: load)
    load = (3, 4)
    page, kind = metrics.render()
    assert b"chatapp_requests_running 3.0" in page
    assert b"chatapp_requests_waiting 4.0" in page
    assert kind.startswith("text/plain")


def test_two_apps_in_one_process_do_not_share_counters():
    first, second = Metrics(), Metrics()
    first.answer("api").cancelled()
    assert sample(second, "chatapp_answers_total", face="api", outcome="cancelled") is None
