"""``kill -9`` under load of codes, cards, thermostats and noise sensors: what is on record is what is so."""

from __future__ import annotations

import asyncio
import random
import threading
import time

import pytest

from tests.crash.history import History, sqlalchemy_url
from tests.crash.things_agree import Records
from tests.crash.varied import Answered, Things, press

#: The longest that what is under way takes after the last start, with the sweep's lag.
ALL_ENDED_WITHIN = 65.0
#: On each database, and a tenth of all where these are more.
LEAST_ROUNDS = 3
WANTED = {
    "CREATE_ACCESS_CODE",
    "UPDATE_ACCESS_CODE",
    "DELETE_ACCESS_CODE",
    "SCAN_CREDENTIAL",
    "ENCODE_CREDENTIAL",
    "SET_HVAC_MODE",
    "CREATE_NOISE_THRESHOLD",
}


def things_of(server) -> Things:
    """A sandbox with enough of everything."""
    with server.client() as client:

        def call(path, **ask):
            answer = client.post(path, json=ask)
            assert answer.status_code == 200, answer.text
            return answer.json()

        def add(kind, count):
            more = {"count": count, "kind": kind, "travel_milliseconds": 0}
            return call("/thumbturn/sandbox/add_devices", **more)["device_ids"]

        [system] = call("/acs/systems/list")["acs_systems"]
        of_system = {"acs_system_id": system["acs_system_id"]}
        cards = [call("/acs/credentials/create", access_method="card", **of_system) for _ in range(5)]
        users = [call("/acs/users/create", full_name=f"Guest {n}", **of_system) for n in range(3)]
        return Things(
            locks=add("lock", 8),
            thermostats=add("thermostat", 3),
            sensors=add("noise_sensor", 3),
            encoder=call("/acs/encoders/list")["acs_encoders"][0]["acs_encoder_id"],
            cards=[each["acs_credential"]["acs_credential_id"] for each in cards],
            users=[each["acs_user"]["acs_user_id"] for each in users],
        )


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_records_events_and_things_agree_after_a_kill(database, request, crash_rounds, tmp_path):
    """Nothing answered is lost, each fact is told once, and each lock holds what is on record of it."""
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    data = tmp_path / "data"
    server = request.getfixturevalue("new_server")(data, database_url=url)
    token, things, answered, finals = server.credentials["api_key"], things_of(server), Answered(), {}

    def look() -> History:
        return History(sqlalchemy_url(url, data), data / "virtual-world.jsonl")

    for number in range(max(LEAST_ROUNDS, crash_rounds // 10)):
        killer = threading.Timer(random.Random(number).uniform(0.3, 1.2), server.process.kill)
        killer.start()
        asyncio.run(press(server.endpoint, token, things, answered, seed=number))
        killer.join()
        server.process.wait(timeout=20)
        print(f"round {number}: {len(answered.attempts)} attempts answered so far")
        history = look()
        history.check(answered.attempts, finals)
        finals = history.finals()
        Records(sqlalchemy_url(url, data), data / "virtual-world.jsonl").check(answered, things.cards)
        server.start()

    with server.client() as client:
        client.post("/thumbturn/sandbox/clear_faults", json={})
    limit = time.monotonic() + ALL_ENDED_WITHIN
    while time.monotonic() < limit and any(each not in finals for each in answered.attempts):
        time.sleep(0.25)
        finals = look().finals()
    server.kill9()
    history = look()
    history.check(answered.attempts, finals)
    Records(sqlalchemy_url(url, data), data / "virtual-world.jsonl").check(answered, things.cards)
    still_open = [each for each in answered.attempts if each not in history.finals()]
    assert not still_open, f"not ended: {still_open[:5]} ({len(still_open)} in all)"
    assert answered.kinds >= WANTED, "too little load to prove anything"
