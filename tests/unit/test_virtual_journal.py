"""The journal: the virtual world outlives the server's process."""

import asyncio
import json
import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from tests.fixtures.house import House
from thumbturn.domain.failures import CommandRefused
from thumbturn.drivers.virtual.journal import Journal
from thumbturn.drivers.virtual.locks import SANDBOX_PIN

ROOT = Path(__file__).resolve().parents[2]
PLAIN, SENSED, MOTOR = "Storage Room", "Back Door", "Front Door"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "virtual-world.jsonl"


def lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def killed(house: House) -> None:
    """The process is gone: nothing is said any more, nothing is tidied up."""
    await house.driver.stop()  # closes the file, as the kernel would, and writes nothing


async def test_every_command_is_one_line(path):
    """A line says when, which device, what it was told, and what is physically so because of it."""
    house = await House(path).open()
    began = house.clock.now()
    await house.lock(PLAIN).lock()
    await house.lock(MOTOR).unlock()
    await house.auto_lock(SENSED).set_auto_lock(True, 9)
    await house.pass_ms(300)
    assert lines(path) == [
        {
            "at": began,
            "device_id": house.id(PLAIN),
            "did": "lock",
            "now": {"locked": True, "jammed": False, "method": "remote", "moved_at": began},
        },
        {
            "at": began,
            "device_id": house.id(MOTOR),
            "did": "unlock",
            "now": {
                "locked": False,
                "jammed": False,
                "method": "remote",
                "moved_at": began + 300_000,
                "moved_from": True,
            },
        },
        {
            "at": began,
            "device_id": house.id(SENSED),
            "did": "set_auto_lock",
            "now": {"auto_lock_enabled": True, "auto_lock_delay_seconds": 9},
        },
    ]
    await house.driver.stop()


async def test_it_is_written_before_anything_is_told(path):
    """When the server hears of a movement, or has its reply, the line is in the file already."""
    house = House(path)
    sizes: list[int] = []
    await house.driver.start(lambda seen: sizes.append(path.stat().st_size))
    house.driver.attach(house.devices.values())
    assert sizes == []
    await house.lock(PLAIN).lock()
    assert len(sizes) == 1
    assert sizes[0] == path.stat().st_size > 0
    await house.driver.stop()


async def test_no_code_is_ever_in_the_file(path):
    """Neither a right nor a wrong code is written down; that one was entered is."""
    house = await House(path).open()
    await house.keypad(SENSED).enter_code(SANDBOX_PIN)
    await house.keypad(SENSED).enter_code("987654")
    await house.driver.stop()
    assert [line["did"] for line in lines(path)] == ["keypad", "keypad"]
    assert f'"{SANDBOX_PIN}"' not in path.read_text()
    assert "987654" not in path.read_text()


async def test_what_met_a_fault_says_so(path):
    """Commands that reached a device carry the fault they met; those that did not are not there."""
    house = await House(path).open()
    for fault in ("jam", "lie", "silent", "ack_only"):
        house.inject(PLAIN, fault, times=1)
        await house.lock(PLAIN).lock()
    house.inject(PLAIN, "refuse", times=1)
    with pytest.raises(CommandRefused):
        await house.lock(PLAIN).lock()
    await house.driver.stop()
    commands = [line for line in lines(path) if line["did"] == "lock"]
    assert [line["fault"] for line in commands] == ["jam", "lie", "silent", "refuse"]
    assert ["locked" in line.get("now", {}) for line in commands] == [False, False, True, False]
    again = await House(path).open()
    assert await again.bolt(PLAIN) is True
    await again.driver.stop()


async def test_the_bolt_stands_where_it_was_left(path):
    """After a restart the door is as it was, not as the server believed, and the difference is reported."""
    before = await House(path).open()
    await before.lock(SENSED).unlock()
    await before.auto_lock("Garage Side Door").set_auto_lock(True, 9)
    before.driver.swing_door(before.id(SENSED), is_open=True)
    await killed(before)

    after = await House(path, clock=before.clock).open()
    assert await after.bolt(SENSED) is False
    assert await after.bolt(PLAIN) is False  # never touched: as its server knows it
    about = {seen.device_id: seen for seen in after.seen}
    assert dict(about[after.id(SENSED)].changes) == {"locked": False, "door_open": True}
    assert about[after.id(SENSED)].method == "remote"
    assert dict(about[after.id("Garage Side Door")].changes) == {
        "auto_lock_enabled": True,
        "auto_lock_delay_seconds": 9,
    }
    assert len(after.seen) == 2
    await after.driver.stop()


