"""The database: one module a noun. Only frozen records cross this border."""

from chatapp.store.adapters import NewAdapter, StoredAdapters
from chatapp.store.collections import Collections
from chatapp.store.conversations import Conversations
from chatapp.store.database import Database
from chatapp.store.documents import Documents
from chatapp.store.examples import Corrections
from chatapp.store.faqs import Faqs
from chatapp.store.feedback import Remarks
from chatapp.store.ingest_files import IngestFiles
from chatapp.store.labels import MessageLabels
from chatapp.store.messages import Messages
from chatapp.store.promotions import Promotions
from chatapp.store.unanswered import UnansweredQuestions
from chatapp.store.vectors import VectorTexts
from chatapp.store.votes import Votes

__all__ = [
    "Collections",
    "Conversations",
    "Corrections",
    "Database",
    "Documents",
    "Faqs",
    "IngestFiles",
    "MessageLabels",
    "Messages",
    "NewAdapter",
    "Promotions",
    "Remarks",
    "StoredAdapters",
    "UnansweredQuestions",
    "VectorTexts",
    "Votes",
]
