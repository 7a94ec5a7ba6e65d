"""The database: one module a noun. Only frozen records cross this border."""

from chatapp.store.conversations import Conversations
from chatapp.store.database import Database
from chatapp.store.messages import Messages

__all__ = ["Conversations", "Database", "Messages"]
