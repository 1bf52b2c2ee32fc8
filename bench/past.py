"""The case of age: our server with ten million finished attempts beside our server with hardly any."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

from bench import database
from bench.load import CONNECTIONS, load
from bench.options import Options
from bench.places import LISTED, SOME, Place, bound, folder_of_today, furnished, is_kept, kept
from bench.postgres import postgres
from bench.rows import Bound, Row
from bench.servers import Server
from bench.throughput import WARM_UP_SECONDS, in_turn

#: Of the median beside the empty one, at least.
AS_FAST = 0.9
ON = ("sqlite", "postgres")
#: Times that each device is unlocked before anything is measured.
TOUCHES = 3


def past(options: Options) -> Iterator[Row]:
    """Accept, complete, get and list by device, on each database; both servers in the same minute."""
    if "ours" not in options.sides:
        return
    folder = folder_of_today(options)
    with postgres(folder / "cluster") as server:
        for on in ON:
            anew = not is_kept(folder / on)
            url = server.kept("past", anew=anew) if on == "postgres" else None
            full = kept(options, folder / on, url, options.past, options.past_devices)
            with furnished(options, server, on, options.past_devices) as empty:
                server.checkpoint()
                yield from _beside(on, full, empty, options)


def _beside(on: str, full: Place, empty: Place, options: Options) -> Iterator[Row]:
    there = f"with {options.past:,} finished attempts, on {on}"
    rows = {
        kind: Row(f"{kind}_past_{on}", f"{what} {there}", "1/s", Bound(AS_FAST, "empty"))
        for kind, what in (
            ("accept", "unlock_door answered"),
            ("complete", "unlock_door accepted, run and settled"),
            ("get", "action_attempts/get"),
            ("list", "action_attempts/list by device"),
        )
    }
    ready = Row(f"ready_past_{on}", f"time to ready {there}", "s")
    if full.took:
        rows["accept"].notes.append(f"filled in {full.took:.0f} s")
    with ExitStack() as stack:
        sides = {"ours": full, "empty": empty}
        full.ids = full.ids[:SOME]
        servers = {side: stack.enter_context(place.serving(options)) for side, place in sides.items()}
        for side, server in servers.items():
            ready.add(side, server.ready_seconds)
            _touch_everything(server, sides[side])
            load(server, "get", sides[side].ids, WARM_UP_SECONDS)
            load(server, "list", server.device_ids[:LISTED], WARM_UP_SECONDS)
            database.wait_until_settled(sides[side].records)
        for number in range(options.rounds):
            for side in in_turn(list(sides), number):
                _round(rows, side, servers[side], sides[side], options.seconds)
    yield from (*rows.values(), ready)


def _touch_everything(server: Server, place: Place) -> None:
    """Each device is unlocked some times, so that its place in every index is in memory on either side."""
    began, wanted = bound(time.time_ns() // 1_000_000), TOUCHES * len(server.device_ids)
    while place.count_since(began)[0] < wanted:
        load(server, "unlock", server.device_ids, WARM_UP_SECONDS)
    database.wait_until_settled(place.records)


def _round(rows: dict[str, Row], side: str, server: Server, place: Place, seconds: int) -> None:
    unlock(rows["complete"], side, server, place, seconds, rows["accept"])
    for kind, ids in (("get", place.ids), ("list", server.device_ids[:LISTED])):
        seen = load(server, "get" if kind == "get" else "list", ids, seconds)
        rows[kind].add(side, seen.per_second)
        if seen.complaint:
            rows[kind].invalid.append(f"{side}: {seen.complaint}")


def unlock(
    row: Row, side: str, server: Server, place: Place, seconds: int, accepted: Row | None = None
) -> None:
    """A round of unlocking, of which only what was settled counts; without a look at the whole past."""
    began = bound(time.time_ns() // 1_000_000)
    seen = load(server, "unlock", server.device_ids, seconds)
    waited = database.wait_until_settled(place.records)
    row.add(side, seen.answered / (seen.seconds + waited))
    if accepted is not None:
        accepted.add(side, seen.per_second)
    if seen.complaint:
        row.invalid.append(f"{side}: {seen.complaint}")
    there, good = place.count_since(began)
    # When wrk hangs up, each of its connections may have one more request on the way.
    if not seen.answered <= there <= seen.answered + CONNECTIONS:
        row.invalid.append(f"{side}: {seen.answered} were answered, {there} are on record")
    if good != there:
        row.invalid.append(f"{side}: {there - good} of {there} attempts did not end in success")
