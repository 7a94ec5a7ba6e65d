"""What an answer leaned on, as text in a message's row."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from functools import cache

from pydantic import TypeAdapter, ValidationError

from chatapp.knowledge_records import Grounding

log = logging.getLogger(__name__)


def packed(grounding: Grounding | None) -> str | None:
    """As JSON."""
    return None if grounding is None else json.dumps(asdict(grounding), ensure_ascii=False)


def unpacked(text: str | None) -> Grounding | None:
    """What was packed; None for what an older or a newer app packed and this one cannot read."""
    if text is None:
        return None
    try:
        return _adapter().validate_json(text)
    except ValidationError as error:
        log.warning("What an answer leaned on cannot be read: %s", error.errors()[0]["msg"])
        return None


@cache
def _adapter() -> TypeAdapter[Grounding]:
    return TypeAdapter(Grounding)
