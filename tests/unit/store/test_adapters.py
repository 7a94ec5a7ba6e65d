"""Adapters and promotions: lineage kept, one live in each slot, nothing lost by deleting."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from chatapp.errors import InvalidRequest, NotFound
from chatapp.store import Database, NewAdapter, Promotions, StoredAdapters
from chatapp.store.adapters import new_adapter_id
from chatapp.training_records import Adapter, Slot
from tests.adapters import chat_report


@pytest.fixture
def adapters(db: Database, tmp_path: Path) -> StoredAdapters:
    return StoredAdapters(db, tmp_path / "adapters")


@pytest.fixture
def promotions(db: Database) -> Promotions:
    return Promotions(db)


def add(adapters: StoredAdapters, name: str, slot: Slot = "chat", **more: object) -> Adapter:
    facts = {"kind": "lora", "base_model": "tiny", "base_hash": "b" * 64} | more
    return adapters.add(new_adapter_id(), name, NewAdapter(slot=slot, **facts))  # type: ignore[arg-type]


def test_an_adapter_keeps_its_lineage(adapters: StoredAdapters, tmp_path: Path) -> None:
    report = chat_report()
    made = add(
        adapters,
        "shop-1",
        run_id="run",
        data_hash="d",
        test_hash="t",
        config={"rank": 8, "name": "店"},
        report=report,
    )
    found = adapters.get("shop-1")
    assert found == made
    assert found.folder == str(tmp_path / "adapters" / found.id)
    assert (found.config, found.report, found.run_id) == ({"rank": 8, "name": "店"}, report, "run")
    assert (found.data_hash, found.test_hash, found.live) == ("d", "t", False)
    assert [one.name for one in adapters.of_run("run")] == ["shop-1"]
    with pytest.raises(NotFound, match="Known: shop-1"):
        adapters.get("shop-2")


def test_a_report_is_given_once(adapters: StoredAdapters) -> None:
    add(adapters, "imported")
    made = adapters.measured("imported", chat_report(0.4), "t")
    assert (made.report, made.test_hash) == (chat_report(0.4), "t")
    assert adapters.measured("imported", chat_report(0.9), "u") == adapters.get("imported") == made
    with pytest.raises(NotFound):
        adapters.measured("nobody", chat_report(), "t")


def test_a_name_is_taken_until_its_adapter_is_deleted(adapters: StoredAdapters) -> None:
    first = add(adapters, "shop")
    with pytest.raises(InvalidRequest, match="already"):
        add(adapters, "shop")
    adapters.delete("shop")
    with pytest.raises(NotFound):
        adapters.get("shop")
    assert adapters.list() == []
    add(adapters, "shop")
    with pytest.raises(InvalidRequest, match="already"):
        adapters.restore(first.id)
    adapters.delete("shop")
    assert adapters.restore(first.id) == first
    with pytest.raises(NotFound):
        adapters.restore(first.id)
    assert adapters.forgotten(timedelta(days=1)) == []
    assert len(adapters.forgotten(timedelta(days=-1))) == 1


def test_each_slot_has_its_own_live_adapter(
    adapters: StoredAdapters, promotions: Promotions
) -> None:
    before = promotions.revision()
    one, mood = add(adapters, "one"), add(adapters, "mood", "sentiment", kind="classifier")
    assert promotions.live() == {}
    made = promotions.promote(one.id, "it reads better")
    assert (made.slot, made.adapter, made.reason, made.rollback) == (
        "chat",
        "one",
        "it reads better",
        False,
    )
    promotions.promote(mood.id)
    assert promotions.revision() > before
    assert promotions.live() == {"chat": one.id, "sentiment": mood.id}
    assert [one.live for one in adapters.list()] == [True, True]
    assert [one.name for one in adapters.list("sentiment")] == ["mood"]
    with pytest.raises(InvalidRequest, match="is live and cannot be deleted"):
        adapters.delete("one")


def test_rolling_back_goes_further_back_each_time(
    adapters: StoredAdapters, promotions: Promotions
) -> None:
    for name in ("one", "two", "three"):
        promotions.promote(add(adapters, name).id)
    assert promotions.before("chat") == adapters.get("two").id
    assert [promotions.roll_back("chat").adapter for _ in range(3)] == ["two", "one", None]
    assert promotions.live() == {}
    with pytest.raises(InvalidRequest, match="the base is live"):
        promotions.roll_back("chat")
    promotions.promote(adapters.get("three").id)
    assert promotions.roll_back("chat").adapter is None
    history = promotions.history("chat")
    assert [one.adapter for one in history] == [
        None,
        "three",
        None,
        "one",
        "two",
        "three",
        "two",
        "one",
    ]
    assert [one.rollback for one in history] == [True, False, True, True, True, False, False, False]


def test_rolling_back_passes_over_what_was_deleted(
    adapters: StoredAdapters, promotions: Promotions
) -> None:
    for name in ("one", "two", "three"):
        promotions.promote(add(adapters, name, run_id=name).id)
    adapters.delete("two")
    assert promotions.roll_back("chat").adapter == "one"
    (two,) = adapters.of_run("two")
    with pytest.raises(NotFound, match="deleted"):
        promotions.promote(two.id)
    assert [one.adapter for one in promotions.history("chat")] == ["one", "three", "two", "one"]
