"""Batteries: what is told of them as they run down."""

from __future__ import annotations

import pytest

from thumbturn.domain.battery import battery_status
from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Observation
from thumbturn.engine.ports import EventFilter

CHANGED, LOW = "device.battery_status_changed", "device.low_battery"


async def report(house, device, *levels):
    """The device reports these levels, one after the other."""
    for level in levels:
        changes = {"battery_level": level}
        house.engine._observations.observe(Observation(device.id, house.clock.now(), changes))
        await house.clock.advance(seconds(1))


async def told(house):
    """What was told of batteries: the type, the level and the word."""
    found = await house.store.events("w1", EventFilter(event_types=[CHANGED, LOW]), limit=99)
    return [
        (each.event_type, each.payload["battery_level"], each.payload.get("battery_status")) for each in found
    ]


@pytest.mark.parametrize(
    ("level", "word"),
    [
        (0, "critical"),
        (0.09, "critical"),
        (0.1, "low"),
        (0.24, "low"),
        (0.25, "good"),
        (0.94, "good"),
        (0.95, "full"),
        (1, "full"),
    ],
)
def test_a_level_has_a_word(level, word):
    """Full from 95 %, good from 25 %, low from 10 %."""
    assert battery_status(level) == word


async def test_a_battery_that_runs_down_is_told_word_by_word(house):
    """Each new word once, and once that it is low; not again when it is critical, but when it was charged."""
    door = await house.lock()
    await report(house, door, 0.97, 0.9, 0.8, 0.2, 0.15, 0.05, 0.04, 1.0, 0.05)
    assert await told(house) == [
        (CHANGED, 0.9, "good"),
        (CHANGED, 0.2, "low"),
        (LOW, 0.2, None),
        (CHANGED, 0.05, "critical"),
        (CHANGED, 1.0, "full"),
        (CHANGED, 0.05, "critical"),
        (LOW, 0.05, None),
    ]


async def test_a_battery_that_was_not_known_is_no_news(house):
    """The first level of a device, and one that it stops to report, change nothing that anybody knew."""
    door = await house.lock()
    await report(house, door, None, 0.05, None)
    assert await told(house) == []
