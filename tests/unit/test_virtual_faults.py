"""The faults of virtual devices, one by one: what comes back, what is reported, and where the bolt is."""

import asyncio
from pathlib import Path

import pytest

from tests.fixtures.house import House
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, DeviceOffline
from thumbturn.domain.refusals import DeviceTypeNotSupported
from thumbturn.drivers.virtual.faults import FAULTS, KINDS

PLAIN, SENSED, SLOW_MOTOR = "Storage Room", "Back Door", "Garage Side Door"


@pytest.fixture
async def house():
    house = await House().open()
    yield house
    await house.driver.stop()


async def test_offline_takes_it_off_the_air_until_healed(house):
    """An offline device is said to be so, takes no command, answers no read, and comes back healed."""
    house.inject(PLAIN, "offline")
    assert house.told("online") == [False]
    for _ in range(3):
        with pytest.raises(DeviceOffline):
            await house.lock(PLAIN).lock()
    assert await house.lock(PLAIN).read_bolt() is None
    house.heal(PLAIN)
    assert house.told("online") == [False, True]
    assert await house.bolt(PLAIN) is False


async def test_offline_so_many_times_counts_refused_commands(house):
    """After its count of commands that did not reach it, the device is back by itself, after the failure."""
    house.inject(PLAIN, "offline", times=2)
    for _ in range(2):
        with pytest.raises(DeviceOffline):
            await house.lock(PLAIN).lock()
        assert house.told("online") == [False]
    await house.clock.settle()
    assert house.told("online") == [False, True]
    assert await house.lock(PLAIN).lock() is Evidence.DEVICE_ACCEPTED


async def test_silent_acts_and_says_nothing(house):
    """A silent lock moves its bolt, and neither reply nor report nor answer tells of it."""
    house.inject(SENSED, "silent", times=1)
    assert await house.lock(SENSED).unlock() is Evidence.NONE
    assert await house.lock(SENSED).read_bolt() is None
    assert await house.auto_lock(SENSED).read_auto_lock() is None
    assert house.seen == []
    house.heal(SENSED)
    assert house.told("locked") == [False]
    assert house.seen[-1].method == "remote"


async def test_ack_only_stops_at_the_radio(house):
    """The radio acknowledges, the bolt stays, and nothing is reported or answered."""
    house.inject(PLAIN, "ack_only", times=1)
    assert await house.lock(PLAIN).lock() is Evidence.RADIO_ACK
    assert await house.lock(PLAIN).read_bolt() is None
    assert house.seen == []
    house.heal(PLAIN)
    assert await house.bolt(PLAIN) is False


async def test_refuse_is_said_and_nothing_moves(house):
    """A refusing device raises ``CommandRefused`` and stays as it is."""
    house.inject(PLAIN, "refuse", times=1)
    with pytest.raises(CommandRefused):
        await house.lock(PLAIN).lock()
    assert house.seen == []
    assert await house.bolt(PLAIN) is False


@pytest.mark.parametrize("name", [PLAIN, SENSED, SLOW_MOTOR])
async def test_jam_is_accepted_and_then_reported(house, name):
    """A jammed lock takes the command, reports the jam, and the bolt is where it was."""
    before = await house.bolt(name)
    house.inject(name, "jam", times=1)
    command = house.lock(name).unlock if before else house.lock(name).lock
    assert await command() is Evidence.DEVICE_ACCEPTED
    await house.pass_ms(2_000)
    assert house.told("jammed") == [True]
    assert await house.bolt(name) is before
    await command()
    await house.pass_ms(2_000)
    assert house.told("jammed") == [True, False]
    assert await house.bolt(name) is not before


async def test_a_jam_does_not_concern_what_needs_no_motor(house):
    """A jammed lock can still be set to lock itself."""
    house.inject(SENSED, "jam")
    await house.auto_lock(SENSED).set_auto_lock(True, 7)
    assert house.told("auto_lock_delay_seconds") == [7]
    assert house.told("jammed") == []


