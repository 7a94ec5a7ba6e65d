"""Persona files: read carefully, and a broken one is named and skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatapp.personas import answered_from, load_personas
from chatapp.records import Sampling

GOOD = "---\nname: Good\n---\nBe good.\n"


def write(folder: Path, name: str, content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(data)


def test_every_shipped_persona_is_whole() -> None:
    personas, problems = load_personas(Path(__file__).parents[2] / "prompts")
    assert problems == []
    assert list(personas) == [
        "customer-service",
        "content-writer",
        "tutor",
        "coding-helper",
        "translator",
        "summarizer",
        "health-information",
        "legal-information",
    ]
    for persona in personas.values():
        assert persona.name
        assert persona.description
        assert len(persona.starters) == 4
        assert persona.names["zh"]
        assert persona.descriptions["zh"]
        assert len(persona.translated_starters["zh"]) == 4
        # Short enough to leave a small model's context to the conversation.
        assert len(persona.system_prompt) < 1000


def test_every_field_is_read(tmp_path: Path) -> None:
    content = """---
name: Full
description: Knows all.
order: 5
language: zh
sampling:
  max_tokens: 100
  temperature: 0
  top_p: 0.5
  top_k: 40
  repetition_penalty: 1.1
  seed: 7
  stop: ["END", "---"]
starters: [One, Two]
names: {zh: 全, de: Voll}
descriptions: {zh: 什么都知道。}
translated_starters: {zh: [一, 二]}
---

Body with a line of its own:

---

