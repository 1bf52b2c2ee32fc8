"""The form in which a person says how to reach his hub: the lines that its driver asks for, in plain HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from thumbturn.domain.hub import LONGEST_SETTING, Field


class HubForm(NamedTuple):
    """The form of a provider, as it was filled in."""

    title: str
    fields: Sequence[Field]
    #: What was filled in and did not work, and why it did not; nothing at first.
    filled: Mapping[str, str]
    problem: str


def hub_form(form: HubForm, tries_left: int | None) -> list[str]:
    """The form; ``tries_left`` is told once a try was wrong. Secrets are never filled in again."""
    left = "" if tries_left is None else f" You have {tries_left} more."
    return [
        f"<p>How is your {escape(form.title)} reached?</p>",
        f"<p class=wrong role=alert>{escape(form.problem)}{left}</p>" if form.problem else "",
        "<form method=post><input type=hidden name=step value=link>",
        *(_line(field, form.filled, is_first=field is form.fields[0]) for field in form.fields),
        "<p class=quiet>It is tried at once. That may take ten seconds.</p>",
        "<button class=primary>Try it</button></form>",
    ]


def _line(field: Field, filled: Mapping[str, str], *, is_first: bool) -> str:
    kind = "password" if field.kind == "secret" else "text"
    value = "" if field.kind == "secret" else filled.get(field.name, field.default)
    needed = " required" if field.is_required else ""
    focus = " autofocus" if is_first else ""
    hint = f"<span class=quiet>{escape(field.hint)}</span>" if field.hint else ""
    return (
        f'<label>{escape(field.label)} <input type={kind} name="setting.{escape(field.name)}" '
        f'value="{escape(value)}" maxlength={LONGEST_SETTING} autocomplete=off spellcheck=false'
        f"{needed}{focus}>{hint}</label>"
    )
