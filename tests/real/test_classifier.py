"""The bundled encoders learn in torch for a few steps, and numpy alone serves what they learned."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from peft import PeftModel

from chatapp.training.classify import train
from chatapp.training.classify.bases import find_base
from chatapp.training.classify.learners import load_learner
from chatapp.training.run.log import RunLog
from tests.unit.training.classify.runs import a_run, parts

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

_SERVED = """
import json, sys
from pathlib import Path
from chatapp.training.classify import load_classifier
texts = json.loads(sys.argv[2])
classifier = load_classifier(Path(sys.argv[1]), "adapter")
said = [next(iter(one)) for one in classifier.classify(texts)]
vectors = classifier.readers["tuned"](texts).tolist()
heavy = [name for name in ("torch", "sklearn", "transformers") if name in sys.modules]
print(json.dumps({"said": said, "vectors": vectors, "heavy": heavy}))
"""
_TEXTS = ["I want my money back for the canoe", "the oar came damaged", "我的帐篷什么时候到?"]


@pytest.mark.parametrize("base", ["minilm", "multilingual"])
def test_numpy_serves_what_torch_has_learned(tmp_path: Path, base: str) -> None:
    folder = a_run(tmp_path / "run", base, parts(), max_steps=6)
    train(folder, folder.config, RunLog(folder), report=False)

    command = [sys.executable, "-c", _SERVED, str(folder.adapter), json.dumps(_TEXTS)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    served = json.loads(output.splitlines()[-1])

    learner = load_learner(find_base(base), 64, dropout=0.0, quantized=False)
    untaught = learner.embed(_TEXTS)
    learner.model = PeftModel.from_pretrained(learner.model, str(folder.adapter)).eval()
    taught = learner.embed(_TEXTS)
    assert np.abs(np.array(served["vectors"]) - taught).max() < 1e-4
    assert np.abs(untaught - taught).max() > 1e-2
    assert served["said"][:2] == ["refund", "broken"]
    assert served["heavy"] == []
