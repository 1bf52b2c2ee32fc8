"""Cases of full load: on a server that has just begun, on one with 30,000 attempts, on one with 1,000,000."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TypeVar

from bench import database
from bench.fill import fill
from bench.load import CONNECTIONS, Kind, load
from bench.options import Options
from bench.rows import BenchError, Bound, Row
from bench.servers import Server, directory, fresh, ours

T = TypeVar("T")

#: Attempts that a read round asks for where the server holds few.
FEW = 200
#: Attempts from all over the file that a read round asks for where the server holds a million.
MANY = 20_000
#: Reads before the first measured round: whatever compiles or caches, does it now.
WARM_UP_SECONDS = 1

NO_SUCH_ATTEMPTS = ["0197a4c2-7d1e-7c3a-9b60-5f2e8d41c0aa"]


def fresh_servers(options: Options) -> Iterator[Row]:
    """Accept and read on servers that were started a moment ago, new for every round."""
    accept = Row("accept_fresh", "unlock_door accepted, run and settled", "1/s", Bound(4, "peer"))
    settle = Row("settle_fresh", "… from the last answer until none is pending", "s")
    by_get = Row("read_get", "action_attempts/get by GET", "1/s", Bound(4, "peer"))
    by_post = Row("read_post", "action_attempts/get by POST", "1/s", Bound(4, "peer"))
    for number in range(options.rounds):
        for side in in_turn(options.among("ours", "peer", "bare"), number):
            with fresh(side, options) as server:
                ids = NO_SUCH_ATTEMPTS if side == "bare" else server.unlock_some(FEW)
                load(server, "get", ids, WARM_UP_SECONDS)
                _read(by_get, server, "get", ids, options.seconds)
                _read(by_post, server, "post", ids, options.seconds)
                accept_round(accept, server, options.seconds, settle)
    yield from (accept, settle, by_get, by_post)


def held_attempts(options: Options) -> Iterator[Row]:
    """Accept and read while both sides hold 30,000 attempts; the same servers for all rounds."""
    held = f"with {options.held:,} attempts held"
    accept = Row("accept_held", f"unlock_door {held}", "1/s", Bound(15, "peer"))
    read = Row("read_held", f"action_attempts/get {held}", "1/s")
    memory = Row("memory_held", f"resident memory {held}", "MB")
    with ExitStack() as stack:
        servers = [stack.enter_context(fresh(side, options)) for side in options.among("ours", "peer")]
        ids = {server.side: server.unlock_some(FEW) for server in servers}
        for server in servers:
            _load_up(server, options.held - FEW)
            memory.add(server.side, server.megabytes())
        for number in range(options.rounds):
            for server in in_turn(servers, number):
                _read(read, server, "get", ids[server.side], options.seconds)
                accept_round(accept, server, options.seconds)
    yield from (accept, read, memory)


def finished_attempts(options: Options) -> Iterator[Row]:
    """Our server on a file of 1,000,000 finished attempts, beside our server on an empty one."""
    there = f"with {options.finished:,} finished attempts in the file"
    accept = Row("accept_million", f"unlock_door {there}", "1/s", Bound(0.9, "empty"))
    read = Row("read_million", f"action_attempts/get {there}", "1/s", Bound(0.9, "empty"))
    ready = Row("ready_million", f"time to ready {there}", "s", Bound(2))
    if "ours" not in options.sides:
        return
    with directory(options) as data:
        with ours(options, data) as server:
            server.add_devices(options.devices)
            device_ids = server.device_ids
            server.unlock_some(options.devices)
            database.wait_until_settled(data)
        accept.notes.append(f"filled in {fill(data, options.finished, days=30):.0f} s")
        for number in range(options.rounds):
            for kind in in_turn(["full", "empty"], number):
                with ours(options, data, device_ids) if kind == "full" else fresh("ours", options) as server:
                    side = "ours" if kind == "full" else "empty"
                    ids = database.some_ids(data, MANY) if kind == "full" else server.unlock_some(FEW)
                    load(server, "get", ids, WARM_UP_SECONDS)
                    _read(read, server, "get", ids, options.seconds, side=side)
                    accept_round(accept, server, options.seconds, side=side)
                    ready.add(side, server.ready_seconds)
    yield from (accept, read, ready)


def in_turn(items: list[T], number: int) -> list[T]:
    """The same items, beginning with another one each round."""
    shift = number % len(items) if items else 0
    return items[shift:] + items[:shift]


def _read(row: Row, server: Server, kind: Kind, ids: list[str], seconds: int, *, side: str = "") -> None:
    """One round of reads."""
    seen = load(server, kind, ids, seconds)
    row.add(side or server.side, seen.per_second)
    if seen.complaint:
        row.invalid.append(f"{server.side}: {seen.complaint}")


def accept_round(
    row: Row,
    server: Server,
    seconds: int,
    settle: Row | None = None,
    *,
    side: str = "",
    kind: Kind = "unlock",
    standing: int = 0,
) -> None:
    """One round of unlocking.

    Of ours only what was also run and settled counts, over the time until all of it was. So many attempts
    may be ``standing`` open before and after it.
    """
    before = _census(server.records)
    seen = load(server, kind, server.device_ids, seconds)
    if seen.complaint:
        row.invalid.append(f"{server.side}: {seen.complaint}")
    if server.records is None:
        row.add(side or server.side, seen.per_second)
        return
    waited = database.wait_until_settled(server.records, standing=standing)
    after = database.census(server.records)
    row.add(side or server.side, seen.answered / (seen.seconds + waited))
    if settle is not None:
        settle.add(side or server.side, waited)
    kept, good = after.total - before.total, after.succeeded - before.succeeded
    # When wrk hangs up, each of its connections may have one more request on the way.
    if not seen.answered <= kept <= seen.answered + CONNECTIONS:
        row.invalid.append(f"ours: {seen.answered} were answered, {kept} are on record")
    if good != kept:
        row.invalid.append(f"ours: {kept - good} of {kept} attempts did not end in success")


def _census(where: database.Where | None) -> database.Census:
    """The attempts on record, none for a server that keeps none."""
    return database.census(where) if where else database.Census(0, 0)


def _load_up(server: Server, count: int) -> None:
    """Unlock until at least so many more attempts were accepted."""
    accepted = 0
    while accepted < count:
        seen = load(server, "unlock", server.device_ids, 1)
        if seen.complaint or not seen.answered:
            raise BenchError(f"{server.side}: {seen.complaint or 'no answer'} while it was loaded")
        accepted += seen.answered
    if server.data:
        database.wait_until_settled(server.data)
