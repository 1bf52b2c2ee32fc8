"""What every driver owes the engine beyond bolts: codes, programs, noise thresholds and cards."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from tests.contract.test_driver import bench, devices_of, seen
from tests.contract.test_driver import offered as offered_by
from tests.fixtures.driver_benches import Bench
from thumbturn.actions.definition import CAPABILITY_WORD
from thumbturn.domain.access_code import Slot
from thumbturn.domain.capabilities.access_codes import CodeMemory
from thumbturn.domain.capabilities.encoder import Encoder
from thumbturn.domain.capabilities.lock import Keypad, Lock
from thumbturn.domain.capabilities.noise_sensor import NoiseSensor
from thumbturn.domain.capabilities.thermostat import Thermostat, ThermostatPrograms
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.encoder import CARD_READ, ON_CARD
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import DuplicateOnDevice, NoSpaceOnDevice
from thumbturn.domain.noise import THRESHOLDS

__all__ = ["bench", "seen"]  # the fixtures of the bench

LOUD = {
    "name": "Loud",
    "starts_daily_at": "22:00:00[Etc/UTC]",
    "ends_daily_at": "07:00:00[Etc/UTC]",
    "noise_threshold_decibels": 60,
}
WRITTEN = {ON_CARD: "credential-1", "starts_at": None, "ends_at": 5}


def is_like(held: Mapping[str, Slot] | None, wanted: Mapping[str, Slot]) -> bool:
    """Whether these places hold these codes, and no others any; each time a PIN is sealed anew."""
    return (
        held is not None
        and held.keys() == wanted.keys()
        and all(slot.is_like(wanted[place]) for place, slot in held.items())
    )


def offered(bench: Bench, device: Device | None, capability: type) -> Any:
    """The capability of a device of the bench; the test is skipped where the ecosystem has no such device."""
    if device is None or capability in bench.not_offered:
        pytest.skip("this ecosystem has no such device")
    if CAPABILITY_WORD[capability] not in device.capabilities:
        pytest.skip("no device of this ecosystem can do that")
    return offered_by(bench, capability, device)


def reported(seen: list[Observation], name: str) -> list[Any]:
    """What was reported under this name, in order, each time as an answer to a command."""
    about = [each for each in seen if name in each.changes]
    assert all(each.evidence >= Evidence.STATE_REPORT for each in about)
    return [each.changes[name] for each in about]


async def test_the_virtual_bench_has_every_capability_there_is(bench):
    """A capability that is new joins with a device on the bench, and with a test here."""
    if bench.driver.name == "virtual":
        assert {word for device in devices_of(bench) for word in device.capabilities} >= set(
            CAPABILITY_WORD.values()
        )


async def test_a_lock_holds_what_it_is_told_place_by_place(bench, seen):
    """Each place holds what was last set there, also after it is read anew; cleared twice it is clear."""
    memory = offered(bench, bench.lock, CodeMemory)
    assert await memory.set_code("one", bench.code(1)) is not Evidence.NONE
    assert await memory.set_code("two", bench.code(2)) is not Evidence.NONE
    assert await memory.set_code("one", bench.code(3)) is not Evidence.NONE
    await bench.wait()
    holds = {"one": bench.code(3), "two": bench.code(2)}
    assert is_like(await memory.read_codes(), holds)
    assert is_like(await memory.fetch_codes(), holds)
    for _ in range(2):
        assert await memory.clear_code("one") is not Evidence.NONE
    assert is_like(await memory.fetch_codes(), {"two": bench.code(2)})
    assert not any(f"8{number:03}77" in repr(seen) for number in (1, 2, 3)), "no PIN is ever observed"
    assert "sealed" not in repr(seen), "nothing of a code is ever observed"


async def test_a_lock_holds_no_pin_twice_and_no_more_than_it_can(bench, seen):
    """It says so, and holds what it held."""
    memory = offered(bench, bench.lock, CodeMemory)
    await memory.set_code("one", bench.code(1))
    with pytest.raises(DuplicateOnDevice):
        await memory.set_code("two", bench.code(1))
    most = bench.lock.details["max_active_codes_supported"]
    for number in range(2, most + 1):
        await memory.set_code(f"{number}", bench.code(number))
    with pytest.raises(NoSpaceOnDevice):
        await memory.set_code("one too many", bench.code(most + 1))
    held = await memory.fetch_codes()
    assert len(held) == most
    assert held["one"].is_like(bench.code(1))


async def test_a_keypad_is_pressed(bench, seen):
    """A code that is not known is reported as denied, and the lock key throws the bolt by hand."""
    keypad = offered(bench, bench.lock, Keypad)
    await keypad.enter_code("000000")
    await bench.wait()
    assert [each.denied for each in seen if each.denied] == ["unknown_code"]
    await offered(bench, bench.lock, Lock).unlock()
    await bench.wait()
    seen.clear()
    assert await keypad.press_lock() is not Evidence.NONE
    await bench.wait()
    assert [(each.changes["locked"], each.method) for each in seen if "locked" in each.changes] == [
        (True, "manual")
    ]


async def test_a_thermostat_holds_programs(bench, seen):
    """What it holds is reported and read back; others take their place."""
    thermostat = offered(bench, bench.thermostat, ThermostatPrograms)
    for daily in ({"p1": {"name": "Day", "periods": [], "created_at": 0}}, {}):
        programs = {"daily": daily, "weekly": None, "presets": {}}
        assert await thermostat.set_programs(programs) is not Evidence.NONE
        await bench.wait()
        assert reported(seen, "programs")[-1] == programs
        read = await thermostat.read_programs()
        assert read is not None
        assert read.changes["programs"] == programs


async def test_a_noise_sensor_holds_thresholds(bench, seen):
    """What it holds is reported whole after each command, and read back; twice is once."""
    sensor = offered(bench, bench.noise_sensor, NoiseSensor)
    for id, level in (("t1", 60), ("t2", 70), ("t1", 65), ("t1", 65)):
        assert (
            await sensor.put_threshold(id, {**LOUD, "noise_threshold_decibels": level}) is not Evidence.NONE
        )
        await bench.wait()
    held = reported(seen, THRESHOLDS)[-1]
    assert {id: each["noise_threshold_decibels"] for id, each in held.items()} == {"t1": 65, "t2": 70}
    for id in ("t1", "t1", "never"):
        assert await sensor.delete_threshold(id) is not Evidence.NONE
        await bench.wait()
    read = await sensor.read_thresholds()
    assert read is not None
    assert (read.device_id, list(read.changes[THRESHOLDS])) == (bench.noise_sensor.id, ["t2"])
    assert list(reported(seen, THRESHOLDS)[-1]) == ["t2"]


async def test_an_encoder_writes_and_reads_cards(bench, seen):
    """What comes of an order names it: a card with its number, and with what was written on it before."""
    encoder = offered(bench, bench.encoder, Encoder)
    assert await encoder.scan("first") is not Evidence.NONE
    await bench.wait()
    assert await encoder.encode("second", WRITTEN) is not Evidence.NONE
    await bench.wait()
    assert await encoder.scan("third") is not Evidence.NONE
    await bench.wait()
    empty, written, read = reported(seen, CARD_READ)
    assert [each["order"] for each in (empty, written, read)] == ["first", "second", "third"]
    assert ON_CARD not in empty["card"]
    for card in (written["card"], read["card"]):
        assert card.items() >= {**WRITTEN, "card_number": empty["card"]["card_number"]}.items()
        assert isinstance(card["encoded_at"], int)
    last = await encoder.read_card()
    assert last is not None
    assert last.changes[CARD_READ] == read


@pytest.mark.parametrize("what", ["codes", "climate", "programs", "thresholds", "card"])
async def test_what_is_out_of_reach_confirms_nothing(bench, seen, what):
    """A command raises or answers less than the device's word, nothing is reported, and no read answers."""
    device, capability, command, read = {
        "codes": (bench.lock, CodeMemory, lambda it: it.set_code("one", bench.code(1)), "fetch_codes"),
        "climate": (
            bench.thermostat,
            Thermostat,
            lambda it: it.set_climate({"fan_mode_setting": "on"}),
            "read_climate",
        ),
        "programs": (bench.thermostat, ThermostatPrograms, lambda it: it.set_programs({}), "read_programs"),
        "thresholds": (
            bench.noise_sensor,
            NoiseSensor,
            lambda it: it.put_threshold("t1", LOUD),
            "read_thresholds",
        ),
        "card": (bench.encoder, Encoder, lambda it: it.encode("order", WRITTEN), "read_card"),
    }[what]
    thing = offered(bench, device, capability)
    bench.put_out_of_reach(device)
    await bench.wait()
    seen.clear()
    with suppress(Failure):
        assert await command(thing) < Evidence.DEVICE_ACCEPTED
    await bench.wait()
    with suppress(Failure):
        assert await getattr(thing, read)() is None
    assert [each for each in seen if set(each.changes) - {"online", "offline_because"}] == []
