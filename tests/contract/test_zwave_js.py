"""The driver ``zwave_js`` on a hub in this process, which is silent where the real one is."""

from __future__ import annotations

import pytest

from tests.contract.zwave_honesty import *  # noqa: F403 - the tests themselves
from tests.fixtures.zwave_home import FakeHome


@pytest.fixture
async def home():
    """A home whose hub is a fake."""
    it = FakeHome()
    await it.open()
    yield it
    await it.close()
