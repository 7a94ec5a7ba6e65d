"""One answer of a remote server in the making."""

from __future__ import annotations

from chatapp.engine.answer import StopText, Stopwatch
from chatapp.engine.remote.stream import Piece
from chatapp.errors import RemoteError
from chatapp.events import Done
from chatapp.records import FinishReason, Sampling, Usage


class RemoteAnswer:
    """Frames in, visible text and figures out."""

    def __init__(self, sampling: Sampling, watch: Stopwatch, prompt_tokens: int) -> None:
        self._stop = StopText(sampling.stop)
        self._watch = watch
        self._prompt_tokens = prompt_tokens
        self._texts = 0
        self._finish: FinishReason | None = None
        self._usage: Usage | None = None

    @property
    def stopped(self) -> bool:
        """Whether a stop text appeared that the server did not stop at."""
        return self._stop.matched

    def feed(self, piece: Piece) -> str:
        """Take a frame and return the text to show."""
        self._finish = piece.finish or self._finish
        self._usage = piece.usage or self._usage
        if not piece.text:
            return ""
        self._texts += 1
        self._watch.text()
        return self._stop.feed(piece.text)

    def flush(self) -> str:
        """What was held back as a possible stop text.

        Raises:
            RemoteError: the stream ended without saying that the answer is complete.
        """
        if not self.stopped and self._finish is None:
            raise RemoteError(
                "The remote server stopped in the middle of the answer. Please try again."
            )
        return self._stop.flush()

    def done(self) -> Done:
        """The closing event."""
        usage = self._usage or Usage(self._prompt_tokens, self._texts)
        reason = "stop" if self.stopped else self._finish or "stop"
        return Done(reason, usage, self._watch.read())
