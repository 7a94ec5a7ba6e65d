"""Every sentence the Review page says, in English and Chinese, beside those of the frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chatapp.ui.staff.texts import StaffWords, staff_translations
from chatapp.ui.texts import Language

_FRAME: Final = frozenset(
    {
        *("app_name", "pages", "chat", "knowledge", "teach", "review", "waiting_feedback"),
        *("language", "switch_theme", "sign_out", "dismiss", "restore", "cancel", "save", "more"),
    }
)
"""What the page's script and fixed HTML ask of the staff's texts."""

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "queue_tab": ("Feedback", "反馈"),
    "examples_tab": ("Examples", "示例"),
    "numbers_tab": ("Numbers", "数据"),
    "summary": (
        "{open} waiting · {approved} made into examples · {faq} into FAQ entries · "
        "{rejected} rejected",
        "{open} 条待审核 · {approved} 条成为示例 · {faq} 条成为问答 · {rejected} 条被驳回",
    ),
    "status": ("Show", "显示"),
    "status_open": ("Waiting", "待审核"),
    "status_approved": ("Made into examples", "已成为示例"),
    "status_faq": ("Made into FAQ entries", "已成为问答"),
    "status_missing_document": ("Missing documents", "缺少文档"),
    "status_rejected": ("Rejected", "已驳回"),
    "status_all": ("All", "全部"),
    "reason": ("Reason", "原因"),
    "reason_all": ("Any reason", "任意原因"),
    "reason_wrong": ("Wrong", "有错误"),
    "reason_incomplete": ("Incomplete", "不完整"),
    "reason_outdated": ("Outdated", "已过时"),
    "reason_not_from_documents": ("Not from our documents", "不是来自我们的文档"),
    "reason_tone": ("Tone", "语气不当"),
    "reason_other": ("Other", "其他"),
    "search_feedback": ("Search feedback", "搜索反馈"),
    "search_examples": ("Search examples", "搜索示例"),
    "nothing_waits": ("Nothing is waiting", "没有待审核的反馈"),
    "nothing_waits_help": (
        "When somebody marks an answer as bad in the chat and says why, it comes here.",
        "当有人在对话中标记回答不好并说明原因时，会出现在这里。",
    ),
    "none_found": ("No feedback fits these filters.", "没有符合筛选条件的反馈。"),
    "suggested": ("suggests an answer", "附有建议答案"),
    "no_question": ("(no question)", "（无问题）"),
    "earlier": ("Earlier in this conversation", "此前的对话"),
    "said_user": ("Customer", "顾客"),
    "said_assistant": ("Assistant", "助手"),
    "said_system": ("Instructions", "指令"),
    "shown": ("Answer that was shown", "当时的回答"),
    "comment": ("Comment", "补充说明"),
    "from": ("{route} · {writer}", "{route} · {writer}"),
    "route_faq": ("From the FAQ", "来自常见问题"),
    "route_sources": ("From sources", "来自资料"),
    "route_quote": ("Quoted from sources", "摘自资料原文"),
    "route_refused": ("Not in the documents", "资料中没有"),
    "route_persona": ("Without sources", "未使用资料"),
    "question": ("Question", "问题"),
    "answer": ("What it should say", "应该这样回答"),
    "answer_missing": (
        "Nothing was suggested. Write the answer you would give.",
        "没有建议答案，请写下你的答案。",
    ),
    "mask": (
        "Hide personal data in the example ({masked})",
        "在示例中隐藏个人信息（{masked}）",
    ),
    "mask_nothing": ("Hide personal data in the example", "在示例中隐藏个人信息"),
    "near_example": (
        "An approved example asks nearly the same: “{question}”. The same question keeps the "
        "newer answer.",
        "已有相近的示例：“{question}”。同一问题以较新的答案为准。",
    ),
    "collection": ("Collection", "知识库"),
    "note": ("Note on the missing document (optional)", "关于缺少文档的备注（选填）"),
    "approve": ("Approve as example", "批准为示例"),
    "to_faq": ("Make FAQ entry", "加入问答"),
    "missing_document": ("Missing document", "缺少文档"),
    "reject": ("Reject", "驳回"),
    "done_approved": ("Approved as an example.", "已批准为示例。"),
    "done_faq": (
        "In the FAQ. The assistant answers with it now.",
        "已加入问答，助手现在会据此回答。",
    ),
    "done_missing_document": (
        "Added to the unanswered questions on the Knowledge page.",
        "已加入知识库页面的未能回答列表。",
    ),
    "done_rejected": ("Rejected.", "已驳回。"),
    "undone": ("It waits for review again.", "已恢复为待审核。"),
    "decided": ("{what} · {day}", "{what} · {day}"),
    "examples_lead": (
        "Approved questions with the answers to be learned. One in five is set aside: it only "
        "measures what was learned and is never trained on.",
        "已批准的问题及要学习的答案。其中五分之一留作评测，不用于训练。",
    ),
    "learned": ("{n} to learn from", "{n} 条用于学习"),
    "set_aside": ("{n} set aside", "{n} 条留作评测"),
    "left_out": (
        "{n} left out, too near to one that is set aside",
        "{n} 条因与留作评测的示例过于相近而不用",
    ),
    "part_held_out": ("set aside", "留作评测"),
    "part_too_near": ("left out", "未使用"),
    "teach_with": ("Teach with these ({n})", "用这些进行训练（{n}）"),
    "download_aside": ("Set-aside ones as a file", "下载留作评测的示例"),
    "no_examples": ("No examples yet", "还没有示例"),
    "no_examples_help": (
        "Approve feedback as an example, and it will be kept here to learn from.",
        "将反馈批准为示例后，会保存在这里供学习使用。",
    ),
    "no_example_found": ("No example mentions “{search}”.", "没有示例提到“{search}”。"),
    "column_example": ("Question", "问题"),
    "column_learned": ("Answer", "答案"),
    "edit_example": ("Edit “{question}”", "编辑“{question}”"),
    "delete_example": ("Delete “{question}”", "删除“{question}”"),
    "example_saved": ("Saved.", "已保存。"),
    "example_deleted": ("Deleted the example.", "已删除示例。"),
    "thumbs": ("Thumbs", "点赞与点踩"),
    "thumbs_counted": (
        "{up} up, {down} down in the last 30 days: {share} up",
        "最近 30 天：{up} 个赞，{down} 个踩，好评率 {share}",
    ),
    "no_thumbs": (
        "Nobody has judged an answer in the last 30 days.",
        "最近 30 天没有人评价过回答。",
    ),
    "example_restored": ("As it was before.", "已恢复原样。"),
    "votes": ("Blind votes", "盲测投票"),
    "votes_help": (
        "Two answers to one question, names hidden until somebody voted.",
        "同一问题的两个回答，投票前隐藏回答者。",
    ),
    "no_votes": ("Nobody has compared two answers yet.", "还没有人对比过回答。"),
    "compare": ("Compare two answers", "对比两个回答"),
    "column_pair": ("Pair", "对比"),
    "column_votes": ("Votes", "票数"),
    "column_won": ("Won", "胜"),
    "column_lost": ("Lost", "负"),
    "column_tie": ("Equal", "平"),
    "column_bad": ("Both bad", "都不好"),
    "column_rate": ("Win rate", "胜率"),
    "against": ("{name} against {other}", "{name} 对 {other}"),
    "base_model": ("base model", "基础模型"),
    "labels": ("What customers write about", "顾客在问什么"),
    "labels_help": (
        "Labels that the live classifiers gave to questions in the last 30 days.",
        "已上线的分类器在最近 30 天为提问打的标签。",
    ),
    "no_labels": (
        "No classifier is live, or nothing was asked since.",
        "没有已上线的分类器，或之后还没有提问。",
    ),
    "purpose_intent": ("Intent", "意图"),
    "purpose_topic": ("Topic", "主题"),
    "purpose_sentiment": ("Sentiment", "情感"),
    "column_messages": ("Messages", "消息数"),
}


@dataclass(frozen=True)
class ReviewWords(StaffWords):
    """The texts of the Review page in one language; those of the frame are the staff's."""

    def __call__(self, key: str, **facts: str | int | float) -> str:
        """The text for ``key`` with its facts filled in."""
        found = _TEXTS.get(key)
        if found is None:
            return StaffWords(self.language)(key, **facts)
        text = found[0 if self.language == "en" else 1]
        return text.format(**facts) if facts else text


def review_translations(language: Language) -> dict[str, str]:
    """Every text that the page's script may ask for by its key."""
    words, frame = ReviewWords(language), staff_translations(language)
    return {key: frame[key] for key in _FRAME} | {key: words(key) for key in _TEXTS}


def review_keys() -> frozenset[str]:
    """The names of the page's own texts."""
    return frozenset(_TEXTS)
