"""The demo is whole, agrees with itself, and loads like anybody's documents."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from chatapp.flows import demo
from chatapp.flows.demo import Demo, uploads
from chatapp.flows.evaluation import read_questions
from chatapp.flows.evaluation.matching import contains
from chatapp.flows.uploads import Upload
from chatapp.knowledge.faq_tables import read_faqs
from chatapp.knowledge.normalising import normalised
from chatapp.knowledge_records import Collection, ImportCount, NewFaq
from tests.fake_knowledge import a_collection

_TAGS = re.compile(r"<[^>]+>")


def texts() -> dict[str, str]:
    """The documents by their base names, without their tags."""
    return {
        upload.path.name: _TAGS.sub(" ", upload.path.read_text(encoding="utf-8"))
        for upload in uploads()
    }


class Desk:
    """Takes documents, questions and collections, and remembers them."""

    def __init__(self) -> None:
        self.added: list[tuple[str, Sequence[Upload], tuple[str, ...]]] = []
        self.rows: list[tuple[str, Sequence[NewFaq]]] = []

    def ensure(self, name: str) -> Collection:
        return a_collection(name)

    def import_rows(self, collection_id: str, rows: Sequence[NewFaq]) -> ImportCount:
        self.rows.append((collection_id, rows))
        return ImportCount(added=len(rows), merged=0, unchanged=0)

    def add(self, collection_id: str, uploads: Sequence[Upload], tags: Sequence[str] = ()) -> str:
        self.added.append((collection_id, uploads, tuple(tags)))
        return "batch 1"


def test_the_demo_loads_into_the_collection_that_is_named() -> None:
    desk = Desk()
    assert Demo(desk, desk, desk).load("shop") == "batch 1"
    [(collection_id, files, tags)] = desk.added
    assert (collection_id, tags) == ("shop", ("northpine",))
    assert {"northpine/handbook.md", "northpine/products/tents.md"} <= {file.name for file in files}
    assert {file.path.suffix for file in files} == {".md", ".html", ".csv"}
    [(collection_id, rows)] = desk.rows
    assert collection_id == "shop"
    assert len({row.answer for row in rows}) >= 40
    assert {row.language for row in rows} == {"en", "zh"}


def test_every_entry_is_asked_for_in_several_ways() -> None:
    rows = read_faqs(demo.FAQ)
    variants = [sum(row.answer == answer for row in rows) for answer in {r.answer for r in rows}]
    assert set(variants) <= {2, 3, 4}
    assert len({normalised(row.question) for row in rows}) == len(rows)


def test_the_price_list_and_the_product_pages_agree() -> None:
    pages = " ".join(text for name, text in texts().items() if name != "price-list.csv")
    plain = " ".join(pages.split())
    with (demo.DOCUMENTS / "price-list.csv").open(encoding="utf-8", newline="") as file:
        products = list(csv.DictReader(file))
    assert len(products) >= 25
    for product in products:
        price = f"${float(product['Price CAD']):.0f}"
        # A page names a product, and soon after its price and its weight.
        name = re.escape(" ".join(product["Product"].split()[:2]).removesuffix(" tent"))
        after = [plain[found.start() :][:1200] for found in re.finditer(name, plain)]
        weight = product["Weight"].removesuffix(" each")
        assert any(price in text and weight in text for text in after), product


def test_there_are_sixty_questions_and_twenty_have_no_answer() -> None:
    questions = read_questions(demo.QUESTIONS)
    assert len(questions) == 60
    assert sum(not question.in_scope for question in questions) == 20
    chinese = [q for q in questions if re.search(r"[\u4e00-\u9fff]", q.question)]
    assert len(chinese) >= 20
    assert any(not question.in_scope for question in chinese)


def test_every_known_answer_is_in_the_demo_and_no_question_is_copied_from_it() -> None:
    rows, documents = read_faqs(demo.FAQ), texts()
    answers = {normalised(row.answer) for row in rows}
    asked = {normalised(row.question) for row in rows}
    for question in read_questions(demo.QUESTIONS):
        assert normalised(question.question) not in asked
        if question.answer is not None:
            assert normalised(question.answer) in answers, question
        for name in question.documents:
            assert question.contains is not None
            assert contains(documents[name], question.contains), question
