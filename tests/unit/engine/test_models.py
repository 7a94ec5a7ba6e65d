"""From CHATAPP_MODEL to folders an engine can load, with tiny models."""

import json
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

from chatapp.engine.models import prepare as models
from chatapp.engine.models.gguf_header import read_header
from chatapp.engine.models.prepare import ModelSource, engines_for, prepare, resolve
from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.errors import ModelError
from chatapp.records import ChatMessage
from tests.tiny_models import IM_END, TinyModel, tiny_gguf, tiny_hf


class Steps:
    """Remembers what was reported."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, float | None]] = []

    def __call__(self, step: str, share: float | None, /) -> None:
        assert share is None or 0 <= share <= 1
        self.seen.append((step, share))


@pytest.fixture
def steps() -> Steps:
    return Steps()


def leftovers(data: Path) -> list[Path]:
    return [p for p in data.glob("models/*/.*") if p.is_dir() or p.suffix == ".gguf"]


# What CHATAPP_MODEL names


def test_bundled_and_hub_ids_are_known_by_their_form() -> None:
    assert resolve("bundled").kind == "bundled"
    assert resolve("Qwen/Qwen2.5-0.5B-Instruct") == ModelSource(
        kind="hub", name="Qwen/Qwen2.5-0.5B-Instruct"
    )


def test_files_and_folders_are_known_by_what_is_in_them(tmp_path: Path) -> None:
    gguf = tiny_gguf(tmp_path / "one" / "tiny-Q8_0.gguf", quantization="Q8_0")
    assert resolve(str(gguf)) == ModelSource(kind="gguf", name="tiny-Q8_0", path=gguf)
    assert resolve(str(gguf.parent)).path == gguf
    assert resolve(str(tiny_hf(tmp_path / "hf"))).kind == "hf"
    (tmp_path / "ov").mkdir()
    (tmp_path / "ov" / "openvino_model.xml").touch()
    assert resolve(str(tmp_path / "ov")).kind == "openvino"


def test_the_working_folder_comes_before_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_hf(tmp_path / "org" / "name")
    monkeypatch.chdir(tmp_path)
    assert resolve("org/name").kind == "hf"


def pickled(folder: Path) -> Path:
    (folder / "pytorch_model.bin").touch()
    return folder


def two_ggufs(folder: Path) -> Path:
    (folder / "a.gguf").touch()
    (folder / "b.gguf").touch()
    return folder


def not_gguf(folder: Path) -> Path:
    (folder / "x.gguf").write_bytes(b"PK\x03\x04")
    return folder / "x.gguf"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: folder / "missing.gguf", "no such file"),
        (lambda folder: Path("models/missing.gguf"), "no such file"),
        (lambda folder: folder, "holds no model"),
        (pickled, "pickle"),
        (two_ggufs, r"several GGUF files.*a\.gguf, b\.gguf"),
        (not_gguf, "not a GGUF file"),
    ],
)
def test_what_cannot_be_a_model_is_refused_with_a_reason(
    tmp_path: Path, make: Callable[[Path], Path], sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence):
        resolve(str(make(tmp_path)))


# What can run it


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
def test_a_plain_gguf_runs_everywhere_and_fastest_on_openvino(
    tmp_path: Path, architecture: str
) -> None:
    file = tiny_gguf(tmp_path / "m.gguf", TinyModel(architecture=architecture), "Q4_1")
    assert engines_for(resolve(str(file))) == ("openvino", "transformers")


def test_each_source_has_its_engines(tmp_path: Path) -> None:
    assert engines_for(resolve("bundled")) == ("openvino", "transformers")
    assert engines_for(ModelSource(kind="hf", name="x", path=tmp_path)) == ("transformers",)
    assert engines_for(ModelSource(kind="openvino", name="x", path=tmp_path)) == ("openvino",)
    with pytest.raises(ValueError, match="fetched"):
        engines_for(ModelSource(kind="hub", name="org/name"))


def test_a_weight_type_openvino_cannot_read_leaves_transformers(tmp_path: Path) -> None:
    file = tiny_gguf(tmp_path / "m.gguf", quantization="Q4_0")
    data = bytearray(file.read_bytes())
    name = b"blk.0.ffn_up.weight"
    at = data.index(name) + len(name) + 4 + 2 * 8  # past the name, the rank and two dimensions
    assert struct.unpack_from("<I", data, at) == (2,)
    struct.pack_into("<I", data, at, 6)  # Q5_0
    file.write_bytes(data)
    assert engines_for(resolve(str(file))) == ("transformers",)


def test_another_family_is_refused(tmp_path: Path) -> None:
    file = tiny_gguf(tmp_path / "m.gguf")
    file.write_bytes(file.read_bytes().replace(b"llama", b"gemma"))
    with pytest.raises(ModelError, match="family gemma"):
        engines_for(resolve(str(file)))


def test_a_damaged_gguf_is_named_not_crashed_on(tmp_path: Path) -> None:
    whole = tiny_gguf(tmp_path / "m.gguf").read_bytes()
    cut = tmp_path / "cut.gguf"
    for length in (4, 20, 100, 3000, len(whole) // 2):
        cut.write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"cut\.gguf"):
            read_header(cut)
    huge = bytearray(whole)
    struct.pack_into("<Q", huge, 24, 2**62)  # the first key's length
    cut.write_bytes(huge)
    with pytest.raises(ModelError, match="cut off"):
        read_header(cut)


# Preparing it


def test_a_gguf_becomes_a_folder_each_engine_can_load(tmp_path: Path, steps: Steps) -> None:
    source = resolve(str(tiny_gguf(tmp_path / "tiny.gguf", TinyModel(context=300), "Q4_1")))
    made = prepare(source, tmp_path / "data", {"openvino", "dense"}, steps)
    assert (made.name, made.quantization, made.context_length) == ("tiny", "Q4_1", 300)
    assert made.openvino is not None
    assert made.dense is not None
    assert (made.openvino / "openvino_model.xml").is_file()
    assert (made.dense / "model.safetensors").is_file()
    for folder in (made.tokenizer, made.dense):
        tokenizer = ChatTokenizer.load(folder)
        ids = tokenizer.encode_chat([ChatMessage("user", "Hi")])
        assert "<|im_start|>" not in tokenizer.decode(ids)
        assert tokenizer.eos_ids == {IM_END}
    assert len({step for step, _ in steps.seen}) >= 5
    assert not leftovers(tmp_path / "data")


def test_the_second_time_nothing_is_made(tmp_path: Path, steps: Steps) -> None:
    source = resolve(str(tiny_gguf(tmp_path / "tiny.gguf")))
    first = prepare(source, tmp_path, {"dense"}, Steps())
    assert prepare(source, tmp_path, {"dense"}, steps) == first
    assert steps.seen == []


def test_only_what_is_wanted_is_made_and_the_rest_is_added_later(tmp_path: Path) -> None:
    source = resolve(str(tiny_gguf(tmp_path / "tiny.gguf")))
    bare = prepare(source, tmp_path, set(), Steps())
    assert bare.dense is None
    assert {p.name for p in bare.tokenizer.parent.iterdir()} == {"tokenizer"}
    dense = prepare(source, tmp_path, {"dense"}, Steps()).dense
    assert dense is not None
    assert {p.name for p in bare.tokenizer.parent.iterdir()} == {"tokenizer", "dense"}


def test_a_new_converter_and_a_changed_file_convert_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tiny_gguf(tmp_path / "tiny.gguf")
    before = prepare(resolve(str(file)), tmp_path, set(), Steps())
    monkeypatch.setitem(models._CONVERTERS, "tokenizer", 99)
    steps = Steps()
    assert prepare(resolve(str(file)), tmp_path, set(), steps) == before
    assert steps.seen
    assert json.loads((before.tokenizer / "manifest.json").read_text())["converter"] == 99
    tiny_gguf(file, TinyModel(context=256))
    assert prepare(resolve(str(file)), tmp_path, set(), Steps()).context_length == 256


def test_folders_are_used_where_they_lie(tmp_path: Path, steps: Steps) -> None:
    folder = tiny_hf(tmp_path / "hf", TinyModel(context=384))
    made = prepare(resolve(str(folder)), tmp_path / "data", {"dense"}, steps)
    assert made.dense == made.tokenizer == folder
    assert (made.context_length, made.quantization) == (384, "float32")
    assert not (tmp_path / "data").exists()
    with pytest.raises(ModelError, match="openvino engine cannot load"):
        prepare(resolve(str(folder)), tmp_path, {"openvino"}, steps)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"no tokenizer\.json"):
        prepare(resolve(str(folder)), tmp_path, {"dense"}, steps)


def test_a_model_without_a_chat_template_is_refused_and_leaves_nothing(
    tmp_path: Path, steps: Steps
) -> None:
    file = tiny_gguf(tmp_path / "tiny.gguf")
    file.write_bytes(file.read_bytes().replace(b"chat_template", b"chat_templatX"))
    with pytest.raises(ModelError, match="no chat template"):
        prepare(resolve(str(file)), tmp_path / "data", {"dense"}, steps)
    assert [p for p in (tmp_path / "data/models").rglob("*") if not p.name.endswith(".lock")] == [
        next((tmp_path / "data/models").glob("tiny-*"))
    ]


def test_too_little_space_is_said_before_anything_is_written(
    tmp_path: Path, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    source = resolve(str(tiny_gguf(tmp_path / "tiny.gguf")))
    with pytest.raises(ModelError, match=r"needs about 2\d MB .* only 1 MB are free") as caught:
        prepare(source, tmp_path / "data", {"dense"}, steps)
    assert caught.value.facts["available"] == 1_000_000
    assert steps.seen == []


def test_a_disk_that_refuses_is_a_sentence(tmp_path: Path, steps: Steps) -> None:
    source = resolve(str(tiny_gguf(tmp_path / "tiny.gguf")))
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(ModelError, match="Check that the folder can be written"):
        prepare(source, tmp_path / "data", {"dense"}, steps)


def test_two_processes_do_not_convert_at_once(tmp_path: Path) -> None:
    source = resolve(str(tiny_gguf(tmp_path / "tiny.gguf")))
    root = prepare(source, tmp_path, set(), Steps()).tokenizer.parent
    shutil.rmtree(root / "tokenizer")
    other = FileLock(root.with_name(f".{root.name}.lock"))
    other.acquire()
    seen: list[str] = []

    def report(step: str, share: float | None, /) -> None:
        seen.append(step)
        if step.startswith("Waiting"):
            other.release()  # the other process is done, without having made anything

    prepare(source, tmp_path, set(), report)
    assert seen[0].startswith("Waiting for another process")
    assert (root / "tokenizer" / "manifest.json").is_file()


KILLED = """
import os, signal, sys
from pathlib import Path
from chatapp.engine.models.prepare import prepare, resolve

