"""Every choice of a run, with advice for the person who makes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chatapp.errors import InvalidRequest
from chatapp.training_records import Purpose, Task

Method = Literal["lora", "qlora", "dora", "rslora", "pissa", "adalora", "prefix", "prompt"]
Preset = Literal["quick", "balanced", "thorough"]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What an adapter may be called: it is a folder's name and a part of model names in the API."""


class RunConfig(BaseModel):
    """Everything that decides what a run learns. Saved as ``config.yaml`` in its folder.

    Each description is the sentence that the Teach page shows beside the control.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Task
    name: Annotated[str, Field(description="What the adapter will be called.")]
    base: str = Field(
        "auto",
        description="The model that learns. auto: the chat's own model for answers; for labels, "
        "what suits the language of the data.",
    )
    preset: Preset = "balanced"
    purpose: Purpose = Field("intent", description="What the labels say about a message.")
    method: Method = Field(
        "lora",
        description="How the change is stored. LoRA suits nearly everything; QLoRA needs less "
        "memory on a GPU, DoRA learns a little more and takes longer.",
    )
    rank: int = Field(
        16, ge=1, le=256, description="How big a change it may learn (rank). 8 to 32 is usual."
    )
    alpha: float = Field(
        32, gt=0, le=1024, description="How strongly the change counts (alpha); twice the rank."
    )
    dropout: float = Field(
        0.05, ge=0, le=0.9, description="Share of the change left out at random (dropout)."
    )
    epochs: float = Field(
        3, gt=0, le=100, description="How often it reads the whole file (epochs)."
    )
    max_steps: int | None = Field(
        None, ge=1, description="Stop after this many steps, whatever the epochs say."
    )
    learning_rate: float = Field(
        2e-4,
        gt=0,
        le=1,
        description="How fast it learns; too fast forgets, too slow never gets there.",
    )
    schedule: Literal["linear", "cosine", "constant"] = Field(
        "cosine", description="How the learning rate falls towards the end."
    )
    warmup: float = Field(
        0.05, ge=0, lt=1, description="Share of the steps in which the learning rate rises."
    )
    weight_decay: float = Field(
        0.0, ge=0, le=1, description="Pulls weights towards zero; a little guards small files."
    )
    max_grad_norm: float = Field(
        1.0, gt=0, le=100, description="Cuts off exceptionally large steps (gradient clipping)."
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="Keeps it from being too sure of any label or word."
    )
    early_stopping: int = Field(
        3,
        ge=0,
        le=100,
        description="Stop after this many evaluations without progress; 0 never does.",
    )
    batch_size: int = Field(8, ge=1, le=1024, description="Examples read at once.")
    gradient_accumulation: int = Field(
        1, ge=1, le=1024, description="Batches added up before each step; saves memory."
    )
    gradient_checkpointing: bool = Field(
        False, description="Halves the memory, takes a third longer."
    )
    packing: bool = Field(
        False, description="Puts short examples into one row, so that none of it is padding."
    )
    max_length: int = Field(
        1024, ge=16, le=131072, description="Longest example in tokens; more is cut off."
    )
    augment: bool = Field(
        False, description="Adds rephrased copies of each example, by rules you can look at."
    )
    rehearsal: float = Field(
        0.15,
        ge=0,
        le=1,
        description="Everyday questions mixed in, as a share of the examples and answered as the "
        "base answers them, so that it does not forget. For answers only.",
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="auto takes what this machine computes fastest without harm."
    )
    evaluations: int = Field(
        8, ge=1, le=1000, description="How often it is measured on the validation part."
    )
    validation_share: float = Field(0.1, gt=0, lt=0.5, description="Set aside to see when to stop.")
    test_share: float = Field(0.1, gt=0, lt=0.5, description="Set aside for the final report.")
    seed: int = Field(42, ge=0, lt=2**31, description="The same seed gives the same run.")
    system_prompt: str = Field(
        "", description="What stands above each conversation that has no system turn of its own."
    )
    tracking: Literal["none", "wandb", "trackio"] = Field(
        "none", description="Also send the figures there; TensorBoard files are always written."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> RunConfig:
        if not NAME.fullmatch(self.name):
            raise ValueError(
                f"the name {self.name!r} may have letters, digits, dots, hyphens and underscores, "
                "at most 64 of them, and begins with a letter or a digit"
            )
        if self.validation_share + self.test_share >= 0.9:
            raise ValueError("validation_share and test_share leave almost nothing to learn from")
        return self

    def steps_for(self, rows: int) -> int:
        """Optimizer steps of a run over so many rows."""
        batch = self.batch_size * self.gradient_accumulation
        steps = max(1, round(self.epochs * -(-rows // batch)))
        return min(steps, self.max_steps) if self.max_steps else steps

    def as_yaml(self) -> str:
        """The settings as a file that ``read_config`` reads."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def make_config(values: Mapping[str, object]) -> RunConfig:
    """A config from names and values, texts among them, as a form or a command line has them.

    Raises:
        InvalidRequest: names the first setting that is wrong, its value and what is allowed.
    """
    try:
        return RunConfig.model_validate(dict(values))
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = ", ".join(RunConfig.model_fields)
            raise InvalidRequest(
                f"There is no setting {name!r}. Known: {known}.", field=name
            ) from None
        said = problem["msg"].removeprefix("Value error, ")
        shown = f"{name} is {problem['input']!r}: " if name else ""
        raise InvalidRequest(f"{shown}{said}.", field=name) from None


def read_config(text: str) -> RunConfig:
    """A config that ``as_yaml`` wrote, or a person.

    Raises:
        InvalidRequest: it is not YAML, or a setting is wrong.
    """
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidRequest(f"The settings are not YAML: {error}") from None
    if not isinstance(values, dict):
        raise InvalidRequest("The settings must be lines of the form name: value.")
    return make_config(values)
