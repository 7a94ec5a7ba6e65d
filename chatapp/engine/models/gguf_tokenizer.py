"""Writes the tokenizer that a GGUF file describes as the files every engine reads.

``python -m chatapp.engine.models.gguf_tokenizer GGUF OUT``,
in a process of its own because it needs
transformers. That library knows how a GGUF spells its vocabulary; the split into digits that some
vocabularies were learned with is added here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from tokenizers import Tokenizer, pre_tokenizers
from transformers.integrations.gguf import convert_gguf_tokenizer, get_gguf_tokenizer

from chatapp.engine.models.conversion import Progress, serve_converter
from chatapp.engine.models.gguf_header import GGUFHeader, read_header
from chatapp.errors import ModelError

FILES = ("tokenizer.json", "tokenizer_config.json", "generation_config.json")

_DIGIT_SPLITTERS = frozenset({"smollm", "starcoder", "refact", "command-r", "exaone", "codeshell"})
"""Vocabularies whose merges were learned on single digits (``llama-vocab.cpp`` in llama.cpp).
transformers splits them like GPT-2, which turns white space before a number into wrong tokens."""


def convert(source: Path, out: Path, report: Progress) -> None:
    """Write tokenizer.json, tokenizer_config.json and generation_config.json into ``out``.

    Raises:
        ModelError: the file has no chat template, or a vocabulary that is not known.
    """
    report("Reading the vocabulary", 0.0)
    header = read_header(source)
    template = header.metadata.get("tokenizer.chat_template")
    if not isinstance(template, str):
        raise ModelError(
            f"{source} has no chat template, so it cannot hold a conversation. Choose a model that "
            "is tuned for chat (its name often ends in -Instruct)."
        )
    try:
        architecture, vocabulary, config = get_gguf_tokenizer(str(source))
        tokenizer, _ = convert_gguf_tokenizer(architecture, vocabulary)
    except (KeyError, ValueError, IndexError) as error:
        raise ModelError(f"The vocabulary in {source} cannot be read: {error}.") from error
    _split_digits(tokenizer, str(header.metadata.get("tokenizer.ggml.pre", "")))
    report("Writing the tokenizer", 0.8)
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"))
    _write(out / "tokenizer_config.json", _tokenizer_config(header, template, config))
    _write(out / "generation_config.json", header.token_ids())
    report("Tokenizer ready", 1.0)


def _split_digits(tokenizer: Tokenizer, kind: str) -> None:
    if kind in _DIGIT_SPLITTERS:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False),
            ]
        )


def _tokenizer_config(
    header: GGUFHeader, template: str, config: dict[str, object]
) -> dict[str, object]:
    special = {key: value for key, value in config.items() if key.endswith("_token") and value}
    return {
        # Any other class would throw tokenizer.json's splitting away and put its own in place.
        "tokenizer_class": "TokenizersBackend",
        **special,
        "model_max_length": header.integer("context_length"),
        "clean_up_tokenization_spaces": False,
        "chat_template": template,
    }


def _write(path: Path, value: Mapping[str, object]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(serve_converter(convert, sys.argv[1:]))
