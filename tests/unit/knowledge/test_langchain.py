from pathlib import Path

from langchain_core.runnables import RunnableLambda

from chatapp.knowledge.langchain import KnowledgeRetriever
from chatapp.knowledge.search import Search
from tests.fake_knowledge import FakeEmbedder, FakePassages, a_collection


def test_it_gives_the_passages_that_the_chat_would_use(tmp_path: Path) -> None:
    passages = FakePassages(FakeEmbedder())
    passages.add(
        "public",
        "handbook.md",
        "A refund takes five working days.",
        "We are closed on Sundays.",
        title="Handbook",
        heading=("Returns", "Refunds"),
    )
    search = Search(passages, lambda: passages.embedder, tmp_path)
    retriever = KnowledgeRetriever(search=search, collection=a_collection(), k=4)

    first, *others = retriever.invoke("refund working days")

    assert others == []
    assert first.page_content == "A refund takes five working days."
    assert first.metadata["document"] == "handbook.md"
    assert first.metadata["heading"] == ["Returns", "Refunds"]
    assert 0.3 <= first.metadata["relevance"] <= 1
    found = search.search(a_collection(), "refund working days")
    assert first.metadata["relevance"] == found.kept[0].relevance
    search.close()


def test_it_is_a_part_of_a_chain(tmp_path: Path) -> None:
    passages = FakePassages(FakeEmbedder())
    passages.add("public", "a.md", "A refund takes five working days.")
    search = Search(passages, lambda: passages.embedder, tmp_path)
    retriever = KnowledgeRetriever(search=search, collection=a_collection())

    chain = retriever | RunnableLambda(lambda documents: len(documents))

    assert chain.invoke("refund days") == 1
    search.close()
