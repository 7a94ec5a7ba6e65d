"""Settings: where values come from, and the one sentence a wrong value gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from chatapp.errors import SettingsError
from chatapp.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No variable and no .env of the machine may reach these tests."""
    for field in Settings.model_fields:
        monkeypatch.delenv(f"CHATAPP_{field.upper()}", raising=False)
    monkeypatch.delenv("SPACE_ID", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults_start_a_local_app_with_the_bundled_model() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.model) == ("127.0.0.1", 7860, "bundled")


def test_a_space_listens_on_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/space")
    assert load_settings().host == "0.0.0.0"


def test_the_environment_wins_over_the_env_file(
    monkeypatch: pytest.MonkeyPatch, empty_folder: Path
) -> None:
    (empty_folder / ".env").write_text("CHATAPP_PORT=1111\nCHATAPP_MAX_RUNNING=3\n")
    monkeypatch.setenv("CHATAPP_PORT", "2222")
    settings = load_settings()
    assert (settings.port, settings.max_running) == (2222, 3)


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATAPP_PORT", "")
    assert load_settings().port == 7860


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(ValidationError):
        load_settings().port = 1  # type: ignore[misc]


def test_api_keys_are_split_and_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATAPP_API_KEYS", "first-key, second-key,")
    settings = load_settings()
    assert [key.get_secret_value() for key in settings.api_keys] == ["first-key", "second-key"]
    assert "first-key" not in repr(settings)


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("CHATAPP_PORT", "abc", "a whole number"),
        ("CHATAPP_PORT", "70000", "up to 65535"),
        ("CHATAPP_ENGINE", "llama.cpp", "'auto', 'openvino', 'transformers' or 'remote'"),
        ("CHATAPP_GPU_MEMORY", "0", "above 0"),
        ("CHATAPP_MAX_RUNNING", "0", "from 1 up"),
        ("CHATAPP_DATABASE_URL", "mysql://db", "postgresql+psycopg://"),
        ("CHATAPP_REMOTE_BASE_URL", "gpu-box:8000", "http://"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, allowed: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    sentence = caught.value.sentence
    assert variable in sentence
    assert value in sentence
    assert allowed in sentence
    assert "\n" not in sentence


def test_a_wrong_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATAPP_SECRET_KEY", "hunter2")
    with pytest.raises(SettingsError, match="at least 16 characters") as caught:
        load_settings()
    assert "hunter2" not in caught.value.sentence
