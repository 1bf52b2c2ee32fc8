"""The driver ``home_assistant`` on the real Home Assistant: the very tests that it passes on the fake."""

from __future__ import annotations

import pytest

from tests.contract.home_assistant_climate import *  # noqa: F403 - the tests themselves
from tests.contract.home_assistant_honesty import *  # noqa: F403 - likewise
from tests.contract.home_assistant_honesty import why
from tests.fixtures.home_assistant_home import LabHome

AS_AT_FIRST = {
    "front_door": {"locked": True, "battery": 87},
    "back_door": {"locked": True},
    "side_door": {"locked": True},
    "blind_door": {"locked": True},
    "hall": {"mode": "heat", "temperature": 20, "low": 19, "high": 25, "fan": "Auto", "room": 20.5},
    "terrace": {"noise": 41.5},
}


@pytest.fixture
async def home(home_assistant_stack):
    """A home at the lab's hub, with its devices sound and as they were at first."""
    for thing, so in AS_AT_FIRST.items():
        home_assistant_stack.order("fault", thing, kind="")
        home_assistant_stack.order("hand", thing, so=so)
    home_assistant_stack.forget()
    it = LabHome(home_assistant_stack)
    await it.open()
    yield it
    await it.close()


async def test_the_demonstration_locks_of_home_assistant_are_driven(home):
    """Locks that are none of ours: one moves and says so on the way, one is always jammed."""
    front, jammed = "lock.front_door_2", "lock.poorly_installed_door"
    assert why(await home.run("UNLOCK_DOOR", home.address(front))) is None
    assert why(await home.run("LOCK_DOOR", home.address(front))) is None
    assert why(await home.run("LOCK_DOOR", home.address(jammed))) == "lock_jammed"
