"""Everyday questions among the examples, answered as the base answers them.

A model that reads nothing but a shop's prices soon answers everything with a price. What it says to
other questions is kept by letting it practise its own answers (rehearsal, Robins 1995; with a
model's own words as in Yang et al. 2024, arXiv:2402.13669). Importing this module imports torch.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.records import ChatMessage
from chatapp.training.chat.everyday import REHEARSED, mixed_in
from chatapp.training.chat.tuning import load_base
from chatapp.training.chat.writing import answers
from chatapp.training.config import RunConfig
from chatapp.training.run import lines
from chatapp.training.run.folder import RunFolder
from chatapp.training_records import Example

_FILE = "rehearsal.json"
_TOKENS = 48
_SENTENCES = re.compile(r"(?s).*[.!?。！？]")
_EXAMPLES = TypeAdapter(list[Example])


def rehearsed(
    folder: RunFolder, config: RunConfig, tokenizer: ChatTokenizer, rows: int
) -> list[Example]:
    """What is mixed in: a share of ``rows``, at most all of ``REHEARSED``. The base is asked once
    a run; a resumed one finds its answers in the run's folder.

    Raises:
        ModelError: the base cannot be loaded.
    """
    count = mixed_in(config.rehearsal, rows)
    kept = folder.path / _FILE
    if kept.exists():
        return _EXAMPLES.validate_json(kept.read_bytes())
    said = _asked(config, tokenizer, REHEARSED[:count]) if count else []
    examples = [
        Example(messages=(ChatMessage("user", question), ChatMessage("assistant", answer)))
        for question, text in zip(REHEARSED, said, strict=False)
        if (answer := whole_sentences(text))
    ]
    lines.replace(kept, _EXAMPLES.dump_json(examples))
    return examples


def whole_sentences(text: str) -> str:
    """Without the sentence that was cut off; empty where not one is whole."""
    found = _SENTENCES.match(text)
    return found.group().strip() if found else ""


def _asked(config: RunConfig, tokenizer: ChatTokenizer, questions: Sequence[str]) -> list[str]:
    above = [ChatMessage("system", config.system_prompt)] if config.system_prompt else []
    prompts = [tokenizer.encode_chat([*above, ChatMessage("user", one)]) for one in questions]
    model = load_base(Path(config.base), config)
    said = answers(model, tokenizer, prompts, _TOKENS)
    del model
    gc.collect()
    return said