def report(step, share):
    if step == "Unpacking the weights" and share > 0:
        os.kill(os.getpid(), signal.SIGKILL)

prepare(resolve(sys.argv[1]), Path(sys.argv[2]), {"dense"}, report)
"""


def test_a_killed_conversion_leaves_nothing_half_made(tmp_path: Path, steps: Steps) -> None:
    file, data = tiny_gguf(tmp_path / "tiny.gguf"), tmp_path / "data"
    victim = [sys.executable, "-c", KILLED, str(file), str(data)]
    assert subprocess.run(victim, timeout=60).returncode == -signal.SIGKILL
    root = next((data / "models").glob("tiny-*"))
    assert not (root / "dense").exists()
    assert leftovers(data)
    made = prepare(resolve(str(file)), data, {"dense"}, steps)
    assert made.dense == root / "dense"
    assert not leftovers(data)


def test_a_converter_that_dies_is_reported(
    tmp_path: Path, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tiny_gguf(tmp_path / "tiny.gguf")
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nkill -9 $$\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(ModelError, match=r"signal 9.*not enough memory"):
        prepare(resolve(str(file)), tmp_path / "data", {"dense"}, steps)
    python.write_text("#!/bin/sh\necho 'not ours'\necho 'ImportError: no numpy' >&2\nexit 3\n")
    with pytest.raises(ModelError, match="ImportError: no numpy"):
        prepare(resolve(str(file)), tmp_path / "data", {"dense"}, steps)
    assert not leftovers(tmp_path / "data")


def test_the_main_process_never_loads_a_model_library(tmp_path: Path) -> None:
    file = tiny_gguf(tmp_path / "tiny.gguf")
    program = (
        "import sys; from pathlib import Path; from chatapp.engine.models.prepare import *;"
        f"s = resolve({str(file)!r}); engines_for(s);"
        f"prepare(s, Path({str(tmp_path)!r}), {{'dense'}}, lambda *_: None);"
        "print([m for m in ('torch', 'transformers', 'openvino', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
    assert (tmp_path / "models").is_dir()
