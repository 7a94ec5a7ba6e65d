"""Files on their way in: a queue that outlives the process that works it off."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from sqlalchemy import delete, select, update

from chatapp.knowledge_records import FileStatus, IngestFile
from chatapp.store.columns import as_tags, new_id, now
from chatapp.store.database import Database
from chatapp.store.knowledge_tables import IngestFileRow

_UNFINISHED = ("queued", "working")


class IngestFiles:
    """The files of every ingestion.

    Args:
        db: where they are.
        server_id: which of several servers on one database this is; the same after a restart.
            Only it has the files that it added in its data folder, so it claims no others.
    """

    def __init__(self, db: Database, server_id: str = "") -> None:
        self._db = db
        self._server_id = server_id

    def add(
        self,
        collection_id: str,
        batch_id: str,
        name: str,
        file: str,
        size: int,
        tags: Sequence[str] = (),
        *,
        refused: str | None = None,
    ) -> IngestFile:
        """Queue a file; or keep, as failed, why it is ``refused``."""
        row = IngestFileRow(
            id=new_id(),
            collection_id=collection_id,
            batch_id=batch_id,
            server=self._server_id,
            name=name,
            file=file,
            size=size,
            tags=as_tags(tags),
            status="failed" if refused else "queued",
            reason=refused,
            added_at=now(),
            passages=0,
            step="",
            done=0,
            total=0,
        )
        with self._db.write() as session:
            session.add(row)
            session.flush()
            return row.record()

    def claim(self) -> IngestFile | None:
        """The oldest queued file, which becomes ``working``; None when nothing waits."""
        oldest = (
            select(IngestFileRow)
            .where(IngestFileRow.status == "queued", IngestFileRow.server == self._server_id)
            .order_by(IngestFileRow.id)
            .limit(1)
        )
        with self._db.read() as session:  # an idle worker asks often, and holds up nobody
            if session.scalars(oldest).one_or_none() is None:
                return None
        oldest = oldest.with_for_update(skip_locked=True)
        with self._db.write() as session:
            row = session.scalars(oldest).one_or_none()
            if row is None:
                return None
            row.status = "working"
            return row.record()

    def progress(self, id: str, step: str, done: int, total: int, passages: int) -> bool:  # noqa: A002
        """Note how far a file came; False when it was stopped meanwhile."""
        return self._update_working(id, step=step, done=done, total=total, passages=passages)

    def finish(
        self,
        id: str,  # noqa: A002
        status: FileStatus,
        reason: str | None = None,
        passages: int = 0,
    ) -> bool:
        """Note how a file ended; False when it was stopped meanwhile, which stays."""
        return self._update_working(id, status=status, reason=reason, passages=passages, step="")

    def list(
        self, collection_id: str | None = None, batch_id: str | None = None
    ) -> builtins.list[IngestFile]:
        """Files in the order they were added: all, or of this collection, this batch, or both."""
        query = select(IngestFileRow).order_by(IngestFileRow.id)
        if collection_id is not None:
            query = query.where(IngestFileRow.collection_id == collection_id)
        if batch_id is not None:
            query = query.where(IngestFileRow.batch_id == batch_id)
        with self._db.read() as session:
            return [row.record() for row in session.scalars(query)]

    def release(self) -> int:
        """Queue again what a killed process of this server was working on; returns how many."""
        working = (IngestFileRow.status == "working", IngestFileRow.server == self._server_id)
        with self._db.write() as session:
            ids = session.scalars(select(IngestFileRow.id).where(*working)).all()
            session.execute(
                update(IngestFileRow)
                .where(IngestFileRow.id.in_(ids))
                .values(status="queued", step="", done=0, total=0)
            )
            return len(ids)

    def stop(self, batch_id: str) -> None:
        """Take back what is unfinished of a batch."""
        with self._db.write() as session:
            session.execute(
                update(IngestFileRow)
                .where(IngestFileRow.batch_id == batch_id, IngestFileRow.status.in_(_UNFINISHED))
                .values(status="stopped", step="")
            )

    def clear_finished(self, collection_id: str) -> None:
        """Forget the files of a collection that are neither queued nor worked on."""
        with self._db.write() as session:
            session.execute(
                delete(IngestFileRow).where(
                    IngestFileRow.collection_id == collection_id,
                    IngestFileRow.status.not_in(_UNFINISHED),
                )
            )

    def kept_files(self) -> set[str]:
        """Names of the copies that are still to be read."""
        query = select(IngestFileRow.file).where(IngestFileRow.status.in_(_UNFINISHED))
        with self._db.read() as session:
            return set(session.scalars(query))

    def _update_working(self, id: str, **values: str | int | None) -> bool:  # noqa: A002
        with self._db.write() as session:
            changed = session.scalars(
                update(IngestFileRow)
                .where(IngestFileRow.id == id, IngestFileRow.status == "working")
                .values(**values)
                .returning(IngestFileRow.id)
            ).all()
            return bool(changed)
