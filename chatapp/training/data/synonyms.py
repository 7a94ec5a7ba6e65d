"""What people call the columns of labelled data, in English and Chinese."""

from __future__ import annotations

import re

_NAMES: dict[str, tuple[str, ...]] = {
    "messages": ("messages", "message", "dialog", "dialogue", "chat", "对话", "消息"),
    "conversations": ("conversations", "conversation", "会话"),
    "instruction": ("instruction", "instructions", "指令", "说明"),
    "input": ("input", "inputs", "输入"),
    "output": ("output", "outputs", "输出"),
    "prompt": ("prompt", "prompts", "提示", "提示词"),
    "completion": ("completion", "completions", "补全", "续写"),
    "question": (
        *("question", "questions", "query", "query_text", "q", "ask", "user", "user_message"),
        *("customer", "customer_message", "问题", "问", "提问", "用户", "客户", "顾客", "问句"),
    ),
    "answer": (
        *("answer", "answers", "a", "reply", "response", "responses", "assistant", "target"),
        *("bot", "agent", "agent_response", "答案", "回答", "答", "回复", "客服", "答复"),
    ),
    "text": (
        *("text", "texts", "utterance", "sentence", "review", "comment", "content", "body"),
        *("tweet", "document", "feedback", "description", "post", "title"),
        *("文本", "内容", "评论", "评价", "句子", "正文", "反馈", "留言"),
    ),
    "label": (
        *("label", "labels", "category", "categories", "class", "intent", "topic", "sentiment"),
        *("tag", "emotion", "rating", "type", "label_text", "category_name", "intent_name"),
        *("标签", "类别", "分类", "意图", "情感", "主题", "情绪", "类型"),
    ),
    "chosen": ("chosen", "preferred", "better", "accepted", "选中", "优选", "好回答"),
    "rejected": ("rejected", "dispreferred", "worse", "拒绝", "差回答"),
    "system": ("system", "system_prompt", "persona", "系统", "系统提示", "系统提示词"),
    "context": ("context", "context_text", "passage", "paragraph", "上下文", "背景", "材料"),
}
_ROLES = {name: role for role, names in _NAMES.items() for name in names}
_ALSO_HEADERS = {"id", "index", "idx", "no", "number", "language", "lang", "split", "date", "time"}
_ALSO_HEADERS |= {"source", "score", "id_", "序号", "编号", "语言", "日期", "来源"}
_BETWEEN = re.compile(r"[\s_\-./]+")


def plain(name: str) -> str:
    """A column's name as it is looked up: ``Customer Message`` is ``customer_message``."""
    return _BETWEEN.sub("_", name.strip().strip("\ufeff\"'").casefold()).strip("_")


def role_of(name: str) -> str:
    """The role that a column's name speaks of; empty if none.

    A number behind the name changes nothing, nor does a second part: ``text (2)``, ``intent_1``.
    """
    bare = plain(re.sub(r"\s*\(?\d+\)?$", "", name)) or plain(name)
    return _ROLES.get(plain(name), _ROLES.get(bare, ""))


def is_exact(name: str, role: str) -> bool:
    """Whether the column has the very name of the role."""
    return plain(name) == role


def is_known(name: str) -> bool:
    """Whether the name is one that columns have."""
    return bool(name) and (bool(role_of(name)) or plain(name) in _ALSO_HEADERS)
