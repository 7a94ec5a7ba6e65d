"""Questions that only make sense after the ones before: "And for the blue one?"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from chatapp.knowledge.smalltalk import is_small_talk
from chatapp.knowledge.stop_words import STOP_WORDS
from chatapp.records import ChatMessage

_LOOKS_BACK: Final = 4
"""Earlier questions that may hold what this one is about."""

_READ: Final = 400
"""Characters of an earlier message that are looked at."""

_NAMES_TAKEN: Final = 2
_LONGEST: Final = 14
"""Words; a longer question says itself what it is about. Chinese characters count as halves."""

_GOES_ON: Final = re.compile(
    r"\s*(?:and|but|or|what about|how about|also|what if|same for|und|aber|oder|was ist mit|"
    r"wie (?:ist|sieht) es|et|mais|ou|y|e|pero|o|qué tal|en|maar|a|и|а|ve|peki|"
    r"そして|では|じゃあ|그럼|그리고)\b[\s,]*|\s*(?:那么?|还有|以及|另外|如果是|换成)[，,]?",
    re.IGNORECASE,
)
_POINTS_BACK: Final = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|that|these|those|one|ones|there|he|she|him|her|"
    r"the (?:same|other|first|second|third|last|latter|former|cheaper|bigger|smaller|larger)"
    r"(?: ones?)?|such|es|er|sie|ihn|ihm|ihnen|dies\w*|das|dort|dafür|davon|damit|ça|cela|celui|"
    r"celle|ceux|eso|esto|ese|este|ello|esa|allí|quello|questo)\b"
    r"|它们?|他们|她们|这个|那个|这款|那款|这种|那种|这些|那些|这件|那件|这样|前者|后者|此(?!外)",
    re.IGNORECASE,
)
_POINTS_NOWHERE: Final = re.compile(
    r"\b(?:is|was|would|will) (?:it|there)\s+(?:be\s+)?(?:still\s+|also\s+)?(?:possible|ok|okay|"
    r"true|allowed|necessary|free|an?|any)\b|\b(?:are|were) there\b|\bthere (?:is|are)\b"
    r"|\b(?:does|will|would|did) it (?:cost|take|matter)\b(?=.*\b(?:to|for|if|when)\b)"
    r"|\b(?:this|that|these|those) (?=(?:week|month|year|morning|evening)\b)"
    r"|\b(?:\w+) (?:that|which)\b(?= (?:i|we|you|is|are|was|were|has|have)\b)"
    r"|\bone of\b|\bno one\b|\bthis (?:shop|store|site|website|company|app)\b"
    r"|\bgibt es\b|\bist es (?:möglich|erlaubt)\b|\bwie geht es\b|^\s*(?:das|sie|können sie)\b",
    re.IGNORECASE,
)
_ONLY_ASKS: Final = re.compile(
    r"\s*(?:why(?: not)?|how(?: much| many| long| far| often| come| so)?|when|where|which(?: one)?|"
    r"who|what|really|for how long|until when|since when|by when|warum|wieso|wann|wo|wie lange|"
    r"wie viel|pourquoi|quand|combien|où|por qué|cuándo|cuánto|dónde|perché|quando|quanto|"
    r"为什么|多少钱?|多久|多长时间|什么时候|在哪里?|哪里|怎么办?|怎么弄|如何|真的吗|可以吗|行吗|需要吗|"
    r"要钱吗|收费吗)\s*[?？!！.。]*\s*",
    re.IGNORECASE,
)
_ELLIPSIS: Final = re.compile(r"呢\s*[？?]?\s*\Z")
_ASKING: Final = re.compile(
    r"请问|麻烦|想(?:问|知道|了解)(?:一下)?|多少钱?|怎么样?|怎样|如何|为什么|什么时候|什么|哪里|哪些|"
    r"哪个|几天|多久|多长时间|是不是|有没有|是否|能不能|可不可以|可以|能否|能|需要|要|应该|会|"
    r"我们?|你们?|您|的话|[吗呢吧啊了？?！!。，,]"
)
_OWN_VERB: Final = re.compile(
    r"\b(?:is|are|was|were|do|does|did|can|could|will|would|should|may|must|has|have|"
    r"ist|sind|kann|kostet|est|sont|peut|es|son|puede)\b|吗|多少|怎么|如何|什么|几",
    re.IGNORECASE,
)
_FILLERS: Final = frozenset[str]().union(*STOP_WORDS.values())
_RUN: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_NAME: Final = re.compile(
    # A figure such as 1,780 is no part of a name.
    r"\b(?:[A-Z][\w-]*|\d[\w-]*(?![,.]?\d))(?:\s+(?:[A-Z][\w-]*|\d[\w-]*(?![,.]?\d)))+"
)
_WIDE: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff]")


def standalone(question: str, history: Sequence[ChatMessage]) -> str:
    """The question with what it leaves to the conversation before it.

    By rules, in English and Chinese and at the beginnings of a few other languages; a question
    that stands alone comes back as it is. What is missing is taken from the last earlier
    question that says it, and, for a question that points at something, from the names in the
    answer to it. The result is meant for a search, not for a reader.

    Args:
        history: the turns before the question; system messages are passed over.
    """
    turns = [turn for turn in history if turn.role != "system" and turn.content.strip()]
    asked = [number for number, turn in enumerate(turns) if turn.role == "user"]
    topic, names = "", ""
    for number in asked[-_LOOKS_BACK:]:
        earlier = turns[number].content.strip()[-_READ:]
        if is_small_talk(earlier):
            continue
        topic = _completed(earlier, topic, names)
        answer = turns[number + 1] if number + 1 < len(turns) else None
        names = _names(answer.content) if answer and answer.role == "assistant" else ""
    return _completed(question, topic, names)


def _completed(question: str, topic: str, names: str) -> str:
    if not topic or is_small_talk(question):
        return question
    if _goes_on(question):
        # What is asked comes from the question before, and this one changes a part of it.
        return f"{topic} {question}"
    if _points_back(question):
        things = f"{_thing(topic)} {names}".strip()
        return f"{question} ({things})" if things else question
    return question


def _goes_on(question: str) -> bool:
    """Whether it is a fragment, whose verb is in the question before."""
    if _words(question) > _LONGEST:
        return False
    if _ONLY_ASKS.fullmatch(question):
        return True
    opening = _GOES_ON.match(question)
    if _ELLIPSIS.search(question):
        return _words(question) <= 8
    if opening is None:
        return False
    rest = question[opening.end() :]
    return not _OWN_VERB.search(rest)


def _points_back(question: str) -> bool:
    """Whether a pronoun stands for something that was named before."""
    if _words(question) > _LONGEST:
        return False
    return _POINTS_BACK.search(_POINTS_NOWHERE.sub(" ", question)) is not None


def _thing(topic: str) -> str:
    """What a question is about, without what it asks of it."""
    if _WIDE.search(topic):
        return " ".join(_ASKING.sub(" ", topic).split())
    return " ".join(word for word in _RUN.findall(topic) if word.lower() not in _FILLERS)


def _names(answer: str) -> str:
    """Names with several parts, such as a product's, in the first lines of an answer."""
    found: dict[str, None] = {}
    for match in _NAME.finditer(answer[:_READ]):
        parts = match[0].split()
        while parts and parts[0].lower() in _FILLERS:
            del parts[0]
        if len(parts) > 1:
            found[" ".join(parts)] = None
    return " ".join(list(found)[:_NAMES_TAKEN])


def _words(text: str) -> int:
    wide = len(_WIDE.findall(text))
    return len(_RUN.findall(_WIDE.sub(" ", text))) + (wide + 1) // 2
