"""From an uploaded file to a run, and what becomes of both."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chatapp.errors import DatasetError, InvalidRequest, NotFound, StorageError
from chatapp.records import ChatMessage
from chatapp.training.config import RunConfig, make_config
from chatapp.training.run import lines, locks
from chatapp.training.run.folder import RunFolder
from chatapp.training_records import DataMapping, Example
from tests.flows.teaching import LABELS, THINGS, Bench
from tests.unit.training.run.runs import until


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def a_config(**values: Any) -> RunConfig:
    return make_config({"task": "classify", "name": "shop", **values})


def scripted(bench: Bench, dataset_id: str, config: RunConfig, **script: Any) -> RunFolder:
    """A launched run whose worker will follow a script; it waits until somebody starts it."""
    bench.folder.mkdir(exist_ok=True)
    turn = locks.take(bench.folder / "turn", 30)  # the process before may be about to end
    assert turn is not None
    run = bench.finetune.launch(dataset_id, config)
    os.close(turn)
    folder = bench.finetune.folder(run.id)
    (folder.path / "script.json").write_text(json.dumps(script))
    return folder


# --- files ---


def test_a_file_is_kept_as_it_came(bench: Bench) -> None:
    path = bench.labelled()
    dataset = bench.finetune.add_dataset("the intents.csv", path)
    assert (dataset.name, dataset.rows) == ("the intents.csv", 60)
    assert dataset.columns == ("text", "label")
    assert dataset.mapping.format == "text_label"
    assert bench.finetune.source_file(dataset.id).read_bytes() == path.read_bytes()
    assert bench.server().datasets() == [dataset]


def test_a_file_that_cannot_be_read_leaves_nothing(bench: Bench) -> None:
    path = bench.files / "bad.csv"
    path.write_bytes(b"\x80\x04\x95 pickled")
    with pytest.raises(DatasetError, match=r"bad\.csv"):
        bench.finetune.add_dataset("bad.csv", path)
    assert bench.finetune.datasets() == []


def test_pasted_rows_are_a_file_too(bench: Bench) -> None:
    text = bench.labelled(12).read_text()
    dataset = bench.finetune.add_text("", text)
    assert (dataset.name, dataset.rows) == ("Pasted rows", 12)
    with pytest.raises(DatasetError, match="Nothing was pasted"):
        bench.finetune.add_text("", " \n")


def test_corrections_are_a_file_that_says_so(tmp_path: Path) -> None:
    turns = (ChatMessage("user", "Where is Oslo?"), ChatMessage("assistant", "In Norway."))
    bench = Bench(tmp_path, [Example(messages=turns, origin="correction")])
    dataset = bench.finetune.add_corrections()
    assert dataset.name.startswith("Corrections 20")
    (example,) = bench.finetune.mapped(dataset.id).examples
    assert (example.messages, example.origin) == (turns, "correction")
    bench.corrections.clear()
    with pytest.raises(DatasetError, match="no approved corrections"):
        bench.finetune.add_corrections()


def test_a_removed_file_can_be_brought_back(bench: Bench) -> None:
    dataset = bench.finetune.add_dataset("a.csv", bench.labelled())
    bench.finetune.remove_dataset(dataset.id)
    assert bench.finetune.datasets() == []
    with pytest.raises(NotFound):
        bench.finetune.dataset(dataset.id)
    bench.finetune.restore_dataset(dataset.id)
    assert bench.finetune.datasets() == [dataset]
    bench.finetune.remove_dataset(dataset.id)
    bench.finetune.purge_datasets(timedelta(days=1))
    bench.finetune.restore_dataset(dataset.id)
    bench.finetune.remove_dataset(dataset.id)
    bench.finetune.purge_datasets(timedelta(0))
    with pytest.raises(NotFound):
        bench.finetune.restore_dataset(dataset.id)
    for wrong in ("..", "", "../datasets"):
        with pytest.raises(NotFound):
            bench.finetune.dataset(wrong)


def test_a_column_is_chosen_by_hand(bench: Bench) -> None:
    dataset = bench.finetune.add_dataset("a.csv", bench.labelled())
    swapped = DataMapping(format="text_label", columns={"text": "label", "label": "text"})
    assert bench.finetune.set_mapping(dataset.id, swapped).mapping == swapped
    wrong = DataMapping(format="text_label", columns={"text": "nowhere", "label": "text"})
    with pytest.raises(DatasetError, match="nowhere"):
        bench.finetune.set_mapping(dataset.id, wrong)
    assert bench.finetune.dataset(dataset.id).mapping == swapped


def test_a_fix_is_applied_and_taken_back(bench: Bench) -> None:
    path = bench.labelled(30)
    path.write_text(path.read_text() + ",refund\n")
    dataset = bench.finetune.add_dataset("a.csv", path)
    diagnosis = bench.finetune.examine(dataset.id, "classify")
    assert (diagnosis.ready, diagnosis.set_aside) == (30, 1)
    (fix,) = [fix for one in diagnosis.findings if one.kind == "empty" for fix in one.fixes]
    bench.finetune.fix(dataset.id, fix.id)
    assert bench.finetune.fix(dataset.id, fix.id).fixes == (fix.id,)
    assert bench.finetune.examine(dataset.id, "classify").set_aside == 0
    # A fix of one task does not trouble the other.
    assert bench.finetune.examine(dataset.id, "chat").ready == 30
    assert bench.finetune.unfix(dataset.id, fix.id).fixes == ()
    assert bench.finetune.examine(dataset.id, "classify").set_aside == 1
    assert bench.finetune.cleaned(dataset.id).read_text("utf-8-sig").count("\n") == 31


def test_a_label_is_mended_where_it_stands(bench: Bench) -> None:
    dataset = bench.finetune.add_dataset("a.csv", bench.labelled(12))
    bench.finetune.relabel(dataset.id, 3, " account ")
    labels = {one.row: one.label for one in bench.finetune.mapped(dataset.id).examples}
    assert (labels[2], labels[3]) == ("refund", "account")
    with pytest.raises(InvalidRequest, match="empty"):
        bench.finetune.relabel(dataset.id, 3, " ")


def test_what_the_model_will_see_is_shown(bench: Bench) -> None:
    dataset = bench.finetune.add_dataset("a.csv", bench.labelled(12))
    chat = a_config(task="chat")
    (shown,) = bench.finetune.preview(dataset.id, chat, 1)
    assert next(piece.text for piece in shown.pieces if piece.trained).startswith("refund")


# --- runs ---


def test_a_launched_run_has_its_parts_and_remembers_its_file(bench: Bench) -> None:
    dataset = bench.finetune.add_dataset("a.csv", bench.labelled())
    folder = scripted(bench, dataset.id, a_config())
    parts = {name: folder.examples(name) for name in ("train", "validation", "test")}
    texts = [one.text for examples in parts.values() for one in examples]
    assert len(texts) == len(set(texts)) == 60
    assert {one.label for one in parts["test"]} == set(LABELS)
    assert folder.config.base == str(bench.bases.folder)
    ((task, base, languages, rows),) = bench.bases.asked
    assert (task, base, rows) == ("classify", "auto", len(parts["train"]))
    assert max(languages, key=lambda one: languages[one]) == "en"
    run = bench.finetune.run(folder.id)
    assert (run.dataset, run.dataset_id, run.config["base"]) == ("a.csv", dataset.id, "auto")
    assert bench.finetune.reuse(folder.id) == a_config()
    bench.finetune.remove_dataset(dataset.id)
    assert bench.finetune.run(folder.id).dataset_id == ""


def test_what_is_kept_for_evaluation_is_never_learned(bench: Bench) -> None:
    dataset = bench.finetune.add_dataset("a.csv", bench.labelled())
    kept = bench.finetune.mapped(dataset.id).examples[7]
    bench.frozen.append(kept)
    folder = scripted(bench, dataset.id, a_config())
    texts = [one.text for part in ("train", "validation", "test") for one in folder.examples(part)]
    assert kept.text not in texts
    assert 55 < len(texts) < 60


def test_corrections_kept_apart_are_measured_on(tmp_path: Path) -> None:
    def corrected(n: int) -> Example:
        thing = THINGS[n % len(THINGS)]
        question = list(LABELS.values())[n % 3].format(n=100 + 37 * n, thing=thing)
        turns = (ChatMessage("user", question), ChatMessage("assistant", f"Answer {n}."))
        return Example(messages=turns, origin="correction")

    bench = Bench(tmp_path, [corrected(n) for n in range(30)])
    bench.frozen += [corrected(n) for n in range(30, 36)]
    dataset = bench.finetune.add_corrections()
    folder = scripted(bench, dataset.id, a_config(task="chat"))
    asked = {one.question for one in bench.frozen}
    assert asked <= {one.question for one in folder.examples("test")}
    assert not asked & {one.question for one in folder.examples("train")}


def test_too_few_rows_are_refused(bench: Bench) -> None:
    dataset = bench.finetune.add_dataset("a.csv", bench.labelled(6))
    with pytest.raises(DatasetError, match=r"6 examples .* at least 10"):
        bench.finetune.launch(dataset.id, a_config())
    assert bench.finetune.runs() == []


def test_a_full_disk_leaves_nothing_half_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = bench.finetune.add_dataset("a.csv", bench.labelled())

    def full(_path: Path, _content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lines, "replace", full)
    for act in (
        lambda: bench.finetune.launch(dataset.id, a_config()),
        lambda: bench.finetune.add_dataset("b.csv", bench.labelled()),
        lambda: bench.finetune.fix(dataset.id, "empty.drop"),
        lambda: bench.finetune.relabel(dataset.id, 2, "account"),
        lambda: bench.finetune.estimate(dataset.id, a_config()),
    ):
        with pytest.raises(StorageError, match=r"No space left on device\. Free some space"):
            act()
    monkeypatch.undo()
    assert bench.finetune.runs() == []
    assert bench.finetune.datasets() == [dataset]
    assert not any((bench.folder / "runs").iterdir())
    assert not any((bench.folder / "trials").iterdir())


def test_a_command_follows_a_run_to_its_adapter(bench: Bench) -> None:
    dataset = bench.finetune.add_dataset("a.csv", bench.labelled())
    folder = scripted(bench, dataset.id, a_config(), pause=0.01, report=True)
    seen = [run.state.status for run in bench.finetune.follow(folder.id)]
    assert seen[-1] == "done"
    assert bench.registry.taken == [folder.id]
    assert bench.finetune.adapter_name(folder.id) == "shop"


async def test_a_server_works_off_the_queue_and_takes_in_what_was_learned(bench: Bench) -> None:
    dataset = bench.finetune.add_dataset("a.csv", bench.labelled())
    folders = [
        scripted(bench, dataset.id, a_config(name=name), pause=0.005, report=True)
        for name in ("one", "two")
    ]
    server = bench.server()
    watching = asyncio.create_task(server.watch())
    try:
        await asyncio.to_thread(until, lambda: len(bench.registry.taken) == 2)
    finally:
        watching.cancel()
    assert [one.id for one in folders] == bench.registry.taken
    assert [run.state.status for run in server.runs()] == ["done", "done"]


async def test_a_server_that_begins_anew_finds_a_run_at_work(bench: Bench) -> None:
    dataset = bench.finetune.add_dataset("a.csv", bench.labelled())
    folder = scripted(bench, dataset.id, a_config(), pause=0.02, report=True)
    first = asyncio.create_task(bench.server().watch())
    await asyncio.to_thread(until, lambda: folder.state.step > 3)
    first.cancel()
    again = bench.server()
    (run,) = again.runs()
    assert run.state.status == "running"
    again.stop(run.id, "keep")
    watching = asyncio.create_task(again.watch())
    await asyncio.to_thread(until, lambda: again.adapter_name(run.id) is not None)
    watching.cancel()
    assert again.run(run.id).state.status == "stopped"
    assert again.resume(run.id).state.status in ("queued", "starting")
    await asyncio.to_thread(until, lambda: again.run(run.id).state.status == "done")


def test_an_adapter_that_is_refused_is_said_to_whoever_waits(bench: Bench) -> None:
    bench.registry.refuses = True
    dataset = bench.finetune.add_dataset("a.csv", bench.labelled())
    folder = scripted(bench, dataset.id, a_config(), report=True)
    with pytest.raises(Exception, match="no room"):
        list(bench.finetune.follow(folder.id))
    bench.registry.refuses = False
    assert [run.state.status for run in bench.finetune.follow(folder.id)] == ["done"]
    assert bench.registry.taken == [folder.id]


def test_runs_are_compared_by_what_differs(bench: Bench) -> None:
    dataset = bench.finetune.add_dataset("a.csv", bench.labelled())
    ids = []
    for rank in (8, 32):
        folder = scripted(bench, dataset.id, a_config(rank=rank, max_steps=5))
        list(bench.finetune.follow(folder.id))
        ids.append(folder.id)
    compared = bench.finetune.compare(ids)
    assert compared.differences == {"rank": [8, 32]}
    assert [len(compared.curves[one]) for one in ids] == [5, 5]
    with pytest.raises(NotFound):
        bench.finetune.compare(["nothing"])


def test_the_same_file_is_found_again_with_what_was_decided_about_it(bench: Bench) -> None:
    path = bench.labelled()
    dataset = bench.finetune.add_dataset("intents.csv", path)
    bench.finetune.relabel(dataset.id, 3, "account")
    again = bench.server()
    assert again.add_dataset("intents.csv", path, again=False) == dataset
    assert again.add_dataset("x.csv", again.source_file(dataset.id), again=False) == dataset
    assert again.add_dataset("other.csv", path, again=False).id != dataset.id
