"""The recordings that ship with the server, by their names: those of ``SUPPORTED.md``."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from thumbturn.domain.errors import Refusal


class NoSuchRecording(Refusal, type="no_such_recording", status=404):
    """No recording of this name ships with the server. SUPPORTED.md has their names."""


def names() -> list[str]:
    """What they are called."""
    folder = files("thumbturn") / "recorded"
    return sorted(
        f"{driver.name}/{each.name.removesuffix('.json')}"
        for driver in folder.iterdir()
        if driver.is_dir()
        for each in driver.iterdir()
        if each.name.endswith(".json")
    )


def shipped(name: str) -> Any:
    """The recording of this name. Raises ``NoSuchRecording``; a name is no path."""
    if name not in names():
        raise NoSuchRecording
    return json.loads((files("thumbturn") / "recorded" / f"{name}.json").read_text())
