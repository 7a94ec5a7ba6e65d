"""Reads a file of whatever kind into documents, in this process; see ``reading`` for another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from chatapp.errors import ChatAppError
from chatapp.knowledge.loading.draft import Draft, Progress
from chatapp.knowledge.loading.kinds import damaged, kind_of
from chatapp.knowledge_records import LoadedDocument

_Loader = Callable[[Path, Draft, Progress], None]


def load(path: Path, name: str, progress: Progress) -> Iterator[LoadedDocument]:
    """Read the file ``path``, uploaded as ``name``: one document, or many where its rows are such.

    Raises:
        DocumentError: it cannot be read, and what to do.
    """
    kind = kind_of(path, name)
    try:
        if kind in ("json", "jsonl"):
            from chatapp.knowledge.loading.json_rows import load_json, load_json_lines

            yield from (load_json if kind == "json" else load_json_lines)(path, name, progress)
        else:
            draft = Draft(name)
            _loader(kind)(path, draft, progress)
            yield draft.finish(kind)
    except (ChatAppError, MemoryError, GeneratorExit):
        raise
    except Exception as error:
        raise damaged(name) from error


def _loader(kind: str) -> _Loader:
    """The loader of a kind; each brings its libraries only when it is needed."""
    match kind:
        case "pdf":
            from chatapp.knowledge.loading.pdf import load_pdf as found
        case "docx":
            from chatapp.knowledge.loading.word import load_word as found
        case "pptx":
            from chatapp.knowledge.loading.slides import load_slides as found
        case "xlsx":
            from chatapp.knowledge.loading.workbook import load_workbook as found
        case "csv":
            from chatapp.knowledge.loading.delimited import load_delimited as found
        case "html":
            from chatapp.knowledge.loading.web import load_web as found
        case "markdown":
            from chatapp.knowledge.loading.markdown import load_markdown as found
        case "email":
            return _load_mail
        case _:
            from chatapp.knowledge.loading.plain import load_plain as found
    return found


def _load_mail(path: Path, draft: Draft, progress: Progress) -> None:
    from chatapp.knowledge.loading.mail import load_mail

    load_mail(path, draft, progress, lambda place, name: load(place, name, lambda _n, _of: None))
