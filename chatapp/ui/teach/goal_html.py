"""Step 2: what it shall learn, from which model, and how thoroughly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, get_args

from chatapp.training.config import Preset, RunConfig
from chatapp.training_records import Dataset, Purpose, Run, Task
from chatapp.ui.staff.icons import sign
from chatapp.ui.teach.anew import anew
from chatapp.ui.teach.rooms import Base
from chatapp.ui.teach.settings_html import settings_html
from chatapp.ui.teach.texts import TeachWords

TASKS: Final[tuple[Task, ...]] = get_args(Task)
PRESETS: Final[tuple[Preset, ...]] = get_args(Preset)
_PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
_AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class Goal:
    """What the step is drawn from.

    Attributes:
        bases: the models that can learn the task.
        earlier: runs whose settings can be taken over.
        recommended: the base that suits the file, and why; empty where that is not known.
    """

    dataset: Dataset
    config: RunConfig
    bases: Sequence[Base]
    earlier: Sequence[Run] = ()
    recommended: tuple[str, str] = ("", "")


def goal_html(goal: Goal, words: TeachWords) -> str:
    """The form. What stands in it is what a run would take."""
    config = goal.config
    summary = f"{words(f'task_{config.task}')} · {words(f'preset_{config.preset}')}"
    tasks = "".join(_card("task", one, config.task == one, words) for one in TASKS)
    presets = "".join(_card("preset", one, config.preset == one, words) for one in PRESETS)
    return anew(
        f'<form class="goal" data-form="goal" data-dataset="{escape(goal.dataset.id)}" '
        f'data-summary="{escape(summary)}"><fieldset class="cards"><legend>'
        f"{escape(words('what_learn'))}</legend>{tasks}</fieldset>"
        f'{_purposes(config, words)}<div class="pair">{_name(config, words)}'
        f"{_bases(config, goal, words)}</div>"
        f'<fieldset class="cards three"><legend>{escape(words("how_thorough"))}</legend>{presets}'
        f"</fieldset>{_advanced(goal, words)}{_ways_on(words)}</form>"
    )


def _card(name: str, value: str, chosen: bool, words: TeachWords) -> str:
    mark = " checked" if chosen else ""
    return (
        f'<label class="choice"><input type="radio" name="{name}" value="{value}"{mark}>'
        f"<span><strong>{escape(words(f'{name}_{value}'))}</strong>"
        f"<small>{escape(words(f'{name}_{value}_help'))}</small>"
        '<small class="took"></small></span></label>'
    )


def _purposes(config: RunConfig, words: TeachWords) -> str:
    if config.task != "classify":
        return f'<input type="hidden" name="purpose" value="{config.purpose}">'
    chips = "".join(
        f'<label class="chip"><input type="radio" name="purpose" value="{one}"'
        f"{' checked' if one == config.purpose else ''}><span>{escape(words(f'purpose_{one}'))}"
        "</span></label>"
        for one in _PURPOSES
    )
    return (
        f'<fieldset class="chips"><legend>{escape(words("labels_say"))}</legend>{chips}'
        f"<small>{escape(words('labels_say_help'))}</small></fieldset>"
    )


def _name(config: RunConfig, words: TeachWords) -> str:
    return (
        f"<label><span>{escape(words('call_it'))}</span>"
        f'<input name="name" required maxlength="64" pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*" '
        f'value="{escape(config.name)}" autocomplete="off" spellcheck="false">'
        f"<small>{escape(words('call_it_help'))}</small></label>"
    )


def _bases(config: RunConfig, goal: Goal, words: TeachWords) -> str:
    known = [base.name for base in goal.bases]
    named = "" if config.base in (_AUTO, *known) else config.base
    suited, why = goal.recommended
    recommended = words("base_auto")
    if suited:
        recommended = words("base_auto_is", base=words.base(suited).split(":")[0].split("：")[0])
    options = [_option(_AUTO, recommended, config.base == _AUTO)]
    options += [_option(name, words.base(name), name == config.base) for name in known]
    options.append(_option("", words("base_other"), bool(named)))
    told = why or words("base_help")
    return (
        f"<label><span>{escape(words('base'))}</span><select data-base>{''.join(options)}</select>"
        f'<input name="base" value="{escape(config.base)}" placeholder="org/name" '
        f'aria-label="{escape(words("base_other_label"))}"{"" if named else " hidden"}>'
        f"<small>{escape(told)}</small></label>"
    )


def _option(value: str, shown: str, chosen: bool) -> str:
    mark = " selected" if chosen else ""
    return f'<option value="{escape(value)}"{mark}>{escape(shown)}</option>'


def _advanced(goal: Goal, words: TeachWords) -> str:
    earlier = "".join(_option(run.id, run.name, False) for run in goal.earlier)
    reuse = (
        f'<label class="reuse"><span>{escape(words("reuse"))}</span><select data-reuse>'
        f"{_option('', words('reuse_choose'), True)}{earlier}</select></label>"
        if earlier
        else ""
    )
    return (
        f'<details class="advanced" data-keep="advanced"><summary>{sign("sliders")}'
        f"{escape(words('advanced'))}</summary>"
        f'<p class="lead">{escape(words("advanced_help"))}</p>{reuse}'
        f'<div class="settings">{settings_html(goal.config, words)}</div>'
        f'<div class="advanced-acts">{_button("rephrased", "text", words("see_rephrased"))}'
        f"{_button('download-settings', 'save', words('download_settings'))}"
        f"{_button('pick-settings', 'upload', words('load_settings'))}"
        '<input type="file" id="pick-settings" hidden accept=".yaml,.yml"></div></details>'
    )


def _ways_on(words: TeachWords) -> str:
    return (
        f'<div class="onward"><button type="submit" class="solid" data-way="launch">'
        f"{escape(words('start'))}</button>"
        f'<button type="submit" class="plain" data-way="estimate">{escape(words("estimate"))}'
        "</button>"
        f'<button type="submit" class="plain" data-way="command">{escape(words("show_command"))}'
        "</button></div>"
    )


def _button(do: str, icon: str, label: str) -> str:
    return (
        f'<button type="button" class="plain" data-do="{do}">{sign(icon)}{escape(label)}</button>'
    )


# ---- beside the form ---------------------------------------------------------------------------
def command_html(command: str, words: TeachWords) -> str:
    """The command line that does the same."""
    return (
        f'<section class="extra"><h3>{escape(words("same_command"))}</h3><div class="command">'
        f'<pre tabindex="0"><code>{escape(command)}</code></pre><button type="button" '
        f'class="plain" data-do="copy" data-copied="{escape(words("copied"))}">{sign("copy")}'
        f"<span>{escape(words('copy'))}</span></button></div></section>"
    )


def rephrased_html(pairs: Sequence[tuple[str, str]], words: TeachWords) -> str:
    """Examples beside the copies that would be added."""
    if not pairs:
        told = escape(words("none_rephrased"))
        return f'<section class="extra"><p class="none">{told}</p></section>'
    rows = "".join(f"<tr><td>{escape(one)}</td><td>{escape(two)}</td></tr>" for one, two in pairs)
    heads = "".join(
        f'<th scope="col">{escape(words(key))}</th>' for key in ("as_written", "as_rephrased")
    )
    return (
        f'<section class="extra"><h3>{escape(words("see_rephrased"))}</h3><div class="scroll" '
        f'tabindex="0"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        "</section>"
    )
