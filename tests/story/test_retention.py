"""A server that has run for half a year: what is over is forgotten behind everybody's back."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.fixtures.commands import run
from tests.fixtures.server import Caller, LiveServer

DAY = 86_400 * 1_000_000
FORGOTTEN_WITHIN = 30.0


def grow_old(data: Path, days: int) -> None:
    """Let everything that is over have been over so many days before.

    Not when it was accepted: that is sealed in the audit trail.
    """
    with closing(sqlite3.connect(data / "thumbturn.db", isolation_level=None)) as connection:
        connection.execute(f"update attempts set settled_at = settled_at - {days * DAY}")
        connection.execute(f"update events set created_at = created_at - {days * DAY}")


def count(data: Path, table: str) -> int:
    with closing(sqlite3.connect(f"file:{data / 'thumbturn.db'}?mode=ro", uri=True)) as connection:
        [found] = connection.execute(f"select count(*) from {table}").fetchone()
    return int(found)


def until(is_so: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < FORGOTTEN_WITHIN
        time.sleep(0.05)


def in_short_rounds(folder: Path) -> dict[str, str]:
    """The environment of a process whose hour between two looks is two seconds."""
    code = "from thumbturn.engine import purging\npurging.ROUND = 2_000_000\n"
    (folder / "sitecustomize.py").write_text(code)
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return {"PYTHONPATH": path}


def test_what_is_old_is_forgotten_and_the_trail_stays_whole(
    new_server: Callable[..., LiveServer], tmp_path: Path
):
    """Old attempts and events go a round after a start, what is open stays, and the audit trail verifies."""
    server = new_server(options=("--keep-attempts-days", "2", "--keep-events-days", "1"))
    server.variables |= in_short_rounds(tmp_path)
    me = Caller(server, server.client(), "")
    ask = {"count": 2, "kind": "lock", "travel_milliseconds": 0}
    locks = me.call("/thumbturn/sandbox/add_devices", **ask)["device_ids"]
    for _ in range(40):
        me.call("/locks/unlock_door", device_id=locks[0])
    last = me.call("/locks/unlock_door", device_id=locks[0])["action_attempt"]["action_attempt_id"]
    me.http.post("/action_attempts/get", json={"action_attempt_id": last}, headers={"prefer": "wait=20"})
    later = datetime.now(UTC) + timedelta(days=20)
    begun = me.call("/locks/lock_door", device_id=locks[1], not_before=later.isoformat())["action_attempt"]
    before = run("audit", "verify", "--data", server.data).stdout
    server.stop()
    grow_old(server.data, 3)
    server.start()
    until(lambda: count(server.data, "attempts") == 1 and not count(server.data, "events"))
    assert run("audit", "verify", "--data", server.data).stdout == before
    gone = me.http.post("/action_attempts/get", json={"action_attempt_id": last})
    assert (gone.status_code, gone.json()["error"]["type"]) == (404, "action_attempt_not_found")
    stays = me.call("/action_attempts/get", action_attempt_id=begun["action_attempt_id"])["action_attempt"]
    assert stays["status"] == "pending"