#: Unlocks a door and dies by SIGKILL as soon as the lock has moved.
VICTIM = """
import asyncio, os, signal, sys
from pathlib import Path
from tests.fixtures.house import House

async def die():
    house = await House(Path(sys.argv[1])).open()
    await house.lock("Back Door").unlock()
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(die())
"""


async def test_a_bolt_that_moved_outlives_a_killed_process(path):
    """What was done before ``kill -9`` is so afterwards."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", VICTIM, str(path), cwd=ROOT)
    assert await process.wait() == -signal.SIGKILL
    after = await House(path).open()
    assert await after.bolt(SENSED) is False
    await after.driver.stop()


async def test_a_door_that_is_as_believed_is_not_reported(path):
    """A restart after which everything is as the server knows it brings no reports."""
    before = await House(path).open()
    await before.lock(SENSED).unlock()
    await killed(before)
    after = House(path, clock=before.clock)
    await after.open([after.believe(SENSED, locked=False), after.devices[PLAIN]])
    assert after.seen == []
    await after.driver.stop()


async def test_a_motor_goes_on_without_the_server(path):
    """A bolt in motion when the server died arrives at its time, also when the server is back before."""
    before = await House(path).open()
    await before.lock(MOTOR).unlock()
    await before.pass_ms(100)
    await killed(before)
    after = await House(path, clock=before.clock).open()
    assert await after.bolt(MOTOR) is True
    assert after.told("locked") == []
    await after.pass_ms(200)
    assert await after.bolt(MOTOR) is False
    assert after.told("locked") == [False]
    await after.driver.stop()


async def test_the_timer_of_an_unlocked_door_is_taken_up_again(path):
    """A door that was to lock itself does so after a restart, at the time at which it was to."""
    before = await House(path).open()
    await before.auto_lock(SENSED).set_auto_lock(True, 9)
    await before.lock(SENSED).unlock()
    await before.pass_ms(4_000)
    await killed(before)
    after = await House(path, clock=before.clock).open()
    await after.pass_ms(4_999)
    assert await after.bolt(SENSED) is False
    await after.pass_ms(1)
    assert await after.bolt(SENSED) is True
    await after.driver.stop()


async def test_a_link_stays_as_it_was(path):
    """What was disconnected, removed or dead stays so over a restart; healing a dead one works after it."""
    before = await House(path).open()
    before.driver.disconnect(before.id(MOTOR))
    before.driver.remove(before.id(SENSED))
    before.inject(PLAIN, "dead_mid_way", times=1)
    await before.lock(PLAIN).unlock()
    await killed(before)

    after = await House(path, clock=before.clock).open()
    assert after.told("online") == [False, False, False]
    after.heal(PLAIN)
    after.driver.connect(after.id(MOTOR))
    after.driver.connect(after.id(SENSED))
    assert after.told("online")[3:] == [True, True, True]
    await after.driver.stop()


async def test_a_torn_last_line_is_dropped(path):
    """A line whose write did not end counts for nothing, and the next one is whole."""
    before = await House(path).open()
    await before.lock(SENSED).unlock()
    await before.lock(PLAIN).lock()
    await killed(before)
    os.truncate(path, path.stat().st_size - 10)

    after = await House(path, clock=before.clock).open()
    assert await after.bolt(SENSED) is False
    assert await after.bolt(PLAIN) is False
    await after.lock(PLAIN).lock()
    await after.driver.stop()
    assert [line["did"] for line in lines(path)] == ["unlock", "lock"]


@pytest.mark.parametrize("content", [b"", b"\x00" * 512 + b"\n", b"half a li", b"\n\n"])
async def test_an_unreadable_file_is_no_obstacle(path, content):
    """Garbage left by a power loss keeps nothing from starting and from being written."""
    path.write_bytes(content)
    house = await House(path).open()
    await house.lock(PLAIN).lock()
    await house.driver.stop()
    again = await House(path).open()
    assert await again.bolt(PLAIN) is True
    await again.driver.stop()


def test_a_long_history_is_compacted_at_start(path):
    """Above its size the file is cut down to what is so now, and stays readable for its owner only."""
    journal = Journal(path)
    for at in range(1_000):
        journal.record(at, f"device-{at % 3}", "unlock", {"locked": bool(at % 2), "moved_at": at})
    journal.record(1_000, "device-0", "set_auto_lock", {"auto_lock_enabled": True})
    journal.forget(1_001, ["device-2"])
    journal.close()
    whole = path.read_bytes()

    Journal(path, compact_above_bytes=len(whole)).close()
    assert path.read_bytes() == whole

    compacted = Journal(path, compact_above_bytes=len(whole) - 1)
    assert lines(path) == [
        {
            "at": 1_000,
            "device_id": "device-0",
            "did": "compact",
            "now": {"locked": True, "moved_at": 999, "auto_lock_enabled": True},
        },
        {
            "at": 997,
            "device_id": "device-1",
            "did": "compact",
            "now": {"locked": True, "moved_at": 997},
        },
    ]
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    compacted.record(1_002, "device-1", "lock", {"locked": False})
    compacted.close()
    again = Journal(path)
    assert again.facts("device-0") == {"locked": True, "moved_at": 999, "auto_lock_enabled": True}
    assert again.facts("device-1") == {"locked": False, "moved_at": 997}
    assert again.facts("device-2") == {}
    again.close()


def test_a_line_that_the_disk_does_not_take_is_an_error_and_no_fact(path):
    """On a full disk whoever records hears of it, and what was not written down is not so."""
    journal = Journal(path)
    journal.record(1, "device-0", "lock", {"locked": True})
    real, journal._file = journal._file, os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(OSError, match="No space left"):
        journal.record(2, "device-0", "unlock", {"locked": False})
    os.close(journal._file)
    journal._file = real
    assert journal.facts("device-0") == {"locked": True}
    journal.close()


def test_a_history_that_grows_is_compacted_meanwhile(path):
    """While it runs, too, the file stays short, and what is so now survives every cut."""
    journal, sizes = Journal(path, compact_above_bytes=10_000), []
    for at in range(1_000):
        journal.record(at, f"device-{at % 3}", "unlock", {"locked": bool(at % 2), "moved_at": at})
        sizes.append(path.stat().st_size)
    journal.forget(1_000, ["device-2"])
    assert max(sizes) <= 10_000
    assert min(sizes[500:]) < 1_000, "it is cut down again and again"
    journal.close()
    again = Journal(path)
    assert again.facts("device-0") == {"locked": True, "moved_at": 999}
    assert again.facts("device-1") == {"locked": True, "moved_at": 997}
    assert again.facts("device-2") == {}
    again.close()


def test_a_long_list_of_devices_is_not_rewritten_for_every_line(path):
    """Where what is so now is above the size by itself, the bound rises with it."""
    journal = Journal(path, compact_above_bytes=1_000)
    rewritten, file = 0, None
    for at in range(500):
        journal.record(at, f"device-{at}", "unlock", {"locked": False})
        rewritten, file = rewritten + (file != path.stat().st_ino), path.stat().st_ino
    journal.close()
    assert rewritten < 15


async def test_forgotten_devices_begin_anew(path):
    """After a reset a device stands as the server knows it, also over a restart."""
    house = await House(path).open()
    house.inject(SENSED, "refuse")
    await house.lock(PLAIN).lock()
    house.driver.forget([house.id(PLAIN), house.id(SENSED), house.id(MOTOR)])
    house.seen.clear()
    house.driver.attach([house.devices[PLAIN], house.devices[SENSED]])
    assert house.seen == []
    assert await house.bolt(PLAIN) is False
    await house.lock(SENSED).unlock()
    await killed(house)
    again = await House(path, clock=house.clock).open()
    assert await again.bolt(PLAIN) is False
    assert await again.bolt(SENSED) is False
    await again.driver.stop()


async def test_without_a_file_the_world_lasts_as_long_as_the_driver():
    """In memory only, a device that was detached and attached again stands where it stood."""
    house = await House().open()
    await house.lock(PLAIN).lock()
    house.driver.detach([house.id(PLAIN)])
    house.driver.attach([house.devices[PLAIN]])
    assert await house.bolt(PLAIN) is True
    await house.driver.stop()


def test_a_line_that_finds_no_room_leaves_nothing(path):
    """Where the disk has room for half a line, it is not written, and the next one is whole."""
    journal = Journal(path)
    journal.record(1, "door", "lock", {"locked": True})
    size, (soft, hard) = path.stat().st_size, resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))
    try:
        with pytest.raises(OSError, match="No space left"):
            journal.record(2, "door", "unlock", {"locked": False})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert journal.facts("door") == {"locked": True}
    journal.record(3, "door", "lock", {"locked": True})
    assert [line["at"] for line in lines(path)] == [1, 3]
