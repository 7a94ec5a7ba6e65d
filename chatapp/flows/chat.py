"""A question becomes a streamed answer, and nothing that was shown is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager

from chatapp.engine.base import Engine
from chatapp.errors import InvalidRequest, StorageError
from chatapp.events import Began, Done, Event, Failed, Token
from chatapp.flows.adapters_live import LIVE
from chatapp.flows.answering import Answering, Progress, as_failed
from chatapp.flows.frames import Frames
from chatapp.flows.grounded import Grounded
from chatapp.flows.grounds import Grounds
from chatapp.flows.picking import PicksAdapters
from chatapp.flows.route_answers import Asked
from chatapp.flows.titles import title_from
from chatapp.knowledge_records import Grounding
from chatapp.metrics import Metrics
from chatapp.prompting import as_prompt
from chatapp.records import Message, MessageStatus, Sampling
from chatapp.store.conversations import Conversations
from chatapp.store.messages import Ending, Messages

log = logging.getLogger(__name__)

LONGEST_QUESTION = 200_000
"""Characters; more than any model here reads, and little enough to count at once."""


class Chat:
    """Answers questions: from programs, which bring their own history, and from stored chats.

    For one event loop. In one conversation only one answer is written at a time.

    Args:
        knowledge: what answers from collections; None answers everything with the engine alone.
        collection_of: names the collection that a persona, by its id, answers from.
        adapters: knows what is live; None always asks the base model.
        on_question: told the id and the text of every question; returns at once.
    """

    def __init__(
        self,
        engine: Engine,
        conversations: Conversations,
        messages: Messages,
        metrics: Metrics | None = None,
        knowledge: Grounded | None = None,
        collection_of: Callable[[str], str | None] = lambda _: None,
        adapters: PicksAdapters | None = None,
        on_question: Callable[[str, str], None] = lambda _id, _text: None,
    ) -> None:
        self._engine = engine
        self._conversations = conversations
        self._messages = messages
        self._collection_of = collection_of
        self._adapters = adapters
        self._on_question = on_question
        self._answering = Answering(engine, metrics or Metrics(), knowledge)
        self._busy: set[str] = set()
        self._live: dict[str, tuple[str, Frames]] = {}

    async def reply(
        self,
        owner: str,
        conversation_id: str,
        text: str,
        sampling: Sampling,
        adapter: str = LIVE,
    ) -> AsyncGenerator[Event, None]:
        """Ask the next question of a stored conversation.

        ``adapter`` is ``LIVE``, ``BASE`` or a name; it is loaded if it is not yet.

        Yields ``Began Trimmed? Queued* Token*`` and then ``Done`` or ``Failed``; where the
        conversation's persona has a collection, ``Began`` and what ``Grounded.answer`` yields. Text
        is saved before it is yielded. Closing the generator cancels the request and keeps what was
        written as a stopped answer.

        Raises (before ``Began``; nothing is stored then):
            InvalidRequest: an empty or endless question, or an answer is being written already.
            NotFound: no such conversation of this owner, or no such adapter.
            ModelError: the adapter cannot be loaded.
            StorageError: the database refused.
        """
        question = _checked(text)
        with self._reserved(conversation_id):
            picked = await self._pick(adapter)
            chat = await asyncio.to_thread(self._conversations.get, owner, conversation_id)
            began = self._ask(conversation_id, chat.leaf_id, question)
            async with aclosing(self._write(owner, began, sampling, picked)) as events:
                async for event in events:
                    yield event

    async def edit(
        self,
        owner: str,
        conversation_id: str,
        question_id: str,
        text: str,
        sampling: Sampling,
        adapter: str = LIVE,
    ) -> AsyncGenerator[Event, None]:
        """Ask a question differently: a new branch beside the old question. Like ``reply``."""
        question = _checked(text)
        with self._reserved(conversation_id):
            picked = await self._pick(adapter)
            old = await self._message(owner, conversation_id, question_id)
            if old.role != "user":
                raise InvalidRequest("Only a question can be edited, not an answer.")
            began = self._ask(conversation_id, old.parent_id, question)
            async with aclosing(self._write(owner, began, sampling, picked)) as events:
                async for event in events:
                    yield event

    async def retry(
        self,
        owner: str,
        conversation_id: str,
        answer_id: str,
        sampling: Sampling,
        adapter: str = LIVE,
    ) -> AsyncGenerator[Event, None]:
        """Answer a question once more: a new branch beside the old answer. Like ``reply``.

        ``answer_id`` may also name a question that has no answer yet.
        """
        with self._reserved(conversation_id):
            picked = await self._pick(adapter)
            question = await self._question(owner, conversation_id, answer_id)
            answer = self._messages.add(
                conversation_id,
                question.id,
                "assistant",
                "",
                "writing",
                model=self._engine.info.model,
            )
            began = Began(conversation_id, question.id, answer.id)
            async with aclosing(self._write(owner, began, sampling, picked)) as events:
                async for event in events:
                    yield event

    async def undo(self, owner: str, conversation_id: str, message_id: str) -> str:
        """Take back a question (or the question of this answer) and all that followed.

        Nothing is lost: the old branch comes back once another question stands beside it. An
        answer that is being written is stopped.

        Returns:
            The question's text, to be written anew.

        Raises:
            NotFound: no such conversation of this owner, or no such message in it.
            InvalidRequest: there is no question above this message.
        """
        question = await self._question(owner, conversation_id, message_id)
        for writing_in, frames in self._live.values():
            if writing_in == conversation_id:
                frames.stop()
        await asyncio.to_thread(self._conversations.rewind, owner, conversation_id, question.id)
        return question.text

    def stop(self, answer_id: str) -> bool:
        """End an answer that is being written or waits for its turn.

        Its stream ends with ``Done("cancelled")``. Any thread may call this.

        Returns:
            False when no such answer is being written.
        """
        live = self._live.get(answer_id)
        if live is None:
            return False
        live[1].stop()
        return True

    def _ask(self, conversation_id: str, parent_id: str | None, question: str) -> Began:
        """Store the question and an empty answer.

        Not in a thread: a cancellation while the thread works would leave an answer behind that
        nobody finishes.
        """
        asked, answer = self._messages.ask(
            conversation_id,
            parent_id,
            question,
            title=title_from(question),
            model=self._engine.info.model,
        )
        self._on_question(asked.id, question)
        return Began(conversation_id, asked.id, answer.id)

    async def _pick(self, choice: str) -> str | None:
        return None if self._adapters is None else await self._adapters.pick(choice)

    async def _write(
        self, owner: str, began: Began, sampling: Sampling, adapter: str | None
    ) -> AsyncGenerator[Event, None]:
        """Stream the answer, saving each frame before it is yielded, and its end in any case."""

        async def stored() -> Asked:
            return await asyncio.to_thread(self._asked, owner, began)

        progress, grounds = Progress(), Grounds()
        frames = Frames(self._answering.stream(stored, sampling, progress, "ui", adapter))
        text = ""
        self._live[began.answer_id] = began.conversation_id, frames
        last: Done | Failed | None = None
        saved = False
        try:
            yield began
            async with aclosing(frames.read()) as events:
                async for event in events:
                    if isinstance(event, Done | Failed):
                        last = event
                        break
                    if isinstance(event, Token):
                        text += event.text
                    grounds.seen(event)
                    await asyncio.to_thread(self._messages.write, began.answer_id, text)
                    yield event
            last = last or progress.cancelled()
            ending = _ending(progress, last, grounds.grounding, adapter)
            self._finish(began.answer_id, text, ending)
            saved = True
            yield last
        except StorageError as error:
            last = as_failed(error)
            yield last
        finally:
            del self._live[began.answer_id]
            if not saved:
                last = last or progress.cancelled()
                ending = _ending(progress, last, grounds.grounding, adapter)
                self._finish_somehow(began.answer_id, text, ending)

    def _asked(self, owner: str, began: Began) -> Asked:
        chat = self._conversations.get(owner, began.conversation_id)
        branch = self._conversations.branch(owner, began.conversation_id, began.answer_id)
        # A prompt may put several unanswered questions into one turn.
        question = next(one.text for one in branch if one.id == began.question_id)
        prompt = as_prompt(chat.system_prompt, branch)
        return Asked(prompt, question, self._collection_of(chat.persona_id))

    def _finish(self, answer_id: str, text: str, ending: Ending) -> None:
        """Not in a thread: this must happen even while the event loop shuts down."""
        self._messages.finish(answer_id, text, ending)

    def _finish_somehow(self, answer_id: str, text: str, ending: Ending) -> None:
        try:
            self._finish(answer_id, text, ending)
        except StorageError as error:
            # The text was saved frame by frame; only how it ended stays unknown.
            log.error("The end of answer %s could not be saved: %s", answer_id, error)

    async def _message(self, owner: str, conversation_id: str, message_id: str) -> Message:
        return await asyncio.to_thread(
            self._conversations.message, owner, conversation_id, message_id
        )

    async def _question(self, owner: str, conversation_id: str, message_id: str) -> Message:
        """The question that this message is, or that it answers."""
        message = await self._message(owner, conversation_id, message_id)
        if message.role != "user" and message.parent_id:
            message = await self._message(owner, conversation_id, message.parent_id)
        if message.role != "user":
            raise InvalidRequest("There is no question above this message.")
        return message

    @contextmanager
    def _reserved(self, conversation_id: str) -> Iterator[None]:
        if conversation_id in self._busy:
            raise InvalidRequest(
                "An answer is still being written in this conversation. "
                "Wait for it, or stop it first."
            )
        self._busy.add(conversation_id)
        try:
            yield
        finally:
            self._busy.discard(conversation_id)


def _checked(question: str) -> str:
    if not question.strip():
        raise InvalidRequest("The question is empty. Please write something first.")
    if len(question) > LONGEST_QUESTION:
        raise InvalidRequest(
            f"The question is {len(question):,} characters long, but at most "
            f"{LONGEST_QUESTION:,} are allowed. Please shorten it.",
            length=len(question),
            limit=LONGEST_QUESTION,
        )
    return question


def _ending(
    progress: Progress, last: Done | Failed, grounding: Grounding | None, adapter: str | None
) -> Ending:
    """What the store keeps of an answer beside its text."""
    done = last if isinstance(last, Done) else progress.cancelled()
    status: MessageStatus = "stopped" if done.reason == "cancelled" else "complete"
    failed = last if isinstance(last, Failed) else None
    return Ending(
        status="failed" if failed else status,
        finish_reason=None if failed else done.reason,
        # Nothing was counted before the prompt was made.
        usage=done.usage if done.usage.prompt_tokens else None,
        timing=done.timing,
        dropped_turns=progress.dropped_turns,
        error=failed.sentence if failed else None,
        error_code=failed.code if failed else None,
        grounding=grounding,
        # A quote, or an answer of the FAQ, is nobody's writing.
        adapter=adapter if progress.prompt else None,
    )
