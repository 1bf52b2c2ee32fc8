"""Access grants of a real server that is killed: what was asked for is made, and no file has the PIN."""

from __future__ import annotations

import time
from typing import Any

from tests.fixtures.server import Caller, LiveServer

PIN = "27182845"


def caller_of(server: LiveServer) -> Caller:
    """The server's first user."""
    return Caller(server, server.client(), server.credentials["workspace_id"])


def asked(me: Caller) -> dict[str, Any]:
    """A grant for a lock and two entrances, by a PIN and from here."""
    lock = next(each for each in me.locks() if each["display_name"] == "Front Door")
    entrances = me.call("/acs/entrances/list")["acs_entrances"]
    return {
        "user_identity": {"full_name": "Jane"},
        "device_ids": [lock["device_id"]],
        "acs_entrance_ids": [each["acs_entrance_id"] for each in entrances[:2]],
        "requested_access_methods": [{"mode": "code", "code": PIN}, {"mode": "cloud_key"}],
    }


def issued(me: Caller, grant_id: str) -> list[dict[str, Any]]:
    """The methods of a grant, once all of them are issued."""
    until = time.monotonic() + 20
    while True:
        found = me.call("/access_methods/list", access_grant_id=grant_id)["access_methods"]
        if found and all(each["is_issued"] for each in found):
            return found
        assert time.monotonic() < until, found
        time.sleep(0.05)


def test_a_grant_outlives_the_server(fresh_server):
    """Killed at once, started again, killed while it is revoked: each fact is there and was told once."""
    me = caller_of(fresh_server)
    ask, once = asked(me), {"Idempotency-Key": "a-key-of-mine"}
    answers = [me.http.post("/access_grants/create", json=ask, headers=once).json() for _ in range(2)]
    assert answers[0] == answers[1]
    grant = answers[0]["access_grant"]
    fresh_server.kill9()
    content = {path.name: path.read_bytes() for path in fresh_server.data.rglob("*") if path.is_file()}
    content["the log"] = fresh_server.log.read_bytes()
    assert [name for name, each in content.items() if PIN.encode() in each] == []
    fresh_server.start()
    me = caller_of(fresh_server)
    id = {"access_grant_id": grant["access_grant_id"]}
    methods = issued(me, grant["access_grant_id"])
    assert {each["mode"]: each.get("code") for each in methods} == {"code": PIN, "cloud_key": None}
    [code] = me.call("/access_codes/list", **id)["access_codes"]
    assert (code["code"], code["status"]) == (PIN, "set")
    me.http.post("/access_grants/delete", json=id)
    fresh_server.kill9()
    fresh_server.start()
    me = caller_of(fresh_server)
    until = time.monotonic() + 20
    while me.http.post("/access_grants/get", json=id).status_code != 404:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert me.call("/access_codes/list")["access_codes"] == []
    assert me.call("/acs/credentials/list")["acs_credentials"] == []
    told = [each["event_type"] for each in me.call("/events/list", **id)["events"]]
    assert {word: told.count(f"access_grant.{word}") for word in ("created", "deleted")} == {
        "created": 1,
        "deleted": 1,
    }
    for word in ("created", "issued", "revoked", "deleted"):
        assert told.count(f"access_method.{word}") == 2, word
