"""The command line: what it prints, what it keeps, and how it ends."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from chatapp import bootstrap
from chatapp.commands import terminal
from chatapp.commands.ask import ask
from chatapp.commands.demo import demo
from chatapp.commands.evaluate import evaluate
from chatapp.commands.faq import faq
from chatapp.commands.ingest import ingest
from chatapp.engine.base import Engine
from chatapp.errors import NotFound
from chatapp.events import Done, Event, Explained, Failed, Routed, Sources, Token
from chatapp.flows.routing import Router
from chatapp.records import Timing, Usage
from chatapp.settings import Settings
from chatapp.store import Collections, Documents, Faqs, UnansweredQuestions
from tests.fake_knowledge import FakeEmbedder
from tests.fakes import FakeEngine
from tests.flows.ingesting import Bench
from tests.grounded import TRACE, a_source
from tests.scripted_knowledge import FoundByQuestion, hit, match

cli = typer.Typer()
cli.command()(ask)
cli.command()(ingest)
cli.command()(demo)
cli.add_typer(faq, name="faq")
cli.add_typer(evaluate, name="evaluate")


@dataclass
class Knowledge:
    """A real store and real ingestion of plain text, with a scripted search beside them."""

    bench: Bench
    scripted: FoundByQuestion
    closed: bool = False

    @property
    def collections(self) -> Collections:
        return self.bench.collections

    @property
    def documents(self) -> Documents:
        return self.bench.documents

    def __post_init__(self) -> None:
        self.faqs = Faqs(self.bench.database)
        self.ingest = self.bench.ingest
        self.search = self.matcher = self.scripted
        self.router = Router(self.scripted, self.scripted)

    def embedder(self) -> FakeEmbedder:
        return self.bench.embedder

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def knowledge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Knowledge]:
    made = Knowledge(Bench(tmp_path), FoundByQuestion())

    def of_settings(_settings: Settings) -> Knowledge:
        return made

    monkeypatch.setattr(bootstrap, "knowledge", of_settings, raising=False)
    yield made
    made.bench.database.close()


def run(*arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


def file(folder: Path, name: str, *rows: object) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    texts = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("\n".join(texts), encoding="utf-8")
    return path


# ---- ingest ------------------------------------------------------------------------------------
def test_ingest_reads_files_and_folders_and_says_so(knowledge: Knowledge, tmp_path: Path) -> None:
    file(tmp_path, "docs/a.txt", "Tents are dry.\nBoots are not.")
    file(tmp_path, "docs/b.txt", "Prices are low.")
    rows = file(tmp_path, "rows.jsonl", {"id": "r1", "title": "R", "text": "One row."})
    code, out, _ = run("ingest", tmp_path / "docs", rows, "--json")
    assert code == 0
    result = json.loads(out)
    assert [(one["name"], one["status"], one["passages"]) for one in result["files"]] == [
        ("a.txt", "done", 2),
        ("b.txt", "done", 1),
        ("rows.jsonl", "done", 1),
    ]
    assert (result["collection"], result["passages"]) == ("public", 4)
    assert set(knowledge.bench.stored()) == {"a.txt", "b.txt", "r1"}
    assert knowledge.closed

    code, out, _ = run("ingest", tmp_path / "docs")
    assert code == 0
    assert "2 files: 0 read, 2 unchanged, 0 failed" in out


def test_a_bad_file_is_named_and_the_good_ones_stay(knowledge: Knowledge, tmp_path: Path) -> None:
    good = file(tmp_path, "good.txt", "Tents are dry.")
    bad = file(tmp_path, "bad.txt", "DAMAGED")
    code, out, err = run("ingest", good, bad, "--collection", "Shop-2", "--json")
    assert (code, err) == (1, "bad.txt is damaged.")
    assert [one["reason"] for one in json.loads(out)["files"]] == [None, "bad.txt is damaged."]
    assert knowledge.collections.get("shop-2").documents == 1


def test_a_path_that_is_not_there_is_wrong_usage(knowledge: Knowledge) -> None:
    assert run("ingest", "/no/such/file")[0] == 2
    assert run("ingest")[0] == 2


def test_the_demo_is_loaded_by_one_command(knowledge: Knowledge) -> None:
    code, out, _ = run("demo", "--json")
    assert code == 0
    names = {one["name"] for one in json.loads(out)["files"]}
    assert "northpine/handbook.zh.md" in names
    collection = knowledge.collections.get("public")
    assert (collection.documents, collection.faq_entries) == (len(names), 42)


# ---- faq ---------------------------------------------------------------------------------------
def test_faq_tables_go_in_and_out(knowledge: Knowledge, tmp_path: Path) -> None:
    table = file(tmp_path, "faq.csv", "question,answer", "How?,So.", "What way?,So.", "Why?,Ah.")
    code, out, _ = run("faq", "import", table, "--json")
    assert code == 0
    counted = {"collection": "public", "rows": 3, "added": 2, "merged": 1, "unchanged": 0}
    assert json.loads(out) == counted
    assert run("faq", "import", table)[1] == (
        "3 rows: 0 new entries, 0 more ways to ask, 3 unchanged.\n"
    )
    code, out, _ = run("faq", "export", tmp_path / "out.jsonl")
    assert (code, out.split()[0]) == (0, "2")
    lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["question"] for line in lines] == ["How?", "What way?", "Why?"]


def test_a_bad_table_changes_nothing(knowledge: Knowledge, tmp_path: Path) -> None:
    table = file(tmp_path, "faq.csv", "question,answer", "How?,So.", "Why?,")
    code, out, err = run("faq", "import", table)
    assert (code, out) == (1, "")
    assert err.startswith("faq.csv, row 3, column answer: this is empty")
    assert knowledge.collections.get("public").faq_entries == 0


def test_a_collection_that_is_not_known_is_one_sentence(
    knowledge: Knowledge, tmp_path: Path
) -> None:
    questions = file(tmp_path, "q.jsonl", {"question": "a", "document": "d"})
    for command in (("faq", "export", tmp_path / "x.csv"), ("evaluate", "retrieval", questions)):
        code, _, err = run(*command, "--collection", "shoop")
        assert (code, err) == (1, "There is no collection 'shoop'. Known: public.")


# ---- evaluate ----------------------------------------------------------------------------------
@pytest.fixture
def questions(knowledge: Knowledge, tmp_path: Path) -> Path:
    knowledge.scripted.hits = {
        "doc?": [hit("a.md", 0.6)],
        "faq?": [hit("a.md", 0.1)],
        "[out]?": [hit("a.md", 0.5)],
    }
    knowledge.scripted.matches = {"faq?": match("Yes.", 0.8), "doc?": match("No.", 0.1)}
    return file(
        tmp_path,
        "questions.jsonl",
        {"question": "doc?", "document": "a.md"},
        {"question": "faq?", "answer": "yes"},
        {"question": "[out]?", "in_scope": False},
    )


def test_retrieval_is_measured(questions: Path) -> None:
    code, out, _ = run("evaluate", "retrieval", questions, "--json")
    assert code == 0
    result = json.loads(out)
    assert (result["recall@1"], result["recall@5"], result["mrr"], result["ndcg@10"]) == (
        1.0, 1.0, 1.0, 1.0,
    )  # fmt: skip
    assert (result["collection"], result["questions"], result["skipped"]) == ("public", 1, 2)
    assert "nDCG@10" in run("evaluate", "retrieval", questions)[1]


def test_routes_are_measured(questions: Path) -> None:
    code, out, _ = run("evaluate", "routes", questions, "--json")
    assert code == 0
    result = json.loads(out)
    assert (result["accuracy@1"], result["answered_in_scope"]) == (1.0, 1.0)
    assert result["refused_out_of_scope"] == 0.0
    assert result["confusion"]["refused"] == {"sources": 1}
    text = run("evaluate", "routes", questions)[1]
    assert "refused out of scope" in text
    assert "[out]?" in text


def test_whole_answers_are_measured_and_leave_no_trace(
    knowledge: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine()
    monkeypatch.setenv("CHATAPP_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(terminal, "prepared_engine", lambda settings: engine)
    knowledge.scripted.matches = {"Refunds?": match("Within 60 days.", 0.9)}
    knowledge.scripted.hits = {"Mongolia?": [hit("a.md", 0.1)]}
    path = file(
        tmp_path,
        "questions.jsonl",
        {"question": "Refunds?", "answer": "60 days"},
        {"question": "Mongolia?", "in_scope": False},
    )
    code, out, _ = run("evaluate", "answers", path, "--json")
    assert code == 0
    result = json.loads(out)
    assert (result["contained"], result["refused_rightly"]) == (1.0, 1.0)
    assert result["routes"] == {"faq": 1, "refused": 1}
    assert not engine.ready, "the model was loaded for nothing"
    assert engine.closed
    collection = knowledge.collections.get("public")
    assert UnansweredQuestions(knowledge.bench.database).list(collection.id) == []
    assert "refused wrongly" in run("evaluate", "answers", path)[1]


def test_thresholds_are_tuned_and_kept_when_asked(knowledge: Knowledge, questions: Path) -> None:
    assert "in use" in run("evaluate", "calibrate", questions)[1]
    assert knowledge.collections.get("public").threshold is None
    code, out, _ = run("evaluate", "calibrate", questions, "--apply", "--json")
    assert code == 0
    result = json.loads(out)
    assert (result["applied"], result["reached"]) == (True, True)
    assert (result["best"]["answered_rightly"], result["best"]["refused"]) == (1.0, 1.0)
    assert len(result["curve"]) == len(result["faq_curve"]) == 19
    kept = knowledge.collections.get("public")
    assert kept.threshold == result["best"]["threshold"]
    assert kept.threshold is not None
    assert 0.5 < kept.threshold <= 0.6
    assert kept.faq_threshold is not None


def test_questions_that_cannot_be_read_are_one_sentence(
    knowledge: Knowledge, tmp_path: Path
) -> None:
    path = file(tmp_path, "q.jsonl", {"question": "a", "document": "d"}, "oops")
    for kind in ("retrieval", "routes", "answers", "calibrate"):
        code, out, err = run("evaluate", kind, path)
        assert (code, out) == (1, "")
        assert err.startswith("q.jsonl, line 2: this is not JSON")


# ---- ask ---------------------------------------------------------------------------------------
EVENTS = (
    Routed("sources", "public"),
    Sources((a_source(1, "Within 30 days."),)),
    Token("Within 30 days"),
    Token(" [1]."),
    Sources((a_source(1, "Within 30 days.", cited=True, page=3), a_source(2, "Else."))),
    Explained(TRACE),
    Done("stop", Usage(9, 2), Timing(0.0, 0.1, 0.2)),
)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """What ``ask`` would ask; its events are scripted in front of it."""
    made = FakeEngine()
    monkeypatch.setenv("CHATAPP_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(terminal, "prepared_engine", lambda settings: made)
    return made


def script(monkeypatch: pytest.MonkeyPatch, *events: Event) -> list[tuple[object, ...]]:
    """Have every question answered by these events; returns what was asked."""
    asked: list[tuple[object, ...]] = []

    @asynccontextmanager
    async def answering(
        settings: Settings, engine: Engine, *asked_for: object
    ) -> AsyncIterator[AsyncGenerator[Event, None]]:
        asked.append(asked_for)
        if asked_for[-1] == "shoop":
            raise NotFound("There is no collection 'shoop'. Known: public.")

        async def answer() -> AsyncGenerator[Event, None]:
            for event in events:
                yield event

        await engine.start()
        yield answer()

    monkeypatch.setattr(bootstrap, "answering", answering)
    return asked


def test_ask_writes_route_and_sources_beside_what_it_always_wrote(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = script(monkeypatch, *EVENTS)
    code, out, _ = run("ask", "How long?", "--collection", "public", "--json")
    assert code == 0
    result = json.loads(out)
    assert (result["route"], result["answer"]) == ("sources", "Within 30 days [1].")
    assert result["sources"][0] == {
        "document": "handbook-1.pdf",
        "title": "Handbook 1",
        "page": 3,
        "text": "Within 30 days.",
        "relevance": 0.9,
        "cited": True,
    }
    assert [source["cited"] for source in result["sources"]] == [True, False]
    assert result["finish_reason"] == "stop"
    assert result["usage"] == {"prompt_tokens": 9, "completion_tokens": 2}
    assert result["timings"]["total"] == 0.2
    assert result["timings"]["steps_ms"]["search"] == 12.4
    assert result["engine"]["engine"] == "fake"
    assert asked == [("How long?", None, "public")]
    assert not engine.ready, "the model was loaded for nothing"


def test_ask_names_what_is_cited_below_the_answer(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(monkeypatch, *EVENTS)
    assert run("ask", "How long?")[1] == "Within 30 days [1].\n\n[1] Handbook 1, page 3\n"
    script(monkeypatch, Token("Hello"), EVENTS[-1])
    assert run("ask", "Hi", "--persona", "tutor")[1] == "Hello\n"


def test_ask_fails_with_one_sentence(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, Token("Well"), Failed("EngineDied", "The model died.", True))
    assert run("ask", "How?", "--json") == (1, "", "The model died.")
    code, _, err = run("ask", "How?", "--collection", "shoop")
    assert (code, err) == (1, "There is no collection 'shoop'. Known: public.")
