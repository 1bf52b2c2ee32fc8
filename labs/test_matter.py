"""The driver ``matter`` on the real python-matter-server: the very tests that it passes on the fake."""

from __future__ import annotations

import pytest

from tests.contract.matter_honesty import *  # noqa: F403 - the tests themselves
from tests.fixtures.matter_home import BACK_DOOR, FRONT_DOOR, LabHome


@pytest.fixture
async def home(matter_stack):
    """A home at the lab's hub, with its locks sound and locked."""
    it = LabHome(matter_stack)
    await it.open()
    yield it
    for address in (FRONT_DOOR, BACK_DOOR):
        await it.stun(address, is_stunned=False)
        await it.fault(address, "")
        await it.privacy(address, is_on=False)
        await it.want_pin(address, is_wanted=False)
    await it.all_online()
    for address in (FRONT_DOOR, BACK_DOOR):
        if not await it.is_locked(address):
            await it.run("LOCK_DOOR", address)
    await it.close()
