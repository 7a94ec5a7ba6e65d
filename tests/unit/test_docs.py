"""The README is true: its settings, tree, commands and Space front matter match the code."""

from __future__ import annotations

import re
from pathlib import Path

import frontmatter
import pytest

from chatapp.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

# https://huggingface.co/docs/hub/spaces-config-reference
SPACE_KEYS = {
    "title", "emoji", "colorFrom", "colorTo", "sdk", "python_version", "sdk_version",
    "suggested_hardware", "suggested_storage", "app_file", "app_port", "base_path", "fullWidth",
    "header", "short_description", "models", "datasets", "tags", "thumbnail", "pinned",
    "hf_oauth", "hf_oauth_scopes", "hf_oauth_expiration_minutes", "disable_embedding",
    "startup_duration_timeout", "custom_headers", "preload_from_hub", "license",
}  # fmt: skip


def requirements() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name.split("[")[0]: version for name, version in pins}


def section(title: str) -> str:
    """The README's text under one heading, up to the next of the same or a higher level."""
    level, _, _ = title.partition(" ")
    start = README.index(f"\n{title}\n") + len(title) + 2
    end = re.compile(rf"^#{{1,{len(level)}}} ", re.MULTILINE).search(README, start)
    return README[start : end.start() if end else None]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_its_row(name: str) -> None:
    row = f"| `{PREFIX}{name.upper()}` | {Settings.model_fields[name].description} |"
    assert row in section("## Settings"), f"add to the table of settings:\n{row}"


def test_no_setting_is_documented_that_does_not_exist() -> None:
    named = set(re.findall(rf"\b{PREFIX}([A-Z_]+)\b", README))
    assert named <= {name.upper() for name in Settings.model_fields}


def test_every_requirement_has_its_reason() -> None:
    table = section("## Dependencies and why")
    assert [name for name in requirements() if f"| {name} |" not in table] == []


def test_requirements_are_exact() -> None:
    assert all(re.fullmatch(r"[\w.]+", version) for version in requirements().values())


def test_the_front_matter_is_valid_for_a_space() -> None:
    space = frontmatter.loads(README).metadata
    assert set(space) <= SPACE_KEYS
    assert space["sdk"] == "gradio"
    assert str(space["sdk_version"]) == requirements()["gradio"]
    assert (ROOT / str(space["app_file"])).is_file()
    assert len(str(space["short_description"])) <= 60
    assert re.fullmatch(r"3\.1[1-3]", str(space["python_version"]))


def test_the_tree_matches_the_tree() -> None:
    """Every path in the README's tree exists, and every room of the package is in it."""
    block = section("## The tree").split("```")[1]
    named, parents = set(), []
    for line in block.splitlines()[1:]:
        indent, name = re.match(r"( *)(\S*)", line).groups()  # type: ignore[union-attr]
        if not name:
            continue
        del parents[len(indent) // 2 :]
        named.add("".join([*parents, name]))
        parents.append(name)
    assert [path for path in named if not (ROOT / path).exists()] == []
    rooms = {
        f"chatapp/{path.name}{'/' if path.is_dir() else ''}"
        for path in (ROOT / "chatapp").iterdir()
        if not path.name.startswith("__pycache__") and path.name != "__init__.py"
    }
    assert rooms <= named


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`", README)) <= targets
