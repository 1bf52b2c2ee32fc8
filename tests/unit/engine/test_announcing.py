"""Whom the end of an attempt is told, and until when: what a workspace chose beyond the contract's four."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fixtures.engine import ACTIONS, House
from thumbturn.domain.clock import seconds
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.acceptance import Timing

TYPE = "SET_FAN_MODE"
GOOD, BAD = "action_attempt.set_fan_mode.succeeded", "action_attempt.set_fan_mode.failed"


async def choose(house: House, *types: str) -> None:
    """The workspace chooses these."""
    house.workspace = replace(house.workspace, announced_action_types=frozenset(types))
    await house.store.update_workspace(house.workspace)
    house.engine.announcing.follow(house.workspace)


async def begin(house: House, **timing: int):
    """An attempt of the type, for a fan that is as it is asked to be."""
    fan = await house.device("Living Room")
    ask = ACTIONS[TYPE].ask.model_validate({"device_id": fan.id, "fan_mode_setting": "on"})
    return await house.engine.begin(ACTIONS[TYPE], ask, house.workspace, timing=Timing(**timing))


async def told(house: House, workspace_id: str = "w1") -> list[str]:
    """The ends that the workspace was told."""
    events = await house.store.events_after(workspace_id, 0, limit=1_000)
    return [event.event_type for _, event in events if event.event_type.startswith("action_attempt.")]


async def test_nobody_is_told_who_chose_nothing(house):
    """By itself a workspace is told of the contract's four types and of no other."""
    await begin(house)
    await house.clock.advance(seconds(5))
    assert await told(house) == []


async def test_a_choice_holds_until_it_is_taken_back(house):
    """From the choice on each end is told once, and from the moment it is taken back on none."""
    await choose(house, TYPE)
    await begin(house)
    await house.clock.advance(seconds(5))
    assert await told(house) == [GOOD]
    await choose(house)
    await begin(house)
    await house.clock.advance(seconds(5))
    assert await told(house) == [GOOD]


async def test_a_choice_is_of_its_workspace_and_its_types(house):
    """What one workspace chose is told to no other, and of other types nothing is told."""
    other = Workspace(id="w2", name="Other", is_sandbox=True, announced_action_types=frozenset({TYPE}))
    await house.engine.add_workspace(other, user_id=None)
    house.engine.announcing.follow(other)
    await choose(house, "SET_HVAC_MODE")
    await begin(house)
    await house.clock.advance(seconds(5))
    assert await told(house) == await told(house, "w2") == []


@pytest.mark.parametrize("chosen", [TYPE, "*"])
async def test_a_choice_outlives_a_restart(house, chosen):
    """An attempt that was waiting when the server died is announced when it ends in its next life."""
    await choose(house, chosen)
    now = house.clock.now()
    await begin(house, not_before=now + seconds(60))
    await house.revive()
    await house.clock.advance(seconds(90))
    assert await told(house) == [GOOD]


async def test_what_the_restart_itself_ends_is_told(house):
    """An attempt whose time was over when the server came back is announced by its recovery."""
    await choose(house, TYPE)
    now = house.clock.now()
    await begin(house, not_before=now + seconds(10))
    await house.die()
    await house.clock.advance(seconds(1_000))
    house.boot()
    await house.open()
    assert await told(house) == [BAD]


async def test_what_is_cancelled_is_told(house):
    """An attempt that ends because nobody wants it any more has ended too."""
    await choose(house, TYPE)
    attempt = await begin(house, not_before=house.clock.now() + seconds(60))
    await house.engine.begun.cancel("w1", attempt.id, "its owner")
    assert await told(house) == [BAD]
