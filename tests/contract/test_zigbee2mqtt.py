"""The honesty of the driver ``zigbee2mqtt``, on a fake hub with the silences of the real one."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.zigbee_climate import *  # noqa: F403 - the tests, as they run in the lab too
from tests.contract.zigbee_codes import *  # noqa: F403 - likewise
from tests.contract.zigbee_codes import GUEST, memory_of, pins_in, slot
from tests.contract.zigbee_honesty import *  # noqa: F403 - likewise
from tests.fixtures.zigbee2mqtt import COORDINATOR, FakeZigbee2Mqtt
from tests.fixtures.zigbee_bench import Linked
from thumbturn.domain.device import HUB_DISCONNECTED
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, OutcomeUnknown
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


@pytest.mark.parametrize("said", ["that it is away", "nothing"])
async def test_a_hub_that_left_while_the_server_was_down_takes_its_devices_along(linked, said):
    """Its broker is there: it says that the hub is away, or it has forgotten all and nobody says anything."""
    await linked.stop()
    await linked.world.stop_hub()
    if said == "nothing":
        await linked.world.stop_broker()
        await linked.world.start_broker()
    assert linked.is_online("front_door")
    await linked.start_again()
    await linked.until(lambda: not (linked.is_online("front_door") or linked.is_online("hall")))
    assert linked.state()["offline_because"] == HUB_DISCONNECTED
    await linked.world.start_hub()
    await linked.until(lambda: linked.is_online("front_door"))


def take_no_codes(linked, *, status: int | None = None):
    """From now on the lock takes none, or only like this; it forgets as before. What undoes it."""
    obeyed = linked.world._set_pin_code

    def obey(device, asked):
        if asked.get("pin_code") is None or status is not None:
            obeyed(device, asked)
        if asked.get("pin_code") is not None and status is not None:
            device.pins[asked["user"]]["status"] = status

    linked.world._set_pin_code = obey
    return lambda: setattr(linked.world, "_set_pin_code", obeyed)


async def test_a_lock_that_lost_the_old_code_and_takes_not_the_new_one_holds_neither(linked):
    """It is not said to be as it was: whoever had the old code stands before the door."""
    memory = memory_of(linked)
    await memory.set_code(GUEST, slot(linked, "1111"))
    take_no_codes(linked)
    with pytest.raises(OutcomeUnknown):
        await memory.set_code(GUEST, slot(linked, "2222"))
    assert await pins_in(linked) == {}
    assert await memory.fetch_codes() == {}


async def test_a_slot_that_was_not_filled_is_nobody_s(linked):
    """What somebody enters there at the keypad afterwards is his, also when the code is tried again."""
    memory = memory_of(linked)
    heal = take_no_codes(linked)
    with pytest.raises(CommandRefused):
        await memory.set_code(GUEST, slot(linked, "1111"))
    await linked.world.order("seed_pin", "front_door", slot=249, pin="7777")
    heal()
    assert await memory.set_code(GUEST, slot(linked, "1111")) is Evidence.DEVICE_ACCEPTED
    assert (await pins_in(linked))["249"] == "7777"
    assert sorted((await pins_in(linked)).values()) == ["1111", "7777"]


async def test_a_code_that_is_switched_off_is_not_the_one_that_was_written(linked):
    """It lets nobody in, so it is not as it was told, and is written anew; its slot is nobody else's."""
    memory, guest = memory_of(linked), slot(linked, "1111")
    await memory.set_code(GUEST, guest)
    [held] = linked.world.devices["front_door"].pins.values()
    held["status"] = 3
    found = await memory.fetch_codes()
    assert [*found] == [GUEST]
    assert not found[GUEST].is_like(guest)
    assert await memory.set_code(GUEST, guest) is Evidence.DEVICE_ACCEPTED
    assert await memory.fetch_codes() == {GUEST: guest}


async def test_a_code_that_is_taken_and_switched_off_is_no_success(linked):
    """The lock says of what it was told that it lets nobody in."""
    memory = memory_of(linked)
    take_no_codes(linked, status=3)
    with pytest.raises(OutcomeUnknown):
        await memory.set_code(GUEST, slot(linked, "1111"))


async def test_somebody_s_code_that_is_switched_off_is_not_overwritten(linked):
    """Its slot is used."""
    await linked.world.order("seed_pin", "front_door", slot=249, pin="7777")
    linked.world.devices["front_door"].pins[249]["status"] = 3
    await memory_of(linked).set_code(GUEST, slot(linked, "1111"))
    assert (await pins_in(linked))["249"] == "7777"


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
