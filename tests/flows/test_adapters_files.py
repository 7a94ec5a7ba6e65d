"""Adapters in from strangers and out to anybody: whole, readable by peft, and never a pickle."""

from __future__ import annotations

import asyncio
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import frontmatter
import pytest

from chatapp.engine.models.dense_base import DenseBase
from chatapp.engine.models.weights import weights_hash
from chatapp.errors import ChatAppError, InvalidRequest, ModelError
from chatapp.flows import adapters_import
from chatapp.store import Database
from tests.adapters import Registry, chat_report, chat_run, classify_report, classify_run
from tests.contract_models import Babbler, tiny_lora
from tests.engine_contract import ask, dense_reference
from tests.fakes import FakeEngine
from tests.tiny_models import tiny_hf

WORDS = {"refund": ["money"], "delivery": ["parcel"]}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_hf(tmp_path_factory.mktemp("base") / "tiny", Babbler())


@pytest.fixture
def registry(base: Path, tmp_path: Path) -> Iterator[Registry]:
    database = Database(f"sqlite:///{tmp_path}/chat.db")
    database.migrate()
    yield Registry(database, tmp_path, None, DenseBase(str(base), tmp_path))
    database.close()


def packed(folder: Path, inside: str = "") -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"{inside}{file.name}")
    return path


def left_over(registry: Registry) -> list[str]:
    place = registry.folder / "adapters"
    return [path.name for path in place.iterdir()] if place.is_dir() else []


# ---- in ----------------------------------------------------------------------------------------
def test_a_folder_and_an_archive_come_in(registry: Registry, base: Path, tmp_path: Path) -> None:
    folder = tiny_lora(tmp_path / "somebody")
    (folder / "optimizer.pt").write_bytes(b"not wanted")
    first = registry.adapters.import_(folder, "one")
    assert (first.slot, first.kind, first.run_id, first.report) == ("chat", "lora", None, None)
    assert (first.base_model, first.base_hash) == ("tiny", weights_hash(base))
    for name, path in {
        "two": packed(folder),
        "three": packed(folder, "deep/er/"),
        "four": tmp_path / "around",
    }.items():
        if name == "four":
            tiny_lora(path / "checkpoint")
        found = Path(registry.adapters.import_(path, name).folder)
        assert {file.name for file in found.iterdir()} == {
            "adapter_config.json",
            "adapter_model.safetensors",
        }
    assert [one.name for one in registry.adapters.list()] == ["four", "three", "two", "one"]
    gone = registry.adapters.remove("one")
    assert registry.adapters.restore(gone.id).name == "one"


def _pickled(folder: Path) -> None:
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")


def _wider(folder: Path) -> None:
    tensors = (folder / "adapter_model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", tensors[:8])
    header = json.loads(tensors[8 : 8 + length])
    for facts in header.values():
        if facts.get("shape") == [4, 64]:
            facts["shape"] = [8, 32]
    raw = json.dumps(header).encode()
    body = struct.pack("<Q", len(raw)) + raw + tensors[8 + length :]
    (folder / "adapter_model.safetensors").write_bytes(body)


def _deeper(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes().replace(b"layers.1.", b"layers.7."))


def _cut_off(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-50])


def _edited(**changes: object) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        file = folder / "adapter_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    return edit


