"""Every row is checked, every problem has its place, and every fix can be applied and undone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.errors import InvalidRequest
from chatapp.records import ChatMessage, Role
from chatapp.training.data import apply_fixes, encode, examine, learnable, ready_examples
from chatapp.training_records import DataMapping, Diagnosis, Example, Finding, Task
from tests.tiny_models import tiny_hf

SUBJECTS = ("parcel", "refund", "invoice", "tent", "kayak", "voucher", "account", "rope")
VERBS = ("find", "cancel", "change", "return", "repair", "order", "track", "open")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> ChatTokenizer:
    return ChatTokenizer.load(tiny_hf(tmp_path_factory.mktemp("model")))


def words(text: str) -> int:
    return len(text.split())


def chat(*turns: tuple[Role, str], row: int = 1) -> Example:
    messages = tuple(ChatMessage(role, text) for role, text in turns)
    return Example(messages=messages, file="a.jsonl", row=row)


def asked(question: str, answer: str, row: int = 1) -> Example:
    return chat(("user", question), ("assistant", answer), row=row)


def labelled(*rows: tuple[str, str]) -> list[Example]:
    return [
        Example(text=text, label=label, file="a.csv", row=number)
        for number, (text, label) in enumerate(rows, 2)
    ]


def sound(count: int = 40) -> list[Example]:
    """Rows of two labels that nothing is wrong with."""
    draw = random.Random(1)
    return labelled(
        *(
            (
                f"Please {draw.choice(VERBS)} my {draw.choice(SUBJECTS)} that I bought in "
                f"{draw.choice(SUBJECTS)} street {n} {'yesterday' if n % 3 else 'last week'}",
                ("buying", "paying")[n % 2],
            )
            for n in range(count)
        )
    )


def looked(examples: Sequence[Example], task: Task, length: int = 256) -> Diagnosis:
    return examine(examples, (), task, words, length)


def found(diagnosis: Diagnosis, kind: str) -> Finding:
    return next(one for one in diagnosis.findings if one.kind == kind)


def kinds(diagnosis: Diagnosis) -> set[str]:
    return {one.kind for one in diagnosis.findings}


def test_a_sound_file_has_nothing_worth_an_error() -> None:
    diagnosis = looked(sound(), "classify")
    assert {one.severity for one in diagnosis.findings} <= {"warning", "note"}
    assert (diagnosis.ready, diagnosis.set_aside) == (40, 0)
    assert diagnosis.labels == {"buying": 20, "paying": 20}
    assert next(iter(diagnosis.languages)) == "en"
    assert sum(bar.count for bar in diagnosis.lengths) == 40
    assert diagnosis.advice


@pytest.mark.parametrize(
    ("example", "kind"),
    [
        (asked("", "Yes"), "empty"),
        (asked("Open?", ""), "empty"),
        (chat(("user", "a"), ("user", "b"), ("assistant", "c")), "wrong_order"),
        (chat(("assistant", "Hello!"), ("user", "a"), ("assistant", "c")), "wrong_order"),
        (chat(("user", "a"), ("system", "s"), ("assistant", "c")), "wrong_order"),
        (chat(("user", "a"), ("assistant", "b"), ("user", "c")), "unbalanced"),
        (chat(("user", "a")), "unbalanced"),
        (chat(("system", "s")), "unbalanced"),
        (Example(text="", file="a.txt", row=1), "empty"),
    ],
)
def test_a_broken_conversation_is_kept_out(example: Example, kind: str) -> None:
    fine = asked("Are you open on Sundays?", "From noon.", row=2)
    diagnosis = looked([example, fine], "chat")
    finding = found(diagnosis, kind)
    assert (finding.severity, finding.count, finding.places[0].row) == ("error", 1, 1)
    assert (diagnosis.ready, diagnosis.set_aside) == (1, 1)
    assert ready_examples([example, fine], "chat", words, 256) == [fine]
    dropped = apply_fixes([example, fine], [f"{kind}.drop"], "chat", words, 256)
    assert dropped == [fine]
    assert kind not in kinds(looked(dropped, "chat"))


def test_turns_are_brought_in_order() -> None:
    example = chat(
        ("system", "s"),
        ("assistant", "Hello!"),
        ("user", "a"),
        ("user", "b"),
        ("assistant", "c"),
        ("user", "d"),
    )
    (repaired,) = apply_fixes([example], ["wrong_order.trim"], "chat", words, 256)
    assert [(turn.role, turn.content) for turn in repaired.messages] == [
        ("system", "s"),
        ("user", "a\nb"),
        ("assistant", "c"),
    ]


def test_what_is_cut_off_is_counted(tokenizer: ChatTokenizer) -> None:
    long = asked("Why? " * 40, "Because of the weather.", row=5)
    short = asked("Open?", "Yes.", row=6)
    limit = len(encode(long, tokenizer)[0]) - 3
    diagnosis = examine([long, short], (), "chat", tokenizer, limit)
    finding = found(diagnosis, "too_long")
    assert finding.severity == "warning"
    assert f"1 row is longer than {limit} tokens: 3 tokens" in finding.sentence
    (trimmed, _) = apply_fixes([long, short], ["too_long.trim"], "chat", tokenizer, limit)
    assert trimmed.answer == long.answer
    assert long.question.startswith(trimmed.question)
    assert "too_long" not in kinds(examine([trimmed], (), "chat", tokenizer, limit))


def test_old_turns_go_before_the_question_is_cut(tokenizer: ChatTokenizer) -> None:
    long = chat(
        *((role, f"{role} says {n} " * 5) for n in range(4) for role in ("user", "assistant"))
    )
    (trimmed,) = apply_fixes([long], ["too_long.trim"], "chat", tokenizer, 200)
    assert trimmed.messages == long.messages[-len(trimmed.messages) :]
    assert trimmed.messages[0].role == "user"


def test_nothing_left_to_learn_is_an_error_that_can_be_mended(tokenizer: ChatTokenizer) -> None:
    example = asked("Why? " * 80, "Because of the weather.")
    diagnosis = examine([example], (), "chat", tokenizer, 64)
    assert found(diagnosis, "all_masked").severity == "error"
    assert diagnosis.ready == 0
    (trimmed,) = apply_fixes([example], ["all_masked.trim"], "chat", tokenizer, 64)
    assert examine([trimmed], (), "chat", tokenizer, 64).ready == 1


def test_duplicates_and_near_duplicates_are_told_apart() -> None:
    rows = labelled(
        ("When will my new card be delivered to me?", "card"),
        ("when will my new card be delivered to me", "card"),
        ("When will my new card be delivered to me today?", "card"),
        ("How do I open a savings account?", "account"),
    )
    diagnosis = looked(rows, "classify")
    assert [place.row for place in found(diagnosis, "duplicate").places] == [3]
    assert [place.row for place in found(diagnosis, "near_duplicate").places] == [4]
    fixes = ["duplicate.keep_first", "near_duplicate.keep_first"]
    assert apply_fixes(rows, fixes, "classify", words, 256) == [rows[0], rows[3]]


def test_signs_alone_are_told_apart() -> None:
    rows = labelled(("👍", "👍"), ("👎", "👎"), ("👍", "👍"))
    assert [place.row for place in found(looked(rows, "classify"), "duplicate").places] == [4]


def test_the_same_question_with_different_answers() -> None:
    rows = [
        asked("Are you open on Sundays?", "Yes, from noon.", row=1),
        asked("are you open on sundays", "No.", row=2),
        asked("Are you open on Sundays?", "Yes, from noon!", row=3),
        asked("Where are you?", "In Basel.", row=4),
    ]
    finding = found(looked(rows, "chat"), "contradiction")
    assert [place.row for place in finding.places] == [1, 2, 3]
    kept = apply_fixes(rows, ["contradiction.keep_first"], "chat", words, 256)
    assert [one.row for one in kept] == [1, 3, 4]
    assert len(apply_fixes(rows, ["contradiction.drop"], "chat", words, 256)) == 1


def test_the_same_question_below_another_system_prompt_is_no_contradiction() -> None:
    rows = [
        chat(("system", system), ("user", "Who are you?"), ("assistant", system), row=n)
        for n, system in enumerate(("The shop.", "The bank."), 1)
    ]
    assert "contradiction" not in kinds(looked(rows, "chat"))


def test_labels_written_differently_and_mistyped_are_merged_one_by_one() -> None:
    rows = [*sound(), *labelled(("a parcel", "Buying "), ("my bill", "payng"), ("x y z", "BUYING"))]
    diagnosis = looked(rows, "classify")
    merges = {
        (fix.details["from"], fix.details["to"]): fix.id
        for kind in ("label_variant", "label_typo")
        for fix in found(diagnosis, kind).fixes
    }
    assert merges.keys() == {("Buying ", "buying"), ("BUYING", "buying"), ("payng", "paying")}
    fixed = apply_fixes(rows, list(merges.values()), "classify", words, 256)
    assert looked(fixed, "classify").labels == {"buying": 22, "paying": 21}


def test_labels_that_differ_in_a_number_or_are_frequent_are_no_typing_errors() -> None:
    rows = labelled(
        *((f"one {n}", "question_1") for n in range(30)),
        *((f"two {n}", "question_2") for n in range(3)),
        *((f"three {n}", "returns") for n in range(20)),
        *((f"four {n}", "returned") for n in range(20)),
    )
    assert "label_typo" not in kinds(looked(rows, "classify"))


def test_a_merge_carries_any_label_in_its_id() -> None:
    rows = labelled(("a", "no.1 / ä~%"), ("b", "yes"))
    from chatapp.training.data.label_checks import merge
    from chatapp.training.data.problems import fix_id

    one = fix_id("label_typo", merge("no.1 / ä~%", "y.e~s", 1))
    assert apply_fixes(rows, [one], "classify", words, 256)[0].label == "y.e~s"


def test_rare_and_uneven_labels() -> None:
    rows = [
        *labelled(*((f"question {n} about apples", "many") for n in range(60))),
        *labelled(*((f"pear {n} is it", "few") for n in range(4))),
        *labelled(("only one", "single")),
    ]
    diagnosis = looked(rows, "classify")
    assert "single" in found(diagnosis, "rare_label").sentence
    assert "15 times fewer" in found(diagnosis, "imbalance").sentence
    left = apply_fixes(rows, ["rare_label.drop"], "classify", words, 256)
    assert {one.label for one in left} == {"many", "few"}


def test_what_is_no_label() -> None:
    rows = labelled(("a b", ""), ("", "x"), ("c d", "x" * 300), ("e f", "x"), ("g h", "y"))
    diagnosis = looked(rows, "classify")
    assert {"no_label", "empty", "long_label"} <= kinds(diagnosis)
    assert diagnosis.ready == 2
    same = looked(labelled(("a", "x"), ("b", "x")), "classify")
    assert (found(same, "one_label").severity, same.ready) == ("error", 0)


def test_personal_data_is_masked_but_for_what_the_business_says_itself() -> None:
    rows = [
        asked(f"I am jo{n}@example.com, help with {SUBJECTS[n]}!", f"Mail help@shop.com, {n}.", n)
        for n in range(4)
    ]
    finding = found(looked(rows, "chat"), "personal_email")
    assert finding.count == 4
    assert finding.places[0].value == "jo0@example.com"
    masked = apply_fixes(rows, ["personal_email.mask"], "chat", words, 256)
    assert masked[1].question == "I am [email], help with refund!"
    assert masked[1].answer == "Mail help@shop.com, 1."
    assert "personal_email" not in kinds(looked(masked, "chat"))


def test_a_stray_language_is_a_warning_and_an_even_mix_a_note() -> None:
    german = labelled(("Wo bleibt denn mein Paket, das ich letzte Woche bestellt habe?", "buying"))
    diagnosis = looked([*sound(), *german], "classify")
    finding = found(diagnosis, "mixed_languages")
    assert (finding.severity, finding.count) == ("warning", 1)
    assert finding.places[0].value.startswith("German: Wo bleibt")
    chinese = labelled(*((f"我的包裹在哪里，第{n}次问了", "buying") for n in range(40)))
    mixed = looked([*sound(), *chinese], "classify")
    assert found(mixed, "mixed_languages").severity == "note"
    assert any("multilingual encoder" in sentence for sentence in mixed.advice)


def test_what_is_kept_for_measuring_is_never_learned() -> None:
    rows = [asked("Do you ship to Norway?", "Yes.", 1), asked("Where are you?", "In Basel.", 2)]
    frozen = ["do you ship to norway"]
    diagnosis = examine(rows, (), "chat", words, 256, frozen)
    assert found(diagnosis, "in_evaluation").places[0].row == 1
    assert ready_examples(rows, "chat", words, 256, frozen) == [rows[1]]


def test_a_file_of_labels_can_teach_answers_and_the_other_way_round() -> None:
    assert looked(labelled(("Hi", "greeting")), "chat").ready == 1
    rows = [asked(f"question {n} {SUBJECTS[n]}", ("yes", "no")[n % 2], n) for n in range(6)]
    assert looked(rows, "classify").labels == {"yes": 3, "no": 3}


def test_places_name_the_file_s_own_columns() -> None:
    mapping = DataMapping(format="text_label", columns={"text": "utterance", "label": "intent"})
    rows = labelled(("Hi", ""), ("Hello there", "x"), ("Hello there", "x"), ("Bye", "y"))
    diagnosis = examine(rows, (), "classify", words, 64, mapping=mapping)
    assert found(diagnosis, "no_label").places[0].column == "intent"
    assert found(diagnosis, "duplicate").places[0].column == "utterance"


def test_fixes_are_applied_in_their_order_and_undone_by_leaving_them_out() -> None:
    rows = [*sound(), *labelled(("a parcel", "byuing"), ("a parcel", "buying"))]
    ids = ["label_typo.merge_label.byuing.buying", "duplicate.keep_first"]
    assert len(apply_fixes(rows, ids, "classify", words, 256)) == 41
    # Before the merge the two rows contradict each other and are no duplicates.
    assert len(apply_fixes(rows, ids[::-1], "classify", words, 256)) == 42
    assert apply_fixes(rows, ids, "classify", words, 256) == apply_fixes(
        rows, ids, "classify", words, 256
    )
    assert apply_fixes(rows, [], "classify", words, 256) == rows


def test_a_fix_that_has_nothing_left_to_mend_changes_nothing() -> None:
    rows = sound(6)
    ids = ["duplicate.keep_first", "empty.drop", "label_typo.merge_label.gone.buying"]
    ids += ["wrong_order.trim"]  # of the other task
    assert apply_fixes(rows, ids, "classify", words, 256) == rows


@pytest.mark.parametrize("one", ["nonsense", "empty", "nonsense.drop", ""])
def test_a_fix_that_nobody_offered_is_refused(one: str) -> None:
    with pytest.raises(InvalidRequest, match="no fix"):
        apply_fixes(sound(4), [one], "classify", words, 256)


def test_learnable_is_what_fixes_leave_without_errors() -> None:
    rows = [asked("a b c", "x", 1), asked("a b c", "x", 2), asked("", "y", 3)]
    assert learnable(rows, ["duplicate.keep_first"], "chat", words, 64) == [rows[0]]


def test_it_tells_how_far_it_is() -> None:
    told: list[float] = []
    examine(sound(), (), "classify", words, 256, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_an_empty_file_is_examined_too() -> None:
    diagnosis = looked([], "chat")
    assert (diagnosis.ready, diagnosis.lengths) == (0, ())
    assert diagnosis.advice == ("No row can be learned from yet. Mend the errors first.",)


def test_a_template_that_rejects_a_conversation_keeps_it_out(tmp_path: Path) -> None:
    import json

    folder = tiny_hf(tmp_path)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["chat_template"] = (
        "{% if messages | length > 2 %}{{ raise_exception('one turn only') }}{% endif %}"
        + config["chat_template"]
    )
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = ChatTokenizer.load(folder)
    turns: list[tuple[Role, str]] = [("user", "a"), ("assistant", "b")]
    diagnosis = examine([chat(*turns), chat(*turns, *turns)], (), "chat", tokenizer, 256)
    assert "one turn only" in found(diagnosis, "template").places[0].value
    assert diagnosis.ready == 1
