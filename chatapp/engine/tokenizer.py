"""From messages to token ids and back, without loading a deep-learning library.

One tokenizer serves every local engine, so that a conversation has the same length and the same
meaning whichever engine reads it. It needs ``tokenizer.json`` and ``tokenizer_config.json``, as
every prepared model folder has them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NoReturn, cast

import jinja2
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from chatapp.errors import ModelError
from chatapp.records import ChatMessage

_BREAK = "\ufdd0"
"""A Unicode noncharacter ("for internal use"): marks where a user-typed control token is cut."""


class TokenDecoder:
    """Turns one answer's token ids into text as they come; holds back half characters."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._stream = DecodeStream(skip_special_tokens=True)

    def step(self, token_id: int) -> str:
        """The text that ``token_id`` completes; empty while a character is unfinished."""
        return self._stream.step(self._tokenizer, token_id) or ""


class ChatTokenizer:
    """A model's vocabulary and its chat template."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        template: str,
        special_tokens: Mapping[str, str],
        eos_ids: frozenset[int],
    ) -> None:
        """Take the parts; ``load`` reads them from a folder.

        Args:
            special_tokens: the names the template may use, e.g. ``{"bos_token": "<s>"}``.
            eos_ids: any of these ends an answer.

        Raises:
            ModelError: the template is not a template.
        """
        self._tokenizer = tokenizer
        try:
            self._template = _environment().from_string(template)
        except jinja2.TemplateError as error:
            raise ModelError(f"The model's chat template cannot be read: {error}.") from error
        self._special_tokens = dict(special_tokens)
        self.eos_ids = eos_ids
        self._control = _control_pattern(tokenizer)

    @classmethod
    def load(cls, folder: Path) -> ChatTokenizer:
        """Read a prepared model folder.

        Raises:
            ModelError: the tokenizer or its chat template is missing or unreadable.
        """
        try:
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the library raises a bare Exception
            raise ModelError(f"The tokenizer in {folder} cannot be read: {error}") from error
        config = _read_json(folder / "tokenizer_config.json")
        template = _template(folder, config)
        if template is None:
            raise ModelError(
                f"The model in {folder} has no chat template, so it cannot hold a conversation. "
                "Choose a model that is tuned for chat (its name often ends in -Instruct)."
            )
        special = {
            name: text
            for name, value in config.items()
            if name.endswith("_token") and (text := _token_text(value))
        }
        return cls(tokenizer, template, special, _eos_ids(folder, tokenizer, special))

    @property
    def vocabulary_size(self) -> int:
        """Number of token ids, added tokens included."""
        return self._tokenizer.get_vocab_size(with_added_tokens=True)

    def encode_chat(self, messages: Sequence[ChatMessage]) -> list[int]:
        """The prompt's token ids, ending where the assistant begins to speak.

        Control tokens typed by a person (``<|im_start|>``) are read as plain text: each is cut
        after its first character before the template is applied, and the pieces are encoded
        apart, so that only the template's own control tokens exist in the prompt.

        Raises:
            ModelError: the template rejects these messages.
        """
        return self.encode_rendered(self.rendered(messages, answering=True))

    def rendered(self, messages: Sequence[ChatMessage], *, answering: bool) -> str:
        """The chat template applied, for ``encode_rendered``.

        A noncharacter stands where a control token that a person typed is cut; ``shown`` takes
        it out.

        Args:
            messages: a conversation.
            answering: whether it ends where the assistant begins to speak.

        Raises:
            ModelError: the template rejects these messages.
        """
        turns = [{"role": m.role, "content": self.defused(m.content)} for m in messages]
        return self._render(turns, answering)

    def encode_rendered(self, text: str) -> list[int]:
        """Token ids of what ``rendered`` or ``defused`` gave, or of a part of it."""
        ids: list[int] = []
        for piece in text.split(_BREAK):
            ids.extend(self._tokenizer.encode(piece, add_special_tokens=False).ids)
        return ids

    @staticmethod
    def shown(rendered: str) -> str:
        """A rendered text as a person may see it."""
        return rendered.replace(_BREAK, "")

    def encode(self, text: str) -> list[int]:
        """Token ids of a plain text, nothing added."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int], *, control: bool = False) -> str:
        """The text of ``ids``, with control tokens only if they are wanted."""
        return self._tokenizer.decode(list(ids), skip_special_tokens=not control)

    def decoder(self) -> TokenDecoder:
        """A fresh decoder for one answer."""
        return TokenDecoder(self._tokenizer)

    def defused(self, text: str) -> str:
        """The text with its control tokens cut, so that ``encode_rendered`` reads plain text."""
        text = text.replace(_BREAK, "")
        if self._control is None:
            return text
        # The look-ahead finds overlapping tokens too; each is cut after its first character.
        cuts = [match.start() + 1 for match in self._control.finditer(text)]
        pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, None], strict=True)]
        return _BREAK.join(pieces)

    def _render(self, turns: list[dict[str, str]], answering: bool) -> str:
        try:
            return self._template.render(
                messages=turns, add_generation_prompt=answering, **self._special_tokens
            )
        except (jinja2.TemplateError, TypeError, ValueError) as error:
            if turns and turns[0]["role"] == "system":
                # Some templates know no system turn; its text then leads the first question.
                return self._render(_system_into_question(turns), answering)
            raise ModelError(f"The model's chat template rejects this chat: {error}.") from error


def _system_into_question(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    system, rest = turns[0]["content"], turns[1:]
    if rest and rest[0]["role"] == "user":
        return [{"role": "user", "content": f"{system}\n\n{rest[0]['content']}"}, *rest[1:]]
    return [{"role": "user", "content": system}, *rest]


def _environment() -> ImmutableSandboxedEnvironment:
    """The names and filters that published chat templates rely on."""

    def raise_exception(message: str) -> NoReturn:
        raise jinja2.TemplateError(message)

    def tojson(value: object, indent: int | None = None) -> str:
        return json.dumps(value, ensure_ascii=False, indent=indent)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment


def _control_pattern(tokenizer: Tokenizer) -> re.Pattern[str] | None:
    """Matches wherever a control token begins. Runs of white space, which some vocabularies hold
    as added tokens, are ordinary text."""
    words = [
        token.content
        for token in tokenizer.get_added_tokens_decoder().values()
        if len(token.content) > 1 and (token.special or not token.content.isspace())
    ]
    if not words:
        return None
    return re.compile("(?=" + "|".join(re.escape(word) for word in words) + ")")


def _eos_ids(folder: Path, tokenizer: Tokenizer, special: Mapping[str, str]) -> frozenset[int]:
    ids: set[int] = set()
    for name in ("generation_config.json", "config.json"):
        value = _read_json(folder / name).get("eos_token_id") if (folder / name).is_file() else None
        if isinstance(value, int):
            ids.add(value)
        elif isinstance(value, list):
            ids.update(item for item in value if isinstance(item, int))
    named = tokenizer.token_to_id(special["eos_token"]) if "eos_token" in special else None
    return frozenset(ids if named is None else ids | {named})


def _token_text(value: object) -> str | None:
    """A special token is written as its text, or as a record whose ``content`` is its text."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else None


def _template(folder: Path, config: Mapping[str, object]) -> str | None:
    """The chat template: a file of its own, or in the configuration alone or in a named list."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    value = config.get("chat_template")
    if isinstance(value, list):
        named = {item.get("name"): item.get("template") for item in value}
        value = named.get("default")
    return value if isinstance(value, str) else None


def _read_json(path: Path) -> dict[str, object]:
    try:
        return cast("dict[str, object]", json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}.") from error
