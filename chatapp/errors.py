"""Every failure this project knows, each carrying the sentence its reader sees.

    ChatAppError
    ├── SettingsError         a CHATAPP_ variable holds a value that is not allowed
    ├── PersonaError          a file under prompts/ cannot be used
    ├── InvalidRequest        the caller asked for something that does not make sense
    │   ├── UnsupportedField  a request field, or a sampling control, this engine cannot honour
    │   └── PromptTooLong     the messages do not fit into the model's context
    ├── NotFound              no such conversation, message, persona, model or document
    ├── DocumentError         a file that cannot be read, or a table that cannot be taken in
    ├── DatasetError          labelled data that cannot be read or learned from
    ├── TrainingError         a fine-tune that cannot start, or failed
    ├── AccessDenied          staff only, and this visitor has not shown that they are
    ├── ModelError            weights that cannot be found, fetched, read or converted
    ├── StorageError          the database or the disk refused
    └── EngineError           generation failed
        ├── EngineBusy        every slot and every place in the queue is taken
        ├── EnginePaused      the model has stepped aside for a fine-tune
        ├── EngineDied        the process or server that held the request went away
        └── RemoteError       the remote server refused, or did not answer

The faces (browser, HTTP, command line) translate once: a ChatAppError is shown as its
sentence, anything else is logged under an id and shown as a general sentence with that id.
"""

from __future__ import annotations


class ChatAppError(Exception):
    """A failure with a sentence for its reader.

    Attributes:
        sentence: one plain English sentence: what is wrong, where, and what to do.
        retryable: whether the same request may succeed if it is simply sent again.
        http_status: the status the HTTP API answers with.
        facts: the values inside the sentence, so that a face can say it in another language.
    """

    http_status = 500
    retryable = False

    def __init__(self, sentence: str, **facts: str | int | float) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.facts = facts

    @property
    def code(self) -> str:
        """The error's stable name, e.g. ``EngineBusy``: translations and API clients key on it."""
        return type(self).__name__


class SettingsError(ChatAppError):
    """A setting holds a value that is not allowed."""


class PersonaError(ChatAppError):
    """A persona file cannot be used."""


class InvalidRequest(ChatAppError):
    """The caller asked for something that does not make sense."""

    http_status = 400


class UnsupportedField(InvalidRequest):
    """A field that is known, but cannot be honoured here; it is refused, never ignored."""

    http_status = 422

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence, field=field)
        self.field = field


class PromptTooLong(InvalidRequest):
    """The prompt does not leave room for a single new token."""

    def __init__(self, tokens: int, limit: int) -> None:
        super().__init__(
            f"The messages are {tokens:,} tokens long, but this model reads at most {limit:,} "
            "including its answer. Shorten the text or start a new chat.",
            tokens=tokens,
            limit=limit,
        )


class NotFound(ChatAppError):
    """No such thing, or not yours."""

    http_status = 404


class DocumentError(ChatAppError):
    """A file that cannot be read, or a table of questions that cannot be taken in."""

    http_status = 422


class DatasetError(ChatAppError):
    """Labelled data that cannot be read, mapped or learned from."""

    http_status = 422


class TrainingError(ChatAppError):
    """A fine-tune that cannot start, or that failed."""


class AccessDenied(ChatAppError):
    """Staff only, and this visitor has not shown that they are."""

    http_status = 403


class ModelError(ChatAppError):
    """Weights that cannot be found, fetched, read or converted."""

    http_status = 503


class StorageError(ChatAppError):
    """The database or the disk refused."""

    http_status = 507


class EngineError(ChatAppError):
    """Generation failed."""

    http_status = 500
    retryable = True


class EngineBusy(EngineError):
    """Every slot and every place in the queue is taken."""

    http_status = 429

    def __init__(self, running: int, waiting: int) -> None:
        super().__init__(
            f"The assistant is busy: {running} answers are being written and {waiting} more are "
            "waiting. Please try again in a moment.",
            running=running,
            waiting=waiting,
        )


class EnginePaused(EngineError):
    """The model has stepped aside, so that a fine-tune has its memory."""

    http_status = 503


class EngineDied(EngineError):
    """The process or server that held the request went away."""

    http_status = 503


class RemoteError(EngineError):
    """The remote server refused, or did not answer."""

    http_status = 502
