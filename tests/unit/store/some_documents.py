"""Small documents that are ready to be stored."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from chatapp.knowledge_records import Heading, LoadedDocument, NewDocument, NewPassage
from tests.fake_knowledge import FakeEmbedder

EMBEDDER = FakeEmbedder()


def a_document(
    name: str,
    *texts: str,
    language: str = "en",
    tags: Sequence[str] = (),
    file: str | None = None,
) -> NewDocument:
    """A document with one passage for each text."""
    text = "\n".join(texts)
    passages, start = [], 0
    for one in texts:
        passages.append(
            NewPassage(
                text=one,
                heading=("Guide", f"About {one}"),
                page=1,
                start=start,
                end=start + len(one),
                language=language,
            )
        )
        start += len(one) + 1
    return NewDocument(
        loaded=LoadedDocument(
            name=name,
            title=f"Title of {name}",
            kind="markdown",
            text=text,
            headings=(Heading(start=0, level=1, text="Guide"),),
            page_starts=(0,),
            tags=tuple(tags),
        ),
        content_hash=hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(),
        size=len(text),
        language=language,
        passages=passages,
        vectors=EMBEDDER.embed([one.encode("utf-8", "replace").decode() for one in texts]),
        file=file,
    )
