"""What Prometheus may know about the answers: counts and durations, never texts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from chatapp.errors import ChatAppError
from chatapp.events import Done

_SECONDS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 20, 40, 80, 160)
_MOST_LABELS = 100
"""Time series of one purpose; a classifier may know thousands of labels."""
_RATES = (1, 2, 5, 10, 15, 20, 30, 40, 60, 80, 120, 200, 400, 800)


class Metrics:
    """The counters of one running app, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.answers = Counter(
            "chatapp_answers",
            "Answers by face (ui, api, cli, staff) and outcome (stop, length, cancelled, error).",
            ("face", "outcome"),
            registry=self.registry,
        )
        self.first_token = self._seconds(
            "chatapp_first_token_seconds", "From the request to its first text."
        )
        self.queued = self._seconds(
            "chatapp_queue_seconds", "From the request to its slot, for finished answers."
        )
        self.duration = self._seconds(
            "chatapp_answer_seconds", "From the request to the end of its answer, however it ended."
        )
        self.waited = Counter(
            "chatapp_answers_queued",
            "Answers that had to wait for a slot.",
            ("face",),
            registry=self.registry,
        )
        self.rate = Histogram(
            "chatapp_tokens_per_second",
            "Tokens of one answer after its first, by the seconds they took.",
            ("face",),
            buckets=_RATES,
            registry=self.registry,
        )
        self.tokens_in = Counter(
            "chatapp_tokens_in",
            "Prompt tokens of finished answers.",
            ("face",),
            registry=self.registry,
        )
        self.tokens_out = Counter(
            "chatapp_tokens_out",
            "Tokens written in finished answers.",
            ("face",),
            registry=self.registry,
        )
        self._labels = Counter(
            "chatapp_message_labels",
            "Messages by what the live classifiers said of them.",
            ("purpose", "label"),
            registry=self.registry,
        )
        self._known_labels: dict[str, set[str]] = {}
        self._running = Gauge(
            "chatapp_requests_running", "Requests that hold a slot.", registry=self.registry
        )
        self._waiting = Gauge(
            "chatapp_requests_waiting", "Requests that wait for a slot.", registry=self.registry
        )

    def _seconds(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, ("face",), buckets=_SECONDS, registry=self.registry)

    def answer(self, face: str) -> AnswerMeter:
        """Meter one answer asked for through ``face``: ``ui``, ``api``, ``cli``
        or ``staff``."""
        return AnswerMeter(self, face)

    def labelled(self, purpose: str, label: str) -> None:
        """Count a label; beyond the first hundred of a purpose they are counted together."""
        known = self._known_labels.setdefault(purpose, set())
        if label not in known and len(known) >= _MOST_LABELS:
            label = "other"
        known.add(label)
        self._labels.labels(purpose, label).inc()

    def watch(self, load: Callable[[], tuple[int, int]]) -> None:
        """Show ``load()``, the requests running and waiting, each time the metrics are read."""
        self._running.set_function(lambda: load()[0])
        self._waiting.set_function(lambda: load()[1])

    def render(self) -> tuple[bytes, str]:
        """The page a Prometheus server reads, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST


class AnswerMeter:
    """Meters one answer from its making to its outcome; only the first outcome counts.

    As a context manager it also counts an answer that is left without an outcome: as failed when
    an error leaves with it, else as cancelled.
    """

    def __init__(self, metrics: Metrics, face: str) -> None:
        self._metrics = metrics
        self._face = face
        self._asked = time.monotonic()
        self._waited = False
        self._streaming = False
        self._over = False

    def queued(self) -> None:
        """The answer has to wait for a slot; only the first call counts."""
        if not self._waited:
            self._waited = True
            self._metrics.waited.labels(self._face).inc()

    def token(self) -> None:
        """Some text came; only the first counts."""
        if not self._streaming:
            self._streaming = True
            self._metrics.first_token.labels(self._face).observe(time.monotonic() - self._asked)

    def done(self, done: Done) -> None:
        """The answer ended with a ``Done``."""
        if self._over:
            return
        self._end(done.reason)
        usage, timing = done.usage, done.timing
        self._metrics.queued.labels(self._face).observe(timing.queued)
        self._metrics.tokens_in.labels(self._face).inc(usage.prompt_tokens)
        self._metrics.tokens_out.labels(self._face).inc(usage.completion_tokens)
        writing = timing.total - timing.first_token
        if usage.completion_tokens > 1 and writing > 0:
            rate = (usage.completion_tokens - 1) / writing
            self._metrics.rate.labels(self._face).observe(rate)

    def failed(self, code: str) -> None:
        """The answer could not be finished, for the reason ``code``."""
        self._end(code)

    def cancelled(self) -> None:
        """Its reader went away, or stopped it."""
        self._end("cancelled")

    def _end(self, outcome: str) -> None:
        if self._over:
            return
        self._over = True
        self._metrics.answers.labels(self._face, outcome).inc()
        self._metrics.duration.labels(self._face).observe(time.monotonic() - self._asked)

    def __enter__(self) -> AnswerMeter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None or isinstance(error, GeneratorExit | asyncio.CancelledError):
            self.cancelled()
        else:
            self.failed(error.code if isinstance(error, ChatAppError) else "InternalError")
