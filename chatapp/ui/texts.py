"""Every sentence the page says, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from chatapp.ui.feedback_texts import FEEDBACK_TEXTS

Language = Literal["en", "zh"]
LANGUAGES: Final[Mapping[Language, str]] = {"en": "EN", "zh": "中文"}
GRADIO_LOCALES: Final[Mapping[Language, str]] = {"en": "en", "zh": "zh-CN"}

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "app_name": ("Support assistant", "支持助手"),
    "new_chat": ("New chat", "新对话"),
    "conversations": ("Conversations", "对话列表"),
    "search": ("Search conversations", "搜索对话"),
    "today": ("Today", "今天"),
    "earlier": ("Earlier", "更早"),
    "no_conversations": ("Your conversations will be listed here.", "你的对话会列在这里。"),
    "nothing_found": ("No conversation mentions “{search}”.", "没有对话提到“{search}”。"),
    "untitled": ("New chat", "新对话"),
    "rename": ("Rename “{title}”", "重命名“{title}”"),
    "delete": ("Delete “{title}”", "删除“{title}”"),
    "deleted": ("Deleted “{title}”.", "已删除“{title}”。"),
    "restore": ("Undo", "撤销"),
    "dismiss": ("Dismiss", "关闭"),
    "import": ("Import", "导入"),
    "imported": ("Imported “{title}”.", "已导入“{title}”。"),
    "export_markdown": ("Export Markdown", "导出 Markdown"),
    "export_json": ("Export JSON", "导出 JSON"),
    "nothing_to_export": ("There is nothing to export yet.", "还没有可以导出的内容。"),
    "close_settings": ("Close chat settings", "关闭对话设置"),
    "switch_theme": ("Switch between light and dark", "切换浅色与深色"),
    "language": ("Language", "语言"),
    "persona": ("Assistant", "助手"),
    "composer": ("Your message", "你的消息"),
    "composer_hint": ("Ask anything…", "想问什么就问什么……"),
    "keys": (
        "Enter sends · Shift+Enter breaks the line · Esc stops",
        "Enter 发送 · Shift+Enter 换行 · Esc 停止",
    ),
    "send": ("Send", "发送"),
    "stop": ("Stop", "停止"),
    "welcome": ("How can I help?", "有什么可以帮你？"),
    "try_one": ("Try one of these", "可以试试这些"),
    "thread": ("Conversation", "对话内容"),
    "you": ("You", "你"),
    "assistant": ("Assistant", "助手"),
    "copy": ("Copy", "复制"),
    "copied": ("Copied", "已复制"),
    "retry": ("Answer again", "重新回答"),
    "undo": ("Take back this question", "撤回这个问题"),
    "edit": ("Edit", "编辑"),
    "edit_label": ("Edit your message", "编辑你的消息"),
    "edit_send": ("Send again", "重新发送"),
    "cancel": ("Cancel", "取消"),
    "like": ("Good answer", "回答得好"),
    "dislike": ("Bad answer", "回答得不好"),
    "versions": ("Version {n} of {of}", "第 {n} 版，共 {of} 版"),
    "previous_version": ("Previous version", "上一版"),
    "next_version": ("Next version", "下一版"),
    "queued_one": ("Queued, 1 ahead of you", "排队中，前面还有 1 个"),
    "queued": ("Queued, {ahead} ahead of you", "排队中，前面还有 {ahead} 个"),
    "thinking": ("Thinking…", "思考中……"),
    "writing": ("Writing…", "正在书写……"),
    "elsewhere": (
        "This answer is being written in another tab. Reload to see it.",
        "这个回答正在另一个标签页中生成，重新加载即可看到。",
    ),
    "stopped": ("Stopped", "已停止"),
    "cut_off": ("Reached the length limit", "已达到长度上限"),
    "failed": ("Something went wrong.", "出了点问题。"),
    "try_again": ("Try again", "再试一次"),
    "dropped_one": (
        "The oldest turn no longer fits and was left out of this answer.",
        "对话过长，最早的 1 轮未纳入这次回答。",
    ),
    "dropped": (
        "The {count} oldest turns no longer fit and were left out of this answer.",
        "对话过长，最早的 {count} 轮未纳入这次回答。",
    ),
    "tokens_one": ("1 token", "1 个词元"),
    "tokens": ("{count:,} tokens", "{count:,} 个词元"),
    "seconds": ("{total:.1f} s", "{total:.1f} 秒"),
    "first_token": ("first {first:.1f} s", "首字 {first:.1f} 秒"),
    "waited": ("queued {queued:.1f} s", "排队 {queued:.1f} 秒"),
    "answer_ready": ("The assistant answered: {text}", "助手回答：{text}"),
    "route_faq": ("From the FAQ", "来自常见问题"),
    "route_sources": ("From sources", "来自资料"),
    "route_quote": ("Quoted from sources", "摘自资料原文"),
    "route_refused": ("Not in the documents", "资料中没有"),
    "route_persona": ("Without sources", "未使用资料"),
    "milliseconds": ("{count} ms", "{count} 毫秒"),
    "why": ("why?", "为什么？"),
    "why_this_answer": ("Why this answer?", "为什么这样回答？"),
    "flag_unsupported": ("no source says so", "资料中没有依据"),
    "flag_figure": ("figure not in the sources", "资料中没有这个数字"),
    "source_label": ("Source {number}: {title}", "来源 {number}：{title}"),
    "sources": ("Sources", "来源"),
    "sources_panel": ("Sources of this answer", "这个回答的来源"),
    "close_sources": ("Close sources", "关闭来源"),
    "sources_loading": ("Looking up the sources…", "正在查找来源……"),
    "no_grounding": ("Nothing is kept about this answer.", "没有保存关于这个回答的信息。"),
    "no_sources": ("This answer leans on no source.", "这个回答没有依据任何资料。"),
    "weaker": ("Also found, less relevant ({count})", "其他相关度较低的结果（{count}）"),
    "closest": ("Closest, but not close enough ({count})", "最接近但相关度不足（{count}）"),
    "cited": ("cited", "已引用"),
    "relevant": ("{percent}% relevant", "相关度 {percent}%"),
    "page": ("page {page}", "第 {page} 页"),
    "slide": ("slide {page}", "第 {page} 张幻灯片"),
    "worksheet": ("sheet {page}", "第 {page} 个工作表"),
    "faq_entry": ("Approved answer", "已核准的回答"),
    "open_document": ("Open the document in a new tab", "在新标签页中打开文档"),
    "trace_later": (
        "The explanation comes once the answer is complete.",
        "回答完成后会显示说明。",
    ),
    "trace_question": ("Question", "问题"),
    "trace_asked": ("Asked", "原问题"),
    "trace_searched": ("Searched as", "检索用语"),
    "as_asked": ("as asked", "与原问题相同"),
    "trace_collection": ("Collection", "知识库"),
    "trace_faq": ("Nearest FAQ question", "最接近的常见问题"),
    "faq_none": ("There was none.", "没有。"),
    "faq_nearest": ("Question", "问题"),
    "faq_confidence": ("Confidence", "置信度"),
    "faq_exact": ("the same question", "问题完全相同"),
    "of_needed": ("{reached}, {needed} needed", "{reached}，需要 {needed}"),
    "trace_hits": ("Passages found ({count})", "找到的段落（{count}）"),
    "hits_none": ("None was found, or none was looked for.", "没有找到段落，或没有检索。"),
    "hits_needed": ("Relevance needed: {needed}", "所需相关度：{needed}"),
    "hit_passage": ("Passage", "段落"),
    "hit_relevance": ("Relevance", "相关度"),
    "hit_dense": ("Meaning", "语义"),
    "hit_lexical": ("Words", "词语"),
    "hit_used": ("used", "已使用"),
    "hit_weak": ("too weak", "相关度不足"),
    "hit_duplicate": ("says the same as another", "与其他段落重复"),
    "hit_filtered": ("filtered out", "已被筛除"),
    "trace_prompt": ("Exact prompt", "完整提示词"),
    "prompt_none": ("The model was not asked.", "没有使用模型。"),
    "prompt_size": (
        "What the model read: {messages} messages, {characters:,} characters",
        "模型读到的内容：{messages} 条消息，{characters:,} 个字符",
    ),
    "trace_timings": ("Time taken", "耗时"),
    "step_understand": ("Reading the question", "理解问题"),
    "step_faq": ("Asking the FAQ", "匹配常见问题"),
    "step_search": ("Searching", "检索"),
    "step_prompt": ("Making the prompt", "编写提示词"),
    "step_quote": ("Choosing quotes", "挑选引文"),
    "step_check": ("Checking sentences", "核对句子"),
    "trace_versions": ("Versions", "版本"),
    "version_model": ("Model", "模型"),
    "version_adapter": ("Adapter", "适配器"),
    "version_embedder": ("Embedder", "向量模型"),
    "version_index": ("Index", "索引"),
    "knowledge": ("Knowledge", "知识库"),
    "teach": ("Teach", "训练"),
    "review": ("Review", "审核"),
    "waiting_feedback": ("{count} waiting", "{count} 条待审核"),
    "settings": ("Chat settings", "对话设置"),
    "instructions": ("Instructions (system prompt)", "指令（系统提示词）"),
    "instructions_help": (
        "What the assistant is told before every answer of this chat.",
        "每次回答之前，助手都会先读到这段话。",
    ),
    "instructions_saved": ("Instructions saved.", "指令已保存。"),
    "sampling": ("How it writes", "书写方式"),
    "temperature": ("Variety (temperature)", "多样性（temperature）"),
    "temperature_help": ("0 always takes the likeliest word.", "0 表示总是选择最可能的词。"),
    "top_p": ("Likeliest share (top-p)", "候选范围（top-p）"),
    "top_p_help": (
        "Keeps the likeliest words up to this share.",
        "只保留累计概率在此范围内的词。",
    ),
    "top_k": ("Likeliest words (top-k)", "候选词数（top-k）"),
    "top_k_help": ("0 keeps all.", "0 表示不限。"),
    "repetition_penalty": ("Avoid repetition", "避免重复"),
    "repetition_penalty_help": ("1 is off.", "1 表示关闭。"),
    "max_tokens": ("Longest answer (tokens)", "最长回答（词元）"),
    "max_tokens_help": ("A token is about ¾ of a word.", "一个词元约等于一个汉字。"),
    "seed": ("Seed", "随机种子"),
    "seed_help": (
        "The same seed gives the same answer; empty draws a new one.",
        "相同的种子得到相同的回答；留空则每次随机。",
    ),
    "transfer": ("Take it with you", "导出与导入"),
    "footer": (
        "{engine} · {model} · {quantization} · {device} · {context:,} tokens of context",
        "{engine} · {model} · {quantization} · {device} · 上下文 {context:,} 词元",
    ),
    "footer_memory": ("{gigabytes:.2f} GiB in use", "占用 {gigabytes:.2f} GiB"),
    "footer_loading": ("The model is still loading…", "模型仍在加载……"),
    "mistakes": ("Answers can be wrong. Check what matters.", "回答可能有误，重要内容请核实。"),
    "lost_conversation": (
        "That conversation is not here, or it belongs to another browser. This is a new chat.",
        "找不到这个对话，或者它属于另一个浏览器。这里是一个新对话。",
    ),
    "wait_for_answer": (
        "An answer is still being written here. Wait for it, or stop it first.",
        "这里还有一个回答正在书写，请等它完成或先停止它。",
    ),
    "empty_message": ("Type a message first.", "请先输入消息。"),
    "unexpected": (
        "Something went wrong on our side (reference {id}). Please try again.",
        "我们这边出了问题（编号 {id}），请再试一次。",
    ),
    **FEEDBACK_TEXTS,
}

# English readers see the error's own sentence, which also names the values.
_ERRORS_ZH: Final[Mapping[str, str]] = {
    "EngineBusy": "助手正忙，所有位置都已占用。请稍后再试。",
    "InternalError": "我们这边出了问题。请再试一次。",
    "EnginePaused": "助手正在学习新内容，占用了本机的 GPU，稍后会继续回答。",
    "EngineDied": "模型意外停止，正在重启。请再试一次。",
    "RemoteError": "模型服务器没有正常响应。请稍后再试。",
    "EngineError": "回答未能生成。请再试一次。",
    "PromptTooLong": "消息太长，超过了模型能读取的长度。请缩短文字或开始新对话。",
    "UnsupportedField": "当前引擎不支持这项设置。",
    "InvalidRequest": "输入的内容无法使用，请检查后再试。",
    "NotFound": "找不到这项内容，它可能已被删除。",
    "DocumentError": "无法读取这个文件，请检查后再试。",
    "AccessDenied": "只有工作人员可以这样做，请先登录。",
    "StorageError": "对话未能保存，磁盘可能已满。",
    "ModelError": "目前无法加载模型。",
}


@dataclass(frozen=True, slots=True)
class Words:
    """The texts in one language."""

    language: Language

    def __call__(self, key: str, **facts: str | int | float) -> str:
        """The text for ``key`` with its facts filled in."""
        text = _TEXTS[key][0 if self.language == "en" else 1]
        return text.format(**facts) if facts else text

    def error(self, code: str | None, sentence: str) -> str:
        """What went wrong, in this language where there is a translation for its code."""
        return sentence if self.language == "en" else _ERRORS_ZH.get(code or "", sentence)


def language_of(cookie: str | None, accept_language: str | None) -> Language:
    """The reader's choice, else the first of their browser's languages that we speak."""
    if cookie == "zh":
        return "zh"
    if cookie == "en":
        return "en"
    for part in (accept_language or "").lower().split(","):
        if part.strip().startswith("zh"):
            return "zh"
        if part.strip().startswith("en"):
            return "en"
    return "en"


def translations(language: Language) -> dict[str, str]:
    """Every text of one language by its key, as Gradio's I18n wants them."""
    words = Words(language)
    return {key: words(key) for key in _TEXTS}


def keys() -> frozenset[str]:
    """The names of all texts."""
    return frozenset(_TEXTS)
