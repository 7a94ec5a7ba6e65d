"""What the live classifiers say of each message, found out beside its answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from chatapp.errors import ChatAppError, InvalidRequest, NotFound
from chatapp.flows.adapters_serving import Classifier, Serving
from chatapp.metrics import Metrics
from chatapp.store import MessageLabels, StoredAdapters
from chatapp.training_records import Adapter, MessageLabel, Purpose

log = logging.getLogger(__name__)

PURPOSES: tuple[Purpose, ...] = ("intent", "topic", "sentiment")

_MOST_WAITING = 1_000
"""Messages that may wait for their labels; of a flood, later ones get none."""
_READ_CHARACTERS = 20_000
"""Of a message; no classifier here reads more, and splitting a huge text takes seconds."""


class Classifying:
    """Labels messages, for whoever asks and for every question of a stored conversation.

    Args:
        serving: has the live classifiers.
        stored: names others.
        labels: where what was said of a message is kept.
    """

    def __init__(
        self, serving: Serving, stored: StoredAdapters, labels: MessageLabels, metrics: Metrics
    ) -> None:
        self._serving = serving
        self._stored = stored
        self._labels = labels
        self._metrics = metrics
        # One thread: classifying must not take the cores that answers need.
        self._thread = ThreadPoolExecutor(1, "classifying")
        self._places = threading.BoundedSemaphore(_MOST_WAITING)
        self._opened: tuple[str, Classifier] | None = None

    def notice(self, message_id: str, text: str) -> None:
        """Have a stored message labelled soon; returns at once. For the event loop."""
        if not any(self._serving.classifier(purpose) for purpose in PURPOSES):
            return
        if not self._places.acquire(blocking=False):
            log.warning("%d messages wait for their labels; one more gets none", _MOST_WAITING)
            return
        self._thread.submit(self._label_message, message_id, text)

    def label(self, text: str) -> tuple[MessageLabel, ...]:
        """What each live classifier says of a text. Blocking.

        One that fails is logged and left out.
        """
        found = []
        for purpose in PURPOSES:
            if (live := self._serving.classifier(purpose)) is None:
                continue
            adapter, classifier = live
            try:
                said = classifier.classify([text[:_READ_CHARACTERS]])[0]
            except Exception:  # its files may be anything; the others go on
                log.exception("The classifier %s failed", adapter.name)
                continue
            label = max(said, key=said.__getitem__)
            found.append(
                MessageLabel(
                    purpose=purpose, label=label, confidence=said[label], adapter=adapter.name
                )
            )
        return tuple(found)

    def classify(
        self, texts: Sequence[str], model: str | None = None
    ) -> Sequence[tuple[Adapter, Sequence[Mapping[str, float]]]]:
        """The probability of each label for each text, by one classifier or by every live one.

        Blocking.

        Args:
            texts: at least one.
            model: an adapter's name, or a purpose for what is live of it; None is every live one.

        Raises:
            InvalidRequest: the adapter writes answers and sorts nothing.
            NotFound: no adapter of that name, or nothing is live.
        """
        return [
            (adapter, classifier.classify([text[:_READ_CHARACTERS] for text in texts]))
            for adapter, classifier in self._chosen(model)
        ]

    def wait(self) -> None:
        """Until what was noticed so far is labelled. Blocking."""
        self._thread.submit(lambda: None).result()

    def close(self) -> None:
        """Label what was noticed already, and nothing more. Blocking."""
        self._thread.shutdown()

    def _chosen(self, model: str | None) -> Sequence[tuple[Adapter, Classifier]]:
        if model is None or model in PURPOSES:
            wanted = [one for one in PURPOSES if model in (None, one)]
            live = [self._serving.classifier(one) for one in wanted]
            if found := [one for one in live if one is not None]:
                return found
            what = "No classifier" if model is None else f"No {model} classifier"
            others = [one.name for one in self._stored.list() if one.slot != "chat"]
            known = ", ".join(others) or "none yet"
            raise NotFound(f"{what} is live. Promote one, or name one of: {known}.", field="model")
        adapter = self._stored.get(model)
        if adapter.slot == "chat":
            raise InvalidRequest(
                f"{model} writes answers and sorts no texts. Ask it at /v1/chat/completions.",
                field="model",
            )
        return [(adapter, self._classifier(adapter))]

    def _classifier(self, adapter: Adapter) -> Classifier:
        live = self._serving.classifier(adapter.slot)
        if live is not None and live[0].id == adapter.id:
            return live[1]
        if self._opened is None or self._opened[0] != adapter.id:
            self._opened = adapter.id, self._serving.open(adapter)
        return self._opened[1]

    def _label_message(self, message_id: str, text: str) -> None:
        try:
            labels = self.label(text)
            if labels:
                self._labels.put(message_id, labels)
            for label in labels:
                self._metrics.labelled(label.purpose, label.label)
        except ChatAppError as error:
            log.warning("The labels of a message were not kept: %s", error.sentence)
        finally:
            self._places.release()
