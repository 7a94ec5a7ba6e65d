"""What was learned goes live without a restart, comes back, and nothing breaks half way."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from string import Formatter

import pytest
from sqlalchemy import text

from chatapp.errors import InvalidRequest, ModelError, NotFound, StorageError, TrainingError
from chatapp.events import EngineEvent
from chatapp.flows import adapters_live
from chatapp.flows.adapters_gate_words import _SENTENCES
from chatapp.flows.adapters_serving import MOST_LOADED
from chatapp.records import ChatMessage, Sampling
from chatapp.store import Database
from tests.adapters import (
    QUESTIONS,
    Registry,
    chat_report,
    chat_run,
    classify_report,
    classify_run,
)
from tests.fakes import FakeEngine

WORDS = {"refund": ["return", "money"], "delivery": ["parcel", "ship"]}


class PickyEngine(FakeEngine):
    """Refuses folders with a file ``broken``; remembers what it loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.refuses_once = False

    async def load_adapter(self, name: str, folder: Path) -> None:
        if self.refuses_once or (folder / "broken").exists():
            self.refuses_once = False
            raise ModelError(f"{name} does not fit.")
        self.loads.append(name)
        await super().load_adapter(name, folder)


class KnowingEngine(FakeEngine):
    """Says the right answers with one adapter, and the question with any other."""

    def __init__(self, knows: str) -> None:
        super().__init__()
        self._knows = knows

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling, adapter: str | None = None
    ) -> AsyncGenerator[EngineEvent, None]:
        if adapter == self._knows:
            self.say("To ", messages[-1].content)
        async with aclosing(super().stream(messages, sampling, adapter)) as events:
            async for event in events:
                yield event


@pytest.fixture
def engine() -> PickyEngine:
    return PickyEngine()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/chat.db")
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def registry(database: Database, tmp_path: Path, engine: PickyEngine) -> Registry:
    return Registry(database, tmp_path, engine, reserved=lambda: ["fake-model", "tutor"])


@pytest.fixture
def elsewhere(database: Database, tmp_path: Path) -> Registry:
    """The command line, or another server, on the same database and files."""
    return Registry(database, tmp_path, None)


def spoil(registry: Registry, name: str) -> None:
    (Path(registry.adapters.get(name).folder) / "broken").touch()


