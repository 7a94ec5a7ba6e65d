"""What the chat says about feedback, adapters and comparisons, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FEEDBACK_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "feedback_reason": ("What was wrong with it?", "哪里不对？"),
    "reason_wrong": ("Wrong", "有错误"),
    "reason_incomplete": ("Incomplete", "不完整"),
    "reason_outdated": ("Outdated", "已过时"),
    "reason_not_from_documents": ("Not from our documents", "不是来自我们的文档"),
    "reason_tone": ("Tone", "语气不当"),
    "reason_other": ("Other", "其他"),
    "feedback_comment": ("Anything to add? (optional)", "补充说明（选填）"),
    "feedback_better": ("What should it have said? (optional)", "应该怎么回答？（选填）"),
    "feedback_send": ("Send", "提交"),
    "feedback_sending": ("Sending…", "正在提交……"),
    "feedback_nothing": (
        "Choose a reason or write something before you send it.",
        "请先选择原因或写点什么再提交。",
    ),
    "feedback_too_long": (
        "“{field}” has {length} characters, at most {limit} are allowed. Please shorten it.",
        "“{field}”有 {length} 个字符，最多 {limit} 个，请缩短。",
    ),
    "feedback_thanks": (
        "Thank you. The team will look at it.",
        "谢谢，团队会查看你的反馈。",
    ),
    "feedback_change": ("Change", "修改"),
    "feedback_withdraw": ("Take back", "撤回"),
    "feedback_withdrawn": ("Your feedback was taken back.", "你的反馈已撤回。"),
    "feedback_reviewed": (
        "The team has reviewed your feedback. Thank you.",
        "团队已处理你的反馈，谢谢。",
    ),
    "staff_only": ("For staff", "仅限员工"),
    "who_answers": ("Who answers", "由谁回答"),
    "who_answers_help": (
        "Only for your own questions in this tab. Customers always get the live one.",
        "仅影响你在此标签页中的提问，顾客始终使用已上线的版本。",
    ),
    "loading_adapter": ("Getting {name} ready…", "正在准备 {name}……"),
    "live_adapter": ("Live: {name}", "已上线：{name}"),
    "base_model": ("base model", "基础模型"),
    "answers_as": ("Answers: {name}", "回答者：{name}"),
    "back_to_live": ("Back to the live one", "恢复为已上线的版本"),
    "written_by": ("Written by {name}", "由 {name} 撰写"),
    "label_sure": (
        "{purpose} · {percent}% sure · {adapter}",
        "{purpose} · 把握 {percent}% · {adapter}",
    ),
    "purpose_intent": ("Intent", "意图"),
    "purpose_topic": ("Topic", "主题"),
    "purpose_sentiment": ("Sentiment", "情感"),
    "compare": ("Compare two answers", "对比两个回答"),
    "close_compare": ("Close the comparison", "关闭对比"),
    "compare_help": (
        "One question, two answers at once. The model is asked alone, without the documents.",
        "一个问题，同时得到两个回答。直接询问模型，不使用文档。",
    ),
    "compare_loading": ("Getting both ready…", "正在准备……"),
    "compare_nothing": (
        "There is nothing to compare with the base model yet: nothing has been taught.",
        "还没有可以与基础模型对比的内容：尚未进行过训练。",
    ),
    "compare_first": ("One", "其一"),
    "compare_second": ("The other", "其二"),
    "compare_blind": (
        "Blind: hide who wrote what until I have voted",
        "盲测：投票之前隐藏回答者",
    ),
    "compare_question": ("Question", "问题"),
    "compare_ask": ("Ask both", "同时提问"),
    "vote": ("Which one is better?", "哪个更好？"),
    "vote_left": ("A is better", "A 更好"),
    "vote_right": ("B is better", "B 更好"),
    "vote_tie": ("Equally good", "一样好"),
    "vote_both_bad": ("Both bad", "都不好"),
    "vote_better": ("better", "更好"),
    "voted_better": ("You preferred {name}.", "你选择了 {name}。"),
    "voted_tie": ("You found them equally good.", "你认为两者一样好。"),
    "voted_both_bad": ("You found both bad.", "你认为两者都不好。"),
    "tally": (
        "So far {name} against {other}: {wins} won, {losses} lost, {rest} undecided.",
        "目前 {name} 对 {other}：胜 {wins}，负 {losses}，未分胜负 {rest}。",
    ),
}
