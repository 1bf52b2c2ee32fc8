"""The audit trail over HTTP: what is in it, what is not, and that it holds together."""

from __future__ import annotations

import pytest

from thumbturn.api.acts import Acts
from thumbturn.api.once import Once
from thumbturn.api.table import endpoints
from thumbturn.domain.audit import RECORDING
from thumbturn.domain.chain import Chain, Head, Sealed
from thumbturn.domain.refusals import StorageUnavailable


async def trail(wire, **ask):
    answer = await wire.call("/thumbturn/audit/list", **ask)
    chain = Chain()
    for line in answer["entries"]:
        chain.read(Sealed(**line))
    chain.end(Head(**answer["head"]))
    assert chain.problems == []
    return [line["entry"] for line in answer["entries"]]


async def acted(wire, path, ask, **more):
    """The entry that this call leaves; it leaves exactly one."""
    before = await trail(wire)
    reply = await wire.ask("POST", path, ask, **more)
    assert reply.status == 200, reply.content
    *same, entry = await trail(wire)
    assert same == before
    assert entry["request_id"] == reply.headers["seam-request-id"]
    assert entry["workspace_id"] == "w1"
    return entry, reply.json


async def test_an_accepted_attempt_is_in_the_trail(wire):
    """Its entry names the action, the device, the parameters, and who asked."""
    door = await wire.door()
    headers = {"thumbturn-actor": "night porter"}
    entry, answer = await acted(wire, "/locks/unlock_door", {"device_id": door}, headers=headers)
    assert entry["action"] == "UNLOCK_DOOR"
    assert entry["actor"] == "night porter"
    assert entry["asked_by"] == {"key_id": wire.key.id, "kind": "api_key", "user_id": None}
    assert entry["ids"] == {
        "action_attempt_id": answer["action_attempt"]["action_attempt_id"],
        "device_id": door,
    }
    assert entry["parameters"] == {"device_id": door}
    stored = await wire.house.store.attempt("w1", entry["ids"]["action_attempt_id"])
    assert entry["at"] == stored.accepted_at


async def test_a_key_is_made_and_revoked_on_record(wire):
    """The trail names the key, its kind and who made it; it knows neither its name nor the token."""
    entry, answer = await acted(
        wire, "/thumbturn/keys/create", {"name": "for the 4711 door", "kind": "api_key"}
    )
    key_id = answer["key"]["key_id"]
    assert entry["action"] == "/thumbturn/keys/create"
    assert entry["ids"] == {"key_id": key_id}
    assert entry["parameters"] == {"name": "••••", "kind": "api_key"}
    assert answer["token"] not in str(entry)
    entry, _ = await acted(wire, "/thumbturn/keys/revoke", {"key_id": key_id})
    assert (entry["action"], entry["ids"]) == ("/thumbturn/keys/revoke", {"key_id": key_id})


@pytest.mark.parametrize(
    ("path", "ask", "ids", "parameters"),
    [
        ("/devices/update", {"device_id": "", "is_managed": False}, {"device_id": ""}, {"is_managed": False}),
        (
            "/devices/update",
            {"device_id": "", "name": "PIN 1234", "custom_metadata": {"pin": "1234"}},
            {"device_id": ""},
            {"name": "••••", "custom_metadata": "••••"},
        ),
        ("/devices/simulate/disconnect", {"device_id": ""}, {"device_id": ""}, {}),
        (
            "/thumbturn/sandbox/inject_fault",
            {"device_id": "", "fault": "jam", "times": 1},
            {"device_id": ""},
            {"fault": "••••", "times": "••••"},
        ),
        ("/thumbturn/sandbox/clear_faults", {}, {}, {}),
        (
            "/thumbturn/workspaces/update",
            {"required_evidence": "state_report"},
            {},
            {"required_evidence": "state_report"},
        ),
        (
            "/workspaces/update",
            {"name": "Home", "is_suspended": True},
            {},
            {"name": "••••", "is_suspended": True},
        ),
    ],
)
async def test_a_change_is_in_the_trail(wire, path, ask, ids, parameters):
    """Its entry has the ids, yes and no, and words of a closed list; of the rest that it was given."""
    door = await wire.door()

    def of_door(given):
        return {name: door if name == "device_id" else value for name, value in given.items()}

    entry, _ = await acted(wire, path, of_door(ask))
    assert (entry["action"], entry["ids"], entry["parameters"]) == (path, of_door(ids), parameters)


async def test_what_a_call_made_is_named(wire):
    """The ids of things that a call makes are in its entry, all of them."""
    entry, answer = await acted(wire, "/thumbturn/sandbox/add_devices", {"count": 3})
    assert entry["ids"] == {"device_ids": answer["device_ids"]}


async def test_a_new_workspace_begins_its_own_trail(wire):
    """The first entry of a workspace is that a person made it."""
    reply = await wire.ask("POST", "/workspaces/create", {"name": "New"}, token=wire.access_token)
    made = reply.json["workspace"]["workspace_id"]
    assert await trail(wire) == []
    headers = {"seam-workspace": made}
    listed = await wire.ask("POST", "/thumbturn/audit/list", {}, token=wire.access_token, headers=headers)
    [line] = listed.json["entries"]
    assert line["entry"]["ids"] == {"workspace_id": made}
    assert line["entry"]["asked_by"]["user_id"] == "u1"


