"""Which engine runs which model, and what is said when none can."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatapp.engine import choice
from chatapp.errors import SettingsError
from chatapp.settings import load_settings
from tests.tiny_models import TinyModel, tiny_gguf


def ignore(_step: str, _share: float | None, /) -> None:
    """A progress report that nobody reads."""


@pytest.mark.parametrize(
    ("wanted", "possible", "cuda", "chosen"),
    [
        ("auto", ("openvino", "transformers"), False, "openvino"),
        ("auto", ("openvino", "transformers"), True, "transformers"),
        ("auto", ("openvino",), True, "openvino"),
        ("auto", ("transformers",), False, "transformers"),
        ("transformers", ("openvino", "transformers"), False, "transformers"),
        ("openvino", ("openvino", "transformers"), True, "openvino"),
    ],
)
def test_the_fastest_engine_that_can_load_the_model_is_chosen(
    wanted: str, possible: tuple[choice.LocalEngine, ...], cuda: bool, chosen: str
) -> None:
    assert choice.choose(wanted, possible, cuda=cuda) == chosen


def test_an_engine_that_cannot_load_the_model_is_refused_with_the_way_out() -> None:
    with pytest.raises(SettingsError, match="can only be run by transformers"):
        choice.choose("openvino", ("transformers",), cuda=False)


def test_a_remote_engine_needs_its_address(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CHATAPP_REMOTE_BASE_URL is not set"):
        choice.make_engine(load_settings(engine="remote", data=tmp_path), ignore)


def test_a_base_url_chooses_the_remote_engine(tmp_path: Path) -> None:
    settings = load_settings(remote_base_url="http://127.0.0.1:9/v1", data=tmp_path)
    engine = choice.make_engine(settings, ignore)
    assert engine.info.engine == "remote"
    assert not engine.ready


def test_a_zero_gpu_space_gets_its_own_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CUDA cannot be seen there outside ``@spaces.GPU``; the Space says that it is one."""
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    model = tiny_gguf(tmp_path / "tiny.gguf", TinyModel())
    settings = load_settings(model=str(model), data=tmp_path / "data")
    assert type(choice.make_engine(settings, ignore)).__name__ == "ZeroGPUEngine"
