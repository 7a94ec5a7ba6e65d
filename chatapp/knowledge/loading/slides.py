"""PPTX: a page for each slide, its title the heading, then its text, tables, charts and notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from chatapp.knowledge.loading.draft import Draft, Progress
from chatapp.knowledge.loading.office_zip import check_office_zip
from chatapp.knowledge.loading.tables import markdown_item, markdown_table

if TYPE_CHECKING:
    from pptx.chart.chart import Chart
    from pptx.shapes.base import BaseShape
    from pptx.shapes.graphfrm import GraphicFrame
    from pptx.shapes.group import GroupShape
    from pptx.slide import Slide
    from pptx.text.text import TextFrame

_LEVEL = 2
_ROW = 100_000
"""Shapes whose tops differ by less (0.1 inch, in EMU) stand beside each other."""
_FEWEST_ITEMS = 2


def load_slides(path: Path, draft: Draft, progress: Progress) -> None:
    """Read a presentation; hidden slides are left out, but counted.

    Raises:
        DocumentError: a zip bomb or a locked file.
    """
    check_office_zip(path, draft.name)
    from pptx import Presentation

    with path.open("rb") as file:
        presentation = Presentation(file)
    draft.title = presentation.core_properties.title or ""
    if draft.title.strip().lower() in ("powerpoint presentation", "slide 1"):
        draft.title = ""
    slides = list(presentation.slides)
    for done, slide in enumerate(slides, 1):
        draft.page()
        if slide.element.get("show") != "0":
            _add(slide, draft)
        progress(done, len(slides))


def _add(slide: Slide, draft: Draft) -> None:
    title = slide.shapes.title
    if title is not None and title.has_text_frame:
        draft.heading(_LEVEL, title.text_frame.text)
        draft.title = draft.title or title.text_frame.text
    for shape in _flat(slide.shapes):
        if title is None or shape.shape_id != title.shape_id:
            _shape(shape, draft)
    if slide.has_notes_slide:
        notes = slide.notes_slide.notes_text_frame
        if notes is not None:
            draft.paragraph(notes.text)


def _flat(shapes: Iterable[BaseShape]) -> Iterator[BaseShape]:
    """Shapes as they are read: from top to bottom, from left to right; groups opened."""
    from pptx.enum.shapes import MSO_SHAPE_TYPE

    for shape in sorted(shapes, key=lambda s: ((s.top or 0) // _ROW, s.left or 0)):
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
            yield from _flat(cast("GroupShape", shape).shapes)
        else:
            yield shape


def _shape(shape: BaseShape, draft: Draft) -> None:
    if shape.has_text_frame:
        _text(cast("TextFrame", getattr(shape, "text_frame", None)), draft)
    elif shape.has_table:
        rows = cast("GraphicFrame", shape).table.rows
        draft.block(markdown_table([[cell.text for cell in row.cells] for row in rows]))
    elif shape.has_chart:
        _chart(cast("GraphicFrame", shape).chart, draft)


def _text(frame: TextFrame, draft: Draft) -> None:
    """A frame of several paragraphs is a list, as slides are; one paragraph is prose."""
    lines = [(line.text, line.level) for line in frame.paragraphs if line.text.strip()]
    if len(lines) < _FEWEST_ITEMS:
        draft.paragraph("\n".join(text for text, _ in lines))
    else:
        draft.block("\n".join(markdown_item(text, level) for text, level in lines))


def _chart(chart: Chart, draft: Draft) -> None:
    """The numbers behind a chart, a column for each series."""
    if chart.has_title and chart.chart_title.has_text_frame:
        draft.paragraph(chart.chart_title.text_frame.text)
    plots = list(chart.plots)
    if not plots:
        return
    names = [str(category) for category in plots[0].categories]
    series = [(one.name or "", list(one.values)) for one in plots[0].series]
    header = ["", *(name for name, _ in series)]
    rows = [
        [name, *("" if at >= len(v) or v[at] is None else f"{v[at]:g}" for _, v in series)]
        for at, name in enumerate(names)
    ]
    draft.block(markdown_table([header, *rows]))
