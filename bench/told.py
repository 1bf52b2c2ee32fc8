"""Webhooks: how many deliveries a second, how soon, beside bad endpoints, and what they cost who calls."""

import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from bench import database
from bench.load import load
from bench.openloop import percentile, unlock_at_pace
from bench.options import Options
from bench.rows import BenchError, Bound, Row
from bench.servers import Server, fresh
from bench.sink import Arrivals, Sink, sink

#: One event of this type for each unlock.
UNLOCKED = "action_attempt.unlock_door.succeeded"
#: Unlocks a second: a little more than the deliveries that are wanted.
MUCH, WANTED = 525, 500
STEADY = 100
BESIDE_BAD = 50
WEBHOOKS = 10


def told(options: Options) -> Iterator[Row]:
    """Deliveries to a sink on this machine, each signed and recorded, from one server process."""
    if "ours" not in options.sides:
        return
    with _loopback_allowed(), sink() as endpoint:
        yield from _rate(options, endpoint)
        yield from _latency(options, endpoint)
        yield from _beside_bad(options, endpoint)
        yield from _accept(options, endpoint)


def _rate(options: Options, endpoint: Sink) -> Iterator[Row]:
    """Deliveries a second while attempts are accepted at a pace."""
    row = Row("told_rate", f"deliveries, signed and recorded, at {MUCH} unlocks/s", "1/s", Bound(1, "wanted"))
    for _ in range(options.rounds):
        with fresh("ours", options) as server:
            _webhook(server, endpoint.url("/rate"))
            _settle_in()
            seen = unlock_at_pace(server, MUCH, options.seconds * 2, until_final=False)
            count = len(seen.accepted)
            came = endpoint.wait_for(count, ["/rate"])["/rate"]
            endpoint.arrivals(forget=True)
            if seen.errors or len({id for id, *_ in came}) < count:
                row.invalid.append(f"{len(seen.errors)} errors, {len(came)} of {count} delivered")
                continue
            row.add("ours", (len(came) - 1) / (came[-1][1] - came[0][1]))
            row.add("wanted", WANTED)
            time.sleep(0.5)
            if (recorded := _recorded(server)) != len(came):
                row.invalid.append(f"{len(came)} deliveries, {recorded} are on record")
    yield row


def _latency(options: Options, endpoint: Sink) -> Iterator[Row]:
    """From an event to its first try."""
    row = Row("told_p99", f"event → first try at the sink at {STEADY}/s, p99", "ms", Bound(1_000))
    half = Row("told_p50", f"event → first try at the sink at {STEADY}/s, p50", "ms")
    for _ in range(options.rounds):
        with fresh("ours", options) as server:
            _webhook(server, endpoint.url("/steady"))
            late = _lateness(server, endpoint, STEADY, options, ["/steady"], row)
            row.add("ours", percentile(late, 0.99))
            half.add("ours", percentile(late, 0.5))
    yield from (row, half)


def _beside_bad(options: Options, endpoint: Sink) -> Iterator[Row]:
    """The lateness of eight good endpoints with a dead and a slow one beside them, and without."""
    at = f"8 good webhooks at {BESIDE_BAD} events/s, p99"
    alone, beside = (
        Row("told_good", f"{at}, by themselves", "ms"),
        Row("told_beside_bad", f"{at}, beside", "ms"),
    )
    times = Row("told_times", "p99 beside a dead and a 10-s-slow endpoint / without", "x", Bound(2))
    good = [f"/good/{number}" for number in range(8)]
    for _ in range(options.rounds):
        both = []
        for row, bad in ((alone, []), (beside, [_dead_url(), endpoint.url("/slow")])):
            with fresh("ours", options) as server:
                for url in [*bad, *map(endpoint.url, good)]:
                    _webhook(server, url)
                late = _lateness(server, endpoint, BESIDE_BAD, options, good, row)
                both.append(percentile(late, 0.99))
                row.add("ours", both[-1])
        times.add("ours", both[1] / both[0])
    yield from (alone, beside, times)


def _accept(options: Options, endpoint: Sink) -> Iterator[Row]:
    """Unlocking at full load, with ten webhooks that want every event, and without any."""
    row = Row("told_accept", f"unlock_door with {WEBHOOKS} webhooks", "1/s", Bound(0.85, "plain"))
    for number in range(options.rounds):
        for side in ("ours", "plain") if number % 2 else ("plain", "ours"):
            with fresh("ours", options) as server:
                if side == "ours":
                    for each in range(WEBHOOKS):
                        _webhook(server, endpoint.url(f"/accept/{each}"), "*")
                load(server, "unlock", server.device_ids, 1)
                seen = load(server, "unlock", server.device_ids, options.seconds)
                if seen.complaint or server.data is None:
                    row.invalid.append(f"{side}: {seen.complaint}")
                    continue
                waited = database.wait_until_settled(server.data)
                row.add(side, seen.answered / (seen.seconds + waited))
            endpoint.arrivals(forget=True)
    yield row


def _lateness(
    server: Server, endpoint: Sink, pace: int, options: Options, paths: list[str], row: Row
) -> list[float]:
    """Milliseconds from each event to its first arrival at each of the paths."""
    _settle_in()
    seen = unlock_at_pace(server, pace, options.pace_seconds // 2 or 1, until_final=False)
    count = len(seen.accepted)
    found = endpoint.wait_for(count, paths)
    endpoint.arrivals(forget=True)
    late: list[float] = []
    for path in paths:
        first = _first(found, path)
        late += first.values()
        if len(first) < count:
            row.invalid.append(f"{count - len(first)} of {count} events did not come to {path}")
    if not late:
        raise BenchError("nothing was delivered")
    return late


def _first(found: Arrivals, path: str) -> dict[str, float]:
    """By event, the milliseconds until it came first."""
    first: dict[str, float] = {}
    for id, came, made in found.get(path, []):
        first.setdefault(id, (came - made) * 1_000)
    return first


def _webhook(server: Server, url: str, event_type: str = UNLOCKED) -> None:
    server.call("/webhooks/create", {"url": url, "event_types": [event_type]})


def _settle_in() -> None:
    """Give the server time to load its client, which it does once, when it has its first webhook."""
    time.sleep(1)


def _recorded(server: Server) -> int:
    """How many tries are on record as delivered."""
    assert server.data is not None
    with closing(sqlite3.connect(f"file:{database.find(server.data)}?mode=ro", uri=True)) as connection:
        count = "select count(*) from webhook_tries where outcome = 'delivered'"
        return int(connection.execute(count).fetchone()[0])


def _dead_url() -> str:
    """An address where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"


@contextmanager
def _loopback_allowed() -> Iterator[None]:
    """Inside, servers that are started may tell webhooks on this machine."""
    before = os.environ.get("THUMBTURN_WEBHOOK_ALLOW")
    os.environ["THUMBTURN_WEBHOOK_ALLOW"] = "127.0.0.0/8"
    try:
        yield
    finally:
        del os.environ["THUMBTURN_WEBHOOK_ALLOW"]
        if before is not None:
            os.environ["THUMBTURN_WEBHOOK_ALLOW"] = before