async def test_what_did_nothing_is_not_in_the_trail(wire):
    """Reads, refused calls and calls of nobody leave no entry."""
    door = await wire.door()
    for path, ask, status in (
        ("/devices/list", {}, 200),
        ("/thumbturn/keys/list", {}, 200),
        ("/locks/unlock_door", {"device_id": "nobody's"}, 404),
        ("/thumbturn/keys/revoke", {"key_id": "nobody's"}, 404),
        ("/devices/update", {"device_id": door, "is_managed": "perhaps"}, 400),
    ):
        assert (await wire.ask("POST", path, ask)).status == status
    assert (await wire.ask("POST", "/locks/unlock_door", {"device_id": door}, token="seam_no")).status == 401
    assert await trail(wire) == []


async def test_an_unreadable_actor_stops_any_call_that_acts(wire):
    """Nothing is done for an actor whose name cannot be kept."""
    headers = {"thumbturn-actor": "x" * 256}
    refused = await wire.ask("POST", "/thumbturn/keys/create", {"name": "k"}, headers=headers)
    assert (refused.status, refused.error["type"]) == (400, "invalid_actor")
    assert len((await wire.call("/thumbturn/keys/list"))["keys"]) == 1
    assert (await wire.ask("POST", "/devices/list", {}, headers=headers)).status == 200


async def test_a_repeated_call_is_in_the_trail_once(wire):
    """A call that is answered from its Idempotency-Key did nothing again."""
    for path, ask in (
        ("/thumbturn/keys/create", {"name": "k"}),
        ("/locks/unlock_door", {"device_id": await wire.door()}),
    ):
        for _ in range(2):
            reply = await wire.ask("POST", path, ask, headers={"idempotency-key": f"once{path}"})
            assert reply.status == 200, reply.content
    assert [entry["action"] for entry in await trail(wire)] == ["/thumbturn/keys/create", "UNLOCK_DOOR"]


async def test_an_act_is_answered_when_it_is_on_record(wire, monkeypatch):
    """While the database refuses the entry of what was done, the call waits, and the entry comes."""
    store, refusals = wire.house.store, []
    record = store.record

    async def refuse_twice(act, *, again):
        assert again == bool(refusals)
        if len(refusals) < 2:
            refusals.append(act)
            raise StorageUnavailable
        await record(act, again=again)

    async def no_time(_):
        """Pass at once."""

    monkeypatch.setattr(store, "record", refuse_twice)
    monkeypatch.setattr(wire.house.clock, "sleep", no_time)
    await wire.call("/thumbturn/keys/create", name="k")
    assert len(refusals) == 2
    assert [entry["action"] for entry in await trail(wire)] == ["/thumbturn/keys/create"]


async def test_an_act_that_came_on_record_with_what_it_did_is_not_written_again(wire, monkeypatch):
    """A store that has written the act together with the change is not asked to write it once more."""
    store = wire.house.store
    add_key = store.add_key

    async def together(key, **more):
        recording = RECORDING.get()
        await store.record(recording.act({"key_id": key.id}))
        recording.is_written = True
        return await add_key(key, **more)

    monkeypatch.setattr(store, "add_key", together)
    made = await wire.call("/thumbturn/keys/create")
    [entry] = await trail(wire)
    assert entry["ids"] == {"key_id": made["key"]["key_id"]}
    assert RECORDING.get() is None


async def test_pages_lead_through_the_trail(wire):
    """Pages hold together what one page would, oldest first, and each names the head of the whole."""
    for _ in range(5):
        await wire.call("/thumbturn/sandbox/clear_faults")
    whole = await wire.call("/thumbturn/audit/list")
    found, cursor = [], None
    while True:
        page = await wire.call("/thumbturn/audit/list", limit=2, page_cursor=cursor)
        assert (page["head"], page["waiting"]) == (whole["head"], 0)
        found += page["entries"]
        cursor = page["pagination"]["next_page_cursor"]
        if cursor is None:
            break
    assert found == whole["entries"]
    assert [line["number"] for line in found] == [1, 2, 3, 4, 5]


async def test_a_keypad_code_is_in_no_trail(wire):
    """A PIN that was entered is in no entry."""
    entry, _ = await acted(
        wire,
        "/locks/simulate/keypad_code_entry",
        {"device_id": await wire.door("Back Door"), "code": "918273"},
    )
    assert "918273" not in str(entry)


def test_everything_that_acts_is_recorded():
    """Every route that takes no GET is in the trail: as an attempt, or by itself."""
    acting = {path for path, each in endpoints().items() if each.acts}
    attempts = {path for path, each in endpoints().items() if each.name_of(Once)}
    assert attempts < acting
    assert all(endpoints()[path].access is not None for path in acting), "nobody's act cannot be recorded"


@pytest.mark.parametrize("is_refused", [False, True])
async def test_a_call_that_is_over_is_recorded_by_nobody_else(wire, monkeypatch, is_refused):
    """Whatever a call left running finds it over when it was answered, and when it was refused."""
    seen = []
    begin = Acts.begin

    def noted(*how):
        seen.append(begin(*how))
        return seen[-1]

    monkeypatch.setattr(Acts, "begin", noted)
    door = "nobody" if is_refused else await wire.door()
    await wire.ask("POST", "/devices/update", {"device_id": door, "name": "Porch"})
    assert [each.is_over for each in seen] == [True]
    assert seen[0].act({}) is None
