"""Instructions that somebody put into a document, meant for the model that reads it.

The prompt tells the model that documents are data; a model may follow such text all the same.
So what clearly speaks to a machine is neither shown to it, nor quoted, nor taken as support of
an answer. Not covered: instructions in other words than these, or spread over sentences; against
those stand only the prompt and the check of each sentence.
"""

from __future__ import annotations

import re
from typing import Final

_PATTERNS: Final = (
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:previous|prior|above|earlier|"
    r"preceding|all|any|your|system|other)\b.{0,40}\b(?:instruct\w*|prompts?|rules?|guidelines?|"
    r"messages?|context|directions?|training)\b",
    r"\b(?:system|developer) (?:prompt|message|override)\b",
    r"\byou are (?:now|no longer) (?:an?|the|in)\b",
    r"\b(?:act|behave|respond|pretend|roleplay) as (?:if you|though you|an? (?:ai|assistant|"
    r"chatbot|different|unrestricted))\b",
    r"\b(?:reply|respond|answer|output|say)\b (?:only|exclusively|nothing but|exactly)\b",
    r"\bnew instructions?\b\s*:|\binstructions? (?:for|to) (?:the |all |any )?(?:ai|llm|model|"
    r"assistant|chatbot|language model)",
    r"\b(?:as an?|dear|attention,?|hey) (?:ai|llm|language model|chatbot|ai assistant)\b",
    r"\bdo not (?:tell|reveal|mention to|inform) the (?:user|customer)\b",
    r"\b(?:reveal|print|repeat|show|leak)\b.{0,30}\b(?:your|the) (?:system )?"
    r"(?:prompt|instructions)\b",
    r"<\|[a-z_]+\|>|\[/?INST\]|<</?SYS>>|</?(?:system|assistant|user|passages?)\b",
    r"(?:忽略|无视|忘记|忘掉|不要理会).{0,12}(?:之前|以上|上述|前面|先前|所有|原有|系统).{0,8}"
    r"(?:指令|指示|提示|规则|要求|内容|设定)",
    r"(?:系统提示词|系统提示|系统指令)|你现在(?:是|扮演)|从现在开始你",
    r"(?:只|仅)(?:能|需|要)?(?:回答|回复|输出)|不要告诉(?:用户|客户|顾客)",
    r"(?:ignoriere|vergiss)\b.{0,30}\b(?:anweisung\w*|regeln|vorgaben)",
    r"(?:ignore[zr]?|oublie[zr]?)\b.{0,30}\b(?:instructions|consignes|règles)",
    r"(?:ignora|olvida|dimentica)\b.{0,30}\b(?:instrucciones|istruzioni|reglas|regole)",
)
_PLANTED: Final = re.compile("|".join(_PATTERNS), re.IGNORECASE | re.DOTALL)


def is_planted(sentence: str) -> bool:
    """Whether a sentence of a document gives orders to the model that reads it."""
    return _PLANTED.search(sentence) is not None
