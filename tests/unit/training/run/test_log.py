"""What a trainer tells, as it stands in the folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatapp.training.run.checkpoints import newest_whole
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.log import RunDiscarded, RunLog
from tests.unit.training.run.runs import a_config


class Clock:
    """Seconds that a test moves on."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.create(a_config(), {"train": []})
    return folder


def test_progress_is_written_some_times_a_second_and_at_the_end(folder: RunFolder) -> None:
    clock = Clock()
    log = RunLog(folder, clock=clock)
    log.begin()
    written = []
    for step in range(1, 101):
        clock.now += 0.1
        log.progress(step, 100, step / 50)
        written.append(folder.written_state.step)
    assert len(set(written)) == pytest.approx(20, abs=2)
    state = folder.written_state
    assert (state.status, state.step, state.epoch) == ("running", 100, 2.0)
    assert state.seconds == pytest.approx(10.0)


def test_the_time_left_follows_the_pace(folder: RunFolder) -> None:
    clock = Clock()
    log = RunLog(folder, clock=clock)
    log.progress(0, 50)
    assert log.state.seconds_left is None
    for step in range(1, 11):
        clock.now += 2
        log.progress(step, 50)
    assert log.state.seconds_left == pytest.approx(80.0)


def test_a_later_process_goes_on_with_seconds_and_notices(folder: RunFolder) -> None:
    clock = Clock()
    first = RunLog(folder, clock=clock)
    first.begin()
    clock.now += 30
    first.notice("The batch was halved.")
    first.notice("The batch was halved.")
    clock.now += 500  # killed, and the machine slept
    later = RunLog(folder, clock=clock)
    clock.now += 5
    later.metrics(7, loss=0.5)
    later.end("done")
    state = folder.state
    assert state.notices == ("The batch was halved.",)
    assert state.seconds == pytest.approx(35.0)
    assert folder.metrics()[0].seconds == pytest.approx(35.0)


def test_the_wish_to_stop_is_heard(folder: RunFolder) -> None:
    log = RunLog(folder)
    log.progress(1, 10)
    assert log.wanted_stop is None
    folder.ask_to_stop("keep")
    log.progress(2, 10)
    assert folder.written_state.status == "stopping"
    folder.ask_to_stop("discard")
    with pytest.raises(RunDiscarded):
        log.phase("Measuring")


def test_a_torn_line_is_passed_over_and_spoils_no_other(folder: RunFolder) -> None:
    log = RunLog(folder)
    log.metrics(1, loss=1.0)
    with (folder.path / "metrics.jsonl").open("ab") as file:
        file.write(b'{"step": 2, "epo')
    assert [one.step for one in folder.metrics()] == [1]
    log.metrics(3, loss=0.5)
    assert [one.step for one in folder.metrics()] == [1, 3]


def test_a_state_whose_process_is_gone_is_interrupted(folder: RunFolder) -> None:
    with folder.held():
        log = RunLog(folder)
        log.begin()
        log.progress(1, 10)
        assert folder.state.status == "running"
        with pytest.raises(BlockingIOError), folder.held():
            pass
    state = folder.state
    assert state.status == "interrupted"
    assert "killed" in state.reason
    # A lock file left by a process of long ago holds nothing.
    assert (folder.path / "lock").exists()


def test_figures_after_a_checkpoint_are_forgotten(folder: RunFolder) -> None:
    log = RunLog(folder)
    for step in range(1, 6):
        log.metrics(step, loss=1.0)
        log.sample(step, "q", "a", "e")
    folder.rewind(3)
    assert [one.step for one in folder.metrics()] == [1, 2, 3]
    assert [one.step for one in folder.samples()] == [1, 2, 3]
    folder.rewind(-1)
    assert folder.metrics() == []


def test_a_torn_checkpoint_is_passed_over(tmp_path: Path) -> None:
    assert newest_whole(tmp_path / "none") is None
    for step in (5, 10, 100):
        checkpoint = tmp_path / f"checkpoint-{step}"
        checkpoint.mkdir()
        header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
        content = len(header).to_bytes(8, "little") + header + b"\0\0\0\0"
        (checkpoint / "model.safetensors").write_bytes(content)
        (checkpoint / "trainer_state.json").write_text("{}")
    assert newest_whole(tmp_path) == tmp_path / "checkpoint-100"
    weights = tmp_path / "checkpoint-100" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert newest_whole(tmp_path) == tmp_path / "checkpoint-10"
    (tmp_path / "checkpoint-10" / "optimizer.pt").write_bytes(b"PK torn")
    assert newest_whole(tmp_path) == tmp_path / "checkpoint-5"
    (tmp_path / "checkpoint-5" / "trainer_state.json").write_text('{"global')
    assert newest_whole(tmp_path) is None
