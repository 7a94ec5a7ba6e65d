"""Conversations: trees of messages, one branch of which is shown.

Every method that a person triggers takes the owner first. Another owner's conversation is not
found, exactly like one that does not exist.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.orm import Session

from chatapp.errors import NotFound
from chatapp.records import Conversation, Message
from chatapp.store.columns import harmless, new_id, now
from chatapp.store.database import Database
from chatapp.store.tables import ConversationRow, MessageRow


class Conversations:
    """The conversations of everybody, each open only to its owner."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def create(
        self, owner: str, persona_id: str, system_prompt: str, title: str = ""
    ) -> Conversation:
        """A new, empty conversation."""
        moment = now()
        row = ConversationRow(
            id=new_id(),
            owner=owner,
            title=title,
            persona_id=persona_id,
            system_prompt=system_prompt,
            created_at=moment,
            updated_at=moment,
        )
        with self._db.write() as session:
            session.add(row)
            session.flush()
            return row.record()

    def insert(self, conversation: Conversation, messages: Sequence[Message]) -> Conversation:
        """Store a whole tree as a new conversation; every id in it is replaced by a new one.

        Args:
            conversation: its id is ignored; ``leaf_id`` names one of the messages.
            messages: parents before their children.
        """
        ids = {message.id: new_id() for message in messages}
        row = ConversationRow(
            id=new_id(),
            owner=conversation.owner,
            title=conversation.title,
            persona_id=conversation.persona_id,
            system_prompt=conversation.system_prompt,
            leaf_id=conversation.leaf_id and ids[conversation.leaf_id],
            created_at=conversation.created_at,
            updated_at=conversation.updated_at,
        )
        with self._db.write() as session:
            session.add(row)
            session.flush()
            session.add_all(MessageRow.of(message, row.id, ids) for message in messages)
            session.flush()
            return row.record()

    def get(self, owner: str, id: str) -> Conversation:  # noqa: A002
        """One conversation.

        Raises:
            NotFound: no such conversation of this owner, or it is deleted.
        """
        with self._db.read() as session:
            return _row(session, owner, id).record()

    def list(self, owner: str, search: str = "", limit: int = 200) -> builtins.list[Conversation]:
        """The owner's conversations, newest first.

        Args:
            owner: whose.
            search: keeps those with this text in their title or in any message, whatever its case.
            limit: at most this many.
        """
        query = (
            select(ConversationRow)
            .where(ConversationRow.owner == owner, ConversationRow.deleted_at.is_(None))
            .order_by(ConversationRow.updated_at.desc(), ConversationRow.id.desc())
            .limit(limit)
        )
        if wanted := harmless(search).strip().lower():
            in_messages = exists().where(
                MessageRow.conversation_id == ConversationRow.id,
                func.lower(MessageRow.text).contains(wanted, autoescape=True),
            )
            in_title = func.lower(ConversationRow.title).contains(wanted, autoescape=True)
            query = query.where(or_(in_title, in_messages))
        with self._db.read() as session:
            return [row.record() for row in session.scalars(query)]

    def rename(self, owner: str, id: str, title: str) -> None:  # noqa: A002
        """Change the title."""
        with self._db.write() as session:
            _row(session, owner, id).title = title.strip()

    def set_system_prompt(self, owner: str, id: str, text: str) -> None:  # noqa: A002
        """Change what the model is told; earlier answers stay as they are."""
        with self._db.write() as session:
            _row(session, owner, id).system_prompt = text

    def set_persona(self, owner: str, id: str, persona_id: str, system_prompt: str) -> None:  # noqa: A002
        """Change who answers."""
        with self._db.write() as session:
            row = _row(session, owner, id)
            row.persona_id, row.system_prompt = persona_id, system_prompt

    def delete(self, owner: str, id: str) -> None:  # noqa: A002
        """Hide a conversation until it is restored or purged."""
        with self._db.write() as session:
            _row(session, owner, id).deleted_at = now()

    def restore(self, owner: str, id: str) -> None:  # noqa: A002
        """Undo ``delete``."""
        with self._db.write() as session:
            _row(session, owner, id, deleted=True).deleted_at = None

    def purge(self, older_than: timedelta) -> int:
        """Remove for good what was deleted longer ago than this; returns how many."""
        stale = ConversationRow.deleted_at < now() - older_than
        with self._db.write() as session:
            gone = session.scalar(select(func.count()).where(stale)) or 0
            session.execute(delete(ConversationRow).where(stale))
            return gone

    def branch(self, owner: str, id: str, leaf_id: str | None = None) -> builtins.list[Message]:  # noqa: A002
        """The shown messages, first to last; or those down to ``leaf_id``."""
        with self._db.read() as session:
            conversation = _row(session, owner, id)
            rows = {row.id: row for row in _messages(session, id)}
            parents = {row.id: row.parent_id for row in rows.values()}
            leaf = conversation.leaf_id if leaf_id is None else _member(parents, leaf_id)
            return [rows[message].record() for message in _path(parents, leaf)]

    def message(self, owner: str, id: str, message_id: str) -> Message:  # noqa: A002
        """One message of a conversation, shown or not.

        Raises:
            NotFound: no such conversation of this owner, or no such message in it.
        """
        with self._db.read() as session:
            _row(session, owner, id)
            row = session.get(MessageRow, message_id)
            if row is None or row.conversation_id != id:
                raise NotFound("There is no such message in this conversation.")
            return row.record()

    def messages(self, owner: str, id: str) -> builtins.list[Message]:  # noqa: A002
        """Every message of every branch, oldest first."""
        with self._db.read() as session:
            _row(session, owner, id)
            return [row.record() for row in _messages(session, id)]

    def siblings(self, owner: str, id: str) -> dict[str, builtins.list[str]]:  # noqa: A002
        """For each shown message that has alternatives: all of them with itself, oldest first."""
        with self._db.read() as session:
            conversation = _row(session, owner, id)
            parents = _parents(session, id)
            children = _children(parents)
            return {
                message: children[parents[message]]
                for message in _path(parents, conversation.leaf_id)
                if len(children[parents[message]]) > 1
            }

    def show(self, owner: str, id: str, message_id: str) -> None:  # noqa: A002
        """Switch to the branch through this message, down to the newest message below it."""
        with self._db.write() as session:
            conversation = _row(session, owner, id)
            parents = _parents(session, id)
            children = _children(parents)
            below = [_member(parents, message_id)]
            for message in below:
                below.extend(children.get(message, ()))
            conversation.leaf_id = max(below)

    def rewind(self, owner: str, id: str, message_id: str) -> None:  # noqa: A002
        """Show only what came before this message. The message itself is kept as a branch."""
        with self._db.write() as session:
            conversation = _row(session, owner, id)
            parents = _parents(session, id)
            conversation.leaf_id = parents[_member(parents, message_id)]


