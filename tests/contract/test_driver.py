"""What every driver owes the engine, whatever its devices are made of.

A driver joins by adding a bench to ``BENCHES`` of ``tests/fixtures/driver_benches.py``: how to build it with
one full lock, one of each other kind that its ecosystem has, and one device that is none of them, how to let
time pass for it, and how to put one out of reach. What it owes beyond bolts is in
``test_driver_capabilities.py``.
"""

from __future__ import annotations

import pkgutil
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

import thumbturn.drivers
from tests.fixtures.driver_benches import BENCHES, Bench, InTime
from thumbturn.actions.definition import CAPABILITY_WORD
from thumbturn.domain.capabilities.lock import AutoLock, Lock
from thumbturn.domain.capabilities.thermostat import Thermostat
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence


@pytest.fixture(params=BENCHES.values(), ids=BENCHES.keys())
async def bench(request):
    bench = request.param()
    yield bench
    await bench.end()


@pytest.fixture
async def seen(bench) -> list[Observation]:
    """What the driver reported, once it was started with both devices."""
    seen: list[Observation] = []

    def observe(observation: Observation) -> None:
        seen.append(observation)
        if observation.on_record is not None:
            observation.on_record()

    await bench.begin(observe)
    bench.driver.attach(devices_of(bench))
    await bench.wait()
    seen.clear()
    return seen


def devices_of(bench: Bench) -> list[Device]:
    """All devices on the bench."""
    on_it = (bench.lock, bench.thermostat, bench.noise_sensor, bench.encoder, bench.other)
    return [device for device in on_it if device is not None]


def offered(bench: Bench, capability: type, device: Device | None = None) -> Any:
    """The device's capability, which must be there; the lock's if no other is named."""
    thing = bench.driver.offer(device or bench.lock, capability)
    assert thing is not None
    return InTime(bench, thing)


async def test_it_is_called_as_its_folder(bench):
    """A driver's name is its folder's, and its devices carry it."""
    assert bench.driver.name in {module.name for module in pkgutil.iter_modules(thumbturn.drivers.__path__)}
    assert bench.lock.driver == bench.other.driver == bench.driver.name
    assert bench.driver.commands_at_once is None or bench.driver.commands_at_once > 0


async def test_its_links_stand_from_start_to_stop(bench):
    """It names its links; they stand once it was started, and none does when it was stopped."""
    await bench.begin(lambda _: None)
    links = bench.driver.links()
    assert links
    assert all(links.values())
    await bench.driver.stop()
    assert not any(bench.driver.links().values())


async def test_it_offers_what_a_device_has_and_nothing_else(bench, seen):
    """A capability is offered exactly to the devices that declare it."""
    for capability, word in CAPABILITY_WORD.items():
        if capability in bench.not_offered:
            assert not any(bench.driver.offer(device, capability) for device in devices_of(bench))
            continue
        for device in devices_of(bench):
            thing = bench.driver.offer(device, capability)
            assert (thing is not None) == (word in device.capabilities)
            assert thing is None or isinstance(thing, capability)


async def test_it_offers_nothing_of_a_device_that_it_does_not_speak_to(bench, seen):
    """Before it is attached and after it was detached a device has no capabilities."""
    stranger = replace(bench.lock, id="somebody-elses")
    assert bench.driver.offer(stranger, Lock) is None
    bench.driver.detach([bench.lock.id])
    assert bench.driver.offer(bench.lock, Lock) is None
    bench.driver.detach([bench.lock.id, "never-heard-of"])


@pytest.mark.parametrize("locked", [False, True], ids=["unlock", "lock"])
async def test_a_command_moves_the_bolt_and_the_device_says_so(bench, seen, locked):
    """The reply grades what is known so far; the device's own report of its bolt follows or precedes."""
    lock = offered(bench, Lock)
    reply = await (lock.lock() if locked else lock.unlock())
    assert reply is not Evidence.NONE
    await bench.wait()
    reports = [each for each in seen if "locked" in each.changes]
    assert reports
    for report in reports:
        assert report.device_id == bench.lock.id
        assert report.changes["locked"] is locked
        assert report.evidence.confirms
        assert report.method == "remote"
    # That it accepted the command it may say too; where its bolt is, it says in any case.
    assert max(report.evidence for report in reports) >= Evidence.STATE_REPORT
    assert {each.device_id for each in seen} == {bench.lock.id}


