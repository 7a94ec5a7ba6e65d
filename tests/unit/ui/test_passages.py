from __future__ import annotations

from chatapp.ui.passages import passage_html

HOSTILE = '<script>alert("x")</script> & <img src=x>'


def test_everything_is_escaped() -> None:
    for text in (HOSTILE, f"# {HOSTILE}", f"| {HOSTILE} |\n| --- |\n| {HOSTILE} |"):
        shown = passage_html(text, [(0, len(text)), (3, 9)])
        assert "<script" not in shown
        assert "<img" not in shown
        assert "&lt;script&gt;" in shown.replace("</mark><mark>", "")


def test_what_supports_the_answer_is_marked() -> None:
    text = "Before. Within 30 days. After."
    assert passage_html(text, [(8, 23)]) == "<p>Before. <mark>Within 30 days.</mark> After.</p>"


def test_spans_in_any_order_overlapping_or_out_of_range_are_one() -> None:
    assert passage_html("abcdef", [(3, 99), (-4, 2), (1, 4), (5, 5), (9, 3)]) == (
        "<p><mark>abcdef</mark></p>"
    )


def test_a_span_over_paragraphs_is_marked_in_each() -> None:
    shown = passage_html("# Head\none\ntwo\n\nthree", [(2, 21)])
    assert shown == (
        '<p class="heading"><mark>Head</mark></p><p><mark>one\ntwo</mark></p>'
        "<p><mark>three</mark></p>"
    )


def test_a_table_is_a_table_with_its_cell_marked() -> None:
    text = "Prices:\n| Tent | Price |\n|---|:--:|\n| Fjell 2 | 199 € |\n| Kids |  |\n"
    start = text.index("199")
    shown = passage_html(text, [(start, start + 5)])
    assert shown.startswith("<p>Prices:</p><table><thead><tr><th>Tent</th><th>Price</th></tr>")
    assert "<td>Fjell 2</td><td><mark>199 €</mark></td>" in shown
    assert "<td>Kids</td><td></td>" in shown


def test_bars_without_a_table_stay_lines() -> None:
    assert passage_html("| not a table |") == "<p>| not a table |</p>"
    assert passage_html("a | b\nc | d") == "<p>a | b\nc | d</p>"


def test_nothing_is_nothing() -> None:
    assert passage_html("") == ""
    assert passage_html("\n \n") == ""
