"""The driver ``zwave_js`` on the real Z-Wave JS: the very tests that it passes on the fake of the suite."""

from __future__ import annotations

import pytest

from labs.zwave.stack import Stack, install, missing
from tests.contract.zwave_honesty import *  # noqa: F403 - the tests themselves
from tests.fixtures.zwave_home import PLAIN, SECURE, SUPERVISED, LabHome


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """The lab, once for all tests."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    install()
    it = Stack(tmp_path_factory.mktemp("zwave"))
    it.start()
    yield it
    it.stop()


@pytest.fixture
async def home(stack):
    """A home at the lab's hub, with its locks sound and locked."""
    it = LabHome(stack)
    await it.open()
    yield it
    for address in (SUPERVISED, PLAIN, SECURE):
        await it.fault(address, "")
    for address in (SUPERVISED, PLAIN, SECURE):
        await it.all_online()
        if not await it.is_locked(address):
            await it.run("LOCK_DOOR", address)
    await it.close()
