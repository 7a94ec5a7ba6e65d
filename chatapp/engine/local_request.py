"""One request to a model that runs here: its prompt in token ids, and the stream of its answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from chatapp.engine.admission import Admission
from chatapp.engine.answer import Answer
from chatapp.engine.tokenizer import ChatTokenizer
from chatapp.errors import PromptTooLong
from chatapp.events import EngineEvent, Queued, Token
from chatapp.records import ChatMessage, Sampling

NewIds = AsyncGenerator[list[int], None]


@dataclass(frozen=True, slots=True)
class LocalRequest:
    """What a model is asked.

    Attributes:
        prompt: token ids.
        sampling: its ``max_tokens`` fit into what the prompt leaves of the context.
    """

    tokenizer: ChatTokenizer
    prompt: list[int]
    sampling: Sampling

    @classmethod
    def read(
        cls,
        tokenizer: ChatTokenizer,
        messages: Sequence[ChatMessage],
        sampling: Sampling,
        context_length: int,
    ) -> LocalRequest:
        """Encode the messages.

        Raises:
            PromptTooLong: they leave no room for a single new token.
        """
        prompt = tokenizer.encode_chat(messages)
        room = context_length - len(prompt)
        if room < 1:
            raise PromptTooLong(len(prompt), context_length)
        fitting = replace(sampling, max_tokens=min(sampling.max_tokens, room))
        return cls(tokenizer, prompt, fitting)

    async def answered(
        self, admission: Admission, generate: Callable[[], NewIds]
    ) -> AsyncGenerator[EngineEvent, None]:
        """Wait for a slot, then turn what the model generates into events.

        Args:
            generate: called once there is a slot; its generator is closed when the answer is
                over, which cancels what the model still does for it.

        Raises:
            EngineBusy: no slot and no place in the queue.
        """
        answer = Answer(
            self.tokenizer.decoder(),
            eos_ids=self.tokenizer.eos_ids,
            stop=self.sampling.stop,
            max_tokens=self.sampling.max_tokens,
            prompt_tokens=len(self.prompt),
        )
        ticket = admission.ticket()
        try:
            async for ahead in ticket.positions():
                yield Queued(ahead)
            answer.watch.slot()
            async with aclosing(generate()) as new_ids:
                async for ids in new_ids:
                    if text := answer.feed(ids):
                        yield Token(text)
                    if answer.ended:
                        break
        finally:
            ticket.release()
        yield answer.done()