async def test_a_read_is_fresh(bench, seen):
    """Asked for its bolt, the device says where it is now, not where it was."""
    lock = offered(bench, Lock)
    for locked in (False, True, False):
        await (lock.lock() if locked else lock.unlock())
        await bench.wait()
        report = await lock.read_bolt()
        assert report is not None
        assert report.device_id == bench.lock.id
        assert report.changes["locked"] is locked
        assert report.evidence >= Evidence.STATE_REPORT


async def test_doing_it_twice_is_doing_it_once(bench, seen):
    """A bolt that is there already is commanded without an error and stays."""
    lock = offered(bench, Lock)
    for _ in range(2):
        assert await lock.unlock() is not Evidence.NONE
        await bench.wait()
    assert all(each.changes.get("locked", False) is False for each in seen)


async def test_what_is_out_of_reach_is_never_confirmed(bench, seen):
    """A command that cannot reach the device raises, or answers less than the device's word."""
    lock = offered(bench, Lock)
    bench.put_out_of_reach(bench.lock)
    await bench.wait()
    with suppress(Failure):
        assert await lock.unlock() < Evidence.DEVICE_ACCEPTED
    await bench.wait()
    with suppress(Failure):
        assert await lock.read_bolt() is None
    assert not [each for each in seen if "locked" in each.changes]
    # What is so already is no news, however often it is said.
    assert {each.changes["online"] for each in seen if "online" in each.changes} == {False}


async def test_automatic_locking_is_set_and_read_back(bench, seen):
    """The setting is reported, and a read brings what was set."""
    if "auto_lock" not in bench.lock.capabilities:
        pytest.skip("no lock of this ecosystem locks by itself")
    lock = offered(bench, AutoLock)
    assert await lock.set_auto_lock(True, 20) is not Evidence.NONE
    await bench.wait()
    report = await lock.read_auto_lock()
    assert report is not None
    assert report.changes == {"auto_lock_enabled": True, "auto_lock_delay_seconds": 20}
    assert await lock.set_auto_lock(False, None) is not Evidence.NONE
    await bench.wait()
    assert [each.changes["auto_lock_enabled"] for each in seen] == [True, False]


async def test_a_thermostat_is_set_and_read_back(bench, seen):
    """What is set is reported as it was asked for, with what is sensed; what is not named stays."""
    if bench.thermostat is None:
        pytest.skip("this ecosystem has no thermostats")
    thermostat = offered(bench, Thermostat, bench.thermostat)
    heating = {"hvac_mode_setting": "heat", "heating_set_point_celsius": 21.5}
    for setting in (heating, {"fan_mode_setting": "on"}):
        assert await thermostat.set_climate(setting) is not Evidence.NONE
        await bench.wait()
        reports = [each for each in seen if setting.items() <= each.changes.items()]
        assert {(each.method, each.evidence.confirms) for each in reports} == {("remote", True)}
    read = await thermostat.read_climate()
    assert read is not None
    assert read.changes.items() >= heating.items() | {("fan_mode_setting", "on")}
    assert isinstance(read.changes["temperature_celsius"], float)


async def test_a_start_brings_what_is_not_as_believed(bench):
    """A device that does not stand as the server believes is reported when the driver starts."""
    seen: list[Observation] = []
    believed = replace(bench.lock, state={**bench.lock.state, "locked": True})
    bench.driver.attach([believed])
    await bench.begin(seen.append)
    await offered(bench, Lock).unlock()
    await bench.wait()
    seen.clear()
    bench.driver.detach([believed.id])
    bench.driver.attach([believed])
    await bench.wait()
    assert [each.changes["locked"] for each in seen if "locked" in each.changes] == [False]


@pytest.mark.parametrize("by", ["detach", "stop"])
async def test_nothing_is_reported_after_the_end(bench, seen, by):
    """A device that was let go of reports no more, even if it was in motion."""
    await offered(bench, Lock).unlock()
    seen.clear()
    if by == "stop":
        await bench.driver.stop()
    else:
        bench.driver.detach([bench.lock.id])
    await bench.wait()
    assert seen == []