async def test_lie_reports_what_did_not_happen(house):
    """A liar reports, and answers, that it moved; its next honest command ends the lie."""
    house.inject(PLAIN, "lie", times=1)
    assert await house.lock(PLAIN).lock() is Evidence.DEVICE_ACCEPTED
    assert house.told("locked") == [True]
    assert await house.bolt(PLAIN) is True
    house.heal(PLAIN)
    assert house.told("locked") == [True, False]
    assert await house.bolt(PLAIN) is False


async def test_the_sensor_tells_the_truth_about_a_liar(house):
    """Where a sensor watches the bolt, it contradicts the lie."""
    house.inject(SENSED, "lie")
    await house.lock(SENSED).unlock()
    assert [(seen.changes["locked"], seen.evidence) for seen in house.seen] == [
        (False, Evidence.STATE_REPORT),
        (True, Evidence.INDEPENDENT_SENSOR),
    ]


async def test_a_lie_about_automatic_locking(house):
    """A liar also says that it was set when it was not."""
    house.inject(SENSED, "lie", times=1)
    await house.auto_lock(SENSED).set_auto_lock(True, 7)
    said = await house.auto_lock(SENSED).read_auto_lock()
    assert said is not None
    assert said.changes["auto_lock_enabled"] is True
    house.heal(SENSED)
    truth = await house.auto_lock(SENSED).read_auto_lock()
    assert truth is not None
    assert truth.changes["auto_lock_enabled"] is False


async def test_slow_delays_reply_motor_and_report(house):
    """A slow device does everything, so much later; the motor's own time comes on top."""
    house.inject(SLOW_MOTOR, "slow", times=1, milliseconds=4_000)
    reply = asyncio.ensure_future(house.lock(SLOW_MOTOR).unlock())
    await house.pass_ms(3_999)
    assert not reply.done()
    await house.pass_ms(1)
    assert reply.result() is Evidence.DEVICE_ACCEPTED
    await house.pass_ms(1_499)
    assert house.told("locked") == []
    await house.pass_ms(1)
    assert house.told("locked") == [False]


async def test_a_slow_device_acts_although_nobody_waits(house):
    """Giving up on the reply does not call the command back from the device."""
    house.inject(PLAIN, "slow", times=1, milliseconds=1_000)
    reply = asyncio.ensure_future(house.lock(PLAIN).lock())
    await house.pass_ms(500)
    reply.cancel()
    await house.pass_ms(500)
    assert house.told("locked") == [True]


@pytest.mark.parametrize("name", [PLAIN, SLOW_MOTOR])
async def test_dead_mid_way_is_acknowledged_and_then_gone(house, name):
    """It begins, dies, is said to be offline, and stays so until healed; then it says where it stands."""
    house.inject(name, "dead_mid_way", times=1)
    assert await house.lock(name).lock() is Evidence.RADIO_ACK
    await house.pass_ms(2_000)
    assert house.told("online") == [False]
    assert house.told("locked") == []
    assert await house.lock(name).read_bolt() is None
    with pytest.raises(DeviceOffline):
        await house.lock(name).lock()
    house.heal(name)
    assert house.told("online") == [False, True]
    assert house.told("locked") == [await house.bolt(name)]


async def fates(seed: int, order: list[str]) -> dict[str, list[bool]]:
    """Where the bolts stood each time after the locks died under way, in this order of commands."""
    house = await House(seed=seed).open()
    stood: dict[str, list[bool]] = {name: [] for name in order}
    for name in order:
        await house.lock(name).lock()
        await house.pass_ms(2_000)
        house.inject(name, "dead_mid_way", times=1)
        await house.lock(name).unlock()
        await house.pass_ms(2_000)
        house.heal(name)
        stood[name].append(await house.bolt(name))
    await house.driver.stop()
    return stood


async def test_chance_follows_from_the_seed_and_the_device_alone():
    """The same seed gives the same run whatever the order of devices; another seed another run."""
    one_by_one = await fates(7, [PLAIN] * 20 + [SENSED] * 20)
    in_turn = await fates(7, [PLAIN, SENSED] * 20)
    assert one_by_one == in_turn
    assert {True, False} == set(one_by_one[PLAIN])
    assert one_by_one[PLAIN] != one_by_one[SENSED]
    assert one_by_one != await fates(8, [PLAIN, SENSED] * 20)


