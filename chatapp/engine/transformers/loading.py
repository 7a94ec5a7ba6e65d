"""Loads a Hugging Face folder: quantized, onto the right device, within its memory budget."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch
from bitsandbytes.nn import Linear8bitLt
from peft import LoraConfig, PeftModel
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel
from transformers.utils import logging as library_logging

from chatapp.errors import ModelError, UnsupportedField

Quantization = Literal["nf4", "int8", "none"]


def load_model(folder: Path, quantization: Quantization, gpu_memory: float) -> PreTrainedModel:
    """The model of a prepared folder, in evaluation mode, on the first GPU if there is one.

    Args:
        folder: ``config.json`` and ``*.safetensors``; nothing is downloaded, no code is run.
        quantization: bitsandbytes NF4 (double quantization, bfloat16 compute) or int8; ignored
            if the weights are already quantized.
        gpu_memory: share of the GPU's memory that weights and caches may take, above 0 to 1.

    Raises:
        ModelError: the files are missing or damaged, or the weights do not fit.
    """
    cuda = torch.cuda.is_available()
    options: dict[str, object] = {"device_map": {"": "cpu"}}
    if cuda:  # only the first GPU: continuous batching keeps its cache on one device
        total = torch.cuda.get_device_properties(0).total_memory
        options = {"device_map": "auto", "max_memory": {0: int(total * gpu_memory)}}
    with _said_in_one_sentence(f"The model in {folder} cannot be loaded"):
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        prepared = getattr(config, "quantization_config", None) is not None
        plan = None if prepared else _plan(config, quantization)
        model = _read(
            folder,
            dtype="auto" if plan is None else _compute_dtype(),
            quantization_config=plan,
            **options,
        )
    places = {str(place) for place in getattr(model, "hf_device_map", {}).values()}
    if cuda and places & {"cpu", "disk"}:
        raise ModelError(
            f"The model in {folder} does not fit into {gpu_memory:.0%} of the GPU's memory. Set "
            "CHATAPP_QUANTIZATION=nf4, raise CHATAPP_GPU_MEMORY, or choose a smaller model."
        )
    _use_once(model)
    return model


@torch.inference_mode()
def _use_once(model: PreTrainedModel) -> None:
    """bitsandbytes repacks or moves a layer's weights at its first use. That must be over before
    views share them, or each would do it to the others' weights."""
    model(input_ids=torch.zeros(1, 1, dtype=torch.long, device=model.device), use_cache=False)


def load_unquantized(folder: Path) -> PreTrainedModel:
    """The model as it was saved, in main memory, in evaluation mode.

    Raises:
        ModelError: the files are missing or damaged.
    """
    with _said_in_one_sentence(f"The model in {folder} cannot be loaded"):
        return _read(folder, dtype="auto", device_map={"": "cpu"})


def _read(folder: Path, **options: object) -> PreTrainedModel:
    library_logging.disable_progress_bar()
    # It warns of every cast to float16, which is once for every int8 layer and token.
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
    return AutoModelForCausalLM.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True,
        attn_implementation="sdpa",
        **options,
    ).eval()


@contextmanager
def _said_in_one_sentence(what: str) -> Iterator[None]:
    """Turn what the libraries raise into a ModelError."""
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"{what}: {reason}") from error


def quantization_of(model: PreTrainedModel) -> str:
    """How the weights are held: ``nf4``, ``int8``, another method's name, or their dtype."""
    plan = getattr(model.config, "quantization_config", None)
    if plan is None:
        return str(model.dtype).removeprefix("torch.")
    if getattr(plan, "load_in_4bit", False):
        return str(plan.bnb_4bit_quant_type)
    return "int8" if getattr(plan, "load_in_8bit", False) else str(plan.quant_method.value)


def with_adapter(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """A second view of ``model`` with a LoRA adapter in it. They share the base weights, and
    nothing else: ``model`` stays as it was, and both can run at the same time.

    Raises:
        ModelError: the folder is not a LoRA adapter for this model, with the reason.
        UnsupportedField: it is another kind of adapter.
    """
    config = _lora_config(folder)
    shared: dict[int, object] = {
        id(tensor): tensor
        for tensor in (*model.parameters(), *model.buffers(), *_int8_weights(model))
    }
    with _said_in_one_sentence(f"The adapter in {folder} does not fit this model"):
        weights = load_file(folder / "adapter_model.safetensors")
        view = PeftModel(copy.deepcopy(model, shared), config)
        _fill(view, weights)
    return view.base_model.model.eval()


@torch.no_grad()
def _fill(view: PeftModel, weights: dict[str, torch.Tensor]) -> None:
    """Put an adapter file's tensors in their places.

    peft's own loader asks for the model's state, at which bitsandbytes unpacks the NF4 weights on
    a CPU: in place, with a loss, while the base model may be using them.
    """
    places = {
        name.replace(".default.", ".").removesuffix(".default"): parameter
        for name, parameter in view.named_parameters()
        if ".lora_" in name
    }
    if unknown := weights.keys() - places.keys():
        raise ValueError(f"the model has no place for {min(unknown)}")
    if missing := places.keys() - weights.keys():
        raise ValueError(f"it lacks {min(missing)}")
    for name, parameter in places.items():
        if parameter.shape != weights[name].shape:
            raise ValueError(f"{name} has another shape in the model")
        parameter.copy_(weights[name])


def _int8_weights(model: PreTrainedModel) -> Iterator[torch.Tensor]:
    """bitsandbytes keeps them in a record beside a layer's parameters."""
    for layer in model.modules():
        if isinstance(layer, Linear8bitLt):
            yield from (held for held in vars(layer.state).values() if torch.is_tensor(held))


def _lora_config(folder: Path) -> LoraConfig:
    try:
        raw = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"There is no adapter in {folder}: {error}") from error
    kind = raw.get("peft_type") if isinstance(raw, dict) else None
    if kind != "LORA":
        raise UnsupportedField(
            "adapter", f"The adapter in {folder} is of type {kind}; only LoRA can be served."
        )
    if not (folder / "adapter_model.safetensors").is_file():
        raise ModelError(f"The adapter in {folder} has no adapter_model.safetensors.")
    config = LoraConfig.from_pretrained(str(folder))
    if config.use_dora or config.modules_to_save or config.bias != "none":
        raise UnsupportedField(
            "adapter",
            f"The adapter in {folder} uses DoRA, modules_to_save or biases; only plain LoRA can "
            "be served.",
        )
    config.inference_mode = True
    return config


def _plan(config: object, quantization: Quantization) -> BitsAndBytesConfig | None:
    if quantization == "none":
        return None
    if quantization == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=_compute_dtype(),
        llm_int8_skip_modules=["lm_head", *_unpackable(config)],
    )


def _unpackable(config: object) -> list[str]:
    """Layers that bitsandbytes cannot pack to 4 bits: it needs outputs % 32 == 0 and
    inputs % 64 == 0. They stay as they are.

    Raises:
        ModelError: no layer can be packed.
    """
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    layers = {
        name: layer
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear) and name != "lm_head"
    }
    skipped = [
        name for name, layer in layers.items() if layer.out_features % 32 or layer.in_features % 64
    ]
    if len(skipped) == len(layers):
        raise ModelError(
            "This model's layers have sizes that NF4 cannot pack. Set CHATAPP_QUANTIZATION to "
            "int8 or none."
        )
    return skipped


def _compute_dtype() -> torch.dtype:
    """bfloat16, except on GPUs that have none (before Ampere)."""
    if torch.cuda.is_available() and not torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.float16
    return torch.bfloat16
