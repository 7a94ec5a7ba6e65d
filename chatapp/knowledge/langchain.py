"""The search as a LangChain retriever, for chains of one's own."""

from __future__ import annotations

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from chatapp.knowledge.search import Search
from chatapp.knowledge_records import Collection, Hit


class KnowledgeRetriever(BaseRetriever):
    """Finds the passages that the chat would lean on: the same search, the same threshold.

    Attributes:
        k: most passages.
        language, tag: only passages in this language, only documents with this tag.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    search: Search
    collection: Collection
    k: int = 8
    language: str | None = None
    tag: str | None = None

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002  LangChain passes it by name
    ) -> list[Document]:
        found = self.search.search(
            self.collection, query, k=self.k, language=self.language, tag=self.tag
        )
        return [_document(hit) for hit in found.kept]


def _document(hit: Hit) -> Document:
    passage = hit.passage
    return Document(
        id=str(passage.id),
        page_content=passage.text,
        metadata={
            "document": passage.document,
            "title": passage.title,
            "page": passage.page,
            "heading": list(passage.heading),
            "relevance": hit.relevance,
        },
    )
