"""The process that owns the model: it computes while the app's own process stays responsive.

``step()`` of the library holds the interpreter lock, hence a process of its own. It speaks
``chatapp.engine.openvino.protocol`` over standard input and output, and ends when its input ends,
however the app died.
"""

from __future__ import annotations

import json
import os
import queue
import select
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from chatapp.engine.openvino.adapter import CheckedAdapter, check_adapter
from chatapp.engine.openvino.lane import Lane
from chatapp.engine.openvino.pipeline import PipelineFactory
from chatapp.engine.openvino.protocol import BASE, Options, Order
from chatapp.engine.openvino.reason import reason
from chatapp.errors import ChatAppError

_BUILDING_POLL = 0.02
"""Seconds between two looks at a pipeline being built, while nothing else happens."""


@dataclass
class _Place:
    """A model with one adapter, or none: its shared lane, and the lane for seeded requests, which
    is built when the first one comes."""

    adapter: CheckedAdapter | None
    shared: Lane
    seeded: Lane | None = None
    building: bool = False
    early: list[tuple[int, Order]] = field(default_factory=list)
    closing: bool = False

    def lanes(self) -> list[Lane]:
        return [self.shared] if self.seeded is None else [self.shared, self.seeded]

    @property
    def busy(self) -> bool:
        return bool(self.early) or any(lane.busy for lane in self.lanes())


@dataclass(frozen=True, slots=True)
class _Built:
    """What a building thread brings back: a lane, or the reason why there is none."""

    name: str
    adapter: CheckedAdapter | None
    shared: bool
    lane: Lane | None
    problem: str = ""


class Worker:
    """Obeys commands between steps."""

    def __init__(self, factory: PipelineFactory, commands: int, answers: int) -> None:
        """``commands`` and ``answers`` are file descriptors."""
        self._factory = factory
        self._commands = commands
        self._answers = answers
        self._unread = b""
        self._places: dict[str, _Place] = {}
        self._built: queue.SimpleQueue[_Built] = queue.SimpleQueue()
        self._building = 0
        self._unwanted: set[str] = set()
        """Lanes closed before they were built; no name is used twice."""

    def run(self) -> None:
        """Work until the input ends."""
        while self._obey():
            self._take_built()
            for place in list(self._places.values()):
                for lane in place.lanes():
                    if lane.busy:
                        self._step(lane)
            self._drop_closed()

    def _step(self, lane: Lane) -> None:
        tokens, over = lane.step()
        if tokens or over:
            self._say(tokens=tokens, over=over)

    def _obey(self) -> bool:
        """Carry out the commands that have come; wait for one if there is nothing else to do.

        Returns False when the input has ended.
        """
        if any(lane.busy for place in self._places.values() for lane in place.lanes()):
            wait: float | None = 0.0
        else:
            wait = _BUILDING_POLL if self._building else None
        ready, _, _ = select.select([self._commands], [], [], wait)
        if ready:
            data = os.read(self._commands, 1 << 20)
            if not data:
                return False
            *lines, self._unread = (self._unread + data).split(b"\n")
            for line in lines:
                self._do(cast("dict[str, object]", json.loads(line)))
        return True

    def _do(self, command: dict[str, object]) -> None:
        match command:
            case {"do": "open", "lane": str(name), "adapter": str() | None as folder}:
                self._build(name, folder)
            case {"do": "close", "lane": str(name)}:
                self._close(name)
            case {"do": "start", "id": int(request), "lane": str(name), "order": dict(order)}:
                self._start(request, self._places[name], name, cast(Order, order))
            case {"do": "cancel", "id": int(request)}:
                self._cancel(request)
            case _:
                raise ValueError(f"unknown command: {command}")

    def _start(self, request: int, place: _Place, name: str, order: Order) -> None:
        if order["seed"] is None or order["temperature"] == 0:
            place.shared.add(request, order)
        elif place.seeded is not None:
            place.seeded.add(request, order)
        else:
            place.early.append((request, order))
            if not place.building:
                place.building = True
                self._build_in_background(name, place.adapter, shared=False)

    def _close(self, name: str) -> None:
        if name in self._places:
            self._places[name].closing = True
        else:  # still being built, or never was
            self._unwanted.add(name)
            self._say(closed=name)

    def _cancel(self, request: int) -> None:
        for place in self._places.values():
            place.early = [item for item in place.early if item[0] != request]
            for lane in place.lanes():
                lane.cancel(request)

    def _build(self, name: str, folder: str | None) -> None:
        try:
            adapter = None if folder is None else check_adapter(Path(folder), self._factory.shapes)
        except ChatAppError as error:
            self._say(refused=name, reason=error.sentence)
            return
        self._build_in_background(name, adapter, shared=True)

    def _build_in_background(
        self, name: str, adapter: CheckedAdapter | None, *, shared: bool
    ) -> None:
        """The library lets other threads run while it builds: answers go on meanwhile."""

        def build() -> None:
            try:
                lane = Lane(self._factory.build(adapter, shared=shared), shared=shared)
                self._built.put(_Built(name, adapter, shared, lane))
            except RuntimeError as error:
                problem = f"OpenVINO cannot load the model: {reason(error)}"
                self._built.put(_Built(name, adapter, shared, None, problem))

        self._building += 1
        threading.Thread(target=build, daemon=True).start()

    def _take_built(self) -> None:
        while not self._built.empty():
            built = self._built.get()
            self._building -= 1
            if built.name in self._unwanted:
                continue
            if not built.shared:
                self._take_seeded(built)
            elif built.lane is None:
                self._say(refused=built.name, reason=built.problem)
            else:
                self._places[built.name] = _Place(built.adapter, built.lane)
                self._say(opened=built.name)

    def _take_seeded(self, built: _Built) -> None:
        if built.lane is None:
            raise RuntimeError(built.problem)
        place = self._places.get(built.name)
        if place is None:  # closed meanwhile; whoever asked for it had left before
            return
        place.seeded = built.lane
        for request, order in place.early:
            place.seeded.add(request, order)
        place.early = []
        place.building = False

    def _drop_closed(self) -> None:
        for name, place in list(self._places.items()):
            if place.closing and not place.busy:
                del self._places[name]
                self._say(closed=name)

    def _say(self, **message: object) -> None:
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        while line:
            line = line[os.write(self._answers, line) :]


def main() -> None:
    """Serve until standard input ends. The only argument: ``Options`` as JSON."""
    # Whatever a library prints must not get between our lines.
    answers = os.dup(1)
    os.dup2(2, 1)
    # Ctrl-C reaches the whole process group; the app decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        worker = Worker(PipelineFactory(cast(Options, json.loads(sys.argv[1]))), 0, answers)
    except ChatAppError as error:
        refusal = {"refused": BASE, "reason": error.sentence}
        os.write(answers, json.dumps(refusal).encode() + b"\n")
        return
    with suppress(BrokenPipeError):  # the app died
        worker.run()
    # At once: a pipeline may still be building in a thread, and destroying one takes time.
    os._exit(0)


if __name__ == "__main__":
    main()
