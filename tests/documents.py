"""Small files of each format, made on the spot."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from chatapp.knowledge.loading.load import load
from chatapp.knowledge_records import LoadedDocument

WIDTH, HEIGHT = 595, 842


def loaded(path: Path, name: str | None = None) -> LoadedDocument:
    """The one document of a file, read in this process."""
    (document,) = all_loaded(path, name)
    return document


def all_loaded(path: Path, name: str | None = None) -> list[LoadedDocument]:
    documents = list(load(path, name or path.name, lambda _done, _total: None))
    for document in documents:
        check(document)
    return documents


def check(document: LoadedDocument) -> None:
    """What every loaded document promises."""
    text = document.text
    for heading in document.headings:
        assert text[heading.start :].startswith(heading.text)
        assert 1 <= heading.level <= 6
    assert list(document.page_starts) == sorted(document.page_starts)
    assert document.page_starts[:1] in ((), (0,))
    for start, end in document.blocks:
        assert text[start:end].strip()
    assert document.title


def outline(document: LoadedDocument) -> list[tuple[int, str]]:
    return [(heading.level, heading.text) for heading in document.headings]


def blocks(document: LoadedDocument) -> list[str]:
    return [document.text[start:end] for start, end in document.blocks]


def pages(document: LoadedDocument) -> Iterator[str]:
    ends = (*document.page_starts[1:], len(document.text))
    for start, end in zip(document.page_starts, ends, strict=True):
        yield document.text[start:end].strip()


# ---- PDF ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Text:
    """Words on a PDF page; ``x`` and ``y`` in points from the lower left corner."""

    x: float
    y: float
    words: str
    size: float = 11
    bold: bool = False


def lines(words: Sequence[str], *, top: float = 780, size: float = 11) -> list[Text]:
    """Lines of one paragraph, from top to bottom."""
    return [Text(72, top - at * size * 1.25, line, size) for at, line in enumerate(words)]


def write_pdf(
    path: Path,
    sheets: Sequence[Sequence[Text]],
    *,
    title: str = "",
    bookmarks: Sequence[tuple[int, str]] = (),
) -> Path:
    """A PDF of Helvetica; bookmarks are (page from 0, title)."""
    objects: dict[int, bytes] = {
        3: _font("Helvetica"),
        4: _font("Helvetica-Bold"),
        5: f"<< /Title ({title}) >>".encode("latin-1"),
    }
    first = 10
    kids = " ".join(f"{first + 2 * at} 0 R" for at in range(len(sheets)))
    objects[2] = f"<< /Type /Pages /Kids [{kids}] /Count {len(sheets)} >>".encode()
    for at, sheet in enumerate(sheets):
        number = first + 2 * at
        content = b"".join(map(_drawn, sheet))
        objects[number] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents "
            f"{number + 1} 0 R /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>"
        ).encode()
        objects[number + 1] = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
    outlines = b""
    if bookmarks:
        entry = first + 2 * len(sheets)
        last = entry + len(bookmarks) - 1
        objects[6] = f"<< /Type /Outlines /First {entry} 0 R /Last {last} 0 R >>".encode()
        outlines = b" /Outlines 6 0 R"
        for at, (page, name) in enumerate(bookmarks):
            following = f"/Next {entry + at + 1} 0 R" if entry + at < last else ""
            target = f"/Dest [{first + 2 * page} 0 R /Fit] {following}"
            objects[entry + at] = f"<< /Title ({name}) /Parent 6 0 R {target} >>".encode()
    objects[1] = b"<< /Type /Catalog /Pages 2 0 R%s >>" % outlines
    path.write_bytes(_file(objects))
    return path


def write_encrypted_pdf(path: Path) -> Path:
    """A PDF that says it is encrypted, with a password nobody knows."""
    whole = write_pdf(path, [[Text(72, 700, "Secret")]]).read_bytes()
    keys = "00" * 32
    lock = (
        f"/Encrypt << /Filter /Standard /V 1 /R 2 /O <{keys}> /U <{keys}> /P -4 >> /ID [<00> <00>]"
    )
    path.write_bytes(whole.replace(b"/Root 1 0 R", b"/Root 1 0 R " + lock.encode()))
    return path


def write_scanned_pdf(path: Path, sheets: Sequence[Sequence[str]]) -> Path:
    """A PDF of pictures: each sheet is lines of print, as a scanner would leave them."""
    font = ImageFont.load_default(size=32)
    pictures = []
    for sheet in sheets:
        picture = Image.new("RGB", (760, 200), "white")
        for at, line in enumerate(sheet):
            ImageDraw.Draw(picture).text((40, 30 + at * 60), line, font=font, fill="black")
        pictures.append(picture)
    pictures[0].save(path, "PDF", save_all=True, append_images=pictures[1:], resolution=200)
    return path


def _font(name: str) -> bytes:
    font = f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>"
    return font.encode()


def _drawn(text: Text) -> bytes:
    words = text.words.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    font = "F2" if text.bold else "F1"
    place = f"BT /{font} {text.size} Tf {text.x} {text.y} Td "
    return place.encode() + b"(" + words.encode("cp1252") + b") Tj ET\n"


def _file(objects: dict[int, bytes]) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    places = {}
    for number in sorted(objects):
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, objects[number]))
    start = out.tell()
    size = max(objects) + 1
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % size)
    for number in range(1, size):
        out.write(
            b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 00000 f \n"
        )
    out.write(b"trailer << /Size %d /Root 1 0 R /Info 5 0 R >>\n" % size)
    out.write(b"startxref\n%d\n%%%%EOF\n" % start)
    return out.getvalue()


# ---- archives ----------------------------------------------------------------------------------
def write_bomb(path: Path, part: str, megabytes: int = 70) -> Path:
    """An Office file one part of which is megabytes of nothing."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(part, bytes(megabytes * 1024**2), compresslevel=1)
    return path
