"""``kill -9`` again and again under callers who repeat each call with its key until it is answered."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter

import pytest

from tests.crash.history import History
from tests.crash.insistence import Insistence
from tests.crash.test_kill9 import ALL_ENDED_WITHIN, _sqlalchemy_url

KILLS_A_ROUND = 3
DOORS = 6_000


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_key_is_one_command_whenever_the_server_dies(database, request, crash_rounds, tmp_path):
    """However often a call is repeated around a crash, its door is commanded once, and it is answered."""
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    data = tmp_path / "data"
    server = request.getfixturevalue("new_server")(data, database_url=url)
    with server.client() as client:
        doors = client.post("/thumbturn/sandbox/add_devices", json={"count": DOORS}).json()["device_ids"]
    chance = random.Random(database)
    callers = Insistence()

    async def kill_and_start() -> None:
        for _ in range(crash_rounds * KILLS_A_ROUND):
            await asyncio.sleep(chance.uniform(0.02, 0.4))
            server.kill9()
            await asyncio.to_thread(server.start)
        await asyncio.sleep(0.2)

    asyncio.run(
        callers.press(server.endpoint, server.credentials["api_key"], doors, meanwhile=kill_and_start)
    )
    print(f"{len(callers.answered)} keys, {callers.tries_in_vain} tries in vain, {callers.lost} lost replies")

    limit = time.monotonic() + ALL_ENDED_WITHIN
    while True:
        history = History(_sqlalchemy_url(url, data), data / "virtual-world.jsonl")
        if len(history.finals()) == len(history.attempts) or time.monotonic() > limit:
            break
        time.sleep(0.25)
    history.check(callers.answered.values(), {})
    assert {each["device_id"]: each["id"] for each in history.attempts.values()} == callers.answered
    assert len(history.attempts) == len(callers.answered), "a key has two attempts"
    commands = Counter(line["device_id"] for line in history.actuations if line["did"] == "unlock")
    twice = {door: count for door, count in commands.items() if count > 1}
    assert not twice, f"doors that were commanded twice: {twice}"
    never = [
        each["id"]
        for each in history.attempts.values()
        if each["phase"] == "succeeded" and not commands[each["device_id"]]
    ]
    assert not never, f"succeeded without a command: {never}"
    assert callers.tries_in_vain > crash_rounds, "too few calls were hit to prove anything"
