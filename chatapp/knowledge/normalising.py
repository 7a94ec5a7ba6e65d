"""Texts as they are compared: free of case, width, punctuation and spacing."""

from __future__ import annotations

import re
import unicodedata

_APOSTROPHES = frozenset("'’‘‛`´ʼ′＇")
_SIGNS = frozenset("%+#&@°")
_NUMBER_MARKS = frozenset(".,:")
_OUTSIDE_NUMBERS = re.compile(r"(?<!\d)[.,:]|[.,:](?!\d)")
_CJK = "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]"
_BESIDE_CJK = re.compile(f"(?<={_CJK}) | (?={_CJK})")


class _Comparable(dict[int, str]):
    """What each character becomes, by its code; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        category = unicodedata.category(letter)
        kept = letter.isalnum() or category[0] == "M" or category == "Sc"
        if letter in _APOSTROPHES or category == "Cf":
            self[code] = ""
        elif kept or letter in _SIGNS or letter in _NUMBER_MARKS:
            self[code] = letter
        else:
            self[code] = " "
        return self[code]


_COMPARABLE = _Comparable()


def normalised(text: str) -> str:
    """The text in NFKC, case-folded, its words parted by single spaces, without punctuation.

    Two texts with the same result ask the same: full-width letters, curly quotes, "don't" and
    "dont", and spaces beside Chinese or Japanese characters do not part them. What changes the
    meaning stays: accents, ``c++``, ``50%``, ``$5``, ``2.5``. Empty when nothing of all that is
    in the text.
    """
    # NFKC makes a space and an accent of "´", so apostrophes go first.
    plain = "".join(letter for letter in text if letter not in _APOSTROPHES)
    plain = unicodedata.normalize("NFKC", plain).casefold()
    # Folding can leave what NFKC would compose, and "İ" as an i with a second dot.
    plain = unicodedata.normalize("NFKC", plain).replace("i\u0307", "i")
    words = _OUTSIDE_NUMBERS.sub(" ", plain.translate(_COMPARABLE))
    return _BESIDE_CJK.sub("", " ".join(words.split()))
