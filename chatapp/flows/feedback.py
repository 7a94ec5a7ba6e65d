"""What people say about answers becomes examples to learn from: giving, and what is learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from chatapp.errors import InvalidRequest, NotFound
from chatapp.feedback_records import REASONS, NewRemark, Reason, Remark
from chatapp.flows.feedback_examples import Parts, as_example, parted
from chatapp.knowledge_records import Grounding
from chatapp.records import ChatMessage, Message
from chatapp.store.conversations import Conversations
from chatapp.store.examples import Corrections
from chatapp.store.feedback import Remarks
from chatapp.store.messages import Messages
from chatapp.training_records import Example

LONGEST_COMMENT: Final = 2_000
LONGEST_ANSWER: Final = 8_000
LONGEST_QUESTION: Final = 8_000
"""Characters."""
_EARLIER: Final = 4
_EARLIER_LENGTH: Final = 2_000


class Feedback:
    """Takes remarks from the readers of answers, and says what has been approved of them."""

    def __init__(
        self,
        conversations: Conversations,
        messages: Messages,
        remarks: Remarks,
        corrections: Corrections,
    ) -> None:
        self._conversations = conversations
        self._messages = messages
        self._remarks = remarks
        self._corrections = corrections
        self._parts: tuple[Sequence[object], Parts] | None = None

    def give(
        self,
        owner: str,
        conversation_id: str,
        message_id: str,
        reason: str | None = None,
        comment: str = "",
        better: str = "",
    ) -> Remark:
        """Queue a remark on an answer for review; its thumb goes down with it.

        Said again, it replaces what was said before.

        Raises:
            NotFound: no such answer in a conversation of this owner.
            InvalidRequest: nothing is said, too much is, the answer is not complete, or the team
                has reviewed the remark already.
        """
        checked = _checked(reason, comment, better)
        shown = self._shown(owner, conversation_id, message_id)
        answer, before = shown[-1], shown[:-1]
        if answer.role != "assistant":
            raise InvalidRequest("Feedback is about an answer, not about a question.")
        if answer.status == "writing":
            raise InvalidRequest("The answer is still being written. Wait until it is complete.")
        given = self._remarks.give(_remark(owner, answer, before, checked, comment, better))
        self._messages.like(owner, message_id, False)
        return given

    def withdraw(self, owner: str, message_id: str) -> None:
        """Take a remark back, and the thumb with it.

        Raises:
            NotFound: this owner gave none on that answer.
            InvalidRequest: the team has reviewed it already.
        """
        self._remarks.withdraw(owner, message_id)
        self._messages.like(owner, message_id, None)

    def of_conversation(self, owner: str, conversation_id: str) -> Mapping[str, Remark]:
        """An owner's remarks in a conversation, by the id of the answer; withdrawn ones too."""
        return self._remarks.of_conversation(owner, conversation_id)

    def waiting(self) -> int:
        """How many remarks wait for a reviewer."""
        return self._remarks.counts()["open"]

    def parts(self) -> Parts:
        """The approved corrections: what is learned, what is set aside, what is in neither."""
        corrections = self._corrections.list()
        known = [(one.id, one.updated_at) for one in corrections]
        if self._parts is None or self._parts[0] != known:
            self._parts = known, parted(corrections)
        return self._parts[1]

    def examples(self) -> Sequence[Example]:
        """The approved corrections that may be learned from, newest first."""
        return [as_example(one, at) for at, one in enumerate(self.parts().trained, 1)]

    def held_out(self) -> Sequence[Example]:
        """Those that only measure what was learned: never to be trained on."""
        return [as_example(one, at) for at, one in enumerate(self.parts().held_out, 1)]

    def _shown(self, owner: str, conversation_id: str, message_id: str) -> Sequence[Message]:
        shown = self._conversations.branch(owner, conversation_id, message_id)
        if not shown:
            raise NotFound("There is no such message in this conversation.")
        return shown


def _checked(reason: str | None, comment: str, better: str) -> Reason | None:
    chosen = next((one for one in REASONS if one == reason), None)
    if reason and chosen is None:
        raise InvalidRequest(f"{reason!r} is no reason that is known here. Reload the page.")
    if not (chosen or comment.strip() or better.strip()):
        raise InvalidRequest("Choose a reason or write something before you send it.")
    for name, text, most in (
        ("comment", comment, LONGEST_COMMENT),
        ("better answer", better, LONGEST_ANSWER),
    ):
        if len(text) > most:
            raise InvalidRequest(
                f"The {name} is {len(text):,} characters long, but at most {most:,} are allowed. "
                "Please shorten it.",
                length=len(text),
                limit=most,
            )
    return chosen


def _remark(
    owner: str,
    answer: Message,
    before: Sequence[Message],
    reason: Reason | None,
    comment: str,
    better: str,
) -> NewRemark:
    question = before[-1] if before and before[-1].role == "user" else None
    earlier = before[:-1] if question else before
    return NewRemark(
        message_id=answer.id,
        conversation_id=answer.conversation_id,
        owner=owner,
        question=question.text[:LONGEST_QUESTION] if question else "",
        answer=answer.text,
        earlier=tuple(
            ChatMessage(turn.role, turn.text[:_EARLIER_LENGTH]) for turn in earlier[-_EARLIER:]
        ),
        model=answer.model,
        adapter=answer.adapter,
        grounding=_slim(answer.grounding),
        reason=reason,
        comment=comment.strip(),
        better=better.strip(),
    )


def _slim(grounding: Grounding | None) -> Grounding | None:
    """Without the parts of its trace that are long and help no reviewer."""
    if grounding is None or grounding.trace is None:
        return grounding
    return replace(grounding, trace=replace(grounding.trace, hits=(), prompt=()))
