"""How large a converted model is, told from its graph alone."""

from __future__ import annotations

import math
import re
from pathlib import Path

_CONSTANT = re.compile(r'<data element_type="([a-z]+\d+)" shape="([\d, ]+)" offset=')
_WEIGHTS = ("u4", "i4", "nf4", "u8", "i8", "f16", "bf16", "f32")


def parameter_count(folder: Path) -> int | None:
    """Numbers in the constants of ``openvino_model.xml``; None where it cannot be read.

    Scales and zero points of quantized weights are counted too: a few percent more.
    """
    try:
        graph = (folder / "openvino_model.xml").read_text(encoding="utf-8")
    except OSError:
        return None
    return sum(
        math.prod(int(side) for side in shape.split(","))
        for kind, shape in _CONSTANT.findall(graph)
        if kind in _WEIGHTS
    )
