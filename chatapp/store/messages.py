"""Messages: added, written while an answer grows, and finished whatever happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from sqlalchemy import Table, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from chatapp.errors import InvalidRequest, NotFound
from chatapp.knowledge_records import Grounding
from chatapp.records import FinishReason, Message, MessageStatus, Role, Timing, Usage
from chatapp.store.columns import new_id, now
from chatapp.store.database import Database
from chatapp.store.grounding import packed
from chatapp.store.tables import ConversationRow, MessageRow

STALE = timedelta(minutes=2)
"""An unfinished answer that was not written for this long has lost its server."""

_STOPPED = {"status": "stopped", "finish_reason": "cancelled", "writer": None}

# Written once and below the ORM: it runs up to twenty times a second for every answer that grows.
_TABLE = cast(Table, MessageRow.__table__)
_WRITE = _TABLE.update().where(_TABLE.c.id == bindparam("growing"), _TABLE.c.status == "writing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an answer ended, beside its text."""

    status: MessageStatus
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    timing: Timing | None = None
    dropped_turns: int = 0
    error: str | None = None
    error_code: str | None = None
    grounding: Grounding | None = None
    adapter: str | None = None


class Messages:
    """The messages of every conversation.

    Args:
        db: where they are.
        server_id: which of several servers on one database this is; the same after a restart.
    """

    def __init__(self, db: Database, server_id: str = "") -> None:
        self._db = db
        self._server_id = server_id

    def add(
        self,
        conversation_id: str,
        parent_id: str | None,
        role: Role,
        text: str,
        status: MessageStatus = "complete",
        *,
        model: str | None = None,
    ) -> Message:
        """Append a message below ``parent_id`` and show its branch.

        Raises:
            NotFound: no such conversation.
            InvalidRequest: another server is writing an answer of this conversation.
        """
        with self._db.write() as session:
            conversation = _locked(session, conversation_id)
            if status == "writing":
                self._settle(session, conversation_id)
            row = self._row(conversation_id, parent_id, role, text, status)
            row.model = model
            return _append(session, conversation, row)

    def ask(
        self,
        conversation_id: str,
        parent_id: str | None,
        text: str,
        *,
        title: str,
        model: str | None = None,
    ) -> tuple[Message, Message]:
        """Append a question and the empty answer below it, both or neither.

        A conversation without a title gets this one.

        Raises:
            NotFound: no such conversation.
            InvalidRequest: another server is writing an answer of this conversation.
        """
        with self._db.write() as session:
            conversation = _locked(session, conversation_id)
            self._settle(session, conversation_id)
            conversation.title = conversation.title or title
            question = self._row(conversation_id, parent_id, "user", text, "complete")
            asked = _append(session, conversation, question)
            answer = self._row(conversation_id, asked.id, "assistant", "", "writing")
            answer.model = model
            return asked, _append(session, conversation, answer)

    def write(self, id: str, text: str) -> None:  # noqa: A002
        """Save the text so far of an answer that grows; a finished answer stays as it is."""
        with self._db.write() as session:
            session.connection().execute(_WRITE, {"growing": id, "text": text, "updated_at": now()})

    def finish(self, id: str, text: str, ending: Ending) -> None:  # noqa: A002
        """Save the last text of an answer and how it ended."""
        with self._db.write() as session:
            row = session.get(MessageRow, id)
            if row is None:
                return  # its conversation was purged meanwhile
            moment = now()
            row.text, row.updated_at, row.writer = text, moment, None
            row.status, row.finish_reason = ending.status, ending.finish_reason
            row.dropped_turns = ending.dropped_turns
            row.error, row.error_code = ending.error, ending.error_code
            row.grounding = packed(ending.grounding)
            row.adapter = ending.adapter
            if ending.usage:
                row.prompt_tokens = ending.usage.prompt_tokens
                row.completion_tokens = ending.usage.completion_tokens
            if ending.timing:
                row.queued_seconds = ending.timing.queued
                row.first_token_seconds = ending.timing.first_token
                row.total_seconds = ending.timing.total
            session.execute(
                update(ConversationRow)
                .where(ConversationRow.id == row.conversation_id)
                .values(updated_at=moment)
            )

    def like(self, owner: str, id: str, liked: bool | None) -> None:  # noqa: A002
        """Keep a reader's verdict on an answer, or take it back with None.

        Raises:
            NotFound: no such message in any conversation of this owner.
        """
        with self._db.write() as session:
            theirs = ConversationRow.id == MessageRow.conversation_id
            query = select(MessageRow).join(ConversationRow, theirs)
            row = session.scalars(
                query.where(MessageRow.id == id, ConversationRow.owner == owner)
            ).one_or_none()
            if row is None:
                raise NotFound("There is no such message. It may have been deleted.")
            row.liked = liked

    def thumbs(self, days: int = 30) -> tuple[int, int]:
        """How many answers of the last ``days`` readers found good, and how many bad."""
        query = (
            select(MessageRow.liked, func.count())
            .where(MessageRow.liked.is_not(None), MessageRow.created_at >= now() - timedelta(days))
            .group_by(MessageRow.liked)
        )
        with self._db.read() as session:
            found = {bool(liked): count for liked, count in session.execute(query)}
        return found.get(True, 0), found.get(False, 0)

    def interrupt_unfinished(self) -> int:
        """Mark the answers a killed server left unfinished as stopped; returns how many.

        Call it before the first question. Text that was shown is kept. Answers other servers are
        writing are left alone, unless they were not written for two minutes. A server without
        an id is taken for this one: where there are several, each needs one.
        """
        own = MessageRow.writer.in_((self._server_id, ""))
        lost = or_(own, MessageRow.updated_at < now() - STALE)
        with self._db.write() as session:
            unfinished = select(MessageRow.id).where(MessageRow.status == "writing", lost)
            ids = session.scalars(unfinished).all()
            session.execute(update(MessageRow).where(MessageRow.id.in_(ids)).values(_STOPPED))
            return len(ids)

    def _row(
        self,
        conversation_id: str,
        parent_id: str | None,
        role: Role,
        text: str,
        status: MessageStatus,
    ) -> MessageRow:
        moment = now()
        return MessageRow(
            id=new_id(),
            conversation_id=conversation_id,
            parent_id=parent_id,
            role=role,
            text=text,
            status=status,
            created_at=moment,
            updated_at=moment,
            writer=self._server_id if status == "writing" else None,
            dropped_turns=0,
        )

    def _settle(self, session: Session, conversation_id: str) -> None:
        """Make room for a new answer.

        What this server still has as being written is a leftover, of a disk that was full when
        the answer ended: the caller has no two answers in one conversation.
        """
        unfinished = and_(
            MessageRow.conversation_id == conversation_id, MessageRow.status == "writing"
        )
        elsewhere = and_(
            unfinished,
            MessageRow.writer != self._server_id,
            MessageRow.updated_at >= now() - STALE,
        )
        if session.scalars(select(MessageRow.id).where(elsewhere).limit(1)).first():
            raise InvalidRequest(
                "An answer is still being written in this conversation. "
                "Wait for it, or stop it first."
            )
        session.execute(update(MessageRow).where(unfinished).values(_STOPPED))


def _locked(session: Session, conversation_id: str) -> ConversationRow:
    """The conversation, with other writers kept out until the transaction ends."""
    query = select(ConversationRow).where(ConversationRow.id == conversation_id).with_for_update()
    row = session.scalars(query).one_or_none()
    if row is None:
        raise NotFound("There is no such conversation. It may have been deleted.")
    return row


def _append(session: Session, conversation: ConversationRow, row: MessageRow) -> Message:
    session.add(row)
    session.flush()
    conversation.leaf_id, conversation.updated_at = row.id, row.created_at
    return row.record()
