"""The doctor on the command line: what it says, writes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from chatapp.commands.doctor import doctor
from chatapp.training.data import guess, read_rows, to_examples
from tests.tiny_models import tiny_hf

cli = typer.Typer()
cli.command()(doctor)


@cli.command()
def other() -> None:
    """Makes ``doctor`` one command of several."""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATAPP_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CHATAPP_MODEL", "bundled")


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, ["doctor", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "intents.csv"
    rows = [f"question number {n} about {'parcels' if n % 2 else 'money'},{'ab'[n % 2] * 6}"
            for n in range(20)]  # fmt: skip
    rows += ["Where is it?,aaaaaa", "where is it,aaaaaa", ",bbbbbb", "Mail jo@example.com,aaaaab"]
    path.write_text("text,label\n" + "\n".join(rows) + "\n")
    return path


def test_it_says_what_it_is_what_is_wrong_and_what_to_do(file: Path) -> None:
    code, said, _ = run(file)
    assert code == 0
    assert "24 rows, text and label (text: text, label: label; 93% sure)" in said
    assert "For classify: 23 rows ready, 1 set aside" in said
    assert "✗ empty: 1 row has no text to sort" in said
    assert "row 24, column text" in said
    assert "--fix duplicate.keep_first" in said
    assert "--fix label_typo.merge_label.aaaaab.aaaaaa" in said
    assert "Tokens (estimated)" in said


def test_a_program_gets_one_object(file: Path) -> None:
    code, said, _ = run(file, "--json")
    found = json.loads(said)
    assert code == 0
    assert (found["kind"], found["rows"], found["ready"], found["tokens"]) == (
        "csv",
        24,
        23,
        "estimated",
    )
    assert {one["kind"] for one in found["findings"]} >= {"empty", "duplicate", "personal_email"}
    assert found["guesses"][0]["mapping"]["format"] == "text_label"


def test_a_mended_copy_is_written_and_the_file_stays(file: Path, tmp_path: Path) -> None:
    before = file.read_bytes()
    out = tmp_path / "clean.csv"
    fixes = ["empty.drop", "personal_email.mask", "label_typo.merge_label.aaaaab.aaaaaa"]
    code, said, told = run(
        file, "--clean", out, *(part for one in fixes for part in ("--fix", one))
    )
    assert code == 0
    assert f"Fixes applied: {' '.join(fixes)}" in said
    assert "Wrote 23 rows" in told
    assert file.read_bytes() == before
    table = read_rows(out)
    examples = to_examples(table, guess(table)[0].mapping).examples
    assert examples[-1].text == "Mail [email]"
    assert {one.label for one in examples} == {"aaaaaa", "bbbbbb"}


def test_all_fixes_leave_only_what_a_person_must_judge(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "clean.jsonl"
    code, said, _ = run(file, "--fix", "all", "--clean", out, "--json")
    assert code == 0
    left = {one["kind"] for one in json.loads(said)["findings"] if one["fixes"]}
    assert left == {"near_duplicate"}
    assert run(out)[0] == 0


def test_tokens_are_counted_with_the_model_s_own_tokenizer_where_it_is_ready(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATAPP_MODEL", str(tiny_hf(tmp_path / "model")))
    assert json.loads(run(file, "--json", "--task", "chat")[1])["tokens"] == "exact"


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text('[{"text": }]')
    code, said, told = run(path)
    assert (code, said) == (1, "")
    assert told.startswith("broken.json, line 1, column 11, is not JSON")


def test_nothing_that_can_be_learned_from_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("text,label\nHello,same\nBye,same\n")
    code, said, told = run(path)
    assert code == 1
    assert "one_label" in said
    assert "no row that can be learned from" in told


@pytest.mark.parametrize(
    "wrong", [["--fix", "nonsense"], ["--task", "sing"], ["--max-length", "2"]]
)
def test_wrong_usage(file: Path, wrong: list[str]) -> None:
    assert run(file, *wrong)[0] == 2
    assert run(file.with_name("missing.csv"))[0] == 2
