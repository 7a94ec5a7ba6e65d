"""A chain of one's own: the app's search and the app's engine, joined by LangChain.

``python -m examples.langchain_chain "How long can I return a tent?"``
"""

import asyncio
import sys

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough

from chatapp.bootstrap import opened
from chatapp.chains import EngineChatModel
from chatapp.engine.choice import make_engine
from chatapp.knowledge.langchain import KnowledgeRetriever
from chatapp.settings import load_settings


async def main(question: str) -> None:
    """Stream an answer from the public collection."""
    settings = load_settings()
    engine = make_engine(settings, lambda _step, _share: None)
    async with opened(settings, engine) as known:
        public = known.collections.get("public")
        retriever = KnowledgeRetriever(search=known.search, collection=public, k=3)
        prompt = ChatPromptTemplate.from_template("Use this:\n{passages}\n\nAnswer: {question}")
        asked = {"passages": retriever, "question": RunnablePassthrough()}
        chain = asked | prompt | EngineChatModel(engine) | StrOutputParser()
        async for piece in chain.astream(question):
            print(piece, end="", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
