"""``kill -9`` at random moments under load, again and again, and the promises checked after each."""

from __future__ import annotations

import asyncio
import random
import threading
import time

import pytest

from tests.crash.history import History
from tests.crash.load import press

#: The longest deadline of the actions under load, with the sweep's lag.
ALL_ENDED_WITHIN = 33.0
#: So many are added where the first ones had too little in them to prove anything.
MORE_ROUNDS = 20


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nothing_promised_is_lost_when_the_server_is_killed(database, request, crash_rounds, tmp_path):
    """Whatever moment the server dies at, every promise about attempts, events and devices still holds."""
    # The database first, so that it is still there when the server ends.
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    new_server = request.getfixturevalue("new_server")
    data = tmp_path / "data"
    server = new_server(data, database_url=url)
    token = server.credentials["api_key"]
    with server.client() as client:
        ids = []
        for travel in (0, 0, 25):
            more = {"count": 10, "kind": "lock", "travel_milliseconds": travel}
            ids += client.post("/thumbturn/sandbox/add_devices", json=more).json()["device_ids"]
    answered, finals = [], {}

    def history():
        return History(_sqlalchemy_url(url, data), data / "virtual-world.jsonl")

    def has_all(seen):
        """True once the rounds had what they are to have: on a busy machine a short one has little."""
        held = [each for each in seen.attempts.values() if each["not_before"] is not None]
        return len(answered) > 10 * crash_rounds and {each["failure_type"] for each in held} >= {
            None,
            "cancelled",
        }

    number, seen = 0, history()
    while number < crash_rounds or (number < crash_rounds + MORE_ROUNDS and not has_all(seen)):
        chance = random.Random(number)
        killer = threading.Timer(
            chance.uniform(0.05, 0.6 if number < crash_rounds else 1.5), server.process.kill
        )
        killer.start()
        answered += asyncio.run(press(server.endpoint, token, ids, seed=number))
        killer.join()
        server.process.wait(timeout=20)
        print(f"round {number}: {len(answered)} answered so far")
        seen = history()
        seen.check(answered, finals)
        finals = seen.finals()
        server.start()
        number += 1

    limit = time.monotonic() + ALL_ENDED_WITHIN
    seen = history()
    # Also those whose answer the crash took away: an unlock may wait for a motor that still runs.
    while time.monotonic() < limit and len(seen.finals()) < len(seen.attempts):
        time.sleep(0.25)
        seen = history()
    seen.check(answered, finals)
    still_open = [each["id"] for each in seen.attempts.values() if each["id"] not in seen.finals()]
    assert not still_open, f"not ended after their deadlines: {still_open[:5]}"
    assert has_all(seen), "too little load, or nothing held or cancelled: that proves nothing"


def _sqlalchemy_url(database_url, data):
    if database_url is None:
        return f"sqlite:///{data / 'thumbturn.db'}"
    return database_url.replace("postgresql://", "postgresql+psycopg://", 1)
