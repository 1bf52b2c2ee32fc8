"""What the driver ``zigbee2mqtt`` may say of codes: run on the fake, and in the lab on the real one.

Each takes ``linked`` as the tests of ``zigbee_honesty.py`` do.
"""

from __future__ import annotations

import pytest

from thumbturn.domain.access_code import Slot
from thumbturn.domain.capabilities.access_codes import CodeMemory
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, DuplicateOnDevice, NotSupported

GUEST, CLEANER = "0192f0aa-0000-7000-8000-000000000001", "0192f0aa-0000-7000-8000-000000000002"


def memory_of(linked, name: str = "front_door"):
    """A lock's codes."""
    return linked.lock(name, CodeMemory)


def slot(linked, pin: str, name: str = "Guest") -> Slot:
    """A code that a lock shall hold."""
    key = linked.pins.key_of(linked.devices["front_door"].id, pin)
    return Slot(pin=linked.pins.seal(pin), pin_key=key, name=name)


async def pins_in(linked) -> dict[str, str]:
    """What the lock really holds, by slot."""
    held = (await linked.world.order("look", "front_door"))["pins"]
    return {number: each["pin"] for number, each in held.items()}


async def test_a_lock_says_what_its_keypad_takes(linked):
    """How many codes and of what length is read from the lock itself; only then it is said to have codes."""
    device = linked.devices["front_door"]
    assert "access_codes" in device.capabilities
    assert device.details["supported_code_lengths"] == [4, 5, 6, 7, 8]
    assert device.details["max_active_codes_supported"] == 249


async def test_a_code_is_written_and_asked_for(linked):
    """Success is that the lock says that the slot is used; a PIN keeps its leading zero, and is not told."""
    memory = memory_of(linked)
    guest = slot(linked, "0471")
    assert await memory.set_code(GUEST, guest) is Evidence.DEVICE_ACCEPTED
    assert list((await pins_in(linked)).values()) == ["0471"]
    assert await memory.read_codes() == {GUEST: guest}
    assert await memory.fetch_codes() == {GUEST: guest}
    assert "0471" not in repr(linked.seen)
    assert await memory.clear_code(GUEST) is Evidence.DEVICE_ACCEPTED
    assert await memory.clear_code(GUEST) is Evidence.DEVICE_ACCEPTED
    assert (await pins_in(linked), await memory.read_codes()) == ({}, {})


async def test_a_code_that_takes_another_s_place_is_the_one_that_is_there(linked):
    """Its slot is emptied first: a slot that was used before would prove nothing."""
    memory = memory_of(linked)
    await memory.set_code(GUEST, slot(linked, "1111"))
    assert await memory.set_code(GUEST, slot(linked, "2222")) is Evidence.DEVICE_ACCEPTED
    assert list((await pins_in(linked)).values()) == ["2222"]


async def test_codes_that_were_there_are_neither_erased_nor_overwritten(linked):
    """People's own codes, in the first slots and in the last one, stay what they are; they are found."""
    people = {"1": "8888", "3": "7777", "249": "9999"}
    for number, pin in people.items():
        await linked.world.order("seed_pin", "front_door", slot=int(number), pin=pin)
    memory = memory_of(linked)
    assert await memory.set_code(GUEST, slot(linked, "1234")) is Evidence.DEVICE_ACCEPTED
    held = await pins_in(linked)
    assert {number: held.pop(number) for number in people} == people
    assert list(held.values()) == ["1234"]
    assert set(await memory.fetch_codes()) == {GUEST, "slot-1", "slot-3", "slot-249"}
    await memory.clear_code(GUEST)
    assert await pins_in(linked) == people


async def test_a_pin_that_nobody_knows_is_not_written(linked):
    """A code of somebody else's has none that could be set again: it needs a new one."""
    await linked.world.order("seed_pin", "front_door", slot=1, pin="8888")
    memory = memory_of(linked)
    unread = (await memory.fetch_codes())["slot-1"]
    with pytest.raises(NotSupported):
        await memory.set_code("slot-1", unread)
    assert await pins_in(linked) == {"1": "8888"}


