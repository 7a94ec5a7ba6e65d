from __future__ import annotations

import re

import pytest

from chatapp.knowledge_records import Flag, Grounding, Route
from chatapp.ui.citations import drawn
from chatapp.ui.texts import Words
from tests.grounded import a_source

EN = Words("en")
SOURCES = (a_source(1, "One."), a_source(2, 'Two "and" <b>', title='Two "and" <b>'))


def draw(text: str, *flagged: str, route: Route = "sources", growing: bool = False) -> str:
    """``flagged``: parts of the text that no source supports."""
    flags = tuple(
        Flag(start=text.index(part), end=text.index(part) + len(part), reason="unsupported")
        for part in flagged
    )
    grounding = Grounding(route=route, sources=SOURCES, flags=flags)
    return drawn(text, grounding, EN, growing=growing)


def marked(shown: str) -> list[str]:
    return re.findall(r'<mark class="flag">(.*?)</mark>', shown, re.DOTALL)


def cited(shown: str) -> list[str]:
    return re.findall(r'href="#source-(\d+)"', shown)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Within 30 days [1].", ["1"]),
        ("Both say so [1][2].", ["1", "2"]),
        ("Both say so [1, 2], in Chinese too [1、2].", ["1", "2", "1", "2"]),
        ("[1](https://elsewhere.example)", ["1"]),
        ("No such source [3], nor [0].", []),
        ("`list[1]` is code", []),
        ("```\nlist[1]\n```", []),
        ("[1]: a definition", ["1"]),
    ],
)
def test_citations_become_links_to_their_sources(text: str, numbers: list[str]) -> None:
    assert cited(draw(text)) == numbers


def test_of_several_numbers_only_the_known_ones_are_linked() -> None:
    shown = draw("Some say so [1, 9].")
    assert cited(shown) == ["1"]
    assert ", 9" not in shown


def test_a_link_reads_as_it_was_written_and_names_its_source() -> None:
    shown = draw("Yes [1].")
    assert ">&#91;1&#93;</a>" in shown
    assert 'title="Source 1: Handbook 1"' in shown


def test_a_title_cannot_break_out_of_its_link() -> None:
    shown = draw("Yes [2].")
    assert 'title="Source 2: Two &quot;and&quot; &lt;b&gt;"' in shown
    source = a_source(1, "x", title="$a$ \\(b\\)\n\n# c")
    shown = drawn("[1] and [1]", Grounding(route="sources", sources=(source,)), EN)
    assert "$" not in shown
    assert "\\" not in shown
    assert "\n" not in shown


def test_half_a_citation_is_not_shown_while_the_answer_grows() -> None:
    assert draw("Within 30 days [", growing=True) == "Within 30 days "
    assert draw("Within 30 days [1, ", growing=True) == "Within 30 days "
    assert draw("See [the", growing=True) == "See [the"
    assert draw("Ends so [1") == "Ends so [1"


def test_an_unsupported_sentence_is_marked_and_says_why() -> None:
    shown = draw("Good. Bad one. Good again.", "Bad one.")
    assert marked(shown) == ["Bad one."]
    assert shown.count("no source says so") == 1
    assert shown.index("no source says so") < shown.index("Good again.")


def test_a_wrong_figure_says_that_it_is_the_figure() -> None:
    flag = Flag(start=0, end=8, reason="figure")
    shown = drawn("It is 9.", Grounding(route="sources", flags=(flag,)), EN)
    assert "figure not in the sources" in shown


@pytest.mark.parametrize(
    ("text", "flagged", "marks"),
    [
        ("- First.\n- Second.", "- First.\n- Second.", ["First.", "Second."]),
        ("1. First.\n> Quoted.\n## Head", "1. First.\n> Quoted.\n## Head", 3),
        ("|a|b|\n|-|-|\n| x | y |", "| x | y |", ["x", "y"]),
        ("Cites [1] here.", "Cites [1] here.", 1),
        ("Use `a|b` now.", "Use `a|b` now.", ["Use `a|b` now."]),
        ("Use `abc` now.", "bc` now.", ["`abc` now."]),
        ("Text.\n```\ncode\n```\nMore.", "Text.\n```\ncode\n```\nMore.", ["Text.", "More."]),
        ("One. **Two.**", "Two.**", ["Two.**"]),
    ],
)
def test_marks_keep_the_markdown_around_them(
    text: str, flagged: str, marks: list[str] | int
) -> None:
    found = marked(draw(text, flagged))
    assert (found if isinstance(marks, list) else len(found)) == marks
    assert draw(text, flagged).count("no source says so") == 1


def test_flags_that_overlap_or_reach_too_far_are_drawn_once() -> None:
    flags = (
        Flag(start=0, end=5, reason="unsupported"),
        Flag(start=3, end=9, reason="unsupported"),
        Flag(start=90, end=99, reason="unsupported"),
    )
    shown = drawn("abcdefghi", Grounding(route="sources", flags=flags), EN)
    assert marked(shown) == ["abcde", "fghi"]
    text = re.sub(r"<small.*?</small>|<[^>]+>", "", shown)
    assert text == "abcdefghi"


def test_what_documents_say_stays_text() -> None:
    shown = draw('<img src=x onerror="x()"> ![p](https://evil.example/?q) & `<b>`')
    assert "<img" not in shown
    assert "&lt;img" in shown
    assert "\\![p]" in shown
    assert "`<b>`" in shown
    assert "![p](" in draw("![p](https://ours.example/x.png)", route="faq").replace("\\", "")
    assert "\\" not in draw("![p](https://ours.example/x.png)", route="faq")


@pytest.mark.parametrize("text", ["", "\n\n", "```", "|", "- ", "[1]", "[]", "**[1]**"])
def test_any_text_can_be_drawn(text: str) -> None:
    flags = (Flag(start=0, end=len(text), reason="figure"),)
    drawn(text, Grounding(route="quote", sources=SOURCES, flags=flags), EN, growing=True)
