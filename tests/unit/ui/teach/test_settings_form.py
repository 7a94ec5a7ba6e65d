"""The settings of a run as fields, and back."""

from __future__ import annotations

import re
from typing import Any

import gradio as gr
import pytest

from chatapp.errors import InvalidRequest
from chatapp.training.config import RunConfig
from chatapp.ui.teach import chosen
from chatapp.ui.teach.settings_html import UPFRONT, settings_html
from chatapp.ui.teach.texts import TeachWords


def form() -> str:
    return settings_html(RunConfig(task="chat", name="x"), TeachWords("en"))


def sent(**data: Any) -> gr.EventData:
    return gr.EventData(None, data)


def test_every_setting_but_those_asked_for_above_has_a_field_with_its_advice() -> None:
    html = form()
    for name, field in RunConfig.model_fields.items():
        assert (f'name="{name}"' in html) == (name not in UPFRONT), name
        if name not in UPFRONT:
            assert (field.description or "").split(".")[0].split("'")[0] in html


def test_fields_know_their_limits_and_kinds() -> None:
    html = form()
    rank = re.search(r'<input type="number" name="rank"[^>]*>', html)
    assert rank is not None
    assert 'min="1" max="256"' in rank[0]
    assert 'step="1"' in rank[0]
    assert '<input type="checkbox" name="packing">' in html
    assert re.search(r'name="max_steps"[^>]*value="">', html)
    assert "<option selected>lora</option>" in html


def test_a_form_becomes_settings() -> None:
    values = {"task": "chat", "name": "tone", "epochs": "2.5", "packing": "true", "max_steps": ""}
    config = chosen.settings(sent(settings=values | {"unknown": "1"}))
    assert (config.epochs, config.packing, config.max_steps) == (2.5, True, None)


def test_a_wrong_form_is_refused_in_a_sentence() -> None:
    with pytest.raises(InvalidRequest, match="rank is ''"):
        chosen.settings(sent(settings={"task": "chat", "name": "tone", "rank": ""}))
    with pytest.raises(InvalidRequest, match="The page sent no settings"):
        chosen.settings(sent(settings="rank=1"))
    with pytest.raises(InvalidRequest, match="There is no task 'sing'"):
        chosen.task(sent(task="sing"))


def test_a_mapping_leaves_out_what_was_not_chosen() -> None:
    found = chosen.mapping(sent(format="alpaca", columns={"instruction": "a", "input": ""}))
    assert found.columns == {"instruction": "a"}
