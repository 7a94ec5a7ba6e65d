"""Finds a transformer's projections in an OpenVINO graph, names them, repairs their weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import openvino
from openvino import Model, Node, opset13

from chatapp.engine.openvino.gguf import GGUFWeights
from chatapp.errors import ModelError

ROLES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
"""The seven projections of a layer: PEFT's name for each, and GGUF's."""

_UNPACKING = frozenset({"Constant", "Convert", "Reshape", "Multiply", "Subtract"})
"""What a compressed weight is unpacked with."""


@dataclass(frozen=True, slots=True)
class Projection:
    """One weight matrix in use: the node that uses it, and the tensor it was read from."""

    node: Node
    tensor: str


def name_projections(model: Model, layers: int) -> list[Projection]:
    """Name every projection ``model.layers.N.ROLE`` and return them all.

    A query, key or value is the last weighted product before an attention's input; the output is
    the first one after it; the gate is the one before a Swish, the up projection the other factor
    of the Swish's product, the down projection the first one after that. Layers follow each other
    through the residual stream, so that topological order is layer order.

    Raises:
        ModelError: a layer lacks a role; the sentence says which.
    """
    nodes = model.get_ordered_ops()
    found: dict[tuple[int, str], Node] = {}
    for layer, attention in enumerate(_of_type(nodes, "ScaledDotProductAttention")):
        for place, role in enumerate(("q_proj", "k_proj", "v_proj")):
            _note(found, layer, f"self_attn.{role}", _before(attention, place))
        _note(found, layer, "self_attn.o_proj", _after(attention))
    for layer, swish in enumerate(_of_type(nodes, "Swish")):
        product = next((n for n in _consumers(swish) if n.get_type_name() == "Multiply"), None)
        _note(found, layer, "mlp.gate_proj", _before(swish, 0))
        if product is None:
            continue
        gate = found.get((layer, "mlp.gate_proj"))
        factors = [_before(product, place) for place in (0, 1)]
        up = next((n for n in factors if n is not None and not _same(n, gate)), None)
        _note(found, layer, "mlp.up_proj", up)
        _note(found, layer, "mlp.down_proj", _after(product))
    wanted = {(layer, role) for layer in range(layers) for role in ROLES}
    if set(found) != wanted:
        raise ModelError(_missing(wanted, set(found)))
    for (layer, role), node in found.items():
        node.set_friendly_name(f"model.layers.{layer}.{role}")
    return [
        Projection(node, f"blk.{layer}.{ROLES[role]}.weight")
        for (layer, role), node in sorted(found.items(), key=lambda item: item[0])
    ]


def repair_zero_points(model: Model, projections: list[Projection], weights: GGUFWeights) -> None:
    """Replace the rounded zero points by exact ones, wherever the file has a minimum per group.

    ``weight = d * code + m = d * (code - z)`` with ``z = -m / d``, which is not a whole number.

    Raises:
        ModelError: the graph's scales are not those of the file (another library version may
            read it differently).
    """
    nodes = model.get_ordered_ops()
    embedding = next((n for n in _of_type(nodes, "Gather") if _is_weight(n.input_value(0))), None)
    head = [n for n in _of_type(nodes, "MatMul") if _is_weight(n.input_value(1))][-1]
    everything = list(projections)
    if embedding is not None:
        everything.append(Projection(embedding, "token_embd.weight"))
    if weights.has("output.weight"):
        everything.append(Projection(head, "output.weight"))
    for projection in everything:
        _repair(projection, weights)


def _repair(projection: Projection, weights: GGUFWeights) -> None:
    exact = weights.scales_and_minima(projection.tensor)
    if exact is None:
        return
    place = 0 if projection.node.get_type_name() == "Gather" else 1
    unpacking = list(_upstream(projection.node.input_value(place).get_node(), _UNPACKING))
    subtract = _of_type(unpacking, "Subtract")[0]
    multiply = next(n for n in _consumers(subtract) if n.get_type_name() == "Multiply")
    scale = multiply.input_value(1).get_node()
    scales, minima = (part[..., np.newaxis] for part in exact)
    held = scale.get_data().astype(np.float32)
    if held.shape != scales.shape or not np.allclose(held, scales, rtol=1e-3, atol=1e-7):
        raise ModelError(
            f"OpenVINO read other scales for {projection.tensor} than the file holds, so its "
            "weights cannot be repaired. Choose a Q8_0 file of this model."
        )
    # A group of equal weights has no scale: all its codes are 0, and its minimum is its value.
    flat = (scales == 0) & (minima != 0)
    scales = np.where(flat, np.abs(minima), scales)
    zeros = np.divide(-minima, scales, out=np.zeros_like(minima), where=scales != 0)
    limit = float(np.finfo(np.float16).max)
    _replace(subtract, 1, np.clip(zeros, -limit, limit).astype(np.float16))
    if flat.any():
        _replace(multiply, 1, scales.astype(np.float16))


def _replace(node: Node, place: int, values: npt.NDArray[np.float16]) -> None:
    constant = opset13.constant(values)
    node.input(place).replace_source_output(constant.output(0))


def _of_type(nodes: Iterable[Node], kind: str) -> list[Node]:
    return [node for node in nodes if node.get_type_name() == kind]


def _same(one: Node, other: Node | None) -> bool:
    return other is not None and one.get_friendly_name() == other.get_friendly_name()


def _note(found: dict[tuple[int, str], Node], layer: int, role: str, node: Node | None) -> None:
    if node is not None:
        found[layer, role] = node


def _missing(wanted: set[tuple[int, str]], found: set[tuple[int, str]]) -> str:
    names = [f"model.layers.{layer}.{role}" for layer, role in sorted(wanted ^ found)]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return (
        f"The converted model's projections could not all be found: {shown}. "
        "The OpenVINO engine cannot use this model; use the transformers engine."
    )


def _consumers(node: Node) -> list[Node]:
    return [target.get_node() for output in node.outputs() for target in output.get_target_inputs()]


def _sources(node: Node) -> list[Node]:
    return [place.get_source_output().get_node() for place in node.inputs()]


def _before(node: Node, place: int) -> Node | None:
    return _nearest(node.input_value(place).get_node(), _sources)


def _after(node: Node) -> Node | None:
    return next((found for n in _consumers(node) if (found := _nearest(n, _consumers))), None)


def _nearest(start: Node, neighbours: Callable[[Node], list[Node]]) -> Node | None:
    """The closest product with a weight, breadth first."""
    seen: set[str] = set()
    line = [start]
    while line:
        node = line.pop(0)
        name = node.get_friendly_name()
        if name in seen:
            continue
        seen.add(name)
        if node.get_type_name() == "MatMul" and _is_weight(node.input_value(1)):
            return node
        line.extend(neighbours(node))
    return None


def _is_weight(output: openvino.Output) -> bool:
    node = output.get_node()
    return len(output.get_partial_shape()) == 2 and all(
        n.get_type_name() in _UNPACKING for n in _upstream(node, None)
    )


def _upstream(node: Node, kinds: frozenset[str] | None) -> Iterable[Node]:
    """``node`` and what it is computed from; only through nodes of ``kinds`` if given."""
    line = [node]
    while line:
        node = line.pop()
        if kinds is not None and node.get_type_name() not in kinds:
            continue
        yield node
        line.extend(_sources(node))
