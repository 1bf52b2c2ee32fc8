"""What the benchmarks run by themselves still fits the rest: it is looked at by no other test."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bench import database
from bench.fill import fill

from tests.fixtures.server import Caller, LiveServer
from tests.lint.source import ROOT


def test_attempts_are_begun_at_the_engine_s_own_door(tmp_path):
    """The bench's own process accepts, runs and settles what it is asked to, with an event for each."""
    command = [sys.executable, "-m", "bench.peers.ours_at_the_door", f"sqlite:///{tmp_path}/thumbturn.db"]
    run = subprocess.run([*command, "40", "7", "5"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout.partition("RESULT ")[2])
    assert result["done"] == 40
    assert result["seconds"] > 0


@pytest.mark.parametrize("on", ["sqlite", "postgres"])
def test_a_past_that_is_made_reads_like_one_that_was_lived(on, request, tmp_path):
    """On each device there are attempts with timelines of their time, and the events are numbered without a
    gap; the server goes on behind them.
    """
    url = request.getfixturevalue("bare_postgres_url") if on == "postgres" else None
    server = LiveServer(tmp_path / "data", database_url=url)
    server.start()
    me = Caller(server, server.client(), "")
    try:
        locks = [lock["device_id"] for lock in me.locks()]
        for lock in locks:
            _end(me, me.call("/locks/unlock_door", device_id=lock))
        server.stop()
        assert fill(url or server.data, 900, 60) > 0
        server.start()
        listed = [_listed(me, lock) for lock in locks]
        assert sum(map(len, listed)) == 900
        for attempts in listed:
            assert {each["status"] for each in attempts} == {"success"}
            _check_its_timeline(me, attempts[0]["action_attempt_id"], days_ago=60)
            _check_its_timeline(me, attempts[-1]["action_attempt_id"], days_ago=0)
        last = _end(me, me.call("/locks/unlock_door", device_id=locks[0]))
        with database.asking(url or server.data) as ask:
            [numbers] = ask(
                "select count(*), min(sequence), max(sequence), count(distinct action_attempt_id) from events"
            )
            [newest] = ask("select action_attempt_id from events order by sequence desc limit 1")
        assert numbers[0] == numbers[2] - numbers[1] + 1
        # Events are kept for half of those days.
        assert 450 < numbers[3] < 475
        assert newest[0] == last
    finally:
        server.close()


def _end(me: Caller, answer: dict[str, Any]) -> str:
    id: str = answer["action_attempt"]["action_attempt_id"]
    ask = {"action_attempt_id": id}
    answered = me.http.post("/action_attempts/get", json=ask, headers={"prefer": "wait=30"})
    while answered.json()["action_attempt"]["status"] == "pending":
        answered = me.http.post("/action_attempts/get", json=ask, headers={"prefer": "wait=30"})
    return id


def _listed(me: Caller, lock: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = me.call("/action_attempts/list", device_id=lock, limit=500)[
        "action_attempts"
    ]
    return found


def _check_its_timeline(me: Caller, id: str, days_ago: float) -> None:
    told = me.call("/thumbturn/attempts/timeline", action_attempt_id=id)["timeline"]
    at = [datetime.fromisoformat(each["occurred_at"]) for each in told["stages"]]
    assert at == sorted(at)
    made = datetime.fromtimestamp(int(id[:8] + id[9:13], 16) / 1000, UTC)
    # An id has the milliseconds.
    assert all(timedelta(milliseconds=-1) < each - made < timedelta(seconds=30) for each in at)
    assert abs(datetime.now(UTC) - timedelta(days=days_ago) - made) < timedelta(days=1)
