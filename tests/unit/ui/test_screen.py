from __future__ import annotations

import gradio as gr
import pytest

from chatapp.errors import InvalidRequest
from chatapp.records import Sampling
from chatapp.ui.screen import Controls, Picker, Screen


def test_controls_ask_for_the_sampling_they_show() -> None:
    sampling = Sampling(
        max_tokens=99, temperature=0.3, top_p=0.8, top_k=40, repetition_penalty=1.1, seed=5
    )
    assert Controls.of(sampling).sampling() == sampling
    assert Controls.of(sampling).sampling(stop=("END",)).stop == ("END",)


def test_what_the_sliders_cannot_show_is_brought_into_their_range() -> None:
    shown = Controls.of(Sampling(max_tokens=100_000, top_p=0.01))
    assert (shown.max_tokens, shown.top_p) == (8192, 0.05)


def test_a_value_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="seed"):
        Controls(0.7, 1, 0, 1, 10, seed=-1).sampling()


def test_what_a_screen_leaves_out_stays_as_it_is() -> None:
    assert all(value == gr.skip() for value in Screen().values())
    assert len(Screen().values()) == 16


def test_an_empty_seed_empties_its_field() -> None:
    values = Screen(controls=Controls.of(Sampling()), persona=Picker([("A", "a")], "a")).values()
    assert values[-1] == gr.update(value=None)
    assert values[8] == gr.update(value="a", choices=[("A", "a")])
