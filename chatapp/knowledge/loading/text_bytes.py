"""Bytes of text files into text: which encoding it is, and whether it is text at all."""

from __future__ import annotations

import codecs
from pathlib import Path

from chatapp.knowledge.loading.draft import LONGEST_TEXT, too_long

_SAMPLE = 64 * 1024
_MOST_BYTES = 4
"""Bytes of a character at most, whatever the encoding."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHINESE = {"gb2312", "gbk", "hz"}
_CHINESE_LETTERS = ("\u4e00", "\u9fff")
_TYPICAL = frozenset(
    "的一是不了在人有我他这为之来大以个中上们到说国和地也子时道出而要于就下得可你年生自会那后能对"
    "着事其里所去行过家十用发天如然作方成者多日都三小军二无同么经法当起与好看学进种将还分此心前"
    "面又定见只主没公从请货退款您客服订单号价元件品商店天使"
)
"""Common Chinese characters: text that was decoded rightly is full of them."""

_WESTERN = frozenset(
    "àâäáãåçéèêëíìîïñóòôöõúùûüßøæœÿÀÂÄÁÃÅÇÉÈÊËÍÌÎÏÑÓÒÔÖÕÚÙÛÜØÆŒ€–—‘’“”„…•™©®°§«»·¿¡£×±²½\xa0"
)
"""What West European text has beside ASCII."""


def read_text(path: Path, name: str) -> str:
    """The text of a file that is nothing but text.

    Raises:
        DocumentError: it is longer than a document may be.
    """
    if path.stat().st_size > _MOST_BYTES * LONGEST_TEXT:
        raise too_long(name)
    return decode(path.read_bytes())


def decode(content: bytes) -> str:
    """The text of a file in whatever encoding: Unicode by its mark, UTF-8 if it is valid,
    Windows-1252 or GB18030 if that gives common Western or Chinese text, otherwise what
    charset-normalizer finds, at last Latin-1."""
    return content.decode(encoding_of(content), errors="replace")


def encoding_of(content: bytes) -> str:
    """The encoding that ``decode`` takes such bytes for."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    if b"\0" in content and (wide := _wide(content)):
        return wide
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return _guess(content)
    return "utf-8"


def is_binary(content: bytes) -> bool:
    """Whether bytes without a Unicode mark can be no text: it holds no zero bytes."""
    if content.startswith(tuple(mark for mark, _ in _MARKS)):
        return False
    return b"\0" in content and _wide(content) is None


def _guess(content: bytes) -> str:
    wide = _wide(content)
    if wide:
        return wide
    sample = content[:_SAMPLE]
    if _is_western(sample):
        return "cp1252"
    if _is_chinese(sample):
        return "gb18030"
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    if best is None:
        return "latin-1"
    return "gb18030" if best.encoding in _CHINESE else best.encoding


def _wide(content: bytes) -> str | None:
    """UTF-16 without its mark: every second byte of Latin text is zero."""
    sample = content[: _SAMPLE // 16 * 2]
    if len(sample) < 4:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > 0.4 * len(sample[1::2]) and even == 0:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * len(sample[::2]) and odd == 0 else None


def _is_western(sample: bytes) -> bool:
    """Mostly ASCII, and the rest such as Western languages have."""
    rest = [letter for letter in sample.decode("cp1252", errors="replace") if letter > "\x7f"]
    return len(rest) < 0.2 * len(sample) and _WESTERN.issuperset(rest)


def _is_chinese(sample: bytes) -> bool:
    """Statistics over a sentence or two mislead detectors; the commonest characters do not."""
    text = codecs.getincrementaldecoder("gb18030")(errors="replace").decode(sample)
    first, last = _CHINESE_LETTERS
    letters = [letter for letter in text if first <= letter <= last]
    typical = sum(letter in _TYPICAL for letter in letters)
    return len(letters) >= 2 and "\ufffd" not in text and typical >= 0.12 * len(letters)
