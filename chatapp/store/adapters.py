"""Adapters: what was learned, where it comes from, and which of it is live."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from pydantic import TypeAdapter
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chatapp.errors import InvalidRequest, NotFound
from chatapp.store.columns import harmless, new_id, now
from chatapp.store.database import Database
from chatapp.store.promotions import live_ids, refuse_if_live
from chatapp.store.training_tables import AdapterRow
from chatapp.training_records import Adapter, AdapterKind, Report, Slot

_REPORT: TypeAdapter[Report] = TypeAdapter(Report)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAdapter:
    """An adapter that is to be taken in; see ``Adapter``."""

    slot: Slot
    kind: AdapterKind
    base_model: str
    base_hash: str
    run_id: str | None = None
    data_hash: str = ""
    test_hash: str = ""
    config: Mapping[str, object] = field(default_factory=dict)
    report: Report | None = None


class StoredAdapters:
    """Every adapter that is not deleted.

    Args:
        db: where they are.
        folder: where their files are, a folder each, named after its id.
    """

    def __init__(self, db: Database, folder: Path) -> None:
        self._db = db
        self._folder = folder.resolve()

    def folder(self, id: str) -> Path:  # noqa: A002
        """Where the files of the adapter with that id belong."""
        return self._folder / id

    def list(self, slot: Slot | None = None) -> builtins.list[Adapter]:
        """All of them, or those of a slot; newest first."""
        query = _there().order_by(AdapterRow.id.desc())
        if slot is not None:
            query = query.where(AdapterRow.slot == slot)
        with self._db.read() as session:
            live = live_ids(session)
            return [self._record(row, live) for row in session.scalars(query)]

    def get(self, name: str) -> Adapter:
        """The adapter of that name.

        Raises:
            NotFound: there is none; the sentence names those there are.
        """
        with self._db.read() as session:
            row = session.scalars(_there().where(AdapterRow.name == harmless(name))).one_or_none()
            if row is not None:
                return self._record(row, live_ids(session))
            names = session.scalars(select(AdapterRow.name).where(AdapterRow.deleted_at.is_(None)))
            known = ", ".join(sorted(names)) or "none yet"
        raise NotFound(f"There is no adapter {name!r}. Known: {known}.")

    def by_id(self, id: str) -> Adapter:  # noqa: A002
        """The adapter with that id, deleted or not.

        Raises:
            NotFound: there never was one.
        """
        with self._db.read() as session:
            row = session.get(AdapterRow, id)
            if row is None:
                raise NotFound("There is no such adapter.")
            return self._record(row, live_ids(session))

    def of_run(self, run_id: str) -> builtins.list[Adapter]:
        """What a run made, deleted ones too; newest first."""
        query = select(AdapterRow).where(AdapterRow.run_id == run_id).order_by(AdapterRow.id.desc())
        with self._db.read() as session:
            live = live_ids(session)
            return [self._record(row, live) for row in session.scalars(query)]

    def add(self, id: str, name: str, new: NewAdapter) -> Adapter:  # noqa: A002
        """Take an adapter in, once its files are in their folder.

        Raises:
            InvalidRequest: another one has that name.
        """
        row = AdapterRow(
            id=id,
            name=name,
            slot=new.slot,
            kind=new.kind,
            base_model=new.base_model,
            base_hash=new.base_hash,
            run_id=new.run_id,
            data_hash=new.data_hash,
            test_hash=new.test_hash,
            config=json.dumps(dict(new.config), ensure_ascii=False),
            report=None if new.report is None else _REPORT.dump_json(new.report).decode(),
            created_at=now(),
        )
        with self._db.write() as session:
            session.add(row)
            _flush_name(session, name)
            return self._record(row, frozenset())

    def measured(self, name: str, report: Report, test_hash: str) -> Adapter:
        """Give an adapter the report that it came without; one that it has stays.

        Raises:
            NotFound: there is none of that name.
        """
        with self._db.write() as session:
            row = session.scalars(_there().where(AdapterRow.name == name)).one_or_none()
            if row is None:
                raise NotFound(f"There is no adapter {name!r}. It may have been deleted.")
            if row.report is None:
                row.report, row.test_hash = _REPORT.dump_json(report).decode(), test_hash
            return self._record(row, live_ids(session))

    def delete(self, name: str) -> Adapter:
        """Hide an adapter until it is restored.

        Raises:
            NotFound: there is none of that name.
            InvalidRequest: it is live.
        """
        with self._db.write() as session:
            row = session.scalars(_there().where(AdapterRow.name == name)).one_or_none()
            if row is None:
                raise NotFound(f"There is no adapter {name!r}. It may have been deleted.")
            refuse_if_live(session, row)
            row.deleted_at = now()
            return self._record(row, frozenset())

    def restore(self, id: str) -> Adapter:  # noqa: A002
        """Undo ``delete``.

        Raises:
            NotFound: no such deleted adapter.
            InvalidRequest: another one has its name now.
        """
        with self._db.write() as session:
            row = session.get(AdapterRow, id)
            if row is None or row.deleted_at is None:
                raise NotFound("There is no such deleted adapter.")
            row.deleted_at = None
            _flush_name(session, row.name)
            return self._record(row, live_ids(session))

    def forgotten(self, older_than: timedelta) -> builtins.list[str]:
        """The ids of those deleted longer ago than this, whose files may go."""
        stale: datetime = now() - older_than
        query = select(AdapterRow.id).where(AdapterRow.deleted_at < stale)
        with self._db.read() as session:
            return builtins.list(session.scalars(query))

    def _record(self, row: AdapterRow, live: frozenset[str]) -> Adapter:
        return Adapter(
            id=row.id,
            name=row.name,
            slot=cast(Slot, row.slot),
            kind=cast(AdapterKind, row.kind),
            folder=str(self.folder(row.id)),
            base_model=row.base_model,
            base_hash=row.base_hash,
            created_at=row.created_at,
            run_id=row.run_id,
            data_hash=row.data_hash,
            test_hash=row.test_hash,
            config=json.loads(row.config),
            report=None if row.report is None else _REPORT.validate_json(row.report),
            live=row.id in live,
        )


def new_adapter_id() -> str:
    """An id for files that are put in place before their adapter is taken in."""
    return new_id()


def _there() -> Select[AdapterRow]:
    return select(AdapterRow).where(AdapterRow.deleted_at.is_(None))


def _flush_name(session: Session, name: str) -> None:
    try:
        session.flush()
    except IntegrityError:
        raise InvalidRequest(
            f"There is an adapter {name!r} already. Choose another name.", field="name"
        ) from None
