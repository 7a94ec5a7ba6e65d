"""The same question in other words, by rules that change no fact.

Openers, contractions, courtesy and, if wanted, a typing error. What must not change is checked
afterwards and not only hoped for: numbers, negations, names, quotations and addresses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from chatapp.knowledge.normalising import normalised

Rule = Callable[[str, Random], str]
"""Gives the text back as it is where it does not apply."""

_CJK = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")

_OPENERS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(rf"(?:{pattern})(?![\w'’])", re.IGNORECASE), others)
    for pattern, others in (
        ("how (?:do|can|could|would) i", ("how do I", "how can I", "how could I")),
        ("how (?:do|can) we", ("how do we", "how can we", "how could we")),
        (
            "(?:can|could|would) you(?: please)?",
            ("can you", "could you", "would you", "could you please", "can you please"),
        ),
        ("(?:can|could|may) i", ("can I", "could I", "may I")),
        (
            "i(?: want|'d like| would like|’d like) to know",
            ("I'd like to know", "I want to know", "please tell me"),
        ),
        (
            "i(?: want|'d like| would like|’d like) to",
            ("I want to", "I'd like to", "I would like to"),
        ),
        ("(?:please )?tell me", ("tell me", "please tell me", "let me know", "can you tell me")),
        (
            "(?:is there (?:a|any) way|is it possible) to",
            ("is there a way to", "is it possible to"),
        ),
        ("do you have", ("do you have", "have you got")),
        ("what(?: i|'|’)s the (?:best )?way to", ("what is the way to", "what's the best way to")),
        ("why (?:is|are|was|were|did|has|have|does|do)", ()),
    )
)
_CONTRACTIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"(?<![\w'’])(?:{pattern})(?![\w'’])"), other)
    for pattern, other in (
        ("I am", "I'm"), ("I['’]m", "I am"), ("[Ii] will", "I'll"), ("I['’]ll", "I will"),
        ("I['’]ve", "I have"), ("it is", "it's"), ("that is", "that's"), ("what is", "what's"),
        ("What is", "What's"), ("what['’]s", "what is"), ("What['’]s", "What is"),
        ("where is", "where's"), ("Where is", "Where's"), ("where['’]s", "where is"),
        ("Where['’]s", "Where is"), ("we are", "we're"), ("you are", "you're"),
        ("they are", "they're"), ("they['’]re", "they are"), ("you['’]re", "you are"),
        ("we['’]re", "we are"),
    )
)  # fmt: skip
_ASKS = re.compile(
    r"(?:how|what|when|where|which|who|can|could|would|may|is|are|do|does|please|tell|i want|i need"
    r"|i'd like|i would like|i’d like|help)\b",
    re.IGNORECASE,
)
_GREETED = re.compile(r"(?:hi|hello|hey|dear|good (?:morning|evening|day))\b", re.IGNORECASE)
_CLOSED = re.compile(r"\b(?:please|thanks|thank you|cheers)\b", re.IGNORECASE)
_ENDS = "?.!？。！ \t\n"
_LONGEST = 1_000
"""Characters: a longer text is no question."""

_CHINESE: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), others)
    for pattern, others in (
        ("为什么|为何", ("为什么", "为何")),
        ("怎么样才能|怎么才能|如何才能|怎样才能", ("怎么才能", "如何才能", "怎样才能")),
        (
            "(?:如何|怎样)(?=[\u4e00-\u9fff])|怎么(?![么样办回了会能这那还就不没可都又搞着好成])",
            ("怎么", "如何", "怎样"),
        ),
        ("什么时候|何时", ("什么时候", "何时")),
        ("多久|多长时间", ("多久", "多长时间")),
        ("哪里|哪儿", ("哪里", "哪儿")),
        ("能不能|可不可以", ("能不能", "可不可以")),
        ("我想要|我想(?![念起到法])", ("我想", "我想要")),
        ("(?<![请烦])帮我", ("请帮我", "麻烦帮我")),
    )
)  # fmt: skip
_CHINESE_QUESTION = re.compile(
    "怎么|怎样|如何|什么|为何|何时|哪|多久|多长|多少|能不能|可不可以|吗$|(?<!了)呢$"
)
_CHINESE_REQUEST = re.compile("我想|我要|我需要|帮我|请|麻烦|查")
_CHINESE_CLAUSES = re.compile("[，,。!！；;…~～、\\s]")
_LONGEST_CHINESE = 40
_CHINESE_GREETED = re.compile("你好|您好|请问|麻烦|谢")

_SACRED = re.compile(r"https?://\S+|\S+@\S+|`[^`]*`|\"[^\"]*\"|“[^”]*”|「[^」]*」|《[^》]*》")
_NUMBERS = re.compile(r"[\w#€$£¥%.,:/-]*\d[\w#€$£¥%.,:/-]*")
_NEGATIONS = re.compile(
    r"\b(?:no|not|none|nothing|never|neither|nor|without|except|unless|only|cannot|\w+n['’]t"
    r"|(?:do|does|did|is|are|was|were|ca|wo|would|could|should|has|have|had|must|need)nt)\b"
    "|[不没無无未非勿别仅]",
    re.IGNORECASE,
)
_NAMES = re.compile(r"\b[A-Z][\w'’-]*")
_NO_NAMES = re.compile(
    r"I(?:['’](?:m|d|ll|ve))?|An?|The|How|What(?:['’]s)?|When|Where(?:['’]s)?|Which|Who|Why|Can|Could"
    r"|Would|May|Is|Are|Do|Does|Did|Please|Tell|Let|Hi|Hello|Hey|Have|Has|Was|Were|Will|My|We|You"
    r"|It|There|This|That|If|Help|Thanks"
)


def paraphrased(text: str, random: Random, *, typos: bool = False) -> str | None:
    """The text in other words; None where no rule fits or something would change.

    Args:
        text: a question, a request or any other text, in English or Chinese.
        random: decides which rules.
        typos: whether a letter may be misplaced, as in what people type.
    """
    if len(text) > _LONGEST:
        return None
    rules: Sequence[Rule] = (
        (_chinese_words, _chinese_courtesy)
        if _CJK.search(text)
        else (_opener, _contraction, _courtesy)
    )
    chosen = [rule for rule in rules if random.random() < 0.7] or [random.choice(rules)]
    copy = text
    for rule in (*chosen, *([_typo] if typos else ())):
        copy = rule(copy, random)
    if normalised(copy) == normalised(text):
        for rule in rules:
            copy = rule(copy, random)
    changed = normalised(copy) != normalised(text)
    return copy if changed and facts_of(copy) == facts_of(text) else None


def facts_of(text: str) -> tuple[tuple[str, ...], ...]:
    """What a paraphrase must keep: numbers, negations, names, and what is quoted."""
    names = (match[0] for match in _NAMES.finditer(text))
    return (
        tuple(_NUMBERS.findall(text)),
        tuple(one.lower() for one in _NEGATIONS.findall(text)),
        tuple(name for name in names if not _NO_NAMES.fullmatch(name)),
        tuple(_SACRED.findall(text)),
    )


def _opener(text: str, random: Random) -> str:
    for pattern, others in _OPENERS:
        if match := pattern.match(text):
            said = match[0].lower().replace("’", "'")
            different = [other for other in others if other.lower() != said]
            if not different:
                return text
            return _like(text, random.choice(different)) + text[match.end() :]
    return text


def _like(text: str, opener: str) -> str:
    """Begins with a capital where the text does."""
    if text[0].isupper():
        return opener[0].upper() + opener[1:]
    return opener if text != text.lower() else opener.replace("I", "i")


def _contraction(text: str, random: Random) -> str:
    fitting = [
        (match, other)
        for pattern, other in _CONTRACTIONS
        for match in pattern.finditer(text)
        if not _ends_clause(text, match.end())
    ]
    if not fitting:
        return text
    match, other = random.choice(fitting)
    return text[: match.start()] + other + text[match.end() :]


def _ends_clause(text: str, at: int) -> bool:
    """Nobody says "tell me where it's"."""
    return not text[at:].strip() or text[at:].lstrip()[:1] in ".,;:?!"


def _courtesy(text: str, random: Random) -> str:
    if not _ASKS.match(text) or "\n" in text:
        return text
    body = text.rstrip(_ENDS)
    mark = text[len(body) :].strip()
    choices: list[str] = []
    if not _CLOSED.search(text):
        choices += [f"{body}, please{mark}", f"{body}{mark or '.'} Thanks!"]
    if not _GREETED.match(text):
        first = body if body.startswith(("I ", "I'", "I’")) else body[0].lower() + body[1:]
        choices += [f"Hi, {first}{mark}", f"Hello, {first}{mark}"]
    return random.choice(choices) if choices else text


def _chinese_words(text: str, random: Random) -> str:
    fitting = [(match, others) for pattern, others in _CHINESE if (match := pattern.search(text))]
    if not fitting:
        return text
    match, others = random.choice(fitting)
    different = [other for other in others if other != match[0]]
    return text[: match.start()] + random.choice(different) + text[match.end() :]


def _chinese_courtesy(text: str, random: Random) -> str:
    """Only for a question or a request of one clause: a review wants none."""
    body = text.rstrip(_ENDS)
    mark = text[len(body) :].strip()
    asks = _CHINESE_QUESTION.search(body)
    if len(body) > _LONGEST_CHINESE or _CHINESE_CLAUSES.search(body) or mark in ("!", "！"):
        return text
    if not asks and not _CHINESE_REQUEST.match(body):
        return text
    choices = [f"{body}{mark or '，'}谢谢"] if "谢" not in text else []
    if not _CHINESE_GREETED.search(text):
        choices.append(f"你好，{text}")
        if asks and not _CHINESE_REQUEST.match(body):
            choices += [f"请问{text}", f"请问一下，{text}"]
    if asks and not body.endswith(("吗", "呢", "了", "啊", "不")) and "能不能" not in body:
        choices.append(f"{body}呢{mark}")
    return random.choice(choices) if choices else text


def _typo(text: str, random: Random) -> str:
    """Two letters of a long, ordinary word change places."""
    sacred = [match.span() for match in _SACRED.finditer(text)]
    words = [
        match
        for match in re.finditer(r"\b[a-z]{5,}\b", text)
        if not _NEGATIONS.search(match[0])
        and not any(start <= match.start() < end for start, end in sacred)
    ]
    if not words:
        return text
    word = random.choice(words)
    at = word.start() + random.randrange(1, len(word[0]) - 2)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
