"""Whatever is killed, and whenever: what is shown is true, and nothing is lost."""

from __future__ import annotations

import random
from pathlib import Path

from tests.unit.training.run.killed_runs import KILLS, Server, killed_once
from tests.unit.training.run.runs import a_config, a_queue, a_run, ended, until


def test_ten_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    chance = random.Random(1)
    queue = a_queue(tmp_path)
    steps = 120
    run = a_run(queue, a_config(max_steps=steps), pause=0.015)
    server = Server(tmp_path)
    try:
        killed = {killed_once(queue, server, run, chance) for _ in range(KILLS)}
        until(lambda: run.state.status == "done")
    finally:
        server.kill()
    assert ended(run).status == "done"
    assert len(killed) > 2
    # Each step counted once: it went on from checkpoints, and from whole ones.
    assert (run.adapter / "total").read_text() == str(sum(range(steps + 1)))
    points = run.metrics()
    assert [one.step for one in points] == list(range(1, steps + 1))
    assert [one.seconds for one in points] == sorted(one.seconds for one in points)