class TestComingIn:
    def test_a_run_registers_once_with_its_lineage(
        self, registry: Registry, tmp_path: Path
    ) -> None:
        run = chat_run(tmp_path / "runs", "shop", chat_report())
        adapter = registry.adapters.register(run)
        assert registry.adapters.register(run) == adapter
        assert (adapter.name, adapter.slot, adapter.kind) == ("shop", "chat", "lora")
        assert (adapter.base_model, adapter.base_hash, adapter.run_id) == (
            "tiny",
            "b" * 64,
            "runs-shop",
        )
        assert adapter.config["rank"] == 4
        assert adapter.report == run.report
        assert len(adapter.data_hash) == len(adapter.test_hash) == 64
        shutil.rmtree(run.path)
        assert (Path(adapter.folder) / "adapter_model.safetensors").is_file()
        other = chat_run(tmp_path / "others", "shop", chat_report(0.7))
        assert registry.adapters.register(other).name == "shop-2"
        # A run that was stopped, then resumed, has something new.
        other.write_report(chat_report(0.9))
        assert registry.adapters.register(other).name == "shop-3"

    def test_two_servers_register_a_run_once(
        self, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = chat_run(tmp_path / "runs", "shop", chat_report())
        first = registry.adapters.register(run)
        # The second server looked before the first was done.
        looked = registry.stored.of_run
        answers = iter([[], *[looked(run.id)] * 5])
        monkeypatch.setattr(registry.stored, "of_run", lambda _: next(answers))
        assert registry.adapters.register(run) == first
        assert len(registry.adapters.list()) == 1
        assert [path.name for path in (tmp_path / "adapters").iterdir()] == [first.id]

    def test_names_that_mean_something_else_are_not_given(
        self, registry: Registry, tmp_path: Path
    ) -> None:
        for name in ("base", "live", "tutor"):
            run = chat_run(tmp_path / "runs", name, chat_report())
            assert registry.adapters.register(run).name == f"{name}-2"

    def test_a_run_without_an_adapter_is_refused(self, registry: Registry, tmp_path: Path) -> None:
        run = chat_run(tmp_path / "runs", "shop")
        shutil.rmtree(run.adapter)
        with pytest.raises(TrainingError, match="holds no adapter"):
            registry.adapters.register(run)
        assert registry.adapters.list() == []

    def test_a_full_disk_leaves_nothing_behind(
        self, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        run = chat_run(tmp_path / "runs", "shop")
        monkeypatch.setattr(shutil, "copytree", full)
        with pytest.raises(StorageError, match="No space left"):
            registry.adapters.register(run)
        assert list((tmp_path / "adapters").iterdir()) == []
        assert registry.adapters.list() == []

    def test_what_a_killed_process_left_half_done_goes_after_a_while(
        self, registry: Registry, tmp_path: Path
    ) -> None:
        registry.learn("shop")
        place = tmp_path / "adapters"
        old, new = place / ".draft-old", place / ".draft-new"
        for draft in (old, new):
            draft.mkdir()
        os.utime(old, (0, 0))
        registry.adapters.purge()
        assert {path.name for path in place.iterdir()} == {
            ".draft-new",
            registry.adapters.get("shop").id,
        }

    def test_deleting_can_be_undone_until_the_files_are_gone(self, registry: Registry) -> None:
        registry.learn("shop")
        gone = registry.adapters.remove("shop")
        registry.adapters.purge()
        assert registry.adapters.restore(gone.id) == registry.adapters.get("shop")
        registry.adapters.remove("shop")
        shutil.rmtree(gone.folder)
        with pytest.raises(NotFound, match="gone for good"):
            registry.adapters.restore(gone.id)


class TestGoingLive:
    async def test_promoted_picked_and_rolled_back(
        self, registry: Registry, engine: PickyEngine
    ) -> None:
        adapters = registry.adapters
        registry.learn("one")
        registry.learn("two", contained=0.7)
        assert await adapters.pick("live") is None
        made = await adapters.promote("one")
        assert (made.adapter, made.slot, made.reason) == ("one", "chat", "")
        assert await adapters.pick("live") == "one"
        live = adapters.live("chat")
        assert live is not None
        assert (live.name, live.live) == ("one", True)
        await adapters.promote("two")
        assert await adapters.pick("live") == "two"
        assert await adapters.pick("base") is None
        assert await adapters.pick("one") == "one"
        assert engine.loads == ["one", "two"]
        assert (await adapters.rollback("chat")).adapter == "one"
        assert await adapters.pick("live") == "one"
        assert (await adapters.rollback("chat")).adapter is None
        assert await adapters.pick("live") is None
        with pytest.raises(InvalidRequest, match="rolled back"):
            await adapters.rollback("chat")
        assert len(adapters.history("chat")) == 4

    async def test_the_gate_wants_a_reason_and_keeps_it(self, registry: Registry) -> None:
        registry.learn("good", contained=0.8)
        registry.learn("worse", contained=0.4)
        await registry.adapters.promote("good")
        with pytest.raises(InvalidRequest, match="does not beat the live adapter good") as refused:
            await registry.adapters.promote("worse")
        assert refused.value.sentence.endswith("give a reason.")
        with pytest.raises(InvalidRequest, match="give a reason"):
            await registry.adapters.promote("worse", "  ")
        assert await registry.adapters.pick("live") == "good"
        made = await registry.adapters.promote("worse", " It is\nfriendlier. ")
        assert made.reason == "It is friendlier."
        with pytest.raises(InvalidRequest, match="live already"):
            await registry.adapters.promote("worse", "again")

    async def test_one_that_cannot_be_loaded_leaves_the_old_one_live(
        self, registry: Registry, engine: PickyEngine
    ) -> None:
        registry.learn("one")
        registry.learn("two", contained=0.7)
        spoil(registry, "two")
        await registry.adapters.promote("one")
        with pytest.raises(ModelError, match="does not fit"):
            await registry.adapters.promote("two")
        shutil.rmtree(registry.adapters.get("two").folder)
        with pytest.raises(NotFound, match="Copy them there"):
            await registry.adapters.promote("two")
        assert await registry.adapters.pick("live") == "one"
        assert engine.adapters() == ("one",)
        assert len(registry.adapters.history("chat")) == 1

    async def test_a_library_that_is_upset_breaks_nothing(
        self, registry: Registry, engine: PickyEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def upset(name: str, folder: Path) -> None:
            raise TypeError("unexpected keyword")

        registry.learn("one")
        monkeypatch.setattr(engine, "load_adapter", upset)
        with pytest.raises(ModelError, match="unexpected keyword"):
            await registry.adapters.promote("one")
        assert await registry.adapters.pick("live") is None

    async def test_a_database_that_refuses_leaves_the_old_one_live(
        self, registry: Registry, database: Database, engine: PickyEngine
    ) -> None:
        registry.learn("one")
        registry.learn("two", contained=0.7)
        await registry.adapters.promote("one")
        with database.write() as session:
            session.execute(
                text(
                    "CREATE TRIGGER full BEFORE INSERT ON promotions "
                    "BEGIN SELECT RAISE(ABORT, 'no room'); END"
                )
            )
        for change in (registry.adapters.promote("two"), registry.adapters.rollback("chat")):
            with pytest.raises(StorageError):
                await change
        assert await registry.adapters.pick("live") == "one"
        with database.write() as session:
            session.execute(text("DROP TRIGGER full"))
        await registry.adapters.promote("two")
        assert await registry.adapters.pick("live") == "two"

    async def test_a_crash_after_the_database_knows_is_made_good_at_the_next_start(
        self, registry: Registry, elsewhere: Registry
    ) -> None:
        """The server died before it told its answers: the next one reads the database."""
        registry.learn("one")
        await elsewhere.adapters.promote("one")  # nothing is loaded there
        await registry.adapters.load_live()
        assert await registry.adapters.pick("live") == "one"

    async def test_a_live_adapter_is_not_deleted(self, registry: Registry) -> None:
        registry.learn("one")
        await registry.adapters.promote("one")
        with pytest.raises(InvalidRequest, match="is live"):
            registry.adapters.remove("one")

    async def test_a_database_that_is_away_stops_no_answer(
        self, registry: Registry, database: Database
    ) -> None:
        registry.learn("one")
        registry.learn("two")
        await registry.adapters.promote("one")
        with database.write() as session:
            session.execute(text("ALTER TABLE adapters RENAME TO away"))
        assert registry.adapters.names() == ["one"]
        assert await registry.adapters.pick("live") == "one"

    async def test_a_deleted_adapter_leaves_the_engine_and_is_no_choice(
        self, registry: Registry, engine: PickyEngine
    ) -> None:
        await registry.adapters.load_live()
        registry.learn("one")
        await registry.adapters.pick("one")
        await asyncio.to_thread(registry.adapters.remove, "one")
        assert registry.adapters.names() == []
        with pytest.raises(NotFound):
            await registry.adapters.pick("one")
        async with asyncio.timeout(5):
            while engine.adapters():  # noqa: ASYNC110
                await asyncio.sleep(0)

    async def test_few_are_loaded_at_once_and_the_live_one_stays(
        self, registry: Registry, engine: PickyEngine
    ) -> None:
        names = [f"a{number}" for number in range(MOST_LOADED + 2)]
        for name in names:
            registry.learn(name)
        await registry.adapters.promote("a0")
        for name in names[1:]:
            assert await registry.adapters.pick(name) == name
            assert len(engine.adapters()) <= MOST_LOADED
        assert set(engine.adapters()) == {"a0", "a3", "a4"}
        assert await registry.adapters.pick("a1") == "a1"

    async def test_a_spare_one_makes_room_where_memory_is_short(
        self, registry: Registry, engine: PickyEngine
    ) -> None:
        for name in ("live", "spare", "wanted"):
            registry.learn(name)
        await registry.adapters.promote("live-2")
        await registry.adapters.pick("spare")
        engine.refuses_once = True
        assert await registry.adapters.pick("wanted") == "wanted"
        assert set(engine.adapters()) == {"live-2", "wanted"}

    async def test_a_new_adapter_under_an_old_name_is_the_new_one(
        self, registry: Registry, engine: PickyEngine, tmp_path: Path
    ) -> None:
        registry.learn("shop")
        await registry.adapters.pick("shop")
        registry.adapters.remove("shop")
        registry.adapters.register(chat_run(tmp_path / "later", "shop", chat_report()))
        await registry.adapters.pick("shop")
        assert engine.loads == ["shop", "shop"]

    async def test_who_is_unknown_or_writes_nothing_is_not_picked(
        self, registry: Registry, engine: PickyEngine, tmp_path: Path
    ) -> None:
        registry.adapters.register(classify_run(tmp_path / "runs", "bank", WORDS))
        for choice in ("nobody", "bank"):
            with pytest.raises(NotFound, match=choice):
                await registry.adapters.pick(choice)
        # A remote server may bring adapters of its own.
        await engine.load_adapter("theirs", tmp_path)
        assert await registry.adapters.pick("theirs") == "theirs"
        assert registry.adapters.names() == ["theirs"]


class TestAtTheStart:
    async def test_the_base_answers_for_a_broken_one_until_it_is_mended(
        self, registry: Registry, elsewhere: Registry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registry.learn("one")
        await elsewhere.adapters.promote("one")
        spoil(registry, "one")
        await registry.adapters.load_live()
        assert await registry.adapters.pick("live") is None
        problem = registry.adapters.problem("chat")
        assert problem == "one does not fit. The base answers instead."
        (Path(registry.adapters.get("one").folder) / "broken").unlink()
        await registry.adapters.load_live()  # not tried again at once
        assert registry.adapters.problem("chat") == problem
        monkeypatch.setattr(adapters_live, "_RETRY_SECONDS", 0.0)
        await registry.adapters.load_live()
        assert registry.adapters.problem("chat") is None
        assert await registry.adapters.pick("live") == "one"

    async def test_what_another_process_promotes_is_noticed(
        self, registry: Registry, elsewhere: Registry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(adapters_live, "_POLL_SECONDS", 0.01)
        registry.learn("one")
        registry.learn("two", contained=0.7)
        await registry.adapters.load_live()
        watching = asyncio.create_task(registry.adapters.watch())

        async def answers(name: str | None) -> None:
            async with asyncio.timeout(10):
                while await registry.adapters.pick("live") != name:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)

        await elsewhere.adapters.promote("one")
        await answers("one")
        await elsewhere.adapters.promote("two")
        await answers("two")
        await elsewhere.adapters.rollback("chat")
        await answers("one")
        await elsewhere.adapters.rollback("chat")
        await answers(None)
        watching.cancel()

    async def test_the_old_one_goes_on_where_the_new_one_is_out_of_reach(
        self, registry: Registry, elsewhere: Registry
    ) -> None:
        registry.learn("one")
        registry.learn("two", contained=0.7)
        await registry.adapters.promote("one")
        await registry.adapters.load_live()
        await elsewhere.adapters.promote("two")
        folder = Path(registry.adapters.get("two").folder)
        shutil.move(folder, folder.with_name("away"))
        await registry.adapters.load_live()
        assert await registry.adapters.pick("live") == "one"
        assert "one answers instead" in (registry.adapters.problem("chat") or "")

    async def test_an_adapter_that_the_engine_lost_is_loaded_again(
        self, registry: Registry, engine: PickyEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registry.learn("one")
        await registry.adapters.promote("one")
        await registry.adapters.load_live()
        await engine.unload_adapter("one")  # a server that was restarted
        assert await registry.adapters.pick("live") is None
        monkeypatch.setattr(adapters_live, "_RETRY_SECONDS", 0.0)
        await registry.adapters.load_live()
        assert await registry.adapters.pick("live") == "one"


class TestTheGate:
    def gate(self, registry: Registry, name: str) -> tuple[bool, str]:
        passed, sentences = registry.adapters.gate(name)
        return passed, " ".join(sentences)

    def test_a_first_chat_adapter_must_beat_the_base_and_its_examples(
        self, registry: Registry, tmp_path: Path
    ) -> None:
        runs = tmp_path / "runs"
        for name, report in {
            "good": chat_report(0.6),
            "no-better": chat_report(0.2, few_shot=0.2, rouge=0.2),
            "nearer": chat_report(0.2, few_shot=0.2, rouge=0.3),
            "forgetful": chat_report(0.9, general=(0.6, 0.4)),
        }.items():
            registry.adapters.register(chat_run(runs, name, report))
        assert self.gate(registry, "good")[0]
        passed, said = self.gate(registry, "no-better")
        assert not passed
        assert "does not beat the base model with examples on the 4 test questions" in said
        assert self.gate(registry, "nearer")[0]
        passed, said = self.gate(registry, "forgetful")
        assert not passed
        assert "lost general ability: 40% of 20" in said

    async def test_both_answer_where_their_reports_are_on_other_questions(
        self, database: Database, tmp_path: Path
    ) -> None:
        engine = KnowingEngine("new")
        registry = Registry(database, tmp_path, engine)
        registry.learn("old", contained=0.3)
        await registry.adapters.promote("old")
        questions = [QUESTIONS[0], *(f"What costs item {number}?" for number in range(12))]
        run = chat_run(tmp_path / "runs", "new", chat_report(0.4), questions=questions)
        registry.adapters.register(run)
        # Without a running engine nobody can tell.
        passed, said = self.gate(registry, "new")
        assert not passed
        assert "cannot be compared" in said
        await registry.adapters.load_live()
        passed, sentences = await asyncio.to_thread(registry.adapters.gate, "new")
        assert passed
        assert sentences[0] == (
            "new beats the live adapter old: 100.0% right, ROUGE-L 1.000 against 0.0% right, "
            "ROUGE-L 0.889, asked 12 of its test questions that old never learned from."
        )
        asked = len(engine.asked)
        assert asked == 24
        assert (await registry.adapters.promote("new")).adapter == "new"
        assert len(engine.asked) == asked, "the same two are not asked twice"

    async def test_what_the_live_one_has_learned_is_no_test_for_it(
        self, registry: Registry, tmp_path: Path
    ) -> None:
        registry.learn("old", contained=0.3)
        await registry.adapters.promote("old")
        await registry.adapters.load_live()
        questions = [*QUESTIONS[:3], "Something else?"]
        for name, contained in (("new", 0.9), ("bad", 0.2)):
            report = chat_report(contained)
            run = chat_run(tmp_path / "runs", name, report, questions=questions)
            registry.adapters.register(run)
        passed, (said, _) = await asyncio.to_thread(registry.adapters.gate, "new")
        assert passed
        assert "90.0% right, ROUGE-L 0.500 against 30.0% right" in said
        assert "each on its own test part, as old has learned from most" in said
        assert not (await asyncio.to_thread(registry.adapters.gate, "bad")).passed

    def test_every_sentence_is_said_in_both_languages(self) -> None:
        for english, chinese in _SENTENCES.values():
            named = {name for _, name, *_ in Formatter().parse(english) if name}
            assert named == {name for _, name, *_ in Formatter().parse(chinese) if name}
            assert re.search("[\u4e00-\u9fff]", chinese)

    async def test_the_gate_speaks_chinese(self, registry: Registry) -> None:
        registry.learn("good", contained=0.8)
        registry.learn("worse", contained=0.4)
        await registry.adapters.promote("good")
        passed, (first, second) = registry.adapters.gate("worse", "zh")
        assert not passed
        assert first == (
            "在 4 个测试问题上，worse 没有胜过线上的适配器 good：正确 40.0%，ROUGE-L 0.500，"
            "对方正确 80.0%，ROUGE-L 0.500。"
        )
        assert second.startswith("通用能力保持")

    def test_what_was_never_measured_does_not_pass(
        self, registry: Registry, tmp_path: Path
    ) -> None:
        registry.adapters.register(chat_run(tmp_path / "runs", "blind"))
        passed, said = self.gate(registry, "blind")
        assert not passed
        assert "evaluate adapter blind FILE" in said

    async def test_a_live_classifier_is_measured_on_the_candidates_texts(
        self, registry: Registry, tmp_path: Path
    ) -> None:
        runs = tmp_path / "runs"
        report = classify_report((True, True, False, False))
        registry.adapters.register(classify_run(runs, "majority", WORDS, report))
        passed, said = self.gate(registry, "majority")
        assert not passed
        assert "does not beat always saying the most frequent label" in said
        registry.adapters.register(classify_run(runs, "old", WORDS, classify_report((True,) * 4)))
        assert self.gate(registry, "old")[0]
        await registry.adapters.promote("old")
        # The same test part, so the reports are compared.
        registry.adapters.register(classify_run(runs, "same", WORDS, classify_report()))
        assert "75.0% right against 100.0%" in self.gate(registry, "same")[1]
        # Another one: what is live reads the candidate's texts.
        texts = ["Send money", "A parcel", "Money, please", "My parcel?"]
        report = classify_report(texts=texts, labels=("delivery", "refund"))
        registry.adapters.register(classify_run(runs, "new", WORDS, report, texts=texts))
        passed, said = self.gate(registry, "new")
        assert passed
        assert "75.0% right against 0.0% right, asked 4 of its test questions" in said
        # It knows most of these, so each counts by its own report.
        known = classify_report(texts=[*QUESTIONS[:3], "New"])
        run = classify_run(runs, "known", WORDS, known, texts=[*QUESTIONS[:3], "New"])
        registry.adapters.register(run)
        passed, said = self.gate(registry, "known")
        assert not passed
        assert "75.0% right against 100.0% right, each on its own test part" in said


class TestClassifiersGoLive:
    async def test_a_broken_classifier_never_becomes_live(
        self, registry: Registry, tmp_path: Path
    ) -> None:
        run = classify_run(tmp_path / "runs", "bank", WORDS, classify_report())
        adapter = registry.adapters.register(run)
        labels = Path(adapter.folder) / "labels.json"
        for content in ("{}", "not json"):
            labels.write_text(content)
            with pytest.raises(ModelError, match="The classifier bank"):
                await registry.adapters.promote("bank")
        assert registry.serving.classifier("intent") is None
        labels.write_text(json.dumps(WORDS))
        await registry.adapters.promote("bank")
        assert registry.serving.classifier("intent") is not None
        await registry.adapters.rollback("intent")
        assert registry.serving.classifier("intent") is None

    async def test_what_this_server_promoted_stays_when_it_looks_again(
        self, registry: Registry, elsewhere: Registry, tmp_path: Path
    ) -> None:
        for name in ("bank", "newer"):
            run = classify_run(tmp_path / "runs", name, WORDS, classify_report())
            registry.adapters.register(run)
        await registry.adapters.load_live()
        await registry.adapters.promote("bank")
        await registry.adapters.load_live()
        live = registry.serving.classifier("intent")
        assert live is not None
        assert live[0].name == "bank"
        await elsewhere.adapters.promote("newer", "It is newer.")
        await registry.adapters.load_live()
        live = registry.serving.classifier("intent")
        assert live is not None
        assert live[0].name == "newer"
