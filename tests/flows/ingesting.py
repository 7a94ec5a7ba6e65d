"""All of ingestion but the formats and the model, over a database and a data folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chatapp.flows.ingest import Ingest, Upload
from chatapp.flows.preparing import Preparation
from chatapp.knowledge_records import IngestFile
from chatapp.store import Collections, Database, Documents, IngestFiles
from tests.fake_knowledge import FakeEmbedder
from tests.fake_reader import FakeReader, by_line

LIMIT = 100_000


class Bench:
    """Everything a test looks at."""

    def __init__(
        self,
        folder: Path,
        reader: FakeReader | None = None,
        embedder: FakeEmbedder | None = None,
        database: Database | None = None,
    ) -> None:
        self.folder = folder
        self.database = database or Database(f"sqlite:///{folder}/chat.db")
        self.database.migrate()
        self.collections = Collections(self.database)
        self.collection = self.collections.ensure("public")
        self.documents = Documents(self.database)
        self.files = IngestFiles(self.database, "here")
        self.reader = reader or FakeReader()
        self.embedder = embedder or FakeEmbedder()
        self.ingest = Ingest(
            self.collections,
            self.documents,
            self.files,
            Preparation(self.reader, lambda: self.embedder, by_line, lambda text: "en"),
            folder,
            LIMIT,
        )

    def write(self, name: str, text: str | bytes) -> Upload:
        """A file that somebody is about to upload."""
        path = self.folder / "uploads" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return Upload(path.name, path)

    def add(self, *uploads: Upload, tags: Sequence[str] = ()) -> str:
        return self.ingest.add(self.collection.id, uploads, tags)

    async def take_in(self, *uploads: Upload, tags: Sequence[str] = ()) -> list[IngestFile]:
        """Upload, and wait for the end."""
        batch = self.add(*uploads, tags=tags)
        await self.ingest.finish(batch)
        return self.files.list(batch_id=batch)

    def stored(self) -> dict[str, list[str]]:
        """The passages of every document, by its name."""
        return {
            document.name: [one.text for one in self.documents.passages(document.id)]
            for document in self.documents.list(self.collection.id, limit=10_000)
        }
