"""A run of the chat task, from its folder and back into it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from chatapp.engine.models.weights import weights_hash
from chatapp.engine.openvino.adapter import check_adapter
from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.errors import DatasetError, TrainingError
from chatapp.records import ChatMessage
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.log import RunDiscarded, RunLog
from tests.tiny_models import (
    FEED_FORWARD,
    HEAD_DIM,
    HEADS,
    HIDDEN,
    KV_HEADS,
    LAYERS,
    TinyModel,
    tiny_hf,
)
from tests.unit.training.chat.school import ANSWER, QUESTIONS, a_config, a_run, asked, learn


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_hf(tmp_path_factory.mktemp("models") / "Tiny-1a2b3c4d" / "dense")


@pytest.fixture(scope="module")
def taught(base: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that went through; its examples are corrections, too."""
    parts = {
        "train": [asked(one) for one in QUESTIONS],
        "validation": [asked(one) for one in QUESTIONS[:2]],
        "test": [asked("When does my parcel arrive?")],
    }
    folder = a_run(tmp_path_factory.mktemp("runs") / "whole", a_config(base), parts)
    learn(folder)
    return folder


def answer_of(base: Path, adapter: Path, question: str) -> str:
    """What plain ``transformers`` and ``peft`` say with it."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    tokenizer = ChatTokenizer.load(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    model = PeftModel.from_pretrained(model, adapter).eval()
    prompt = torch.tensor([tokenizer.encode_chat([ChatMessage("user", question)])])
    said = model.generate(prompt, max_new_tokens=20, do_sample=False)[0, prompt.shape[1] :]
    return tokenizer.decode(said.tolist())


def test_it_learns_to_say_the_answer_and_plain_peft_says_it(base: Path, taught: RunFolder) -> None:
    for question in QUESTIONS:
        assert answer_of(base, taught.adapter, question) == ANSWER


def test_the_report_is_about_what_was_saved(taught: RunFolder) -> None:
    report = taught.report
    assert report is not None
    assert report.task == "chat"
    assert (report.base.contained, report.adapter.contained, report.adapter.exact) == (0, 1, 1)
    assert report.adapter.loss is not None
    assert report.base.loss is not None
    assert report.adapter.loss < 0.5 < report.base.loss
    assert report.rows == {"train": 4, "validation": 2, "test": 1}
    (pair,) = report.answers
    assert (pair.question, pair.after) == ("When does my parcel arrive?", ANSWER)
    assert pair.before != pair.after
    assert report.sentence.startswith("It helped: it answers 100% of 1 test question")


def test_the_loss_falls_and_every_figure_is_told(taught: RunFolder) -> None:
    points = taught.metrics()
    losses = [one.loss for one in points if one.loss is not None]
    measured = [one.eval_loss for one in points if one.eval_loss is not None]
    assert losses[-1] < losses[0] / 4
    assert len(measured) == 4
    assert measured[-1] < measured[0]
    trained = next(one for one in points if one.loss is not None)
    assert trained.tokens_per_second
    assert trained.memory_mb
    assert trained.grad_norm
    assert trained.learning_rate is not None


def test_the_same_questions_are_asked_at_each_evaluation(taught: RunFolder) -> None:
    samples = taught.samples()
    assert [one.step for one in samples] == [10, 10, 20, 20, 30, 30, 40, 40]
    assert {one.question for one in samples} == set(QUESTIONS[:2])
    assert {one.expected for one in samples} == {ANSWER}
    assert samples[-1].answer == ANSWER


def test_openvino_would_take_it_and_its_lineage_is_told(base: Path, taught: RunFolder) -> None:
    outputs = {"q": HEADS * HEAD_DIM, "k": KV_HEADS * HEAD_DIM, "v": KV_HEADS * HEAD_DIM}
    shapes = {
        f"model.layers.{layer}.{role}": size
        for layer in range(LAYERS)
        for role, size in {
            **{f"self_attn.{one}_proj": (size, HIDDEN) for one, size in outputs.items()},
            "self_attn.o_proj": (HIDDEN, HEADS * HEAD_DIM),
            "mlp.gate_proj": (FEED_FORWARD, HIDDEN),
            "mlp.up_proj": (FEED_FORWARD, HIDDEN),
            "mlp.down_proj": (HIDDEN, FEED_FORWARD),
        }.items()
    }
    assert check_adapter(taught.adapter, shapes).scale == 2.0
    told = json.loads((taught.adapter / "base.json").read_text())
    assert told == {"model": "Tiny", "hash": weights_hash(base)}
    assert not (taught.path / "adapter.draft").exists()


def test_a_trial_saves_and_measures_nothing(base: Path, tmp_path: Path) -> None:
    folder = a_run(tmp_path / "trial", a_config(base, max_steps=3, evaluations=1))
    assert learn(folder, report=False) is None
    assert (folder.adapter / "adapter_model.safetensors").is_file()
    assert folder.report is None
    assert folder.samples() == []
    assert len([one for one in folder.metrics() if one.loss is not None]) == 3


class _Impatient(RunLog):
    """Wants to stop as soon as so many steps are done."""

    def __init__(self, folder: RunFolder, step: int, wish: str) -> None:
        super().__init__(folder)
        self._at, self._wish = step, wish

    def progress(self, step: int, steps: int, epoch: float = 0.0) -> None:
        if step == self._at:
            self._folder.ask_to_stop(self._wish)  # type: ignore[arg-type]
        super().progress(step, steps, epoch)


def test_stopping_keeps_the_best_so_far_and_measures_it(base: Path, tmp_path: Path) -> None:
    rows = [asked(one) for one in QUESTIONS]
    parts = {"train": rows, "validation": rows[:2], "test": rows[:2]}
    folder = a_run(tmp_path / "stopped", a_config(base, max_steps=400), parts)
    report = learn(folder, _Impatient(folder, 120, "keep"))
    best = min(one.eval_loss for one in folder.metrics() if one.eval_loss is not None)
    assert folder.metrics()[-1].step <= 121
    assert report.adapter.loss == pytest.approx(best, rel=1e-3)
    assert (folder.adapter / "adapter_config.json").is_file()


def test_a_discarded_run_leaves_nothing(base: Path, tmp_path: Path) -> None:
    folder = a_run(tmp_path / "discarded", a_config(base))
    with pytest.raises(RunDiscarded):
        learn(folder, _Impatient(folder, 5, "discard"))
    assert not folder.adapter.exists()


class _Cut(Exception):
    """As if the process were killed."""


class _Doomed(RunLog):
    def progress(self, step: int, steps: int, epoch: float = 0.0) -> None:
        super().progress(step, steps, epoch)
        if step == 25:
            raise _Cut


def test_a_cut_run_goes_on_from_its_checkpoint_to_the_same_step(base: Path, tmp_path: Path) -> None:
    folder = a_run(tmp_path / "cut", a_config(base))
    with pytest.raises(_Cut):
        learn(folder, _Doomed(folder))
    folder.rewind(20)
    log = RunLog(folder)
    assert log.checkpoint is not None
    assert log.checkpoint.name == "checkpoint-20"
    learn(folder, log)
    assert (log.state.step, log.state.steps) == (40, 40)
    steps = [one.step for one in folder.metrics() if one.eval_loss is not None]
    assert steps == [10, 20, 30, 40]


def test_it_stops_early_where_it_only_gets_worse(base: Path, tmp_path: Path) -> None:
    parts = {
        "train": [asked(one) for one in QUESTIONS],
        "validation": [asked("When?", "Never, we are closed.")],
        "test": [asked("When?")],
    }
    config = a_config(base, epochs=100, max_steps=200, evaluations=20, early_stopping=2)
    folder = a_run(tmp_path / "early", config, parts)
    log = RunLog(folder)
    learn(folder, log)
    assert log.state.step < 200


def test_a_loss_that_is_no_number_ends_the_run_with_advice(tmp_path: Path) -> None:
    broken = tiny_hf(tmp_path / "broken")
    weights = TinyModel().weights()
    weights["model.norm.weight"] *= np.float32(3e38)
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    folder = a_run(tmp_path / "wild", a_config(broken, max_steps=4))
    with pytest.raises(TrainingError, match=r"stopped being a number .* lower learning rate"):
        learn(folder)
    assert not folder.adapter.exists()


@pytest.mark.parametrize("method", ["prefix", "prompt"])
def test_what_no_engine_serves_is_refused_before_anything_is_loaded(
    base: Path, tmp_path: Path, method: str
) -> None:
    folder = a_run(tmp_path / method, a_config(tmp_path / "nowhere", method=method))
    with pytest.raises(TrainingError, match=r"cannot be put live.*Choose lora"):
        learn(folder)


def test_a_tracker_that_is_not_installed_is_refused(base: Path, tmp_path: Path) -> None:
    folder = a_run(tmp_path / "tracked", a_config(base, tracking="wandb"))
    with pytest.raises(TrainingError, match="pip install wandb"):
        learn(folder)


def test_half_precision_needs_a_gpu(base: Path, tmp_path: Path) -> None:
    folder = a_run(tmp_path / "half", a_config(base, precision="float16"))
    with pytest.raises(TrainingError, match=r"float16 needs a GPU.*auto"):
        learn(folder)


def test_the_same_seed_gives_the_same_run(base: Path, tmp_path: Path) -> None:
    weights = []
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        config = a_config(base, max_steps=2, seed=seed, dropout=0.1)
        folder = a_run(tmp_path / name, config)
        learn(folder, report=False)
        weights.append((folder.adapter / "adapter_model.safetensors").read_bytes())
    assert weights[0] == weights[1] != weights[2]


def test_left_out_examples_are_told(base: Path, tmp_path: Path) -> None:
    parts = {
        "train": [asked("When?"), asked("Why? " * 200)],
        "validation": [asked("When?")],
        "test": [asked("When?")],
    }
    folder = a_run(tmp_path / "long", a_config(base, max_steps=1), parts)
    learn(folder)
    (notice,) = folder.written_state.notices
    assert notice.startswith("1 of 2 examples")
    assert "160 tokens" in notice
    assert notice.endswith("“Why? Why? Why? Why? Why? Why? Why? Why? Why? Why? Why? Why? ”.")


def test_a_file_that_is_too_long_in_every_row_is_refused(base: Path, tmp_path: Path) -> None:
    parts = {"train": [asked("Why? " * 200)], "validation": [], "test": []}
    folder = a_run(tmp_path / "longer", a_config(base), parts)
    with pytest.raises(DatasetError, match="nothing to learn"):
        learn(folder)
