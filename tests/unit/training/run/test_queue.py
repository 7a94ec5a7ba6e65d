"""Runs in processes of their own: their order, their endings, and what can be done with them."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from chatapp.errors import InvalidRequest, NotFound
from chatapp.training.run.queue import RunQueue
from tests.unit.training.run.runs import WORKER, a_config, a_queue, a_run, ended, processes, until


@pytest.fixture
def queue(tmp_path: Path) -> RunQueue:
    return a_queue(tmp_path)


def test_a_run_goes_from_the_queue_to_done(
    queue: RunQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATAPP_STAFF_PASSWORD", "not for the child")
    folder = a_run(queue)
    assert folder.state.status == "queued"
    assert queue.start_next() is not None
    assert folder.state.status in ("starting", "running", "done")  # from the first moment on
    state = ended(folder)
    assert (state.status, state.reason, state.step, state.steps) == ("done", "", 40, 40)
    assert state.started_at is not None
    assert state.ended_at is not None
    assert state.started_at < state.ended_at
    assert [point.step for point in folder.metrics()] == list(range(1, 41))
    assert "CHATAPP settings seen: []" in folder.log_tail()
    assert not (folder.path / "reserve").exists()


def test_one_run_at_a_time_in_the_order_of_the_queue(queue: RunQueue, tmp_path: Path) -> None:
    first, second, third = (a_run(queue, pause=0.005) for _ in range(3))
    elsewhere = a_queue(tmp_path)  # a command beside the server
    started = queue.start_next()
    assert started is not None
    assert started.id == first.id
    assert queue.start_next() is None
    assert elsewhere.start_next() is None
    assert [one.id for one in queue.waiting] == [second.id, third.id]
    until(lambda: elsewhere.start_next() is not None)
    assert (ended(first).status, third.state.status) == ("done", "queued")
    until(lambda: queue.start_next() is not None)
    assert ended(second).status == "done"
    assert ended(third).status == "done"
    assert [one.id for one in queue.list()] == [third.id, second.id, first.id]


def test_stopping_with_the_best_so_far_measures_it_and_resuming_goes_on(queue: RunQueue) -> None:
    folder = a_run(queue, pause=0.02)
    queue.start_next()
    until(lambda: folder.state.step > 6)
    queue.stop(folder, keep=True)
    state = ended(folder)
    assert state.status == "stopped"
    assert folder.adapter.is_dir()
    assert 6 < state.step < 40
    queue.resume(folder)
    assert folder.state.status == "queued"
    queue.start_next()
    state = ended(folder)
    assert state.status == "done"
    assert (folder.adapter / "total").read_text() == str(sum(range(41)))
    assert [point.step for point in folder.metrics()] == list(range(1, 41))
    seconds = [point.seconds for point in folder.metrics()]
    assert seconds == sorted(seconds)


def test_a_discarded_run_is_put_aside_and_can_be_brought_back(queue: RunQueue) -> None:
    folder = a_run(queue, pause=0.02)
    queue.start_next()
    until(lambda: folder.state.step > 6)
    queue.discard(folder)
    assert ended(folder).status == "discarded"
    assert queue.list() == []
    queue.restore(folder)
    assert [one.state.status for one in queue.list()] == ["stopped"]
    with pytest.raises(InvalidRequest, match="not discarded"):
        queue.restore(folder)
    queue.resume(folder)
    queue.start_next()
    assert ended(folder).status == "done"
    with pytest.raises(InvalidRequest, match="done"):
        queue.resume(folder)
    with pytest.raises(InvalidRequest, match="ended"):
        queue.stop(folder, keep=True)


def test_what_was_discarded_long_ago_is_removed(queue: RunQueue) -> None:
    kept, gone = a_run(queue), a_run(queue)
    queue.discard(gone)
    queue.purge(timedelta(days=1))
    assert gone.path.is_dir()
    queue.purge(timedelta(0))
    assert not gone.path.exists()
    assert kept.path.is_dir()
    with pytest.raises(NotFound):
        queue.get(gone.id)
    for wrong in ("../runs", "", "."):
        with pytest.raises(NotFound):
            queue.get(wrong)


def test_a_run_leaves_the_queue(queue: RunQueue) -> None:
    folder = a_run(queue)
    queue.stop(folder, keep=True)
    assert folder.state.status == "stopped"
    assert queue.start_next() is None


def test_too_little_memory_is_tried_once_more_with_half_the_batch(queue: RunQueue) -> None:
    folder = a_run(queue, failure="no_memory", at=7)
    queue.start_next()
    state = ended(folder)
    assert state.status == "done"
    assert (folder.config.batch_size, folder.config.gradient_accumulation) == (4, 2)
    assert state.notices == (
        "There was not enough memory for 8 examples at once, so it goes on with 4 and adds up "
        "twice as many batches before each step.",
    )
    # It went on from step 5, whose figures are there once.
    assert [point.step for point in folder.metrics()] == list(range(1, 41))


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ("never_memory", "not enough memory to learn from 4 examples at once"),
        ("disk_full", "The disk with .* became full after step 6 .* then resume"),
        ("model_error", "There is no model at nowhere. Choose another base."),
        ("surprise", r"on our side \(reference [0-9a-f]{6}\): ZeroDivisionError"),
    ],
)
def test_a_failure_is_said_plainly(queue: RunQueue, failure: str, said: str) -> None:
    folder = a_run(queue, failure=failure, at=7)
    queue.start_next()
    state = ended(folder)
    assert state.status == "failed"
    assert re.search(said, state.reason)
    assert state.ended_at is not None
    if reference := re.search(r"reference (\w+)", state.reason):
        assert reference[1] in folder.log_tail()
        assert "division by zero" in folder.log_tail()
    # The way on.
    (folder.path / "script.json").write_text("{}")
    queue.resume(folder)
    queue.start_next()
    assert ended(folder).status == "done"


def test_a_single_example_that_does_not_fit_fails_at_once(queue: RunQueue) -> None:
    folder = a_run(queue, a_config(batch_size=1), failure="never_memory", at=1)
    queue.start_next()
    state = ended(folder)
    assert state.status == "failed"
    assert "a single example" in state.reason


def test_a_worker_that_ends_without_a_word_is_noticed(queue: RunQueue) -> None:
    folder = a_run(queue, failure="vanish", at=12)
    queue.start_next()
    state = ended(folder)
    assert state.status == "interrupted"
    assert "exit status 3" in state.reason


def test_a_process_that_is_asked_to_end_says_so(queue: RunQueue) -> None:
    folder = a_run(queue, pause=0.05)
    queue.start_next()
    until(lambda: folder.state.step > 2)
    (process,) = processes(folder, "chatapp.training.run.child")
    process.terminate()
    state = ended(folder)
    assert state.status == "interrupted"
    assert "switched off" in state.reason


def test_a_worker_steps_back_for_the_chat(queue: RunQueue) -> None:
    folder = a_run(queue, pause=0.05, humble=True)
    queue.start_next()
    until(lambda: folder.state.step > 2)
    (process,) = processes(folder, WORKER)
    assert process.nice() >= 15
    assert Path(f"/proc/{process.pid}/oom_score_adj").read_text().strip() == "900"
    assert process.environ()["OMP_NUM_THREADS"] == "1"
    queue.discard(folder)
    assert ended(folder).status == "discarded"


def test_a_run_that_cannot_even_be_loaded_is_not_started_again_and_again(
    tmp_path: Path,
) -> None:
    queue = RunQueue(tmp_path, threads=1, worker="tests.no_such_module")
    folder = a_run(queue)
    queue.start_next()
    state = ended(folder)
    assert state.status == "interrupted"
    assert "No module named" in folder.log_tail()
    assert queue.start_next() is None