async def test_a_lock_that_ignores_a_code_has_not_taken_it(linked):
    """It says thank you, and asked for the slot it says that it is empty: refused."""
    await linked.world.order("fault", "front_door", kind="ignore")
    with pytest.raises(CommandRefused):
        await memory_of(linked).set_code(GUEST, slot(linked, "4444"))


async def test_a_lock_that_ignores_an_end_still_lets_in(linked):
    """The code is still there, and is said to be."""
    memory = memory_of(linked)
    await memory.set_code(GUEST, slot(linked, "4444"))
    await linked.world.order("fault", "front_door", kind="ignore")
    with pytest.raises(CommandRefused):
        await memory.clear_code(GUEST)
    await linked.world.order("heal")
    assert list(await memory.fetch_codes()) == [GUEST]


@pytest.mark.parametrize("kind", ["silent", "says_no_codes", "unreachable"])
async def test_a_lock_that_does_not_answer_holds_nobody_knows_what(linked, kind):
    """Neither is anything said to be in it, nor that nothing is."""
    memory = memory_of(linked)
    await memory.set_code(GUEST, slot(linked, "5555"))
    await linked.world.order("fault", "front_door", kind=kind)
    assert await memory.clear_code(GUEST) is Evidence.NONE
    assert (await memory.read_codes(), await memory.fetch_codes()) == (None, None)
    assert await memory.set_code(CLEANER, slot(linked, "6666")) is Evidence.NONE


async def test_an_end_of_a_code_that_nobody_wrote_is_worth_what_the_lock_says(linked):
    """It is asked what it holds; if it does not say, nobody knows whether the code is gone."""
    memory = memory_of(linked)
    await linked.world.order("fault", "front_door", kind="says_no_codes")
    assert await memory.clear_code(CLEANER) is Evidence.NONE
    assert await memory.read_codes() is None
    await linked.world.order("heal")
    await linked.world.order("seed_pin", "front_door", slot=1, pin="8888")
    assert await memory.clear_code(CLEANER) is Evidence.DEVICE_ACCEPTED
    assert set(await memory.read_codes()) == {"slot-1"}
    assert await pins_in(linked) == {"1": "8888"}


async def test_a_pin_is_not_held_twice(linked):
    """A second code with the same PIN is refused, before anything is sent."""
    memory = memory_of(linked)
    await memory.set_code(GUEST, slot(linked, "1234"))
    with pytest.raises(DuplicateOnDevice):
        await memory.set_code(CLEANER, slot(linked, "1234"))


async def test_whose_slot_is_whose_outlives_the_server(linked):
    """A driver that is attached anew knows its slots from the device's state, and takes no other's."""
    guest = slot(linked, "1234")
    await memory_of(linked).set_code(GUEST, guest)
    linked.driver.attach([linked.devices["front_door"]])
    memory = memory_of(linked)
    held = await memory.fetch_codes()
    assert {place: each.is_like(guest) for place, each in held.items()} == {GUEST: True}
    assert await memory.clear_code(GUEST) is Evidence.DEVICE_ACCEPTED
    assert await pins_in(linked) == {}


async def test_who_enters_a_code_is_known(linked):
    """The lock names the slot: it is told which code that is; of a slot that nobody knows nothing is said."""
    await memory_of(linked).set_code(GUEST, slot(linked, "1234"))
    at = next(iter(await pins_in(linked)))
    for user, place in ((int(at), GUEST), (77, None)):
        linked.seen.clear()
        await linked.lock().lock()
        await linked.world.order("turn", "front_door", locked=False, source=0, user=user)
        await linked.until(lambda: linked.moves()[-1:] == [(False, "keycode")])
        entered = [each.place for each in linked.seen if each.method == "keycode"]
        assert entered[0] == place


async def test_a_code_that_somebody_changes_at_the_lock_is_told(linked):
    """That its codes were touched, so that they are looked at."""
    await linked.world.order("touch_pin", "front_door", slot=5, pin="9090")
    await linked.until(lambda: "codes_touched_at" in linked.state())
    assert "slot-5" in await memory_of(linked).fetch_codes()
