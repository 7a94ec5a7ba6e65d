"""Reads pictures of pages with RapidOCR, whose models come in its own package."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from chatapp.knowledge.loading.page_lines import Cell, Line, rows_of

if TYPE_CHECKING:
    from rapidocr import RapidOCR

LONGEST_SIDE = 2_000
"""Pixels of a page's longer side: about 170 dpi for A4; the recogniser reads no more."""

_THREADS = 4
_MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}


def read_picture(picture: npt.NDArray[np.uint8], points: float) -> list[Line]:
    """Lines of a picture (height, width, 3), ``points`` to a pixel, from top to bottom.

    The size of a line is that of the box around it.
    """
    output = _reader()(picture)
    boxes, texts = getattr(output, "boxes", None), getattr(output, "txts", None)
    if boxes is None or texts is None:
        return []
    height = picture.shape[0]
    found: list[Line] = []
    for corners, text in zip(boxes, texts, strict=True):
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        cell = Cell(str(text).strip(), float(left) * points, float(right) * points)
        line = Line(
            cells=(cell,),
            top=float(height - top) * points,
            bottom=float(height - bottom) * points,
            size=float(bottom - top) * points,
        )
        if cell.text:
            found.append(line)
    return rows_of(found)


@cache
def _reader() -> RapidOCR:
    """The recogniser, made once; its files are named one by one, so that none is fetched."""
    import rapidocr
    from rapidocr import EngineType, RapidOCR

    folder = Path(rapidocr.__file__).parent / "models"
    values: dict[str, object] = {
        "Global.log_level": "error",
        "EngineConfig.openvino.inference_num_threads": min(_THREADS, os.cpu_count() or 1),
    }
    for part, file in _MODELS.items():
        values[f"{part}.engine_type"] = EngineType.OPENVINO
        values[f"{part}.model_path"] = str(folder / file)
    return RapidOCR(params=values)
