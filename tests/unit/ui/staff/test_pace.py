"""How fast files are being taken in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from chatapp.knowledge_records import IngestFile
from chatapp.ui.staff.documents_html import Listing, documents_html
from chatapp.ui.staff.pace import Pace
from chatapp.ui.staff.texts import StaffWords

FILE = IngestFile(
    id="1",
    collection_id="c",
    batch_id="b",
    name="<hand>.md",
    file="x",
    size=10,
    status="working",
    added_at=datetime(2025, 1, 1, tzinfo=UTC),
    step="embed",
    done=100,
    total=400,
)


def listing(*files: IngestFile) -> Listing:
    return Listing("c", [], more=False, search="", files=files, can_load_demo=False)


def test_the_rate_is_of_the_step_and_needs_a_while() -> None:
    now = 10.0
    pace = Pace(lambda: now)
    pace.watch([FILE])
    now = 10.5
    later = replace(FILE, done=150)
    assert pace.rate(later) is None
    now = 12.0
    assert pace.rate(replace(FILE, done=200)) == 50
    pace.watch([replace(FILE, step="store", done=0)])
    assert pace.rate(replace(FILE, step="store", done=5)) is None
    pace.watch([replace(FILE, status="done")])
    assert pace.rate(FILE) is None


def test_a_working_file_shows_rate_and_time_left() -> None:
    now = 10.0
    pace = Pace(lambda: now)
    pace.watch([FILE])
    now = 12.0
    html = documents_html(listing(replace(FILE, done=200)), pace, StaffWords("en"), UTC)
    assert "Indexing · passage 200 of 400 · 50 passages/s · about 4 s left" in html
    assert "&lt;hand&gt;.md" in html
    assert 'aria-valuenow="50"' in html
    assert 'data-again="700"' in html


def test_a_long_queue_is_summed_up() -> None:
    waiting = [replace(FILE, id=str(n), status="queued", done=0) for n in range(500)]
    failed = [replace(FILE, id=str(n), status="failed", reason="Broken.") for n in range(300)]
    html = documents_html(listing(*waiting, *failed), Pace(), StaffWords("en"), UTC)
    assert "300 of 800 files" in html
    assert "and 480 more waiting" in html
    assert "300 files could not be added" in html
    assert "and 100 more" in html
    assert 'data-again="2500"' in html
