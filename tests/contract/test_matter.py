"""The driver ``matter`` on a hub in this process, which is silent where the real one is."""

from __future__ import annotations

import pytest

from tests.contract.matter_honesty import *  # noqa: F403 - the tests themselves
from tests.fixtures.matter_home import FakeHome


@pytest.fixture
async def home():
    """A home whose hub is a fake."""
    it = FakeHome()
    await it.open()
    yield it
    await it.close()
