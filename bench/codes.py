"""Access codes: a long list of them, and very many that begin in the same minute."""

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from bench.database import reading
from bench.nouns import PAGE, walk
from bench.options import Options
from bench.rows import BenchError, Bound, Row
from bench.servers import Server, fresh

#: Codes in the long list, and those that begin together.
LISTED, TOGETHER = 50_000, 10_000
#: A code is programmed so long ahead of its start where the lock does not keep the time itself.
AHEAD = timedelta(minutes=60)
CONNECTIONS = 32
#: Seconds for all that begin together to be programmed, at the most.
WITHIN = 120


def codes(options: Options) -> Iterator[Row]:
    """On 200 virtual locks that take no time."""
    if "ours" not in options.sides:
        return
    yield from _listed(options)
    yield _together(options)


def _listed(options: Options) -> Iterator[Row]:
    page = Row("codes_page", f"access_codes/list of {LISTED:,} codes, a page of {PAGE}", "ms")
    last = Row("codes_last_page", "… the last page beside the first", "x")
    with fresh("ours", options) as server:
        begins = datetime.now(UTC) + timedelta(days=365)
        made = _make(server, LISTED, begins)
        for _ in range(options.rounds):
            taken, seen = walk(server, "/access_codes/list", "access_codes", "access_code_id")
            if sorted(seen) != sorted(made):
                page.invalid.append(f"{len(seen)} codes listed, {len(made)} made")
            page.add("ours", 1e3 * sum(taken) / len(taken))
            last.add("ours", taken[-2] / taken[0])
    yield from (page, last)


def _together(options: Options) -> Row:
    what = f"{TOGETHER:,} codes that begin in the same minute, all programmed after"
    row = Row("codes_together", what, "s", Bound(60))
    with fresh("ours", options) as server:
        assert server.data is not None
        # Long enough to make them all before the first is due.
        due = datetime.now(UTC) + timedelta(seconds=45)
        _make(server, TOGETHER, due + AHEAD)
        if (late := datetime.now(UTC) - due).total_seconds() > 0:
            raise BenchError(f"making {TOGETHER:,} codes took {late} too long")
        while (marks := _marks(server.data)) is None:
            if datetime.now(UTC) > due + timedelta(seconds=WITHIN):
                raise BenchError(f"after {WITHIN} s some codes were still not programmed")
            time.sleep(0.5)
        row.add("ours", max(ended for _, _, ended in marks) - due.timestamp())
        if overlaps := _overlaps(marks):
            row.invalid.append(f"{overlaps} commands were sent while their lock had another")
    return row


def _make(server: Server, count: int, begins: datetime) -> list[str]:
    """So many codes that begin then, the same number on each lock; their ids."""
    starts, ends = begins.isoformat(), (begins + timedelta(days=1)).isoformat()
    locks = server.device_ids
    asks = [
        {
            "device_id": locks[number % len(locks)],
            "code": f"{1_000 + number // len(locks)}",
            "starts_at": starts,
            "ends_at": ends,
            "prefer_native_scheduling": False,
        }
        for number in range(count)
    ]
    parts = [asks[number::CONNECTIONS] for number in range(CONNECTIONS)]
    server.hang_up()  # it would be idle for so long that the server does
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        made = pool.map(lambda part: _create(server, part), parts)
        return [each for part in made for each in part]


def _create(server: Server, asks: Sequence[dict[str, Any]]) -> list[str]:
    """Create these one after the other on a connection of their own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"authorization": f"Bearer {server.token}", "content-type": "application/json"}
    made = []
    for ask in asks:
        connection.request("POST", "/access_codes/create", json.dumps(ask), headers)
        reply = connection.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise BenchError(f"ours answered {reply.status} to a new code: {text[:300]!r}")
        made.append(json.loads(text)["access_code"]["access_code_id"])
    connection.close()
    return made


def _marks(data: Path) -> list[tuple[str, float, float]] | None:
    """Of each attempt that programmed a code: its lock, when it was sent and when it ended.

    ``None`` while one of them has not ended.
    """
    with reading(data) as connection:
        found = connection.execute(
            "select device_id, phase, marks, settled_at from attempts"
            " where action_type = 'CREATE_ACCESS_CODE'"
        ).fetchall()
    if any(settled is None for *_, settled in found):
        return None
    if bad := [phase for _, phase, *_ in found if phase != "succeeded"]:
        raise BenchError(f"{len(bad)} codes were not programmed")
    return [(device, _sent(marks) / 1e6, settled / 1e6) for device, _, marks, settled in found]


def _sent(marks: str) -> int:
    return next(int(at) for stage, at, *_ in json.loads(marks) if stage == "sent")


def _overlaps(marks: list[tuple[str, float, float]]) -> int:
    """How many commands were sent before the one before them, at the same lock, had ended."""
    found = 0
    for _, group in groupby(sorted(marks), key=lambda mark: mark[0]):
        times = [(sent, ended) for _, sent, ended in group]
        found += sum(later[0] < earlier[1] for earlier, later in pairwise(times))
    return found