def _row(session: Session, owner: str, id: str, *, deleted: bool = False) -> ConversationRow:  # noqa: A002
    row = session.get(ConversationRow, id)
    if row is None or row.owner != owner or (row.deleted_at is not None) != deleted:
        raise NotFound("There is no such conversation. It may have been deleted.")
    return row


def _messages(session: Session, conversation_id: str) -> Sequence[MessageRow]:
    """Oldest first: ids sort by the time they were made."""
    query = select(MessageRow).where(MessageRow.conversation_id == conversation_id)
    return session.scalars(query.order_by(MessageRow.id)).all()


def _parents(session: Session, conversation_id: str) -> dict[str, str | None]:
    """The parent of every message, oldest first."""
    query = select(MessageRow.id, MessageRow.parent_id)
    query = query.where(MessageRow.conversation_id == conversation_id).order_by(MessageRow.id)
    return dict(session.execute(query).all())


def _children(parents: dict[str, str | None]) -> dict[str | None, list[str]]:
    children: dict[str | None, list[str]] = {}
    for message, parent in parents.items():
        children.setdefault(parent, []).append(message)
    return children


def _path(parents: dict[str, str | None], leaf_id: str | None) -> list[str]:
    path: list[str] = []
    at = leaf_id
    while at is not None:
        path.append(at)
        at = parents[at]
    return path[::-1]


def _member(parents: dict[str, str | None], message_id: str) -> str:
    if message_id not in parents:
        raise NotFound("There is no such message in this conversation.")
    return message_id