and more.
"""
    write(tmp_path, "full.md", content)
    personas, problems = load_personas(tmp_path)
    assert problems == []
    persona = personas["full"]
    assert persona.sampling == Sampling(
        max_tokens=100,
        temperature=0,
        top_p=0.5,
        top_k=40,
        repetition_penalty=1.1,
        seed=7,
        stop=("END", "---"),
    )
    assert persona.language == "zh"
    assert persona.starters == ("One", "Two")
    assert persona.names == {"zh": "全", "de": "Voll"}
    assert persona.descriptions == {"zh": "什么都知道。"}
    assert persona.translated_starters == {"zh": ("一", "二")}
    assert persona.system_prompt == "Body with a line of its own:\n\n---\n\nand more."


def test_only_a_name_and_a_body_are_needed(tmp_path: Path) -> None:
    write(tmp_path, "good.md", GOOD)
    write(tmp_path, "notes.txt", "not a persona")
    write(tmp_path, ".hidden.md", "not one either")
    personas, problems = load_personas(tmp_path)
    assert problems == []
    assert personas["good"].sampling == Sampling()
    assert personas["good"].language == "en"


@pytest.mark.parametrize(
    "content",
    [
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\r").encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
    ],
    ids=["windows", "old mac", "byte order mark"],
)
def test_any_editor_may_save_it(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, "good.md", content)
    personas, problems = load_personas(tmp_path)
    assert problems == []
    assert personas["good"].system_prompt == "Be good."
    assert personas["good"].name == "Good"


def test_the_order_is_by_number_then_by_file(tmp_path: Path) -> None:
    for name, order in [("b", None), ("a", None), ("z", 1), ("y", 2)]:
        line = f"order: {order}\n" if order else ""
        write(tmp_path, f"{name}.md", f"---\nname: {name}\n{line}---\nx")
    assert list(load_personas(tmp_path)[0]) == ["z", "y", "a", "b"]


@pytest.mark.parametrize(
    ("content", "place", "problem"),
    [
        ("", "line 1,", "no front matter"),
        ("You are kind.", "line 1,", "no front matter"),
        ("---\nname: X\nYou are kind.", "line 1,", "has no end"),
        ("---\nname: X\n---\n  \n", "bad.md is", "is empty"),
        ("---\n---\nBody", "bad.md is", "name is missing"),
        ("---\ndescription: d\n---\nBody", "bad.md is", "name is missing"),
        ("---\nname: ''\n---\nBody", "line 2,", "name must be text"),
        ("---\nname: [a]\n---\nBody", "line 2,", "name must be text"),
        ("---\nname: X\nlanguage: no\n---\nBody", "line 3,", "language must be text"),
        ("---\n- a\n- b\n---\nBody", "line 2,", "key: value"),
        ("---\nname: X\n\ncolour: red\n---\nBody", "line 4,", "colour is unknown"),
        ("---\n\n\nname: X\ncolour: red\n---\nBody", "line 5,", "colour is unknown"),
        ("---\nname: X\nname: Y\n---\nBody", "line 3,", "name is given twice"),
        ("---\nname: X\nstarters: [a\n---\nBody", "line", "this is not YAML"),
        ("---\nname: X\n\tdescription: d\n---\nBody", "line 3,", "this is not YAML"),
        ("---\nname: !!python/name:os.system x\n---\nBody", "line 2,", "cannot be read"),
        ("---\nname: \x01\n---\nBody", "bad.md is", "not YAML"),
        ("---\nname: X\nstarters: a\n---\nBody", "line 3,", "starters must be a list"),
        ("---\nname: X\nstarters: [1]\n---\nBody", "line 3,", "starters must be a list"),
        ("---\nname: X\norder: first\n---\nBody", "line 3,", "whole number"),
        ("---\nname: X\nnames: zh\n---\nBody", "line 3,", "key: value"),
        ("---\nname: X\nnames:\n  zh: 1\n---\nBody", "line 4,", "zh must be text"),
        ("---\nname: X\nsampling: 3\n---\nBody", "line 3,", "key: value"),
        (
            "---\nname: X\nsampling:\n  temperature: 3\n---\nBody",
            "line 4,",
            "temperature is 3.0, but must be from 0 to 2",
        ),
        (
            "---\nname: X\nsampling:\n  max_tokens: 9\n  top_p: 0\n---\nBody",
            "line 5,",
            "top_p is 0.0, but must be above 0",
        ),
        ("---\nname: X\nsampling: {top_k: 1.5}\n---\nBody", "line 3,", "whole number"),
        ("---\nname: X\nsampling: {max_tokens: yes}\n---\nBody", "line 3,", "whole number"),
        ("---\nname: X\nsampling: {top_p: high}\n---\nBody", "line 3,", "must be a number"),
        ("---\nname: X\nsampling: {heat: 1}\n---\nBody", "line 3,", "heat is unknown"),
        (b"---\nname: X\n---\nCaf\xe9\n", "line 4,", "not UTF-8"),
        ("---\nname: X\n---\n" + "x" * 70_000, "bad.md is", "larger than 64 KiB"),
    ],
)
def test_a_broken_file_is_named_and_skipped(
    tmp_path: Path, content: str | bytes, place: str, problem: str
) -> None:
    write(tmp_path, "bad.md", content)
    write(tmp_path, "good.md", GOOD)
    personas, problems = load_personas(tmp_path)
    assert list(personas) == ["good"]
    assert len(problems) == 1
    sentence = problems[0].sentence
    assert sentence.startswith("The persona file bad.md")
    assert place in sentence
    assert problem in sentence
    assert "\n" not in sentence
    assert problems[0].facts["file"] == "bad.md"


def test_two_personas_of_one_name_cannot_be_told_apart(tmp_path: Path) -> None:
    write(tmp_path, "a.md", GOOD)
    write(tmp_path, "b.md", GOOD.replace("Good", "GOOD", 1))
    personas, problems = load_personas(tmp_path)
    assert list(personas) == ["a"]
    assert "a.md has the name good already" in problems[0].sentence


def test_a_file_nobody_can_read(tmp_path: Path) -> None:
    (tmp_path / "loop.md").symlink_to(tmp_path / "loop.md")
    write(tmp_path, "good.md", GOOD)
    personas, problems = load_personas(tmp_path)
    assert list(personas) == ["good"]
    assert "cannot be read" in problems[0].sentence


def test_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    personas, problems = load_personas(tmp_path / "nowhere")
    assert personas == {}
    assert "cannot be read" in problems[0].sentence


def test_the_collections_that_personas_answer_from_are_named_as_the_database_names_them(
    tmp_path: Path,
) -> None:
    for name, line in (("a", "collection: Public\n"), ("b", ""), ("c", "collection: teas\n")):
        write(tmp_path, f"{name}.md", f"---\nname: {name}\n{line}---\nBe good.\n")
    personas, problems = load_personas(tmp_path)
    assert problems == []
    assert answered_from(personas) == {"public", "teas"}
