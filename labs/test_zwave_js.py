"""The driver ``zwave_js`` on the real Z-Wave JS: the very tests that it passes on the fake of the suite."""

from __future__ import annotations

import pytest

from tests.contract.zwave_honesty import *  # noqa: F403 - the tests themselves
from tests.fixtures.zwave_home import PLAIN, SECURE, SUPERVISED, LabHome


@pytest.fixture
async def home(zwave_stack):
    """A home at the lab's hub, with its locks sound and locked."""
    it = LabHome(zwave_stack)
    await it.open()
    yield it
    for address in (SUPERVISED, PLAIN, SECURE):
        await it.fault(address, "")
    for address in (SUPERVISED, PLAIN, SECURE):
        await it.all_online()
        if not await it.is_locked(address):
            await it.run("LOCK_DOOR", address)
    await it.close()
