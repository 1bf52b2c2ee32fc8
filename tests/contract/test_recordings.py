"""Recorded devices, replayed to their drivers without any hub: each is driven as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.replay import Replay
from thumbturn.domain.recording import recording_in

DEVICES = Path(__file__).resolve().parents[1] / "devices"
FILES = sorted(DEVICES.glob("*/*.json"))


def recorded(path: Path) -> dict[str, Any]:
    """A recording, to be played or spoiled."""
    given: dict[str, Any] = json.loads(path.read_text())
    return given


def outcome(trace: dict[str, Any]) -> list[Any]:
    """What was observed and what came of each command, scene by scene."""
    return [
        {
            "scene": scene["name"],
            "observed": [{**line, "at": None} for line in scene["lines"] if "observed" in line],
            "outcomes": [line["outcome"] for line in scene["lines"] if "outcome" in line],
        }
        for scene in trace["scenes"]
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_a_recorded_device_is_driven_as_it_was(path: Path):
    """The driver says what it said, and what it is told has the same outcome and the same observations."""
    given = recorded(path)
    again = await Replay(recording_in(given)).play()
    assert outcome(again) == outcome(given)
    assert again["device"] == given["device"]


async def test_a_driver_that_takes_less_for_a_success_is_caught():
    """A replay whose lock is only reached by radio, where it once confirmed, has another outcome."""
    given = recorded(DEVICES / "zwave_js/schlage_be469.json")
    line = next(
        line
        for scene in given["scenes"]
        for line in scene["lines"]
        if line.get("hub", {}).get("result") == {"result": {"status": 255}}
    )
    line["hub"]["result"]["result"]["status"] = 254
    again = await Replay(recording_in(given)).play()
    assert outcome(again) != outcome(given)


@pytest.mark.parametrize("name", ["zwave_js/schlage_be469.json", "zigbee2mqtt/yale_yrd226.json"])
async def test_a_driver_that_says_something_else_is_caught(name: str):
    """A replay fails when the driver does not say what it said, and when it says more than that."""
    given = recorded(DEVICES / name)
    scene = next(scene for scene in given["scenes"] if scene["name"] == "unlock")
    line = next(line for line in scene["lines"] if "server" in line)
    scene["lines"].remove(line)
    with pytest.raises(AssertionError, match=r"unlock: (it|a command does not end)"):
        await Replay(recording_in(given)).play()
    spoiled = {**line, "server": {**line["server"], "more": 1}}
    scene["lines"].insert(1, spoiled)
    with pytest.raises(AssertionError, match="unlock: it does not say"):
        await Replay(recording_in(given)).play()
