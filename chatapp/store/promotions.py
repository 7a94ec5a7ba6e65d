"""What is live in each slot, and what was before."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chatapp.errors import InvalidRequest, NotFound
from chatapp.store.columns import new_id, now
from chatapp.store.database import Database
from chatapp.store.training_tables import AdapterRow, PromotionRow
from chatapp.training_records import Promotion, Slot


class Promotions:
    """The promotions of every slot, oldest first; the last one of a slot says what is live."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def revision(self) -> str:
        """Changes whenever something is promoted or rolled back, in whichever process."""
        with self._db.read() as session:
            return session.scalar(select(func.max(PromotionRow.id))) or ""

    def live(self) -> dict[Slot, str]:
        """The id of the adapter that is live in each slot; the base is live in the others."""
        with self._db.read() as session:
            return _live(session)

    def promote(self, adapter_id: str, reason: str = "") -> Promotion:
        """Make an adapter the live one of its slot.

        Raises:
            NotFound: it was deleted meanwhile.
        """
        with self._db.write() as session:
            row = session.get(AdapterRow, adapter_id, with_for_update=True)
            if row is None or row.deleted_at is not None:
                raise NotFound("There is no such adapter. It may have been deleted.")
            return _append(session, row.slot, row, reason, rollback=False)

    def before(self, slot: Slot) -> str | None:
        """The id of what a rollback would make live; None is the base.

        Raises:
            InvalidRequest: nothing was promoted that could be taken back.
        """
        with self._db.read() as session:
            target = _before(session, slot)
            return None if target is None else target.id

    def roll_back(self, slot: Slot) -> Promotion:
        """Take back the last promotion that was not taken back yet.

        What was live before it comes back; adapters deleted since are passed over.

        Raises:
            InvalidRequest: nothing was promoted that could be taken back.
        """
        with self._db.write() as session:
            return _append(session, slot, _before(session, slot), "", rollback=True)

    def history(self, slot: Slot, limit: int = 100) -> Sequence[Promotion]:
        """A slot's promotions, newest first."""
        query = (
            select(PromotionRow, AdapterRow.name)
            .outerjoin(AdapterRow, AdapterRow.id == PromotionRow.adapter_id)
            .where(PromotionRow.slot == slot)
            .order_by(PromotionRow.id.desc())
            .limit(limit)
        )
        with self._db.read() as session:
            return [row.record(name) for row, name in session.execute(query)]


def live_ids(session: Session) -> frozenset[str]:
    """The ids of all adapters that are live somewhere."""
    return frozenset(_live(session).values())


def refuse_if_live(session: Session, row: AdapterRow) -> None:
    """A live adapter stays.

    Raises:
        InvalidRequest: it is live.
    """
    if row.id in live_ids(session):
        raise InvalidRequest(
            f"{row.name} is live and cannot be deleted. Promote another adapter first, or roll "
            "back."
        )


def _live(session: Session) -> dict[Slot, str]:
    last = select(func.max(PromotionRow.id)).group_by(PromotionRow.slot)
    rows = session.scalars(select(PromotionRow).where(PromotionRow.id.in_(last)))
    return {row.slot: row.adapter_id for row in rows if row.adapter_id is not None}  # type: ignore[misc]  # a Slot


def _before(session: Session, slot: Slot) -> AdapterRow | None:
    """What comes back when the last promotion is taken back."""
    query = select(PromotionRow).where(PromotionRow.slot == slot).order_by(PromotionRow.id)
    standing: list[AdapterRow | None] = []
    for row in session.scalars(query):
        if not row.rollback:
            standing.append(session.get(AdapterRow, row.adapter_id))
        elif standing:
            standing.pop()
    there = [one for one in standing if one is not None and one.deleted_at is None]
    if not there:
        raise InvalidRequest(
            f"Nothing was promoted for {slot} that could be rolled back: the base is live."
        )
    return there[-2] if len(there) > 1 else None


def _append(
    session: Session, slot: str, adapter: AdapterRow | None, reason: str, *, rollback: bool
) -> Promotion:
    row = PromotionRow(
        id=new_id(),
        slot=slot,
        adapter_id=None if adapter is None else adapter.id,
        at=now(),
        reason=reason,
        rollback=rollback,
    )
    session.add(row)
    session.flush()
    return row.record(None if adapter is None else adapter.name)