async def test_a_counted_fault_is_spent_by_commands_and_not_by_reads(house):
    """Twice means two commands, however often the device is asked in between."""
    house.inject(PLAIN, "silent", times=2)
    for _ in range(2):
        assert await house.lock(PLAIN).lock() is Evidence.NONE
        assert await house.lock(PLAIN).read_bolt() is None
        assert await house.lock(PLAIN).read_bolt() is None
    assert await house.lock(PLAIN).lock() is Evidence.DEVICE_ACCEPTED


async def test_an_uncounted_fault_lasts_until_cleared(house):
    """Without a count every command meets the fault; clearing among others heals it."""
    house.inject(PLAIN, "refuse")
    for _ in range(5):
        with pytest.raises(CommandRefused):
            await house.lock(PLAIN).lock()
    house.driver.clear_faults(None, [house.id(SENSED), "not-one-of-ours"])
    with pytest.raises(CommandRefused):
        await house.lock(PLAIN).lock()
    house.driver.clear_faults(None, [house.id(PLAIN)])
    assert await house.lock(PLAIN).lock() is Evidence.DEVICE_ACCEPTED


async def test_a_new_fault_takes_the_place_of_the_old(house):
    """A device has one fault at a time: another one, in place of offline, brings it back on the air."""
    house.inject(PLAIN, "offline")
    house.inject(PLAIN, "refuse", times=1)
    assert house.told("online") == [False, True]
    with pytest.raises(CommandRefused):
        await house.lock(PLAIN).lock()
    assert await house.lock(PLAIN).lock() is Evidence.DEVICE_ACCEPTED


async def test_a_fault_waits_while_its_device_is_disconnected(house):
    """A command that cannot reach the device does not spend its fault."""
    house.inject(PLAIN, "refuse", times=1)
    house.driver.disconnect(house.id(PLAIN))
    with pytest.raises(DeviceOffline):
        await house.lock(PLAIN).lock()
    house.driver.connect(house.id(PLAIN))
    with pytest.raises(CommandRefused):
        await house.lock(PLAIN).lock()


@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_every_fault_is_met_at_the_keypad_too(house, fault):
    """The keypad is commanded like the rest: no fault opens the door for a wrong code."""
    house.inject(SENSED, fault, times=1, milliseconds=10)
    entering = asyncio.ensure_future(house.keypad(SENSED).enter_code("0000"))
    await house.pass_ms(1_000)
    if fault == "offline":
        assert isinstance(entering.exception(), DeviceOffline)
    elif fault == "refuse":
        assert isinstance(entering.exception(), CommandRefused)
    else:
        assert entering.result() is KINDS[fault].reply
    heard = fault in {"jam", "lie", "slow"}
    assert [seen.denied for seen in house.seen if seen.denied] == ["unknown_code"] * heard
    house.heal(SENSED)
    assert await house.bolt(SENSED) is True


async def test_faults_of_things_that_are_not_virtual_are_refused(house):
    """What is not one of its devices cannot be broken, and an unknown fault breaks nothing."""
    with pytest.raises(DeviceTypeNotSupported):
        house.driver.inject_fault("a-real-lock", "jam", times=None, milliseconds=None)
    with pytest.raises(KeyError):
        house.inject(PLAIN, "bewitched")
    assert house.driver.faults == FAULTS
    assert all(meaning.endswith(".") for meaning in FAULTS.values())


def test_the_page_about_virtual_devices_lists_every_fault():
    """The documentation says of each fault what the code says, and knows no other."""
    page = Path(__file__).resolve().parents[2] / "docs" / "drivers" / "virtual.md"
    section = page.read_text().split("## Faults")[1].split("## The journal")[0]
    listed = [line for line in section.splitlines() if line.startswith("| `")]
    assert listed == [f"| `{name}` | {meaning} |" for name, meaning in FAULTS.items()]
