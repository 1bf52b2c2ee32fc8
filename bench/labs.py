"""The drivers of real devices on the real programs that they speak to: how quick, and how honest, they are.

`make bench-labs` measures these. Each stack is that of the lab of the same name, with its devices.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from seam import Seam

from bench.bare_hubs import BareHub, BareMatter, BareZigbee, BareZwave
from bench.openloop import percentile
from bench.options import Options
from bench.rows import BenchError, Bound, Row
from bench.servers import directory
from bench.throughput import in_turn
from labs.commanded import command_by_chance
from labs.doors import Doors
from labs.house import House, house
from labs.interrupted import interrupt
from labs.matter import stack as matter
from labs.matter.doors import MatterDoors
from labs.zigbee import stack as zigbee
from labs.zigbee.doors import ZigbeeDoors
from labs.zwave import stack as zwave
from labs.zwave.doors import ZwaveDoors

#: ms, p50: what may stand between the lock's word to a bare script and a success that can be read here.
OVER_BARE = 15
#: Seconds after a command in which its lock and its hub have said all that they will of it.
_QUIET_AFTER = 0.2
_WITHIN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """One real stack, the lock that is measured there, and the bare script beside ours."""

    title: str
    door: str
    bare: Callable[[str], BareHub]
    doors: Callable[[Path], Any]


@contextmanager
def _zwave(folder: Path) -> Iterator[Doors]:
    reason = zwave.missing()
    if reason is not None:
        raise BenchError(reason)
    zwave.install()
    stack = zwave.Stack(folder)
    stack.start()
    try:
        yield ZwaveDoors(stack)
    finally:
        stack.stop()


@contextmanager
def _zigbee(folder: Path) -> Iterator[Doors]:
    reason = zigbee.why_not()
    if reason is not None:
        raise BenchError(reason)
    stack = zigbee.ZigbeeStack()
    stack.start()
    try:
        yield ZigbeeDoors(stack)
    finally:
        stack.stop()


@contextmanager
def _matter(folder: Path) -> Iterator[Doors]:
    reason = matter.missing()
    if reason is not None:
        raise BenchError(reason)
    stack = matter.Stack()
    stack.start()
    try:
        yield MatterDoors(stack)
    finally:
        stack.stop()


LABS = {
    "zwave_js": Lab(title="Z-Wave JS", door="2", bare=BareZwave, doors=_zwave),
    "zigbee2mqtt": Lab(title="Zigbee2MQTT", door="front_door", bare=BareZigbee, doors=_zigbee),
    "matter": Lab(title="Matter", door="front", bare=BareMatter, doors=_matter),
}


def labs(name: str, options: Options) -> Iterator[Row]:
    """All rows of one lab."""
    lab = LABS[name]
    with (
        directory(options) as data,
        tempfile.TemporaryDirectory() as folder,
        lab.doors(Path(folder)) as doors,
        house(doors, data) as home,
    ):
        yield from _quickness(name, lab, home, options)
        yield _honesty(name, lab, home, options)
        yield _interruption(name, lab, home)


def lab_cases() -> dict[str, Callable[[Options], Iterator[Row]]]:
    """A case for each lab, by the name of its driver."""
    return {name: partial(labs, name) for name in LABS}


def _quickness(name: str, lab: Lab, home: House, options: Options) -> Iterator[Row]:
    """The same unlock by a bare script, by HTTP and by the SDK, each in its turn."""
    what = f"{lab.title}: unlock, POST → success,"
    by_http = Row(f"{name}_http", f"{what} over a bare script, p50", "ms", Bound(OVER_BARE))
    by_sdk = Row(f"{name}_sdk", f"{what} by the Python SDK, over a bare script, p50", "ms", Bound(OVER_BARE))
    bare = lab.bare(home.doors.settings["url"])
    http = home.caller()
    sdk = Seam(api_key=home.key, endpoint=home.server.endpoint)
    ways: dict[str, Callable[[bool], float]] = {
        "bare": lambda locked: bare.move(lab.door, locked=locked),
        "http": lambda locked: _by_http(home, http, lab.door, locked=locked),
        "sdk": lambda locked: _by_sdk(home, sdk, lab.door, locked=locked),
    }
    every: dict[str, list[float]] = {way: [] for way in ways}
    try:
        for _ in range(options.rounds):
            taken: dict[str, list[float]] = {way: [] for way in ways}
            for number in range(options.lab_unlocks):
                for way in in_turn(list(ways), number):
                    taken[way].append(ways[way](False))
                    time.sleep(_QUIET_AFTER)
                    ways["bare"](True)
                    time.sleep(_QUIET_AFTER)
            for row, way in ((by_http, "http"), (by_sdk, "sdk")):
                row.add("ours", median(taken[way]) - median(taken["bare"]))
                row.add("bare", median(taken["bare"]))
            for way, some in taken.items():
                every[way] += some
    finally:
        bare.close()
    for row, way in ((by_http, "http"), (by_sdk, "sdk")):
        row.notes.append(f"p50/p95 in ms: ours {_both(every[way])}, bare {_both(every['bare'])}")
    yield from (by_http, by_sdk)


def _honesty(name: str, lab: Lab, home: House, options: Options) -> Row:
    """Faults by chance, and what the locks have on record of it."""
    row = Row(
        f"{name}_faults", f"{lab.title}: {options.lab_commands} with faults, untrue outcomes", "", Bound(0)
    )
    outcome = command_by_chance(home, options.lab_commands, seed=int(time.time()))
    row.add("ours", len(outcome.contradictions))
    row.notes += outcome.contradictions
    row.notes.append(", ".join(f"{count} {end}" for end, count in outcome.ended.most_common()))
    return row


def _interruption(name: str, lab: Lab, home: House) -> Row:
    """A hub that is killed under fifty commands."""
    row = Row(f"{name}_restart", f"{lab.title}: hub killed under 50, lost or untrue", "", Bound(0))
    home.lock_up()
    ends, wrong = interrupt(home)
    row.add("ours", len(wrong))
    row.notes += wrong
    row.notes.append(", ".join(f"{count} {end}" for end, count in ends.most_common()))
    return row


def _by_http(home: House, http: Any, door: str, *, locked: bool) -> float:
    began = time.perf_counter()
    attempt = home.command(http, door, locked=locked, within=_WITHIN)
    took = (time.perf_counter() - began) * 1_000
    if attempt["status"] != "success":
        raise BenchError(f"{door}: {attempt}")
    return took


def _by_sdk(home: House, sdk: Seam, door: str, *, locked: bool) -> float:
    began = time.perf_counter()
    command = sdk.locks.lock_door if locked else sdk.locks.unlock_door
    # It asks again and again; by itself it does so every half second.
    command(
        device_id=home.device_ids[door], wait_for_action_attempt={"timeout": 30.0, "polling_interval": 0.002}
    )
    return (time.perf_counter() - began) * 1_000


def _both(some: list[float]) -> str:
    return f"{median(some):.1f}/{percentile(some, 0.95):.1f}"
