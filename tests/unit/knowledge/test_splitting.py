"""Passages: never too long, never across a chapter, whole sentences, exact places."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import pytest

from chatapp.knowledge.loading.draft import Draft
from chatapp.knowledge.loading.markdown import add_markdown
from chatapp.knowledge.splitting import split
from chatapp.knowledge_records import LoadedDocument, NewPassage

WORDS = re.compile(r"[\u3000-\u9fff\uff00-\uffef]|\w+|[^\w\s]")
RETURNS = "Customers may return any unused article within 30 days of its delivery to them."
ENGLISH = (
    "We answer every question within a day. Please call us, e.g. in the morning! Is the shop "
    "closed? Then write to Dr. Berg. He reads all mail. Nothing is lost here. "
)
CHINESE = (
    "顾客可以在三十天内退货。退款会在五个工作日内到账！帐篷搭过之后还能退吗？可以，但只退七成。"
)


def count(text: str) -> int:
    return len(WORDS.findall(text))


def markdown(text: str, kind: str = "markdown") -> LoadedDocument:
    draft = Draft("a.md")
    add_markdown(text, draft)
    return draft.finish(kind)


def passages(document: LoadedDocument, most: int) -> Sequence[NewPassage]:
    """The passages, after all that every split promises was checked."""
    found = split(document, count, most)
    at = 0
    for passage in found:
        assert at <= passage.start < passage.end
        assert passage.text.endswith(document.text[passage.start : passage.end])
        assert passage.text == passage.text.strip()
        assert count(passage.text) <= most
        at = passage.end
    titles = [heading.text for heading in document.headings]
    told = {line for passage in found for line in (*passage.text.split("\n"), *passage.heading)}
    assert set(titles) <= told
    kept = "".join(document.text[passage.start : passage.end] for passage in found)
    left = "".join(kept.split())
    for title in titles:
        left = left.replace("".join(title.split()), "")
    whole = "".join(document.text.split())
    for title in titles:
        whole = whole.replace("".join(title.split()), "")
    assert left == whole
    return found


def test_a_short_document_is_one_passage() -> None:
    (passage,) = passages(markdown(f"# Returns\n\n{RETURNS}"), 200)
    assert passage.text == RETURNS
    assert passage.heading == ("Returns",)
    assert passage.page is None
    assert passage.language == "en"


def test_no_passage_goes_across_a_chapter() -> None:
    text = (
        f"# Shop\n\n## Returns\n\n{RETURNS}\n\n## Prices\n\nAll with tax.\n\n# Us\n\nForty people."
    )
    found = passages(markdown(text), 200)
    assert [(one.heading, one.text) for one in found] == [
        (("Shop", "Returns"), RETURNS),
        (("Shop", "Prices"), "All with tax."),
        (("Us",), "Forty people."),
    ]


def test_small_lower_sections_share_a_passage_and_keep_their_headings() -> None:
    text = (
        f"## Post\n\n### Label\n\nPrint it.\n\n### Parcel\n\nClose it.\n\n### Long\n\n{RETURNS * 3}"
    )
    found = passages(markdown(text), 50)
    assert [(one.heading, one.text) for one in found] == [
        (("Post",), "Label\n\nPrint it.\n\nParcel\n\nClose it."),
        (("Post", "Long"), RETURNS * 3),
    ]


def test_a_heading_with_nothing_below_it_is_a_passage() -> None:
    found = passages(markdown("# Rules\n\n## No dogs in the shop\n\n## Returns\n\nYes."), 200)
    assert [(one.heading, one.text) for one in found] == [
        (("Rules",), "No dogs in the shop"),
        (("Rules", "Returns"), "Yes."),
    ]


@pytest.mark.parametrize(("text", "ends"), [(ENGLISH, ".!?"), (CHINESE, "。！？")])
def test_sentences_are_not_cut(text: str, ends: str) -> None:
    found = passages(markdown(text * 12), 60)
    assert all(one.text[-1] in ends for one in found)
    assert not any(one.text.endswith(("e.g.", "Dr.")) for one in found)
    sizes = [count(one.text) for one in found]
    assert min(sizes) > 30
    assert all(one.language == ("en" if text is ENGLISH else "zh") for one in found)


def test_a_sentence_that_is_too_long_is_cut_between_words() -> None:
    words = [f"word{at}" for at in range(300)]
    found = passages(markdown(" ".join(words)), 50)
    assert [word for one in found for word in one.text.split()] == words
    letters = passages(markdown("x" * 5_000 + "。" + "长" * 500), 50)
    assert all(letters)


def test_the_rest_of_a_paragraph_is_no_crumb() -> None:
    found = passages(markdown(ENGLISH * 3 + "One more sentence stands here."), 100)
    sizes = [count(one.text) for one in found]
    assert min(sizes) > 0.5 * max(sizes)


def test_tables_that_fit_are_whole() -> None:
    table = "| Article | Price |\n| --- | --- |\n| Dome | 149 |\n| Stove | 80 |"
    found = passages(markdown(f"{RETURNS}\n\n{table}\n\n{RETURNS}"), 50)
    assert sum(table in one.text for one in found) == 1


def test_long_tables_repeat_their_header() -> None:
    header = "| Article | Price |\n| --- | --- |"
    rows = [f"| Tent {at} | {at}.50 |" for at in range(60)]
    document = markdown("\n".join([header, *rows]))
    found = passages(document, 100)
    assert len(found) > 3
    for one in found:
        assert one.text.startswith(header)
        assert one.text.removeprefix(header).strip() in document.text
    seen = [line for one in found for line in one.text.split("\n")[2:]]
    assert seen == rows


def test_lists_are_cut_between_items_and_stay_with_their_introduction() -> None:
    items = "\n".join(f"- Item number {at} of this list" for at in range(12))
    found = passages(markdown(f"{RETURNS}\n\nWe never take back:\n\n{items}"), 60)
    introduced = next(one for one in found if "We never take back:" in one.text)
    assert "- Item number 0" in introduced.text
    assert all(line.startswith("- ") for one in found[1:] for line in one.text.split("\n")[2:])


def test_passages_know_their_page() -> None:
    draft = Draft("a.pdf")
    for page in range(1, 4):
        draft.page()
        draft.paragraph(f"Page {page}. {ENGLISH}" * 3)
    found = passages(draft.finish("pdf"), 100)
    for one in found:
        assert one.page is not None
        first = re.search(r"Page (\d)", one.text)
        assert first is None or abs(int(first[1]) - one.page) <= 1
    assert {one.page for one in found} == {1, 2, 3}


def test_short_pages_are_cited_each_with_its_own_number() -> None:
    draft = Draft("a.pdf")
    for page in range(1, 4):
        draft.page()
        draft.paragraph(f"Page {page} says little.")
    found = passages(draft.finish("pdf"), 200)
    assert [(one.text, one.page) for one in found] == [
        (f"Page {page} says little.", page) for page in range(1, 4)
    ]


def test_what_goes_on_over_a_page_or_is_announced_before_it_stays_together() -> None:
    draft = Draft("a.pdf")
    draft.page()
    draft.paragraph("A sentence that goes on")
    draft.page()
    draft.paragraph("on the next page.", continues=True)
    draft.heading(3, "Shipping")
    draft.page()
    draft.paragraph("We ship every day.")
    found = passages(draft.finish("pdf"), 200)
    assert any("goes on on the next page." in one.text.replace("\n", " ") for one in found)
    shipped = next(one for one in found if "We ship" in one.text)
    assert "Shipping" in (*shipped.heading, *shipped.text.split("\n"))


def test_slides_stand_for_themselves() -> None:
    draft = Draft("a.pptx")
    for page in range(1, 4):
        draft.page()
        draft.paragraph(f"Slide {page} says little.")
    found = passages(draft.finish("pptx"), 200)
    assert [one.page for one in found] == [1, 2, 3]


def test_a_passage_in_another_language_says_so() -> None:
    found = passages(markdown(f"# A\n\n{ENGLISH}\n\n# B\n\n{CHINESE}\n\n# C\n\nOK 12"), 200)
    assert [one.language for one in found] == ["en", "zh", "en"]


def test_special_tokens_and_odd_counters_do_no_harm() -> None:
    found = split(markdown(ENGLISH * 20), lambda text: count(text) + 2, 60)
    assert all(count(one.text) + 2 <= 60 for one in found)


def test_any_document_keeps_its_promises() -> None:
    draw = random.Random(7)
    parts = [
        lambda: f"{'#' * draw.randint(1, 5)} Heading {draw.randint(1, 10**6)}",
        lambda: ENGLISH * draw.randint(1, 6),
        lambda: CHINESE * draw.randint(1, 4),
        lambda: "\n".join(f"- item {at} {RETURNS}" for at in range(draw.randint(1, 9))),
        lambda: "| a | b |\n| --- | --- |\n" + "| 1 | two |\n" * draw.randint(1, 30),
        lambda: f"Here it comes {draw.randint(1, 99)}:",
    ]
    for _ in range(25):
        text = "\n\n".join(draw.choice(parts)() for _ in range(draw.randint(1, 25)))
        passages(markdown(text), draw.choice((30, 60, 200)))


def test_counting_is_sparing() -> None:
    letters = 0

    def dear(text: str) -> int:
        nonlocal letters
        letters += len(text)
        return count(text)

    document = markdown("\n\n".join([ENGLISH * 30] * 20))
    split(document, dear, 200)
    assert letters < 3 * len(document.text)
