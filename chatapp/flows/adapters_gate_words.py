"""What the gate says, in the languages of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "is_live": ("{name} is live.", "{name} 已经上线。"),
    "unmeasured": (
        "{name} was never measured here, so nobody knows whether it is better. Measure it first: "
        "python -m chatapp evaluate adapter {name} FILE.",
        "{name} 从未在这里测量过，不知道它是否更好。请先测量："
        "python -m chatapp evaluate adapter {name} FILE。",
    ),
    "kept": (
        "It kept its general ability: {after:.0%} of {count} everyday questions right, "
        "{before:.0%} before.",
        "通用能力保持：{count} 个常识问题答对 {after:.0%}，此前为 {before:.0%}。",
    ),
    "lost": (
        "It lost general ability: {after:.0%} of {count} everyday questions right, {before:.0%} "
        "before; at most {allowed:.0%} may be lost.",
        "通用能力下降：{count} 个常识问题答对 {after:.0%}，此前为 {before:.0%}；"
        "最多允许下降 {allowed:.0%}。",
    ),
    "base": ("the base model", "基础模型"),
    "few_shot": ("the base model with examples", "带示例的基础模型"),
    "majority": ("always saying the most frequent label", "总是给出最常见标签的做法"),
    "live_adapter": ("the live adapter {name}", "线上的适配器 {name}"),
    "live_classifier": ("the live classifier {name}", "线上的分类器 {name}"),
    "better_chat": (
        "{name} beats {other} on the {rows:,} test questions: {mine} against {theirs}.",
        "在 {rows:,} 个测试问题上，{name} 胜过{other}：{mine}，对方{theirs}。",
    ),
    "worse_chat": (
        "{name} does not beat {other} on the {rows:,} test questions: {mine} against {theirs}.",
        "在 {rows:,} 个测试问题上，{name} 没有胜过{other}：{mine}，对方{theirs}。",
    ),
    "better_texts": (
        "{name} beats {other} on the {rows:,} test texts: {mine} against {theirs}.",
        "在 {rows:,} 条测试文本上，{name} 胜过{other}：{mine}，对方{theirs}。",
    ),
    "worse_texts": (
        "{name} does not beat {other} on the {rows:,} test texts: {mine} against {theirs}.",
        "在 {rows:,} 条测试文本上，{name} 没有胜过{other}：{mine}，对方{theirs}。",
    ),
    "right": ("{share:.1%} right", "正确 {share:.1%}"),
    "right_near": ("{share:.1%} right, ROUGE-L {near:.3f}", "正确 {share:.1%}，ROUGE-L {near:.3f}"),
    "better_unseen": (
        "{name} beats {other}: {mine} against {theirs}, asked {rows:,} of its test questions that "
        "{live} never learned from.",
        "{name} 胜过{other}：{mine}，对方{theirs}；"
        "使用的是 {live} 没有学过的 {rows:,} 个测试问题。",
    ),
    "worse_unseen": (
        "{name} does not beat {other}: {mine} against {theirs}, asked {rows:,} of its test "
        "questions that {live} never learned from.",
        "{name} 没有胜过{other}：{mine}，对方{theirs}；"
        "使用的是 {live} 没有学过的 {rows:,} 个测试问题。",
    ),
    "better_own": (
        "{name} beats {other}: {mine} against {theirs}, each on its own test part, as {live} has "
        "learned from most of the questions of {name}.",
        "{name} 胜过{other}：{mine}，对方{theirs}；"
        "各用各的测试部分，因为 {live} 学过 {name} 的大部分问题。",
    ),
    "worse_own": (
        "{name} does not beat {other}: {mine} against {theirs}, each on its own test part, as "
        "{live} has learned from most of the questions of {name}.",
        "{name} 没有胜过{other}：{mine}，对方{theirs}；"
        "各用各的测试部分，因为 {live} 学过 {name} 的大部分问题。",
    ),
    "incomparable": (
        "{name} was measured on another test part than {other}, and the two cannot be asked the "
        "same questions now, so they cannot be compared. Open the Teach page of the running "
        "server, which can ask both.",
        "{name} 与{other}用的是不同的测试部分，现在又无法向两者提同样的问题，所以无法比较。"
        "请打开正在运行的服务器的教学页面，它可以同时询问两者。",
    ),
    "unknown_labels": (
        "The live classifier does not know these labels: {labels}.",
        "线上的分类器不认识这些标签：{labels}。",
    ),
    "only_baseline": (
        "It is the instant baseline; there was no fine-tune.",
        "这是即时基线，没有进行微调。",
    ),
    "tuned_wins": (
        "The fine-tune is better than the instant baseline: {tuned:.1%} against {plain:.1%}.",
        "微调优于即时基线：{tuned:.1%}，基线为 {plain:.1%}。",
    ),
    "tuned_chosen": (
        "The fine-tune was better than the instant baseline on the validation part; on the test "
        "part it is about as good: {tuned:.1%} against {plain:.1%}.",
        "微调在验证部分优于即时基线；在测试部分两者相当：{tuned:.1%}，基线为 {plain:.1%}。",
    ),
    "baseline_wins": (
        "The instant baseline is better than the fine-tune, and goes live instead of it: "
        "{plain:.1%} against {tuned:.1%}.",
        "即时基线优于微调，将代替微调上线：{plain:.1%}，微调为 {tuned:.1%}。",
    ),
}


class GateWords:
    """The sentences of one language: ``en`` or ``zh``; any other is spoken to in English."""

    def __init__(self, language: str = "en") -> None:
        self._place = 1 if language == "zh" else 0

    def __call__(self, key: str, **facts: object) -> str:
        """A sentence, or a part of one."""
        return _SENTENCES[key][self._place].format(**facts)
