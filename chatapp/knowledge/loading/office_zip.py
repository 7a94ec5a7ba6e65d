"""DOCX, PPTX and XLSX are ZIP archives: looked at before a library unpacks them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from chatapp.errors import DocumentError
from chatapp.knowledge.loading.kinds import damaged, protected

_LARGEST = 1024**3
_LARGEST_XML = 256 * 1024**2
"""A tree of XML takes some five times its text in memory."""
_HARMLESS = 64 * 1024**2
_RATIO = 120
"""Office XML shrinks to a tenth or a thirtieth; what shrinks to less was made to explode."""
_MOST_PARTS = 20_000
_ENCRYPTED = 0x1


def check_office_zip(path: Path, name: str) -> None:
    """Refuse what would fill the memory when it is unpacked.

    Raises:
        DocumentError: a zip bomb, a password or no ZIP archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise damaged(name) from None
    if any(part.flag_bits & _ENCRYPTED for part in parts):
        raise protected(name)
    total = sum(part.file_size for part in parts)
    packed = max(1, sum(part.compress_size for part in parts))
    xml = max((part.file_size for part in parts if part.filename.endswith(".xml")), default=0)
    explodes = total > _HARMLESS and total / packed > _RATIO
    if total > _LARGEST or xml > _LARGEST_XML or explodes or len(parts) > _MOST_PARTS:
        raise DocumentError(
            f"{name} would unpack to {total / 1024**2:,.0f} MB, far more than a document of its "
            "size holds, and is refused as a possible zip bomb. Split it, or save it as PDF.",
            file=name,
        )
