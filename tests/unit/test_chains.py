"""The engine inside other people's chains."""

import asyncio

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from chatapp.chains import EngineChatModel
from chatapp.errors import InvalidRequest, UnsupportedField
from chatapp.records import ChatMessage, Sampling
from tests.fakes import FakeEngine


@pytest.fixture
async def engine() -> FakeEngine:
    fake = FakeEngine()
    await fake.start()
    return fake


async def test_a_chain_streams_the_engines_tokens(engine: FakeEngine) -> None:
    engine.say("Thirty ", "days.")
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{question}")])
    chain = prompt | EngineChatModel(engine, Sampling(temperature=0)) | StrOutputParser()
    pieces = [piece async for piece in chain.astream({"question": "How long?"})]
    assert [piece for piece in pieces if piece] == ["Thirty ", "days."]
    asked = engine.asked[0]
    assert asked.messages == (ChatMessage("system", "Be brief."), ChatMessage("user", "How long?"))
    assert asked.sampling.greedy


async def test_an_answer_brings_its_usage_and_its_reason(engine: FakeEngine) -> None:
    engine.say("Yes ", "indeed")
    answer = await EngineChatModel(engine).ainvoke(
        [HumanMessage("Really?"), AIMessage("Hm."), "So?"]
    )
    assert answer.content == "Yes indeed"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] == 2
    assert answer.response_metadata["finish_reason"] == "stop"


async def test_a_call_may_change_the_sampling(engine: FakeEngine) -> None:
    model = EngineChatModel(engine, Sampling(max_tokens=50))
    await model.ainvoke("one two three", stop=["two"], temperature=0.1)
    assert engine.asked[0].sampling == Sampling(max_tokens=50, temperature=0.1, stop=("two",))
    with pytest.raises(UnsupportedField, match="top_z"):
        await model.ainvoke("one", top_z=1)


async def test_other_threads_may_call_it_and_its_own_is_told_how(engine: FakeEngine) -> None:
    model = EngineChatModel(engine)
    answer = await asyncio.to_thread(model.invoke, "hello there")
    assert answer.content == "hello there"
    with pytest.raises(InvalidRequest, match="ainvoke"):
        model.invoke("hello")


async def test_what_is_not_text_is_refused(engine: FakeEngine) -> None:
    model = EngineChatModel(engine)
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}
    for message in (HumanMessage([picture]), ToolMessage("42", tool_call_id="1")):
        with pytest.raises(UnsupportedField, match="text"):
            await model.ainvoke([SystemMessage("s"), message])
    parts = HumanMessage(["Say ", {"type": "text", "text": "this"}])
    assert (await model.ainvoke([parts])).content == "Say this"
