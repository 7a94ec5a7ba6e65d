"""The database: one module a noun. Only frozen records cross this border."""

from chatapp.store.adapters import NewAdapter, StoredAdapters
from chatapp.store.collections import Collections
from chatapp.store.conversations import Conversations
from chatapp.store.database import Database
from chatapp.store.documents import Documents
from chatapp.store.faqs import Faqs
from chatapp.store.ingest_files import IngestFiles
from chatapp.store.labels import MessageLabels
from chatapp.store.messages import Messages
from chatapp.store.promotions import Promotions
from chatapp.store.unanswered import UnansweredQuestions
from chatapp.store.vectors import VectorTexts

__all__ = [
    "Collections",
    "Conversations",
    "Database",
    "Documents",
    "Faqs",
    "IngestFiles",
    "MessageLabels",
    "Messages",
    "NewAdapter",
    "Promotions",
    "StoredAdapters",
    "UnansweredQuestions",
    "VectorTexts",
]
