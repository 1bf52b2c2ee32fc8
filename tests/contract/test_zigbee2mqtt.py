"""The honesty of the driver ``zigbee2mqtt``, on a fake hub with the silences of the real one."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.zigbee_climate import *  # noqa: F403 - the tests, as they run in the lab too
from tests.contract.zigbee_codes import *  # noqa: F403 - likewise
from tests.contract.zigbee_honesty import *  # noqa: F403 - likewise
from tests.fixtures.zigbee2mqtt import COORDINATOR, FakeZigbee2Mqtt
from tests.fixtures.zigbee_bench import Linked
from thumbturn.drivers.zigbee2mqtt import hub, locks


async def test_another_network_at_its_address_is_not_taken_for_it(linked):
    """Another coordinator answers there: its devices are none of ours; ours are offline until it is back."""
    await linked.world.stop_hub()
    linked.world.coordinator = "0x00124b00000000ee"
    linked.seen.clear()
    await linked.world.start_hub()
    await asyncio.sleep(1)
    assert not linked.is_online("front_door")
    assert not [each for each in linked.seen if "locked" in each.changes]
    linked.world.coordinator = COORDINATOR
    await linked.world.start_hub()
    await linked.until(lambda: linked.is_online("front_door"))


@pytest.fixture
async def linked(monkeypatch):
    """The driver, linked; a command need not wait long for a sign that does not come."""
    monkeypatch.setattr(locks, "FIRST_SIGN_WITHIN", 300_000)
    monkeypatch.setattr(hub, "SAYS_ALL_WITHIN", 300_000)
    world = FakeZigbee2Mqtt()
    await world.start()
    linked = Linked(world)
    await linked.open()
    yield linked
    await linked.close()
    await world.stop()
