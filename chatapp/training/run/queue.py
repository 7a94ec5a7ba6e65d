"""The runs of a data folder, and whose turn it is."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chatapp.errors import InvalidRequest, NotFound
from chatapp.training.run import lines, locks
from chatapp.training.run.child import WORKER
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.humble import cores
from chatapp.training.run.launch import launch
from chatapp.training_records import RunStatus


class RunQueue:
    """Runs as folders; any number of servers and commands may look at the same ones.

    One run at a time works, which a lock decides that the run's own process holds.

    Args:
        folder: the data folder's ``training``.
        threads: of a run on the CPU; None is all cores but one where a server answers beside it.
        worker: the module that learns.
    """

    def __init__(self, folder: Path, threads: int | None = None, worker: str = WORKER) -> None:
        self._runs = folder / "runs"
        self._turn = folder / "turn"
        self._server = folder / "server"
        self._threads = threads
        self._worker = worker
        self._known: dict[str, tuple[tuple[int, int], RunStatus]] = {}

    def new(self) -> RunFolder:
        """A folder that is not made yet, with an id that sorts by time."""
        now = datetime.now(UTC)
        return RunFolder(self._runs / f"{now:%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}")

    def list(self) -> Sequence[RunFolder]:
        """All runs but the discarded ones, newest first."""
        return [one for one in self._all() if one.state.status != "discarded"]

    def get(self, run_id: str) -> RunFolder:
        """One run, discarded or not.

        Raises:
            NotFound: there is none of that id.
        """
        folder = RunFolder(self._runs / run_id)
        if Path(run_id).name != run_id or not (folder.path / "state.json").is_file():
            raise NotFound(f"There is no run {run_id!r}.")
        return folder

    @property
    def threads(self) -> int:
        """Of a run on the CPU."""
        served = 1 if self.is_served else 0
        return self._threads or max(1, cores() - served)

    @property
    def busy(self) -> bool:
        """Whether a run is at work."""
        return locks.is_held(self._turn)

    @property
    def is_served(self) -> bool:
        """Whether a server answers beside the runs."""
        return locks.is_held(self._server)

    @contextmanager
    def served(self) -> Iterator[None]:
        """Says, for as long as it lasts, that a server answers beside the runs."""
        handle = locks.take(self._server)
        try:
            yield
        finally:
            if handle is not None:
                os.close(handle)

    @property
    def waiting(self) -> Sequence[RunFolder]:
        """The queued runs, in the order in which they were queued."""
        queued = [one for one in self._all() if self._status(one) == "queued"]
        return sorted(queued, key=lambda one: (_written(one)[0], one.id))

    @property
    def ended(self) -> Sequence[RunFolder]:
        """The runs that have something to show for: done, or stopped with the best so far."""
        return [one for one in self._all() if self._status(one) in ("done", "stopped")]

    def _status(self, folder: RunFolder) -> RunStatus:
        """As it was written last; a server asks every run for it twice a second."""
        written = _written(folder)
        known = self._known.get(folder.id)
        if known is None or known[0] != written:
            self._known[folder.id] = known = (written, folder.written_state.status)
        return known[1]

    def start_next(self) -> RunFolder | None:
        """Start the run whose turn it is; None while another one works, or none waits.

        Raises:
            OSError: its process cannot be started.
        """
        if not self.waiting:
            return None
        turn = locks.take(self._turn, patience=0.02)
        if turn is None:
            return None
        try:
            for folder in self.waiting:
                if launch(folder, turn, self.threads, self._worker):
                    return folder
        finally:
            os.close(turn)
        return None

    def stop(self, folder: RunFolder, *, keep: bool) -> None:
        """Have it end soon. One that has not begun leaves the queue at once.

        Raises:
            InvalidRequest: it has ended already.
        """
        with _alone(folder) as free:
            if not free:
                folder.ask_to_stop("keep" if keep else "discard")
            elif folder.written_state.status == "queued":
                self._end(folder, "stopped", "It was taken out of the queue.")
            else:
                raise InvalidRequest("This run has ended already.")

    def resume(self, folder: RunFolder) -> None:
        """Queue it again; it goes on from its last checkpoint, or begins.

        Raises:
            InvalidRequest: it is still at work, or done.
        """
        with _alone(folder) as free:
            status = folder.written_state.status
            if not free or status == "queued":
                raise InvalidRequest("This run is still at work.")
            if status == "done":
                raise InvalidRequest("This run is done; there is nothing to go on with.")
            folder.queue()

    def discard(self, folder: RunFolder) -> None:
        """Put it aside, for ``purge`` to remove one day; one at work ends first."""
        with _alone(folder) as free:
            if free:
                self._end(folder, "discarded", folder.state.reason)
            else:
                folder.ask_to_stop("discard")

    def restore(self, folder: RunFolder) -> None:
        """Undo ``discard``.

        Raises:
            InvalidRequest: it is not discarded.
        """
        with _alone(folder) as free:
            if not free or folder.written_state.status != "discarded":
                raise InvalidRequest("This run is not discarded.")
            (folder.path / "stop").unlink(missing_ok=True)
            reason = folder.written_state.reason
            ended: RunStatus = "done" if folder.report else "failed" if reason else "stopped"
            self._end(folder, ended, reason)

    def purge(self, after: timedelta) -> None:
        """Remove what was discarded so long ago, and folders that a kill left half made."""
        if not self._runs.is_dir():
            return
        for path in self._runs.iterdir():
            folder = RunFolder(path)
            if not (path / "state.json").is_file():
                old = time.time() - path.stat().st_mtime > after.total_seconds()
            else:
                state = folder.written_state
                ended = state.ended_at or datetime.now(UTC)
                old = state.status == "discarded" and datetime.now(UTC) - ended > after
            if old and not folder.alive:
                shutil.rmtree(path, ignore_errors=True)

    def _all(self) -> Sequence[RunFolder]:
        if not self._runs.is_dir():
            return []
        paths = sorted(self._runs.iterdir(), reverse=True)
        return [RunFolder(path) for path in paths if (path / "state.json").is_file()]

    def _end(self, folder: RunFolder, status: RunStatus, reason: str) -> None:
        state = folder.written_state
        folder.write_state(
            replace(state, status=status, phase="", ended_at=datetime.now(UTC), reason=reason)
        )


@contextmanager
def _alone(folder: RunFolder) -> Iterator[bool]:
    """Whether no process works on it; none begins meanwhile."""
    handle = locks.take(folder.lock)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            os.close(handle)


def _written(folder: RunFolder) -> tuple[int, int]:
    return lines.version(folder.path / "state.json")
