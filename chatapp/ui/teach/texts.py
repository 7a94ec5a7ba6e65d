"""Every sentence the Teach page says, in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

from chatapp.training_records import ClassifyReport, Finding, Fix, Guess, Report
from chatapp.ui.staff.texts import StaffWords, staff_keys
from chatapp.ui.teach.texts_advice import (
    ADVICE_ZH,
    FINDINGS_ZH,
    FIXES_ZH,
    LANGUAGES,
    PHASES_ZH,
    ROLES,
)
from chatapp.ui.teach.texts_results import RESULTS
from chatapp.ui.teach.texts_steps import STEPS
from chatapp.ui.texts import Language

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {**STEPS, **RESULTS}
_MARKED: Final = re.compile(r"\[(.+?)\]")


@dataclass(frozen=True)
class TeachWords(StaffWords):
    """The texts of the Teach page in one language; the rest as the staff's pages say it."""

    def __call__(self, key: str, **facts: str | int | float) -> str:
        """The text for ``key`` with its facts filled in."""
        if key not in _TEXTS:
            return super().__call__(key, **facts)
        text = _TEXTS[key][0 if self.language == "en" else 1]
        return text.format(**facts) if facts else text

    def marked(self, key: str) -> str:
        """A text as HTML, with what stands in square brackets highlighted."""
        return _MARKED.sub(r"<mark>\1</mark>", escape(self(key)))

    def base(self, name: str) -> str:
        """A base model by its name, with what it suits where that is known."""
        return self(f"base_{name}") if f"base_{name}" in _TEXTS else name

    def base_advice(self, name: str, sentence: str) -> str:
        """Why a base suits; English as the one who recommends it says it."""
        known = f"base_{name}_advice"
        return sentence if self.language == "en" or known not in _TEXTS else self(known)

    def role(self, name: str) -> str:
        """What a column is for."""
        english, chinese = ROLES.get(name, (name.replace("_", " ").capitalize(), name))
        return english if self.language == "en" else chinese

    def language_name(self, code: str) -> str:
        """A language by its code; the code itself where it has no name here."""
        english, chinese = LANGUAGES.get(code, (code, code))
        return english if self.language == "en" else chinese

    def advice(self, setting: str, sentence: str) -> str:
        """The sentence of advice of a setting; English ones are the config's own."""
        return sentence if self.language == "en" else ADVICE_ZH.get(setting, sentence)

    def guess(self, guess: Guess) -> str:
        """Why a file was taken for what it is; English as the one who guessed says it."""
        return guess.reason if self.language == "en" else self("guessed")

    def finding(self, finding: Finding) -> str:
        """What the doctor found; English as the doctor says it."""
        kind = "personal" if finding.kind.startswith("personal_") else finding.kind
        if self.language == "en" or kind not in FINDINGS_ZH:
            return finding.sentence
        return FINDINGS_ZH[kind].format(n=finding.count)

    def phase(self, told: str) -> str:
        """What a run is doing; English as the run says it."""
        return told if self.language == "en" else PHASES_ZH.get(told, told)

    def verdict(self, report: Report) -> str:
        """Did it help? English as the report says it."""
        if self.language == "en":
            return report.sentence
        if isinstance(report, ClassifyReport):
            tuned = (report.fine_tuned or report.baseline).accuracy
            key = "verdict_labels" if tuned > report.baseline.accuracy else "verdict_close"
            return self(
                key if report.winner == "adapter" else "verdict_baseline",
                share=f"{tuned * 100:.1f}",
                baseline=f"{report.baseline.accuracy * 100:.1f}",
                n=len(report.predictions),
            )
        helped = report.adapter.contained > max(report.base.contained, report.few_shot.contained)
        return self(
            "verdict_answers" if helped else "verdict_answers_no",
            after=f"{report.adapter.contained * 100:.0f}",
            before=f"{report.base.contained * 100:.0f}",
            few_shot=f"{report.few_shot.contained * 100:.0f}",
            n=report.rows.get("test", 0),
        )

    def fix_label(self, fix: Fix) -> str:
        """What a fix's button says."""
        if self.language == "en":
            return fix.label
        before, after = fix.details.get("from", ""), fix.details.get("to", "")
        return FIXES_ZH[fix.kind].format(n=fix.rows, before=before, after=after)


def teach_translations(language: Language) -> dict[str, str]:
    """Every text of one language by its key, as Gradio's I18n wants them."""
    words = TeachWords(language)
    return {key: words(key) for key in (*staff_keys(), *_TEXTS)}


def teach_keys() -> frozenset[str]:
    """The names of the page's own texts."""
    return frozenset(_TEXTS)
