"""Very many open attempts at once: what they take of memory, and how late the deadlines of some are kept."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import database
from bench.openloop import percentile
from bench.options import Options
from bench.rows import BenchError, Bound, Row
from bench.servers import Server, fresh

#: Devices that take this long to move: who is behind another there is still waiting at his deadline.
SLOW_DEVICES, SLOW_MILLISECONDS = 100, 60_000
#: Of all attempts so many are over soon, in these seconds after they were accepted.
ENDING, FIRST, LAST = 10_000, 10, 29
#: Of these so many are watched until a reader of the database finds them ended.
WATCHED = 500
A_BATCH = 500


def standing(options: Options) -> Iterator[Row]:
    """100,000 open attempts over 10,000 virtual devices, all with deadlines, of which 10,000 come now."""
    much = f"{options.standing:,} open attempts on {options.memory_devices:,} devices"
    memory = Row("open_memory", f"resident memory with {much}", "MB", Bound(400))
    bare = Row("open_memory_devices", "… with the devices alone", "MB")
    begun = Row("open_memory_start", "resident memory at the beginning", "MB")
    lag = Row("open_lag", "a deadline → its end read in the database, the latest", "s", Bound(1))
    half = Row("open_lag_p50", "… the median", "s")
    if "ours" not in options.sides:
        return
    with fresh("ours", options, 0) as server:
        begun.add("ours", server.megabytes())
        server.add_devices(options.memory_devices - SLOW_DEVICES)
        quick = server.device_ids
        slow = _slow(server)
        bare.add("ours", server.megabytes())
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        for start in range(0, options.standing - ENDING, A_BATCH):
            _begin(server, [_later(quick, start + n, tomorrow) for n in range(A_BATCH)])
        ending = []
        for start in range(0, ENDING, A_BATCH):
            ending += _begin(server, [_soon(slow, start + n) for n in range(A_BATCH)])
        memory.add("ours", server.megabytes())
        late = _watch(server, random.sample(ending, WATCHED))
        lag.add("ours", max(late))
        half.add("ours", percentile(late, 0.5))
        memory.notes.append(f"{server.megabytes():.0f} MB after {ENDING:,} of them had ended")
        lag.notes.append(f"p99 {percentile(late, 0.99):.2f} s; {ENDING:,} deadlines in {LAST - FIRST + 1} s")
        _judge(lag, server, options.standing)
    yield from (begun, bare, memory, half, lag)


def _slow(server: Server) -> list[str]:
    ask = {"count": SLOW_DEVICES, "kind": "lock", "travel_milliseconds": SLOW_MILLISECONDS}
    ids: list[str] = server.call("/thumbturn/sandbox/add_devices", ask)["device_ids"]
    return ids


def _later(devices: list[str], number: int, moment: str) -> dict[str, Any]:
    asked = {"device_id": devices[number % len(devices)], "not_before": moment}
    return {"path": "/locks/lock_door", "parameters": asked}


def _soon(devices: list[str], number: int) -> dict[str, Any]:
    seconds = FIRST + number % (LAST - FIRST + 1)
    # Not in step with the devices: each gets all of these times.
    asked = {"device_id": devices[number // 7 % len(devices)], "deadline_seconds": seconds}
    return {"path": "/locks/unlock_door", "parameters": asked}


def _begin(server: Server, commands: list[dict[str, Any]]) -> list[str]:
    batch = server.call("/thumbturn/attempts/batch", {"commands": commands})["batch"]
    return [each["action_attempt_id"] for each in batch["action_attempts"]]


def _watch(server: Server, ids: list[str]) -> list[float]:
    """Of each attempt the seconds from its deadline until it was read as ended; up to 20 ms too many."""
    late: list[float] = []
    assert server.records is not None
    with database.asking(server.records) as ask:
        named = ", ".join(f"'{id}'" for id in ids)
        deadlines = dict(ask(f"select id, deadline_at from attempts where id in ({named})"))
        last = max(deadlines.values()) / 1e6
        while deadlines:
            time.sleep(0.02)
            named = ", ".join(f"'{id}'" for id in deadlines)
            open_ = {
                id for (id,) in ask(f"select id from attempts where id in ({named}) and settled_at is null")
            }
            now = time.time()
            late += [now - deadlines.pop(id) / 1e6 for id in set(deadlines) - open_]
            if now > last + 60:
                raise BenchError(f"{len(deadlines)} attempts were open a minute after their deadlines")
    return late


def _judge(row: Row, server: Server, wanted: int) -> None:
    """All are on record; those whose time came have ended, and no other has."""
    assert server.records is not None
    database.wait_until_settled(server.records, standing=wanted - ENDING)
    with database.asking(server.records) as ask:
        counted = dict(ask("select settled_at is not null, count(*) from attempts group by 1"))
        late = ask("select max(settled_at - deadline_at) from attempts")[0][0]
    if counted != {0: wanted - ENDING, 1: ENDING}:
        row.invalid.append(f"of {wanted} attempts {counted} are (0) open and (1) ended")
    row.notes.append(f"by the attempts' own record the latest of all was {late / 1e6:.2f} s late")
