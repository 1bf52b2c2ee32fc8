"""Backups that are made while a server works as hard as it can, and a server on what comes of one."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
import time
from collections import Counter
from contextlib import closing

from tests.crash.history import COMMAND, History
from tests.crash.load import press
from tests.fixtures.commands import run

BACKUPS = 4
#: The longest deadline of the actions under load, with the sweep's lag.
ALL_ENDED_WITHIN = 33.0


def history(data):
    return History(f"sqlite:///{data / 'thumbturn.db'}", data / "virtual-world.jsonl")


def commands_done(seen):
    """How often each device was told to do what, by the attempts that ended well, and by itself."""
    told = Counter(
        (each["device_id"], COMMAND[each["action_type"]])
        for each in seen.attempts.values()
        if each["action_type"] in COMMAND and each["phase"] == "succeeded"
    )
    return told, Counter((line["device_id"], line["did"]) for line in seen.actuations)


def test_a_backup_under_load_is_one_moment_of_the_server(new_server, tmp_path):
    """Each backup is whole and keeps the promises of what was answered before; a server goes on from it."""
    server = new_server(tmp_path / "data")
    more = {"count": 20, "kind": "lock", "travel_milliseconds": 10}
    with server.client() as client:
        ids = client.post("/thumbturn/sandbox/add_devices", json=more).json()["device_ids"]
        files = [tmp_path / f"backup-{number}" for number in range(BACKUPS)]
        answered_before = []

        def back_up() -> None:
            try:
                for file in files:
                    time.sleep(0.3)
                    asked = client.post("/locks/lock_door", json={"device_id": ids[0]})
                    answered_before.append(asked.json()["action_attempt"]["action_attempt_id"])
                    run("backup", file, "--data", server.data)
            finally:
                server.process.kill()

        backups = threading.Thread(target=back_up)
        backups.start()
        asyncio.run(press(server.endpoint, server.credentials["api_key"], ids, seed=1))
        backups.join()
    server.process.wait(timeout=20)

    finals, sizes = {}, []
    for number, file in enumerate(files):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with closing(sqlite3.connect(file)) as database:
            assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
        restored = tmp_path / f"restored-{number}"
        run("restore", file, "--data", restored)
        seen = history(restored)
        seen.check(answered_before[: number + 1], finals)
        told, done = commands_done(seen)
        assert not told - done, "the virtual world of the backup is older than its database"
        finals = seen.finals()
        sizes.append(len(seen.attempts))
    assert len(files) == len(set(sizes)), "no load between the backups: that proves nothing"
    assert sizes[0] > 10

    # What was open at that moment is ended by the next server, with the key that it is given.
    last = tmp_path / f"restored-{BACKUPS - 1}"
    for name in ("encryption.key", "credentials.json"):
        (last / name).write_bytes((server.data / name).read_bytes())
        (last / name).chmod(0o600)
    again = new_server(last)
    assert again.client().post("/locks/list").status_code == 200
    limit = time.monotonic() + ALL_ENDED_WITHIN
    while time.monotonic() < limit and len(seen.finals()) < len(seen.attempts):
        time.sleep(0.25)
        seen = history(last)
    seen.check(answered_before, finals)
    assert len(seen.finals()) == len(seen.attempts), "not ended after their deadlines"
