"""What of an example is learned, token by token."""

from __future__ import annotations

import pytest

from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.errors import DatasetError
from chatapp.records import ChatMessage
from chatapp.training.chat.lessons import IGNORED, Lesson, lessons_of, packed
from chatapp.training_records import Example
from tests.tiny_models import IM_END, tiny_hf
from tests.unit.training.chat.school import asked


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> ChatTokenizer:
    return ChatTokenizer.load(tiny_hf(tmp_path_factory.mktemp("base")))


def learned(tokenizer: ChatTokenizer, lesson: Lesson) -> str:
    return tokenizer.decode([one for one in lesson["labels"] if one != IGNORED], control=True)


def test_only_answers_and_the_ends_of_their_turns_are_learned(tokenizer: ChatTokenizer) -> None:
    turns = (
        ChatMessage("system", "Be brief."),
        ChatMessage("user", "Hello"),
        ChatMessage("assistant", "Hi!"),
        ChatMessage("user", "The price?"),
        ChatMessage("assistant", "Free."),
    )
    (lesson,), left_out = lessons_of([Example(messages=turns)], tokenizer, "", 500)
    assert left_out == []
    assert learned(tokenizer, lesson) == "Hi!<|im_end|>Free.<|im_end|>"
    for token, label in zip(lesson["input_ids"], lesson["labels"], strict=True):
        assert label in (IGNORED, token)


def test_learning_begins_where_the_engine_lets_the_model_speak(tokenizer: ChatTokenizer) -> None:
    example = asked("When does it arrive?", "Today.")
    (lesson,), _ = lessons_of([example], tokenizer, "You help.", 500)
    prompt = tokenizer.encode_chat((ChatMessage("system", "You help."), example.messages[0]))
    assert lesson["input_ids"][: len(prompt)] == prompt
    assert lesson["labels"][: len(prompt)] == [IGNORED] * len(prompt)
    answer = [*tokenizer.encode("Today."), IM_END]
    assert lesson["labels"][len(prompt) : len(prompt) + len(answer)] == answer


def test_plain_text_is_learned_as_a_whole(tokenizer: ChatTokenizer) -> None:
    (lesson,), _ = lessons_of([Example(text="The shop opens at nine.")], tokenizer, "", 500)
    assert lesson["labels"][0] == IGNORED  # nothing stands before it
    assert learned(tokenizer, lesson) == " shop opens at nine.<|im_end|>"


def test_an_example_whose_answer_is_cut_off_is_left_out_and_counted(
    tokenizer: ChatTokenizer,
) -> None:
    lessons, left_out = lessons_of(
        [asked("Why? " * 60), asked("Why?")], tokenizer, "", max_length=100
    )
    assert (len(lessons), len(left_out)) == (1, 1)
    assert left_out[0].question == "Why? " * 60


def test_a_file_without_any_answer_in_reach_is_refused(tokenizer: ChatTokenizer) -> None:
    with pytest.raises(DatasetError, match=r"None of the 2 examples .* within 20 tokens"):
        lessons_of([asked("Why? " * 60), asked("When? " * 60)], tokenizer, "", max_length=20)


def test_short_lessons_share_rows_and_none_is_lost() -> None:
    lessons = [Lesson(input_ids=[1] * size, labels=[1] * size) for size in (3, 9, 5, 2, 6)]
    rows = packed(lessons, max_length=10)
    sizes = [[len(one["input_ids"]) for one in row] for row in rows]
    assert sizes == [[9], [6, 3], [5, 2]]
