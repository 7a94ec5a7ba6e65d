"""Evaluation: what counts as right, and every figure worked out by hand."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from chatapp.errors import DocumentError, InvalidRequest
from chatapp.events import Done, Event, Failed, Flagged, Routed, Sources, Token
from chatapp.flows.evaluation import (
    Question,
    calibrate,
    evaluate_answers,
    evaluate_retrieval,
    evaluate_routes,
    read_questions,
)
from chatapp.flows.evaluation.matching import contains
from chatapp.knowledge_records import (
    Flag,
    Source,
)
from chatapp.records import Timing, Usage
from tests.fake_knowledge import a_collection
from tests.scripted_knowledge import Decision, FoundByQuestion, Scripted, found, hit, match

PUBLIC = a_collection()


def lines(tmp_path: Path, *rows: object) -> Path:
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


# ---- the file ----------------------------------------------------------------------------------
def test_questions_are_read_with_their_lines(tmp_path: Path) -> None:
    path = lines(
        tmp_path,
        {"question": " a ", "answer": "yes", "note": 1},
        {"question": "b", "document": "doc.md", "contains": "30 days"},
        {"question": "c", "document": ["x", 7], "in_scope": True},
        {"question": "d", "in_scope": False},
    )
    assert read_questions(path) == [
        Question(question="a", line=1, answer="yes"),
        Question(question="b", line=2, documents=("doc.md",), contains="30 days"),
        Question(question="c", line=3, documents=("x", "7")),
        Question(question="d", line=4, in_scope=False),
    ]


def test_a_blank_question_is_left_out(tmp_path: Path) -> None:
    path = lines(tmp_path, {"question": " ", "document": "x"}, {"question": "b", "document": "y"})
    assert [question.line for question in read_questions(path)] == [2]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"answer": "a"}, "question is missing"),
        ({"question": 7}, "question must be text"),
        ({"question": "a"}, "give an answer or a document, or say that in_scope is false"),
        ({"question": "a", "in_scope": True}, "in scope needs an answer or a document"),
        ({"question": "a", "answer": "b", "in_scope": False}, "has no answer and no document"),
        ({"question": "a", "in_scope": "no"}, "in_scope must be true or false"),
        ({"question": "a", "document": [None]}, "document must be the name"),
        ([1], "not an object"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, row: object, problem: str) -> None:
    path = lines(tmp_path, {"question": "fine", "answer": "a"}, row)
    with pytest.raises(DocumentError) as caught:
        read_questions(path)
    assert caught.value.sentence.startswith("questions.jsonl, line 2: ")
    assert problem in caught.value.sentence


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="No such file"):
        read_questions(tmp_path / "gone.jsonl")
    with pytest.raises(DocumentError, match="holds no questions"):
        read_questions(lines(tmp_path))
    (tmp_path / "latin.jsonl").write_bytes(b'{"question": "\xe9"}')
    with pytest.raises(DocumentError, match="not UTF-8"):
        read_questions(tmp_path / "latin.jsonl")


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("It weighs 1,780 g.", "1,780 G", True),
        ("It weighs 1,780 g.", "780 g", False),
        ("Costs $89 here", "$89", True),
        ("Costs $890 here", "$89", False),
        ("邮费由 顾客承担。", "邮费由顾客承担", True),
        ("共３０天", "30天", True),
    ],
)
def test_words_are_found_whatever_their_form(text: str, words: str, expected: bool) -> None:
    assert contains(text, words) is expected


# ---- retrieval ---------------------------------------------------------------------------------
def test_retrieval_counts_documents_by_their_best_passage() -> None:
    knowledge = FoundByQuestion()
    knowledge.hits = {
        "first": [hit("shop/right.md"), hit("b")],
        "third": [hit("b"), hit("b"), hit("c"), hit("d", 0.1, title="Right"), hit("right.md")],
        "never": [hit("b")],
    }
    questions = [
        Question(question="first", documents=("right.md",)),
        Question(question="third", documents=("right",)),
        Question(question="never", documents=("right.md",), line=3),
        Question(question="other", answer="no document"),
    ]
    asked: list[None] = []
    scores = evaluate_retrieval(knowledge, PUBLIC, questions, lambda: asked.append(None))
    assert (scores.questions, scores.skipped, len(asked)) == (3, 1, 3)
    assert scores.recall_at_1 == pytest.approx(1 / 3)
    assert scores.recall_at_5 == pytest.approx(2 / 3)
    assert scores.mrr == pytest.approx((1 + 1 / 3) / 3)
    assert scores.ndcg_at_10 == pytest.approx((1 + 1 / math.log2(4)) / 3)
    assert [(miss.question, miss.got) for miss in scores.misses] == [
        ("third", "b, c, d"),
        ("never", "b"),
    ]
    assert scores.median_ms <= scores.p95_ms


def test_a_passage_without_the_words_has_a_place_before_the_right_one() -> None:
    knowledge = FoundByQuestion()
    knowledge.hits = {"q": [hit("a.md", text="other"), hit("a.md", text="within 30 days")]}
    questions = [Question(question="q", documents=("a.md",), contains="30 days")]
    scores = evaluate_retrieval(knowledge, PUBLIC, questions)
    assert (scores.recall_at_1, scores.mrr) == (0.0, 0.5)


def test_nothing_to_find_is_said() -> None:
    with pytest.raises(InvalidRequest, match="names a document"):
        evaluate_retrieval(FoundByQuestion(), PUBLIC, [Question(question="q", answer="a")])


# ---- routes ------------------------------------------------------------------------------------
def test_routes_are_counted_by_hand() -> None:
    router = Scripted(
        right=Decision("faq", match("Yes!")),
        wrong=Decision("faq", match("no")),
        shy=Decision("refused", match("yes", 0.2)),
        doc=Decision("sources", match("no", 0.1), found(hit("a.md", text="within 30 days"))),
        quoted=Decision("quote", None, found(hit("b.md"))),
        out=Decision("refused", None, found()),
        chatty=Decision("persona"),
        tempted=Decision("faq", match("yes")),
    )
    questions = [
        *(Question(question=q, answer="yes") for q in ("right", "wrong", "shy")),
        *(Question(question=q, documents=("a.md",)) for q in ("doc", "quoted")),
        *(Question(question=q, in_scope=False) for q in ("out", "chatty", "tempted")),
    ]
    scores = evaluate_routes(router, PUBLIC, questions)
    assert (scores.questions, scores.in_scope) == (8, 5)
    assert scores.accuracy_at_1 == pytest.approx(3 / 5)
    assert scores.answered_in_scope == pytest.approx(4 / 5)
    assert scores.answered_rightly == pytest.approx(2 / 4)
    assert scores.refused_out_of_scope == pytest.approx(1 / 3)
    assert scores.confusion == {
        "faq": {"faq": 2, "refused": 1},
        "refused": {"faq": 1, "persona": 1, "refused": 1},
        "sources": {"quote": 1, "sources": 1},
    }
    assert [miss.question for miss in scores.misses] == [
        "wrong", "shy", "quoted", "chatty", "tempted",
    ]  # fmt: skip
    assert scores.misses[1].got == "refused (nearest: How?)"


def test_an_answer_may_also_be_found_in_a_passage() -> None:
    router = Scripted(q=Decision("sources", None, found(hit("a.md", text="Within 30 days."))))
    scores = evaluate_routes(router, PUBLIC, [Question(question="q", answer="within 30 days")])
    assert (scores.accuracy_at_1, scores.refused_out_of_scope) == (1.0, None)


# ---- answers -----------------------------------------------------------------------------------
def source(document: str, cited: bool) -> Source:
    return Source(
        number=1,
        document_id=document,
        document=document,
        title="",
        kind="text",
        text="",
        relevance=0.9,
        cited=cited,
    )


DONE = Done("stop", Usage(1, 1), Timing(0, 0, 0))
ANSWERS: dict[str, Sequence[Event]] = {
    "faq": (Routed("faq", "public"), Token("Within "), Token("60 days."), DONE),
    "grounded": (
        Routed("sources", "public"),
        Sources((source("a.md", False),)),
        Token("It weighs 2 kg. It is red. It is a tent."),
        Flagged(Flag(start=16, end=26, reason="unsupported")),
        Sources((source("a.md", True),)),
        DONE,
    ),
    "shy": (Routed("refused", "public"), Token("We do not know; see 60 days."), DONE),
    "out": (Routed("refused", "public"), Token("Sorry."), DONE),
    "tempted": (Routed("quote", "public"), Token("Something."), DONE),
    "broken": (Routed("sources", "public"), Failed("X", "The model died.", True)),
}


async def ask(question: str) -> AsyncGenerator[Event, None]:
    for event in ANSWERS[question]:
        yield event


async def test_answers_are_counted_by_hand() -> None:
    questions = [
        Question(question="faq", answer="60 days"),
        Question(question="grounded", documents=("a.md",)),
        Question(question="shy", documents=("a.md",), contains="60 days"),
        Question(question="broken", answer="yes"),
        Question(question="out", in_scope=False),
        Question(question="tempted", in_scope=False),
    ]
    asked: list[None] = []
    scores = await evaluate_answers(ask, questions, lambda: asked.append(None))
    assert (scores.questions, scores.in_scope, len(asked)) == (6, 4, 6)
    assert scores.contained == pytest.approx(2 / 4)
    assert scores.sentences_supported == pytest.approx(2 / 3)
    assert scores.refused_rightly == pytest.approx(1 / 2)
    assert scores.refused_wrongly == pytest.approx(1 / 4)
    assert scores.failed == 1
    assert scores.routes == {"faq": 1, "quote": 1, "refused": 2, "sources": 2}
    assert [(miss.question, miss.got) for miss in scores.misses] == [
        ("shy", "refused: We do not know; see 60 days."),
        ("broken", "The model died."),
        ("tempted", "quote: Something."),
    ]


# ---- thresholds --------------------------------------------------------------------------------
def test_the_thresholds_that_answer_most_and_refuse_enough_are_found() -> None:
    knowledge = FoundByQuestion()
    knowledge.hits = {
        "doc": [hit("a.md", 0.3)],
        "faq": [hit("b.md", 0.2)],
        "out 1": [hit("b.md", 0.25)],
        "out 2": [hit("b.md", 0.1)],
    }
    knowledge.matches = {
        "doc": match("no", 0.4),
        "faq": match("yes", 0.7),
        "out 1": match("yes", 0.6),
        "out 2": match("yes", 0.1),
    }
    questions = [
        Question(question="doc", documents=("a.md",)),
        Question(question="faq", answer="yes"),
        Question(question="out 1", in_scope=False),
        Question(question="out 2", in_scope=False),
    ]
    best = calibrate(knowledge, knowledge, PUBLIC, questions)
    assert best.reached
    assert 0.25 < best.best.threshold <= 0.3
    assert 0.6 < best.best.faq_threshold <= 0.7
    assert (best.best.answered_rightly, best.best.refused) == (1.0, 1.0)
    assert (best.before.threshold, best.before.faq_threshold) == (0.4, 0.5)
    assert (best.before.answered, best.before.refused) == (0.5, 0.5)
    refused = [point.refused for point in best.curve]
    assert refused == sorted(refused)
    assert {point.faq_threshold for point in best.curve} == {best.best.faq_threshold}
    assert [round(point.threshold, 2) for point in best.curve][:2] == [0.05, 0.1]


def test_where_no_threshold_refuses_enough_the_best_balance_is_found() -> None:
    knowledge = FoundByQuestion()
    knowledge.hits = {"in": [hit("a.md", 0.5)], "out": [hit("b.md", 1.0)]}
    questions = [
        Question(question="in", documents=("a.md",)),
        Question(question="out", in_scope=False),
    ]
    best = calibrate(knowledge, knowledge, PUBLIC, questions)
    assert not best.reached
    assert best.best.answered_rightly == 1.0
    assert best.faq_curve == ()


def test_thresholds_need_questions_of_both_kinds() -> None:
    questions = [Question(question="in", answer="a")]
    with pytest.raises(InvalidRequest, match="some questions must be in scope"):
        calibrate(FoundByQuestion(), FoundByQuestion(), PUBLIC, questions)
