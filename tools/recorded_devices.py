"""The tables of SUPPORTED.md: what each recorded device can do, and what it said when it did it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from thumbturn.domain.recording import Recording, recording_in

DEVICES = Path(__file__).resolve().parents[1] / "src" / "thumbturn" / "recorded"
_ORIGINS = {"home": "a home", "lab": "the lab"}
#: Where a hub says which firmware a device has.
_FIRMWARE = ("firmwareVersion", "software_build_id")


def locks() -> str:
    """Every recorded lock."""
    rows = [
        (
            *_who(name, recording),
            _done(recording, "unlock"),
            _done(recording, "lock"),
            _codes(recording),
            ", ".join(sorted(recording.capabilities - {"lock", "access_codes"})),
            _scenes(recording),
        )
        for name, recording in _recorded("lock")
    ]
    head = ("device", "firmware", "recorded in", "unlock", "lock", "codes", "further", "scenes")
    return _table(head, rows)


def thermostats() -> str:
    """Every recorded thermostat."""
    rows = [
        (
            *_who(name, recording),
            _done(recording, "set_climate"),
            ", ".join(recording.details.get("available_hvac_mode_settings", ())),
            ", ".join(recording.details.get("available_fan_mode_settings", ())) or "none",
            _scenes(recording),
        )
        for name, recording in _recorded("thermostat")
    ]
    return _table(("device", "firmware", "recorded in", "setting", "modes", "fan", "scenes"), rows)


def _recorded(kind: str) -> Iterator[tuple[str, Recording]]:
    for path in sorted(DEVICES.glob("*/*.json")):
        recording = recording_in(json.loads(path.read_text()))
        if kind in recording.capabilities:
            yield f"{path.parent.name}/{path.stem}", recording


def _who(name: str, recording: Recording) -> tuple[str, str, str]:
    origin = _ORIGINS.get(recording.origin, "unknown")
    return f"{recording.model} (`{name}`)", _firmware(list(recording.lines())) or "not said", origin


def _firmware(said: Any) -> str:
    """The first firmware that is named anywhere in it."""
    if isinstance(said, dict):
        named = next((str(said[name]) for name in _FIRMWARE if said.get(name)), "")
        return named or _firmware(list(said.values()))
    if isinstance(said, list):
        return next((found for each in said if (found := _firmware(each))), "")
    return ""


def _done(recording: Recording, verb: str) -> str:
    habit = recording.habit(verb)
    return "not tried" if habit is None else f"{habit.takes / 1000:.0f} ms, `{habit.reply.word}`"


def _codes(recording: Recording) -> str:
    lengths = recording.details.get("supported_code_lengths")
    if "access_codes" not in recording.capabilities or not lengths:
        return "none"
    slots = recording.details.get("max_active_codes_supported")
    return f"{min(lengths)} to {max(lengths)} digits, {slots} places"


def _scenes(recording: Recording) -> str:
    return ", ".join(sorted({scene["name"] for scene in recording.scenes}))


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
