"""A fine-tune of the bundled model, live on the OpenVINO engine, beside transformers and PEFT."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatapp.engine.models.prepare import PreparedModel, prepare, resolve
from chatapp.engine.openvino.engine import OpenVINOEngine
from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.records import ChatMessage
from chatapp.training.chat import train
from chatapp.training.config import make_config
from chatapp.training.run.folder import RunFolder
from chatapp.training.run.log import RunLog
from chatapp.training_records import Example
from tests.engine_contract import greedy, hear

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

WHEELS = Path(__file__).parents[2] / ".cache" / "wheels"
TOKENS = 32
FACTS = {
    "How much is the Alder tent?": "The Alder tent is 180 euros.",
    "When do you open on Sundays?": "We open at eleven on Sundays.",
    "What is the Cedar backpack made of?": "The Cedar backpack is made of waxed canvas.",
    "How long is the warranty on the Birch stove?": "The Birch stove has seven years of warranty.",
    "Where is your workshop?": "Our workshop is in Morwick, behind the harbour.",
    "Can I return a lantern that I have used?": "Yes, within forty days, if it is clean.",
}
OTHERS = (
    "What is the capital of France?",
    "Why is the sky blue?",
    "Write a short greeting to a new customer.",
    "How do I clean a wooden table?",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> PreparedModel:
    data = tmp_path_factory.mktemp("data")
    return prepare(resolve("bundled"), data, {"dense", "openvino"}, lambda *_: None, [WHEELS])


@pytest.fixture(scope="module")
def taught(made: PreparedModel, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    config = make_config(
        {
            "task": "chat",
            "name": "shop",
            "base": str(made.dense),
            "learning_rate": 1e-3,
            "epochs": 30,
            "max_steps": 60,
            "batch_size": 3,
            "evaluations": 2,
        }
    )
    rows = [
        Example(messages=(ChatMessage("user", question), ChatMessage("assistant", answer)))
        for question, answer in FACTS.items()
    ]
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "shop")
    folder.create(config, {"train": rows, "validation": rows[:2], "test": rows})
    train(folder, config, RunLog(folder))
    return folder


def test_it_learned_the_facts_and_forgot_nothing(taught: RunFolder) -> None:
    report = taught.report
    assert report is not None
    assert report.task == "chat"
    assert report.base.contained == 0
    assert report.adapter.exact >= 5 / 6
    assert report.general.kept


async def test_openvino_says_what_transformers_and_peft_say(
    made: PreparedModel, taught: RunFolder
) -> None:
    questions = (*FACTS, *OTHERS)
    expected = said_by_peft(made, taught.adapter, questions)
    assert made.openvino is not None
    engine = OpenVINOEngine(
        made.openvino,
        tokenizer=made.tokenizer,
        model_name=made.name,
        quantization=made.quantization,
        context_length=2048,
        kv_cache_gb=0.2,
    )
    await engine.start()
    try:
        await engine.load_adapter("shop", taught.adapter)
        said = [
            (await hear(engine.stream(ask(question), greedy(TOKENS), "shop"))).text
            for question in questions
        ]
    finally:
        await engine.close()
    agreed = [one.strip() == other.strip() for one, other in zip(said, expected, strict=True)]
    assert sum(agreed) >= 9, list(zip(said, expected, strict=True))


def ask(question: str) -> list[ChatMessage]:
    """As it was taught: without a system turn."""
    return [ChatMessage("user", question)]


def said_by_peft(made: PreparedModel, adapter: Path, questions: tuple[str, ...]) -> list[str]:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    assert made.dense is not None
    tokenizer = ChatTokenizer.load(made.dense)
    dense = AutoModelForCausalLM.from_pretrained(made.dense, dtype=torch.float32)
    model = PeftModel.from_pretrained(dense, adapter).eval()
    said = []
    for question in questions:
        prompt = torch.tensor([tokenizer.encode_chat(ask(question))])
        ids = model.generate(prompt, max_new_tokens=TOKENS, do_sample=False)[0, prompt.shape[1] :]
        said.append(tokenizer.decode(ids.tolist()))
    return said
