"""Everyday questions among the examples, answered as the base answers them.

A model that reads nothing but a shop's prices soon answers everything with a price. What it says to
other questions is kept by letting it practise its own answers (rehearsal, Robins 1995; with a
model's own words as in Yang et al. 2024, arXiv:2402.13669). Importing this module imports torch.
"""

from __future__ import annotations

import gc
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.records import ChatMessage
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

QUESTIONS: Final = (
    "Why is the sky blue?",
    "What is the capital of Italy?",
    "How do plants grow?",
    "Write a short poem about the sea.",
    "What is a good breakfast?",
    "Explain what a computer does.",
    "How do I boil an egg?",
    "What causes rain?",
    "Tell me a fun fact about cats.",
    "Who wrote Romeo and Juliet?",
    "What is the largest ocean?",
    "How can I sleep better?",
    "What is photosynthesis?",
    "Give me three tips for learning a language.",
    "Why do birds migrate?",
    "What is the difference between weather and climate?",
    "Write a polite greeting for an email.",
    "How far away is the moon?",
    "What is a prime number?",
    "Name three kinds of fruit.",
    "How does a bicycle stay upright?",
    "What should I pack for a day at the beach?",
    "Why do we need sleep?",
    "What is the freezing point of water?",
    "Describe a forest in autumn.",
    "How do magnets work?",
    "Who are you?",
    "What can you help me with?",
    "Hello!",
    "How are you today?",
    "Thank you for your help.",
    "Tell me a short story about a dog.",
    "What is the best way to save money?",
    "How do vaccines work?",
    "What does a teacher do?",
    "Why is exercise important?",
    "What is the internet?",
    "How do I clean a window?",
    "What is the tallest mountain in the world?",
    "Suggest a name for a cat.",
)


def rehearsed(
    folder: RunFolder, config: RunConfig, tokenizer: ChatTokenizer, rows: int
) -> list[Example]:
    """What is mixed in: a share of ``rows``, at most all of ``QUESTIONS``. The base is asked once
    a run; a resumed one finds its answers in the run's folder.

    Raises:
        ModelError: the base cannot be loaded.
    """
    count = min(len(QUESTIONS), math.ceil(config.rehearsal * rows))
    kept = folder.path / _FILE
    if kept.exists():
        return _EXAMPLES.validate_json(kept.read_bytes())
    said = _asked(config, tokenizer, QUESTIONS[:count]) if count else []
    examples = [
        Example(messages=(ChatMessage("user", question), ChatMessage("assistant", answer)))
        for question, text in zip(QUESTIONS, said, strict=False)
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
