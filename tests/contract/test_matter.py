"""The driver ``matter`` on a hub in this process, which is silent where the real one is."""

from __future__ import annotations

import pytest

from tests.contract.matter_honesty import *  # noqa: F403 - the tests themselves
from tests.fixtures.matter_home import FakeHome
from thumbturn.domain.clock import MILLISECOND
from thumbturn.domain.evidence import Evidence


@pytest.fixture
async def home():
    """A home whose hub is a fake."""
    it = FakeHome()
    await it.open()
    yield it
    await it.close()


async def test_success_does_not_wait_for_the_hub_s_next_report(home: FakeHome):
    """A lock that has moved is asked where its bolt is: that is known before its hub hears of it."""
    ended = await home.run("UNLOCK_DOOR")
    assert ended.evidence is Evidence.STATE_REPORT
    assert ended.settled_at - ended.accepted_at < 50 * MILLISECOND