def _other_base(folder: Path) -> None:
    (folder / "base.json").write_text(json.dumps({"model": "tiny", "hash": "0" * 64}))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_pickled, "pickle file"),
        (_wider, "trained on another model"),
        (_deeper, r"layers\.7.* does not have"),
        (_cut_off, "not a readable safetensors file"),
        (_other_base, "other weights of tiny"),
        (_edited(task_type="SEQ_CLS"), "SEQ_CLS"),
        (_edited(peft_type=None), "peft_type"),
        (lambda f: (f / "adapter_config.json").unlink(), "holds no adapter_config.json"),
        (lambda f: (f / "adapter_config.json").write_text("{"), "not valid JSON"),
        (lambda f: (f / "adapter_model.safetensors").write_bytes(b"\x80\x04."), "not a readable"),
    ],
)
def test_what_is_no_adapter_for_this_model_is_refused(
    registry: Registry, tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    folder = tiny_lora(tmp_path / "somebody")
    spoil(folder)
    for path in (folder, packed(folder)):
        with pytest.raises(ChatAppError, match=said):
            registry.adapters.import_(path, "one")
    assert left_over(registry) == []
    assert registry.adapters.list() == []


async def test_an_adapter_of_other_weights_goes_live_for_no_reason(
    registry: Registry, tmp_path: Path
) -> None:
    registry.learn("ours")
    registry.adapters.register(chat_run(tmp_path / "runs", "theirs", chat_report(0.9)))
    await registry.adapters.promote("ours")
    for reason in ("", "It has the same shape."):
        with pytest.raises(InvalidRequest, match="trained on other weights of tiny"):
            await registry.adapters.promote("theirs", reason)


def test_hostile_archives_are_refused_and_write_nothing(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = json.dumps({"peft_type": "LORA"})
    weights = (tiny_lora(tmp_path / "good") / "adapter_model.safetensors").read_bytes()

    def archive(name: str, files: dict[str, bytes | str]) -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            for inside, content in files.items():
                made.writestr(inside, content)
        return path

    # Files outside are never written, whatever they are called.
    slip = {"adapter_config.json": config, "adapter_model.safetensors": weights}
    registry.adapters.import_(
        archive(
            "slip.zip", {**slip, "../evil": "x", "/etc/evil": "x", "../../adapter_x.json": "x"}
        ),
        "slipped",
    )
    assert not list(tmp_path.rglob("*evil*"))

    monkeypatch.setattr(adapters_import, "_MOST_BYTES", 1_000_000)
    bomb = {"adapter_config.json": config, "adapter_model.safetensors": bytes(5_000_000)}
    large = {"adapter_config.json": " " * 9_000_000, "adapter_model.safetensors": weights}
    many = {f"{n}.txt": "" for n in range(3000)} | slip
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as made:
        made.writestr("adapter_config.json", config)
    damaged = archive("damaged.zip", slip)
    rot = bytearray(damaged.read_bytes())
    rot[len(rot) // 2] ^= 0xFF
    damaged.write_bytes(rot)
    cut = archive("cut.zip", slip)
    cut.write_bytes(cut.read_bytes()[:-30])
    encrypted = archive("locked.zip", slip)
    raw = bytearray(encrypted.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.find(mark)
        while at >= 0:
            raw[at + offset] |= 1
            at = raw.find(mark, at + 1)
    encrypted.write_bytes(raw)
    text = tmp_path / "notes.zip"
    text.write_text("hello")
    for path, said in {
        archive("bomb.zip", bomb): "holds adapter_model.safetensors with more than 1 MB",
        archive("large.zip", large): "with more than 8 MB",
        archive("many.zip", many): "3,002 files",
        archive("nested.zip", {"inner.zip": inner.getvalue()}): "holds no adapter_config.json",
        archive("empty.zip", {}): "holds no adapter_config.json",
        damaged: "cannot be unpacked",
        cut: "neither a folder nor a ZIP file",
        encrypted: "without a password",
        text: "neither a folder nor a ZIP file",
        tmp_path / "nowhere.zip": "There is no",
    }.items():
        with pytest.raises(ChatAppError, match=said) as refused:
            registry.adapters.import_(path, "bad")
        assert refused.value.sentence.endswith("."), path
    assert left_over(registry) == [registry.adapters.get("slipped").id]


def test_names_are_checked_before_anything_is_unpacked(registry: Registry, tmp_path: Path) -> None:
    folder = tiny_lora(tmp_path / "somebody")
    registry.adapters.import_(folder, "one")
    for name in ("one", "base", "live", "../x", "a:b", "", "x" * 65, "-x"):
        with pytest.raises(InvalidRequest, match="name"):
            registry.adapters.import_(folder, name)


async def test_where_an_engine_runs_it_has_to_take_the_adapter(tmp_path: Path) -> None:
    class Refusing(FakeEngine):
        async def load_adapter(self, name: str, folder: Path) -> None:
            raise ModelError("It does not fit.")

    for engine, fits in ((FakeEngine(), True), (Refusing(), False)):
        database = Database(f"sqlite:///{tmp_path}/{fits}.db")
        database.migrate()
        registry = Registry(database, tmp_path / str(fits), engine)
        await registry.adapters.load_live()
        folder = tiny_lora(tmp_path / "somebody")
        if fits:
            await asyncio.to_thread(registry.adapters.import_, folder, "one")
            assert await registry.adapters.pick("one") == "one"
        else:
            with pytest.raises(ModelError, match="does not fit"):
                await asyncio.to_thread(registry.adapters.import_, folder, "one")
            assert left_over(registry) == []
        database.close()


def test_a_classifier_comes_back_as_it_went(registry: Registry, tmp_path: Path) -> None:
    run = classify_run(tmp_path / "runs", "bank", WORDS, classify_report())
    registry.adapters.register(run)
    for target in (tmp_path / "bank.zip", tmp_path / "bank"):
        registry.adapters.export("bank", "peft", target)
        found = registry.adapters.import_(target, f"again-{target.suffix[1:]}x", "intent")
        assert (found.kind, found.slot) == ("classifier", "intent")
    with pytest.raises(InvalidRequest, match=r"no labels\.json"):
        registry.adapters.import_(tiny_lora(tmp_path / "lora"), "lora", "intent")
    with pytest.raises(InvalidRequest, match="cannot be merged"):
        registry.adapters.export("bank", "merged", tmp_path / "merged")


# ---- out ---------------------------------------------------------------------------------------
def test_an_export_loads_with_plain_peft_and_merged_says_the_same(
    registry: Registry, base: Path, tmp_path: Path
) -> None:
    registry.adapters.register(chat_run(tmp_path / "runs", "shop", chat_report()))
    archive = registry.adapters.export("shop", "peft", tmp_path / "out" / "shop.zip")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path / "unpacked")
    names = {path.name for path in (tmp_path / "unpacked").iterdir()}
    assert {"README.md", "adapter_config.json", "adapter_model.safetensors"} <= names
    messages = ask("Please tell me about the refund.")
    expected = dense_reference(base, messages, 24, adapter=tmp_path / "unpacked")
    assert expected != dense_reference(base, messages, 24)
    merged = registry.adapters.export("shop", "merged", tmp_path / "merged")
    assert dense_reference(merged, messages, 24) == expected
    assert not any(path.name.startswith(".") for path in tmp_path.iterdir())
    with pytest.raises(InvalidRequest, match="is there already"):
        registry.adapters.export("shop", "peft", merged)


def test_the_card_says_where_it_comes_from_and_how_good_it_is(
    registry: Registry, tmp_path: Path
) -> None:
    registry.adapters.register(chat_run(tmp_path / "runs", "shop", chat_report()))
    registry.adapters.register(classify_run(tmp_path / "runs", "bank", WORDS, classify_report()))
    card = frontmatter.load(str(registry.adapters.export("shop", "card", tmp_path / "README.md")))
    assert card["base_model"] == "tiny"
    assert card["library_name"] == "peft"
    assert card["tags"] == ["lora", "chatapp"]
    metrics = card["model-index"][0]["results"][0]["metrics"]
    assert {one["type"]: one["value"] for one in metrics} == {
        "exact_match": 0.3,
        "contained": 0.6,
        "rougeL": 0.5,
    }
    assert "60.0%" in card.content
    assert "rank 4" in card.content
    assert "b" * 64 in card.content
    card = frontmatter.load(str(registry.adapters.export("bank", "card", tmp_path / "bank.md")))
    assert card["pipeline_tag"] == "text-classification"
    assert "Accuracy 75.0%" in card.content


def test_merging_needs_the_base(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/chat.db")
    database.migrate()
    registry = Registry(database, tmp_path, None)
    registry.learn("shop")
    with pytest.raises(InvalidRequest, match="do not lie here"):
        registry.adapters.export("shop", "merged", tmp_path / "merged")
    database.close()
