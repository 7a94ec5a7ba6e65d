"""One frozen object with every setting; the only reader of the environment.

Each field ``x`` is set by ``CHATAPP_X`` or by the same line in a ``.env`` file in the current
folder; the environment wins. A wrong value stops the start with one sentence.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from chatapp.errors import SettingsError

PREFIX = "CHATAPP_"


class Settings(BaseSettings):
    """Everything that can be set. The README's table is tested against these fields."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    host: str = Field(
        default_factory=lambda: "0.0.0.0" if on_a_space() else "127.0.0.1",  # noqa: S104
        description="Address to listen on. A Hugging Face Space listens on every address.",
    )
    port: int = Field(7860, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    data: Path = Field(
        Path("data"), description="Folder for the database, the prepared models and the secret."
    )
    prompts: Path = Field(Path("prompts"), description="Folder with the persona files.")
    database_url: str | None = Field(
        None,
        description="SQLAlchemy URL of the database; the default is SQLite in the data folder.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much is logged."
    )

    model: str = Field(
        "bundled", description="`bundled`, a hub id (`org/name`), or a local folder or GGUF file."
    )
    engine: Literal["auto", "openvino", "transformers", "remote"] = Field(
        "auto",
        description="What runs the model. `auto`: `remote` with a base URL, `transformers` on "
        "CUDA, else `openvino` where it reads the model, else `transformers`.",
    )
    quantization: Literal["auto", "nf4", "int8", "none"] = Field(
        "auto", description="Of the transformers engine; `auto` is NF4."
    )
    gpu_memory: float = Field(
        0.9, gt=0, le=1, description="Share of the GPU's memory for weights and KV cache."
    )
    kv_cache_gb: float = Field(
        0.6, gt=0, le=1024, description="Most memory for the KV cache on a CPU, in GiB."
    )
    threads: int | None = Field(
        None, ge=1, le=1024, description="CPU threads for the model; the default is every core."
    )
    train_threads: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="CPU threads for a fine-tune; the default leaves one core to the chat.",
    )
    context_length: int | None = Field(
        None, ge=256, description="Longest prompt and answer in tokens; the default is the model's."
    )
    max_running: int = Field(32, ge=1, le=1024, description="Answers written at the same time.")
    max_waiting: int = Field(
        64, ge=0, le=100_000, description="Requests that may wait; one more is refused at once."
    )

    remote_base_url: str | None = Field(
        None, description="Base URL of an OpenAI-compatible server, e.g. `http://gpu-box:8000/v1`."
    )
    remote_api_key: SecretStr | None = Field(None, description="Key for the remote server.")
    remote_model: str | None = Field(
        None, description="Model name on the remote server; the default is its first one."
    )
    remote_context_length: int = Field(
        8192, ge=256, description="Context length of the remote model, in tokens."
    )
    remote_connect_timeout: float = Field(
        5.0, gt=0, le=600, description="Seconds to wait for the remote server's connection."
    )
    remote_read_timeout: float = Field(
        120.0, gt=0, le=3600, description="Seconds of silence before the remote server is given up."
    )

    embedder: str = Field(
        "bundled",
        description="Turns text into vectors: `bundled` (16 languages), `minilm` (English), or a "
        "sentence-transformers hub id or local folder. Changing it re-embeds in the background.",
    )
    reranker: str | None = Field(
        None, description="Cross-encoder (hub id or folder) that re-scores the best passages."
    )
    answer_style: Literal["auto", "compose", "quote"] = Field(
        "auto",
        description="How passages become an answer: written by the model, or quoted from the "
        "sources. `auto` quotes with models below one billion parameters.",
    )
    max_upload_mb: int = Field(
        200, ge=1, le=10_000, description="Largest file taken in as a document, in MB."
    )
    staff_password: SecretStr | None = Field(
        None,
        min_length=8,
        description="Opens the Knowledge tab and its endpoints. Without it they are open only "
        "when the app listens on this machine's own address (loopback).",
    )

    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Comma-separated keys for `/v1`; without any, `/v1` is open."
    )
    secret_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="Signs cookies; the default is made once and kept in the data folder.",
    )

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(key.strip() for key in value.split(",") if key.strip())
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("a URL that begins with sqlite:/// or postgresql+psycopg://")
        return value

    @field_validator("remote_base_url")
    @classmethod
    def _http_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("a URL that begins with http:// or https://")
        return value


def load_settings(**overrides: object) -> Settings:
    """Read the environment and ``.env``; ``overrides`` win over both.

    Raises:
        SettingsError: names the variable, its value and what is allowed.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError(_sentence(error.errors()[0])) from None


def on_a_space() -> bool:
    """Whether this runs on Hugging Face Spaces, which sets SPACE_ID."""
    return "SPACE_ID" in os.environ


def on_zero_gpu() -> bool:
    """Whether this is a Space whose GPU exists only inside ``@spaces.GPU`` functions."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def _sentence(problem: ErrorDetails) -> str:
    field = str(problem["loc"][0]) if problem["loc"] else ""
    secret = "SecretStr" in str(Settings.model_fields[field].annotation)
    value = "the given value" if secret else repr(str(problem["input"]))
    return f"{PREFIX}{field.upper()} is set to {value}, but must be {_allowed(problem)}."


def _allowed(problem: ErrorDetails) -> str:
    context = problem.get("ctx", {})
    match problem["type"]:
        case "literal_error":
            return f"one of {context['expected']}"
        case "greater_than":
            return f"a number above {context['gt']}"
        case "greater_than_equal":
            return f"a number from {context['ge']} up"
        case "less_than_equal":
            return f"a number up to {context['le']}"
        case "int_parsing" | "int_type" | "int_from_float":
            return "a whole number"
        case "float_parsing" | "float_type":
            return "a number"
        case "value_error":
            return str(context["error"])
        case "too_short" | "string_too_short":
            return f"at least {context['min_length']} characters long"
        case _:
            return problem["msg"]
