"""A classifier's folder: written whole or not at all, and read without trusting it.

    classifier.json            ``Facts``
    labels.json                the labels, in the order of the probabilities
    base.json                  the base's name and the hash of its weights
    head.safetensors           what the fine-tune's judgement is made of
    baseline.safetensors       the same of the instant baseline
    encoder.safetensors        the bundled base's matrices with what was learned added
    adapter_config.json        PEFT's own two files, for whoever wants to load the adapter
    adapter_model.safetensors  on the base elsewhere

Nothing in it is a pickle, and no text that was learned from can be read in it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_matrix

from chatapp.errors import ModelError
from chatapp.training.classify.baseline import Baseline
from chatapp.training.classify.bases import find_base
from chatapp.training.classify.grams import Grams
from chatapp.training.classify.head import Head
from chatapp.training.classify.likeness import Readings
from chatapp.training.classify.readers import TUNED, Encoders, tuned_reader
from chatapp.training.classify.served import Classifier, Which, frozen_reader, views_of
from chatapp.training.classify.solving import Settings
from chatapp.training_records import Purpose

FACTS_FILE, LABELS_FILE, BASE_FILE = "classifier.json", "labels.json", "base.json"
_HEAD_FILE, _BASELINE_FILE = "head.safetensors", "baseline.safetensors"
_VERSION = 1
_SPARSE = ("data", "indices", "indptr", "shape")

Arrays = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a classifier beside its numbers.

    Attributes:
        base: as ``find_base`` takes it.
        winner: which of the two is served unless somebody chooses.
        max_length: tokens of a text that a base which torch serves reads.
        settings: of the fine-tune's head; ``views`` in the order of its shares.
    """

    version: int = _VERSION
    base: str
    purpose: Purpose
    winner: Which
    max_length: int
    views: tuple[str, ...]
    settings: Settings
    baseline_view: str
    baseline_temperature: float


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that is kept."""

    facts: Facts
    labels: tuple[str, ...]
    head: Head
    baseline: Baseline
    grams: Grams


_FACTS = TypeAdapter(Facts)
_LABELS = TypeAdapter(tuple[str, ...])


def save(folder: Path, parts: Parts) -> None:
    """Write everything but what PEFT and the encoder leave there themselves."""
    head: Arrays = {"coefficients": parts.head.coefficients}
    for view, kept in parts.head.kept.items():
        head |= _packed(f"kept.{view}", kept)
    head |= {"grams.hashes": parts.grams.hashes, "grams.weights": parts.grams.weights}
    save_file(_contiguous(head), folder / _HEAD_FILE)
    baseline: Arrays = {"weights": parts.baseline.weights, "biases": parts.baseline.biases}
    save_file(_contiguous(baseline), folder / _BASELINE_FILE)
    (folder / FACTS_FILE).write_bytes(_FACTS.dump_json(parts.facts, indent=2))
    (folder / LABELS_FILE).write_text(
        json.dumps(parts.labels, ensure_ascii=False, indent=1), encoding="utf-8"
    )


def load(folder: Path, which: Which | None = None, encoders: Encoders | None = None) -> Classifier:
    """The classifier in a folder; ``which`` is by default the better of the two.

    Raises:
        ModelError: it is no classifier's folder, or a damaged one.
    """
    try:
        facts = _FACTS.validate_json((folder / FACTS_FILE).read_bytes())
        labels = _LABELS.validate_json((folder / LABELS_FILE).read_bytes())
        head = load_file(folder / _HEAD_FILE)
        baseline = load_file(folder / _BASELINE_FILE)
        chosen: Which = which or facts.winner
        grams = Grams(head["grams.hashes"], head["grams.weights"])
        judge = (
            _head(facts, labels, head)
            if chosen == "adapter"
            else _baseline(facts, labels, baseline)
        )
    except FileNotFoundError as error:
        missing = Path(str(error.filename or "a file")).name
        raise ModelError(
            f"{folder} is not a classifier's folder: it has no {missing}. Name a folder that was "
            "trained here with the task classify."
        ) from error
    except ValidationError as error:
        raise ModelError(
            f"{folder} was not written by this version: {error.errors()[0]['msg']} in "
            f"{FACTS_FILE} or {LABELS_FILE}. Train the classifier again."
        ) from error
    except (OSError, ValueError, KeyError, IndexError, SafetensorError) as error:
        raise ModelError(
            f"The classifier in {folder} is damaged: {error}. Train it again, or copy its folder "
            "once more."
        ) from error
    encoders = encoders or Encoders()
    readers = {
        view: tuned_reader(find_base(facts.base), folder, encoders, facts.max_length)
        if view == TUNED
        else frozen_reader(view, encoders, grams)
        for view in views_of(judge)
    }
    return Classifier(labels, chosen, judge, readers)


def put_in_place(draft: Path, target: Path) -> None:
    """Whole or not at all; what stood there before is gone."""
    for path in (*draft.rglob("*"), draft):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    draft.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _head(
    facts: Facts, labels: tuple[str, ...], arrays: Mapping[str, npt.NDArray[np.generic]]
) -> Head:
    kept = {view: _unpacked(f"kept.{view}", arrays) for view in facts.views}
    coefficients = np.asarray(arrays["coefficients"], np.float32)
    rows = {readings.shape[0] for readings in kept.values()} | {coefficients.shape[0]}
    if len(rows) != 1 or coefficients.shape[1] != len(labels):
        raise ValueError("its parts do not belong together")
    return Head(facts.views, facts.settings, kept, coefficients)


def _baseline(
    facts: Facts, labels: tuple[str, ...], arrays: Mapping[str, npt.NDArray[np.generic]]
) -> Baseline:
    weights = np.asarray(arrays["weights"], np.float32)
    biases = np.asarray(arrays["biases"], np.float32)
    if len(weights) != len(labels) or biases.shape != (len(labels),):
        raise ValueError("its parts do not belong together")
    return Baseline(facts.baseline_view, weights, biases, facts.baseline_temperature)


def _packed(name: str, readings: Readings) -> Arrays:
    if not isinstance(readings, csr_matrix):
        return {name: readings}
    values = (readings.data, readings.indices, readings.indptr, np.array(readings.shape))
    return {f"{name}.{part}": value for part, value in zip(_SPARSE, values, strict=True)}


def _unpacked(name: str, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Readings:
    if name in arrays:
        return np.asarray(arrays[name], np.float32)
    data, indices, indptr, shape = (arrays[f"{name}.{part}"] for part in _SPARSE)
    matrix = csr_matrix((data, indices, indptr), shape=tuple(int(size) for size in shape))
    # Numbers from a stranger's file: an index out of bounds would read foreign memory.
    matrix.check_format(full_check=True)
    return matrix


def _contiguous(arrays: Arrays) -> Arrays:
    """safetensors writes memory as it lies, and would write a view's owner."""
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}
