"""Every sentence the staff's page says, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chatapp.ui.texts import Language, Words

_PAGE: Final[Mapping[str, tuple[str, str]]] = {
    "app_name": ("Support assistant", "支持助手"),
    "pages": ("Pages", "页面"),
    "chat": ("Chat", "对话"),
    "knowledge": ("Knowledge", "知识库"),
    "teach": ("Teach", "训练"),
    "review": ("Review", "审核"),
    "waiting_feedback": ("{n:,} waiting", "{n:,} 条待审核"),
    "language": ("Language", "语言"),
    "switch_theme": ("Switch between light and dark", "切换浅色与深色"),
    "sign_out": ("Sign out", "退出登录"),
    "dismiss": ("Dismiss", "关闭"),
    "restore": ("Undo", "撤销"),
    "cancel": ("Cancel", "取消"),
    "save": ("Save", "保存"),
    "add": ("Add", "添加"),
    "stop": ("Stop", "停止"),
    "more": ("Show more", "显示更多"),
    "nothing_found": ("Nothing here mentions “{search}”.", "没有内容提到“{search}”。"),
    "deleted": ("Deleted “{title}”.", "已删除“{title}”。"),
    "today_at": ("today {time}", "今天 {time}"),
    "seconds_left": ("about {n} s left", "约剩 {n} 秒"),
    "minutes_left": ("about {n} min left", "约剩 {n} 分钟"),
    "hours_left": ("about {n} h left", "约剩 {n} 小时"),
}
_COLLECTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "collections": ("Collections", "知识库列表"),
    "no_collections": ("No collections yet.", "还没有知识库。"),
    "new_collection": ("New collection", "新建知识库"),
    "collection_name": ("Name of the collection", "知识库名称"),
    "collection_made": ("Made the collection “{name}”.", "已新建知识库“{name}”。"),
    "collection_deleted": (
        "Deleted the collection “{name}” with all it holds.",
        "已删除知识库“{name}”及其全部内容。",
    ),
    "rename_collection": ("Rename “{name}”", "重命名“{name}”"),
    "delete_collection": ("Delete “{name}”", "删除“{name}”"),
    "held": ("{documents} documents, {faq} FAQ entries", "{documents} 个文档，{faq} 条问答"),
    "answers_chat": ("Answers in chat", "用于对话"),
    "answers_nobody": ("Not used in chat", "未用于对话"),
    "documents_tab": ("Documents", "文档"),
    "faq_tab": ("FAQ", "问答"),
    "try_tab": ("Try a search", "试搜"),
    "unanswered_tab": ("Unanswered", "未能回答"),
    "documents": ("{n:,} documents", "{n:,} 个文档"),
    "documents_one": ("1 document", "1 个文档"),
    "passages": ("{n:,} passages", "{n:,} 个段落"),
    "passages_one": ("1 passage", "1 个段落"),
    "faq_entries": ("{n:,} FAQ entries", "{n:,} 条问答"),
    "faq_entries_one": ("1 FAQ entry", "1 条问答"),
}
_DOCUMENTS: Final[Mapping[str, tuple[str, str]]] = {
    "search_documents": ("Search documents", "搜索文档"),
    "add_documents": (
        "Drop files, folders or a zip anywhere here",
        "将文件、文件夹或压缩包拖到此处",
    ),
    "drop_hint": (
        "PDF, Word, PowerPoint, Excel, CSV, HTML, Markdown, text, JSON, email. Scans are read too.",
        "PDF、Word、PowerPoint、Excel、CSV、HTML、Markdown、文本、JSON、邮件，扫描件也能识别。",
    ),
    "drop_here": ("Drop to add to “{name}”", "松开即可添加到“{name}”"),
    "choose_files": ("Choose files", "选择文件"),
    "choose_folder": ("Folder", "文件夹"),
    "paste_text": ("Paste text", "粘贴文本"),
    "paste_title": ("Title", "标题"),
    "paste_content": ("Text", "正文"),
    "uploading": ("Sending {name}", "正在上传 {name}"),
    "uploading_many": ("Sending {n} files", "正在上传 {n} 个文件"),
    "upload_failed": ("{name}: {reason}", "{name}：{reason}"),
    "too_large": (
        "larger than {most} MB. Split it, or set CHATAPP_MAX_UPLOAD_MB to allow more.",
        "超过 {most} MB。请拆分文件，或通过 CHATAPP_MAX_UPLOAD_MB 提高上限。",
    ),
    "connection_lost": (
        "The connection was lost before the file had arrived. Send it again.",
        "文件尚未传完，连接就中断了。请重新上传。",
    ),
    "taking_in": ("Adding documents", "正在添加文档"),
    "files_done": ("{done:,} of {of:,} files", "{done:,} / {of:,} 个文件"),
    "waiting": ("Waiting", "等待中"),
    "more_waiting": ("and {n:,} more waiting", "另有 {n:,} 个等待中"),
    "step_read": ("Reading", "读取中"),
    "step_split": ("Splitting", "切分中"),
    "step_embed": ("Indexing", "建立索引"),
    "step_store": ("Saving", "保存中"),
    "of_pages": ("page {done:,} of {of:,}", "第 {done:,} / {of:,} 页"),
    "of_passages": ("passage {done:,} of {of:,}", "第 {done:,} / {of:,} 段"),
    "rate": ("{n:,} passages/s", "每秒 {n:,} 段"),
    "ended_done": ("{n:,} files added", "已添加 {n:,} 个文件"),
    "ended_done_one": ("1 file added", "已添加 1 个文件"),
    "ended_unchanged": ("{n:,} were here already", "{n:,} 个内容未变"),
    "ended_unchanged_one": ("1 was here already", "1 个内容未变"),
    "ended_stopped": ("{n:,} stopped", "{n:,} 个已停止"),
    "ended_stopped_one": ("1 stopped", "1 个已停止"),
    "failed_files": ("{n:,} files could not be added", "{n:,} 个文件未能添加"),
    "failed_files_one": ("1 file could not be added", "1 个文件未能添加"),
    "more_failed": ("and {n:,} more", "另有 {n:,} 个"),
    "clear": ("Clear this list", "清除此列表"),
    "column_document": ("Document", "文档"),
    "column_status": ("Status", "状态"),
    "ready": ("Ready", "可用"),
    "column_passages": ("Passages", "段落"),
    "column_used": ("Last used", "上次使用"),
    "never_used": ("not yet", "尚未"),
    "kind_text": ("Text", "文本"),
    "kind_row": ("Table row", "表格行"),
    "kind_email": ("Email", "邮件"),
    "kind_other": ("File", "文件"),
    "pages_count": ("{n:,} pages", "{n:,} 页"),
    "pages_count_one": ("1 page", "1 页"),
    "select_all": ("Select all", "全选"),
    "chosen": ("{n} selected", "已选 {n} 个"),
    "delete_chosen": ("Delete", "删除"),
    "delete_document": ("Delete “{title}”", "删除“{title}”"),
    "deleted_documents": ("Deleted {n:,} documents.", "已删除 {n:,} 个文档。"),
    "deleted_documents_one": ("Deleted 1 document.", "已删除 1 个文档。"),
    "no_documents": ("Nothing here yet", "这里还没有内容"),
    "no_documents_help": (
        "Add your handbook, price list or policies. A minute later the assistant answers from "
        "them and shows where it read it.",
        "添加手册、价目表或政策文件，一分钟后助手就会据此回答，并注明出处。",
    ),
    "demo_offer": (
        "Or see how it works with a small outdoor shop’s documents and FAQ.",
        "也可以先用一家户外小店的文档和问答体验一下。",
    ),
    "load_demo": ("Load the demo", "加载演示"),
}
_FAQ: Final[Mapping[str, tuple[str, str]]] = {
    "search_faq": ("Search questions and answers", "搜索问答"),
    "faq_help": (
        "Approved answers, given word for word when a question matches.",
        "经审核的标准答案，问题匹配时原样给出。",
    ),
    "new_entry": ("Add an entry", "添加问答"),
    "import_faq": ("Import", "导入"),
    "export_faq": ("Export", "导出"),
    "imported_faq": (
        "{added} entries added, {merged} questions merged, {unchanged} unchanged.",
        "新增 {added} 条，合并 {merged} 个问法，{unchanged} 个未变。",
    ),
    "column_questions": ("Questions", "问题"),
    "column_answer": ("Approved answer", "标准答案"),
    "variants": ("{n} more wordings", "另有 {n} 种问法"),
    "variants_one": ("1 more wording", "另有 1 种问法"),
    "faq_more": ("{n:,} more. Search to find them.", "另有 {n:,} 条，可通过搜索查找。"),
    "edit_entry": ("Edit “{question}”", "编辑“{question}”"),
    "delete_entry": ("Delete “{question}”", "删除“{question}”"),
    "entry_saved": ("Saved. The assistant answers with it now.", "已保存，助手现在会据此回答。"),
    "no_faq": ("No FAQ entries yet", "还没有问答"),
    "no_faq_help": (
        "Write the answers your team gives every day, or import a table with the columns "
        "question and answer.",
        "写下团队每天都在回答的内容，或导入包含 question 和 answer 两列的表格。",
    ),
    "form_questions": ("Questions", "问题"),
    "form_questions_help": (
        "One wording a line. Two or three different ones find many more.",
        "每行一种问法。两三种不同的问法能匹配更多提问。",
    ),
    "form_answer": ("Approved answer", "标准答案"),
    "form_answer_help": ("Given word for word, without the model.", "原样给出，不经过模型。"),
    "form_language": ("Language of the answer", "答案的语言"),
    "form_tags": ("Tags, separated by commas", "标签，用逗号分隔"),
}
_TRY: Final[Mapping[str, tuple[str, str]]] = {
    "try_help": (
        "Ask as a customer would. This runs the very search the chat runs, and shows its scores.",
        "像顾客一样提问。这里运行的检索与对话完全相同，并显示得分。",
    ),
    "question": ("A customer’s question", "顾客的问题"),
    "question_hint": ("How long can I return a tent?", "帐篷多久之内可以退货？"),
    "try": ("Try", "试一试"),
    "route_faq": ("The approved FAQ answer, word for word", "原样给出标准答案"),
    "route_sources": ("An answer from the documents", "依据文档回答"),
    "route_quote": ("Sentences quoted from the documents", "引用文档原句"),
    "route_refused": ("A refusal: nothing here answers it", "不予回答：没有相关内容"),
    "route_persona": ("The assistant alone, without the documents", "助手自行回答，不使用文档"),
    "searched_as": ("Searched as “{query}”.", "实际检索：“{query}”。"),
    "nearest_faq": ("Nearest FAQ question", "最接近的问答"),
    "nearest_passages": ("Nearest passages", "最接近的段落"),
    "not_needed": (
        "Not needed for this answer; shown for comparison.",
        "这次回答用不到，仅供对照。",
    ),
    "not_searched": ("The documents were not searched.", "未检索文档。"),
    "no_hits": ("No passage comes close.", "没有接近的段落。"),
    "exact": ("the same question", "问题完全一致"),
    "accepted": ("accepted", "已采用"),
    "not_accepted": ("not sure enough", "把握不足"),
    "runner_up": ("next best {share}", "次优 {share}"),
    "score_of": ("{share}, needs {threshold}", "{share}，需要 {threshold}"),
    "page": ("page {n}", "第 {n} 页"),
    "dense": ("meaning {score}", "语义 {score}"),
    "lexical": ("words {score}", "词语 {score}"),
    "dropped": ("not used", "未使用"),
    "dropped_weak": ("not used: below the line", "未使用：低于界线"),
    "dropped_duplicate": ("not used: says the same as another", "未使用：与其他段落重复"),
    "dropped_filtered": ("not used: filtered out", "未使用：被筛除"),
    "embedder": ("embedder {name}", "向量模型 {name}"),
    "index": ("index {name}", "索引 {name}"),
    "thresholds": ("When to answer", "何时回答"),
    "thresholds_help": (
        "Below these the assistant refuses rather than guesses. Leave a field empty for the "
        "built-in value.",
        "低于此值时助手宁可不答，也不猜测。留空则使用内置值。",
    ),
    "threshold_documents": ("Documents, from", "文档，不低于"),
    "threshold_faq": ("FAQ, from", "问答，不低于"),
    "thresholds_saved": ("Saved. The chat uses it from now on.", "已保存，对话从现在起生效。"),
}
_UNANSWERED: Final[Mapping[str, tuple[str, str]]] = {
    "unanswered_help": (
        "What customers asked and nothing here answered, alike ones together. Approve an answer "
        "and the next one gets it.",
        "顾客问过、但这里没有答案的问题，相似的归在一起。审核通过一个答案，下次就能回答。",
    ),
    "no_unanswered": ("Nothing is waiting", "没有待解决的问题"),
    "no_unanswered_help": (
        "Questions the assistant had to refuse will be gathered here.",
        "助手未能回答的问题会汇集在这里。",
    ),
    "asked": ("asked {n:,} times", "被问 {n:,} 次"),
    "asked_one": ("asked once", "被问 1 次"),
    "last_asked": ("last {day}", "最近 {day}"),
    "wordings": ("{n} other wordings", "另有 {n} 种问法"),
    "wordings_one": ("1 other wording", "另有 1 种问法"),
    "reviewer_note": ("Missing document: {note}", "缺少文档：{note}"),
    "draft": ("Draft an answer", "起草答案"),
    "drafting": ("Looking through the documents…", "正在查阅文档……"),
    "dismiss_group": ("Set aside", "忽略"),
    "dismissed": ("Set {n:,} questions aside.", "已忽略 {n:,} 个问题。"),
    "dismissed_one": ("Set 1 question aside.", "已忽略 1 个问题。"),
    "draft_written": (
        "A draft from {titles}. Check every word before you approve it.",
        "依据{titles}起草，请逐字核对后再通过。",
    ),
    "draft_quoted": (
        "The closest sentences of {titles}. Make an answer of them before you approve it.",
        "摘自{titles}中最接近的句子，请整理成答案后再通过。",
    ),
    "draft_empty": (
        "Nothing in the documents comes close. Write the answer you would give.",
        "文档中没有接近的内容，请直接写下你的答案。",
    ),
}
_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    **_PAGE,
    **_COLLECTIONS,
    **_DOCUMENTS,
    **_FAQ,
    **_TRY,
    **_UNANSWERED,
}


@dataclass(frozen=True)
class StaffWords(Words):
    """The texts of the staff's page in one language; errors as the chat says them."""

    def __call__(self, key: str, **facts: str | int | float) -> str:
        """The text for ``key`` with its facts filled in."""
        text = _TEXTS[key][0 if self.language == "en" else 1]
        return text.format(**facts) if facts else text


def staff_translations(language: Language) -> dict[str, str]:
    """Every text of one language by its key, as Gradio's I18n wants them."""
    words = StaffWords(language)
    return {key: words(key) for key in _TEXTS}


def staff_keys() -> frozenset[str]:
    """The names of all texts."""
    return frozenset(_TEXTS)
