"""Malformed and hostile files, each made by a function, and what is to be said of it."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import sqlite3
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

Make = Callable[[Path], object]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
CONTENT_TYPES = "[Content_Types].xml"


@dataclass(frozen=True)
class Hostile:
    """``says``: in the one sentence; ``finds``: the kind of the finding where it can be read."""

    name: str
    make: Make
    says: tuple[str, ...] = ()
    finds: str = ""


def content(data: bytes | str) -> Make:
    raw = data.encode() if isinstance(data, str) else data
    return lambda path: path.write_bytes(raw)


def lines(*rows: str) -> Make:
    return content("\n".join(rows) + "\n")


def zipped(**parts: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def parts(content_of: dict[str, bytes]) -> Make:
    return content(zipped(**content_of))


def workbook(fill: Callable[[openpyxl.Workbook], object]) -> Make:
    def make(path: Path) -> None:
        book = openpyxl.Workbook()
        fill(book)
        book.save(path)

    return make


def with_formulas(book: openpyxl.Workbook) -> None:
    sheet = book.active
    sheet.append(["text", "label"])
    sheet.append(["My parcel is late", "delivery"])
    sheet.append(["=CMD|'/c calc'!A0", "delivery"])
    sheet.append(["Where is my money", '=HYPERLINK("http://evil.example","refund")'])


def wide(book: openpyxl.Workbook) -> None:
    book.active["A1"] = "text"
    book.active["XFD1"] = "label"
    book.active["A2"] = "Hello"


def far_down(book: openpyxl.Workbook) -> None:
    book.active["A1"] = "text"
    book.active["A2"] = "Hello"
    book.active["A1048576"] = "the very last row"


def hidden_only(book: openpyxl.Workbook) -> None:
    book.active.append(["text", "label"])
    book.active.append(["a secret", "x"])
    book.active.sheet_state = "hidden"
    book.create_sheet("Empty")


def replaced(part: str, data: bytes) -> Make:
    """A workbook of which one part is something else."""

    def make(path: Path) -> None:
        book = openpyxl.Workbook()
        book.active.append(["text", "label"])
        buffer = io.BytesIO()
        book.save(buffer)
        with (
            zipfile.ZipFile(buffer) as source,
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target,
        ):
            for name in source.namelist():
                target.writestr(name, data if name == part else source.read(name))

    return make


def torn(path: Path) -> None:
    """A workbook whose sheet cannot be unpacked: its compressed bytes are overwritten."""
    book = openpyxl.Workbook()
    for row in range(200):
        book.active.append([f"text {row * 7919 % 997}", f"label {row}"])
    book.save(path)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("xl/worksheets/sheet1.xml").header_offset
    data[at + 80 : at + 300] = bytes(range(220))
    path.write_bytes(data)


def laughing() -> bytes:
    """A billion laughs: entities that grow tenfold nine times."""
    entities = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "ha">' for n in range(10)
    )
    return (
        f'<?xml version="1.0"?><!DOCTYPE worksheet [{entities}]>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>&l9;</t></is></c></row></sheetData></worksheet>'
    ).encode()


def database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("create table examples (text, label)")


def numbers(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(4))


def parquet(columns: dict[str, list[object]], cut: int = 0) -> Make:
    def make(path: Path) -> None:
        pq.write_table(pa.table(columns), path)
        if cut:
            path.write_bytes(path.read_bytes()[:-cut])

    return make


def arrow(path: Path) -> None:
    table = pa.table({"text": ["a"]})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def huge(path: Path) -> None:
    """A gigabyte on one line, of which the disk holds little."""
    with path.open("wb") as file:
        file.write(b"text,label\n" + b"a" * 100_000)
        file.truncate(1024**3)


def long_line(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"text,label\n")
        for _ in range(96):
            file.write(b"a" * 1024**2)


def long_value(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b'[{"text": "')
        for _ in range(96):
            file.write(b"a" * 1024**2)


def mixed_encodings(path: Path) -> None:
    rows = ["text,label", *(f"我的包裹还没有到 {n},delivery" for n in range(30))]
    path.write_bytes("\n".join(rows).encode() + "\n退款,refund\n".encode("gb18030"))


def many_columns(path: Path) -> None:
    path.write_text(",".join(f"c{n}" for n in range(5_000)) + "\n" + "1," * 4_999 + "1\n")


def growing_rows(path: Path) -> None:
    path.write_text("\n".join(json.dumps({f"key{n}": n}) for n in range(3_000)))


def many_values(path: Path) -> None:
    path.write_text(json.dumps([{"text": list(range(200_000))}]))


GOOD = [f'{{"text": "row {n}", "label": "{"ab"[n % 2]}"}}' for n in range(8)]

HOSTILE = [
    Hostile("empty.csv", content(b""), ("is empty",)),
    Hostile("blank.jsonl", content(b" \n\t\r\n  \n"), ("is empty",)),
    Hostile("mark-only.csv", content(b"\xef\xbb\xbf"), ("is empty",)),
    Hostile("zeros.csv", content(bytes(200_000)), ("zeros",)),
    Hostile("header-only.csv", lines("text,label"), ("no rows",)),
    Hostile("header-only.xlsx", workbook(lambda book: book.active.append(["text", "label"])),
            ("no rows",)),
    Hostile("blank.xlsx", workbook(lambda book: None), ("no visible sheet",)),
    Hostile("hidden.xlsx", workbook(hidden_only), ("no visible sheet",)),
    Hostile("binary.csv", content(bytes(range(256)) * 40), ("binary",)),
    Hostile("image.csv", content(PNG), ("a PNG image",)),
    Hostile("paper.csv", content(b"%PDF-1.7\n" + bytes(range(256))), ("a PDF",)),
    Hostile("packed.jsonl", lambda path: path.write_bytes(gzip.compress(b'{"text": "a"}')),
            ("GZIP", "Unpack")),
    Hostile("pickled.csv", lambda path: path.write_bytes(pickle.dumps([1, 2])),
            ("pickle", "was not opened")),
    Hostile("old-pickle.txt", lambda path: path.write_bytes(pickle.dumps({"a": 1}, protocol=0)),
            ("pickle",)),
    Hostile("weights.csv", parts({"archive/data.pkl": b"x"}), ("pickle",)),
    Hostile("array.csv", numbers, ("NumPy",)),
    Hostile("database.csv", database, ("a database",)),
    Hostile("program.csv", content(b"\x7fELF" + bytes(100)), ("a program",)),
    Hostile("arrow.parquet", arrow, ("an Arrow file",)),
    Hostile("zips.xlsx", parts({"inner.zip": zipped(**{"more.zip": zipped(a=b"1")})}),
            ("ZIP archive",)),
    Hostile("letter.xlsx", parts({"word/document.xml": b"<w/>"}), ("a Word document",)),
    Hostile("cut.xlsx", content(zipped(**{"xl/workbook.xml": b"<a/>" * 99})[:80]), ("damaged",)),
    Hostile("torn.xlsx", torn, ("damaged",)),
    Hostile("bomb.xlsx", replaced("xl/worksheets/sheet1.xml", b" " * (200 * 1024**2)), ("bomb",)),
    Hostile("laughs.xlsx", replaced("xl/worksheets/sheet1.xml", laughing()), ("damaged",)),
    Hostile("no-xml.xlsx", replaced("xl/worksheets/sheet1.xml", b"<worksheet><row"), ("damaged",)),
    Hostile("no-book.xlsx", replaced("xl/workbook.xml", b"<workbook/>"), ("no visible sheet",)),
    Hostile("old.xls", content(OLE), ("Save it as XLSX",)),
    Hostile("formulas.xlsx", workbook(with_formulas), finds="formula"),
    Hostile("wide.xlsx", workbook(wide), ("row 1", "16,384 columns")),
    Hostile("far-down.xlsx", workbook(far_down), finds=""),
    Hostile("cut.parquet", parquet({"text": ["a"], "label": ["b"]}, cut=20), ("damaged",)),
    Hostile("images.parquet", parquet({"image": [b"\0\1", b"\2"]}), ("image", "no column with")),
    Hostile("deep.json", content("[" * 100_000 + "]" * 100_000), ("line 1", "nested")),
    Hostile("deep-objects.json", content('{"a":' * 50_000 + "1" + "}" * 50_000), ("nested",)),
    Hostile("deep.jsonl", lines(*GOOD, '{"text": ' + "[" * 5_000 + "]" * 5_000 + "}"),
            finds="too_deep"),
    Hostile("cut.json", content('[{"text": "a", "label": "b"}, {"text": "c'), ("line 1",)),
    Hostile("comma.json", lines("[", '{"text": "a",', '"label": "b",}', "]"), ("line 3",)),
    Hostile("single.json", content("[]"), ("no rows",)),
    Hostile("hollow.jsonl", lines("{}", "{}", "[]"), ("nothing is in them",)),
    Hostile("hollow.json", content("[{}, []]"), ("nothing is in them",)),
    Hostile("value.json", content("42"), ("single JSON value",)),
    Hostile("no-list.json", content('{"title": {"of": "a"}, "size": 3}'), ("no list", "title,")),
    Hostile("not-a-number.json", content('[{"text": NaN, "label": "x"}]'), ("line 1", "not JSON")),
    Hostile("giant-number.json", content("[" + "9" * 6_000 + "]"), ("not JSON",)),
    Hostile("giant-number.jsonl", lines(*GOOD, '{"text": ' + "9" * 6_000 + "}"), finds="too_deep"),
    Hostile("many-values.json", many_values, ("entry 1", "far more values")),
    Hostile("bad-line.jsonl", lines(*GOOD, "{'text': 'single quotes'}"), finds="unreadable"),
    Hostile("no-json.jsonl", lines("hello", "world"), ("2 of 2 rows", "line 1")),
    Hostile("growing.jsonl", growing_rows, ("more than 500 columns",)),
    Hostile("gigabyte.csv", huge, ("1,024 MB",)),
    Hostile("long-line.csv", long_line, ("line 2", "longer than 8 million")),
    Hostile("long-value.json", long_value, ("single value is longer",)),
    Hostile("long-cell.csv", content(f'text,label\n"{"a" * 1_500_000}",x\n'), ("row 2", "longer")),
    Hostile("unclosed.csv", lines("text,label", "a,b", '"c,d', "e,f"), ("row 3", "never closed")),
    Hostile("after-quote.csv", lines("text,label", *["a,b"] * 4, '"He said "hi" to me",x'),
            finds="unreadable"),
    Hostile("ragged.csv", lines("text,label", *["a,b"] * 4, "Hello, there,x"), finds="ragged"),
    Hostile("all-ragged.csv", lines("text,label", *["a,b,c,d"] * 4), ("4 of 4", "row 2")),
    Hostile("twice.csv", lines("text,text,label", "a,b,c"), finds="duplicate_header"),
    Hostile("no-header.csv", lines("Where is my parcel?,delivery", "Refund me!,refund",
                                   "Is it late?,delivery"), finds="no_header"),
    Hostile("mixed.csv", mixed_encodings, finds="broken_text"),
    Hostile("many-columns.csv", many_columns, ("row 1", "5,000 columns")),
    Hostile("zero-bytes.csv", content(b"text,label\nhel\0lo,x\nwor\0ld,y\n"), ("binary",)),
    Hostile("page.csv", content("<!DOCTYPE html><body>Log in</body>"), ("a web page",)),
    Hostile("feed.csv", content('<?xml version="1.0"?><rows/>'), ("an XML file",)),
    Hostile("pointer.csv", content("version https://git-lfs.github.com/spec/v1\noid sha256:1\n"),
            ("Git LFS",)),
]  # fmt: skip
