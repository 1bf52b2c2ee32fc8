"""Devices, events, workspaces and keys."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.fixtures.stores import NOON, a_device, a_key, a_seed, an_attempt, an_event, sending, succeeding
from thumbturn.domain.audit import RECORDING, Act, Recording
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.workspace import KeyKind, Workspace
from thumbturn.engine.ports import Change, DeviceFilter, EventFilter, Seed, Store


async def test_device_reads_back_equal(store: Store):
    """Every field of a device is read back as it was."""
    device = a_device(
        "w1",
        9,
        nickname="Ωmega",
        state={"online": False, "battery_level": 0.5, "locked": None},
        details={"manufacturer": "yale", "model": {"name": 'x"y'}},
        custom_metadata={"a.b": 'q"uote', "flag": False},
        is_managed=False,
        settings={"presets": {"home": {"name": "Zuhause"}}},
    )
    await store.add_devices([device], [an_event(event_type="device.added")])
    assert await store.device("w1", device.id) == device
    assert await store.device("w2", device.id) is None
    assert [event.event_type for event in await store.events("w1", EventFilter(), limit=9)] == [
        "device.added"
    ]


async def test_update_changes_what_people_may_change(store: Store):
    """Nickname, metadata, management and settings are stored; what the device reports is not touched."""
    changed = {"nickname": "Front", "custom_metadata": {"n": True}, "settings": {"a": [1, None]}}
    wanted = a_device("w1", 1, is_managed=False, **changed)
    assert await store.update_device(replace(wanted, state={"online": False}))
    assert await store.device("w1", wanted.id) == wanted
    assert await store.update_device(replace(wanted, workspace_id="w2")) is False
    assert await store.update_device(replace(wanted, id="nobody")) is False


async def test_what_a_change_of_a_device_made_is_on_record_with_it(sql_store):
    """The act of the call under way is in the trail with the change, and names what it made."""
    recording = Recording(lambda made: Act("w1", NOON, "/made", None, dict(made), {}))
    token = RECORDING.set(recording)
    try:
        assert await sql_store.update_device(a_device("w1", 1), program_id="p1")
    finally:
        RECORDING.reset(token)
    (entry,) = (await sql_store.trail("w1", after=0, limit=9)).entries
    assert entry.entry is not None
    assert entry.entry["ids"] == {"program_id": "p1"}
    assert recording.is_written


async def test_last_state_of_a_device_stands(store: Store):
    """Several states of one device, handed over at once, end in the last; the rest of it stays."""
    states = [Change(devices=(a_device("w1", 1, state={"n": n}, nickname="no"),)) for n in range(20)]
    assert await asyncio.gather(*[store.apply(change) for change in states]) == [True] * 20
    assert await store.device("w1", "w1_lock_1") == a_device("w1", 1, state={"n": 19})


DEVICES = [
    a_device("w1", 1, nickname="Straße", custom_metadata={"floor": "1", "vip": True}),
    a_device(
        "w1", 2, device_type="yale_lock", details={"manufacturer": "yale"}, custom_metadata={"vip": "true"}
    ),
    a_device(
        "w1", 3, capabilities=frozenset({"auto_lock"}), is_managed=False, custom_metadata={"we.ird\"'": "x"}
    ),
]


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({}, [1, 2, 3]),
        ({"device_ids": ["w1_lock_3", "w1_lock_1", "w2_lock_1"]}, [1, 3]),
        ({"device_ids": []}, []),
        ({"connected_account_ids": ["w1_account"]}, [1, 2, 3]),
        ({"connected_account_ids": ["w2_account"]}, []),
        ({"device_types": ["yale_lock", "nuki_lock"]}, [2]),
        ({"capability": "lock"}, [1, 2]),
        ({"manufacturer": "yale"}, [2]),
        ({"name": "Straße"}, [1]),
        ({"name": "Door 1"}, []),
        ({"search": "sTRAß"}, [1]),
        ({"search": "door"}, [2, 3]),
        ({"search": "%"}, []),
        ({"created_before": NOON + 2}, [1]),
        ({"is_managed": False}, [3]),
        ({"custom_metadata_has": {"vip": True}}, [1]),
        ({"custom_metadata_has": {"vip": "true"}}, [2]),
        ({"custom_metadata_has": {"we.ird\"'": "x"}}, [3]),
        ({"custom_metadata_has": {"floor": "1", "vip": False}}, []),
    ],
)
async def test_device_filters(store: Store, wanted: dict[str, Any], numbers: list[int]):
    """Each filter finds exactly the devices that fit, in order of creation."""
    await store.reset_workspace("w1", Seed(a_seed("w1").accounts, tuple(DEVICES)), [])
    found = await store.devices("w1", DeviceFilter(**wanted), limit=9)
    assert [device.address for device in found] == [str(number) for number in numbers]


@pytest.mark.parametrize("wanted", [{}, {"search": "door"}])
async def test_device_pages_follow_each_other(store: Store, wanted: dict[str, Any]):
    """With and without a filter, pages hold what was asked for and miss nothing."""
    seen, after = [], None
    while page := await store.devices("w1", DeviceFilter(**wanted), after=after, limit=2):
        assert len(page) <= 2
        seen += page
        after = (page[-1].created_at, page[-1].id)
    assert seen == list(a_seed("w1").devices)


async def test_the_engine_sees_every_workspace(store: Store):
    """The devices and accounts of all workspaces are there for the engine's start."""
    assert {device.id for device in await store.every_device()} == {
        device.id for id in ("w1", "w2") for device in a_seed(id).devices
    }
    assert {account.id for account in await store.every_account()} == {"w1_account", "w2_account"}


async def test_event_reads_back_equal_with_its_number(store: Store):
    """An event is read back as it was told, with its place in the sequence."""
    told = an_event(
        event_type="lock.unlocked", occurred_at=NOON - 5, action_attempt_id="a", payload={"method": "remote"}
    )
    assert await store.apply(Change(events=(told,)))
    assert await store.events("w1", EventFilter(), limit=9) == [told._replace(sequence=1)]
    assert await store.events("w2", EventFilter(), limit=9) == []


@pytest.mark.parametrize(
    ("wanted", "sequences"),
    [
        ({}, [1, 2, 3, 4]),
        ({"event_types": ["lock.locked", "lock.unlocked"]}, [2, 3]),
        ({"device_ids": ["w1_lock_2"]}, [3]),
        ({"device_ids": ["w1_lock_2", "w1_lock_1"], "event_types": ["lock.locked"]}, [2]),
        ({"connected_account_id": "w1_account"}, [1, 2, 3]),
        ({"after": NOON}, [2, 3, 4]),
        ({"before": NOON + 2}, [1, 2]),
        ({"after": NOON, "before": NOON + 2}, [2]),
        ({"payload_among": {"access_code_id": ["c1"]}}, [3]),
        ({"payload_among": {"access_code_id": ["c1"], "method": ["manual"]}}, []),
        ({"event_ids": ["e2", "e4", "elsewhere"]}, [2, 4]),
        ({"event_ids": []}, []),
    ],
)
async def test_event_filters(store: Store, wanted: dict[str, Any], sequences: list[int]):
    """Each filter finds exactly the events that fit, in order, and the newest of them by itself."""
    told = (
        an_event(event_id="e1"),
        an_event(event_type="lock.locked", event_id="e2", created_at=NOON + 1),
        an_event(
            event_type="lock.unlocked",
            event_id="e3",
            created_at=NOON + 2,
            device_id="w1_lock_2",
            payload={"access_code_id": "c1", "method": "keycode"},
        ),
        an_event(event_id="e4", created_at=NOON + 3, device_id=None, connected_account_id=None),
    )
    await store.apply(Change(events=(*told, an_event("w2", event_id="elsewhere"))))
    found = await store.events("w1", EventFilter(**wanted), limit=9)
    assert [event.sequence for event in found] == sequences
    newest = await store.event("w1", EventFilter(**wanted))
    assert newest == (found[-1] if found else None)


@pytest.mark.parametrize(
    ("wanted", "sequences"),
    [
        ({"payload_among": {"space_id": ["s1"]}}, [1]),
        ({"payload_among": {"space_id": ["s1", "s2", "s\0"]}}, [1, 2]),
        ({"payload_among": {"space_id": ["s2"], "space_key": ["101"]}}, [2]),
        ({"payload_among": {"space_id": ["s1"], "space_key": ["101"]}}, []),
        ({"payload_among": {"space_id": []}}, []),
        ({"access_grant_ids": ["g1"]}, [3, 4]),
        ({"access_grant_ids": ['g"2', "none", "g\0"]}, [4]),
        ({"access_grant_ids": ["g"]}, []),
        ({"access_grant_ids": ["g1"], "event_types": ["access_grant.created"]}, [3]),
        ({"access_grant_ids": []}, []),
    ],
)
async def test_events_are_found_by_what_they_name(store: Store, wanted: dict[str, Any], sequences: list[int]):
    """By the value of a key, and by a grant that stands there alone or among others; by whole ids only."""
    told = (
        an_event(payload={"space_id": "s1"}),
        an_event(payload={"space_id": "s2", "space_key": "101"}),
        an_event(event_type="access_grant.created", payload={"access_grant_id": "g1"}),
        an_event(event_type="access_method.created", payload={"access_grant_ids": ["g1", 'g"2']}),
    )
    await store.apply(Change(events=(*told, an_event("w2", payload={"space_id": "s1"}))))
    found = await store.events("w1", EventFilter(**wanted), limit=9)
    assert [event.sequence for event in found] == sequences


async def test_event_pages(store: Store):
    """Limit and offset cut pages out of the sequence."""
    await store.apply(Change(events=tuple(an_event() for _ in range(7))))
    page = await store.events("w1", EventFilter(), limit=3, offset=3)
    assert [event.sequence for event in page] == [4, 5, 6]


async def test_reset_replaces_things_and_keeps_history(store: Store):
    """A reset brings the seed's devices back; attempts and events of before stay, other workspaces too."""
    queued = an_attempt()
    await store.accept(queued)
    sent, send = sending(queued)
    done, settle = succeeding(sent)
    await store.apply(send)
    await store.apply(settle)
    await store.add_devices([a_device("w1", 8)], [])
    seed = a_seed("w1", count=2)
    await store.reset_workspace("w1", seed, [an_event(event_type="device.added")])
    assert await store.devices("w1", DeviceFilter(), limit=9) == list(seed.devices)
    assert await store.device("w1", "w1_lock_3") is None
    assert await store.attempt("w1", done.id) == done
    assert [event.sequence for event in await store.events("w1", EventFilter(), limit=9)] == [1, 2]
    assert len(await store.devices("w2", DeviceFilter(), limit=9)) == 3


async def test_workspace_reads_back_equal(store: Store):
    """Every field of a workspace is kept, and an update stores what may change."""
    workspace = Workspace(
        id="w3",
        name="Hotel",
        is_sandbox=False,
        company_name="Ltd",
        connect_partner_name="Partner",
        organization_id="o1",
        is_publishable_key_auth_enabled=True,
        connect_webview_customization={"primary_button_color": "#000"},
        required_evidence=Evidence.STATE_REPORT,
        announced_action_types=frozenset({"SET_HVAC_MODE", "SET_FAN_MODE"}),
        created_at=NOON,
    )
    await store.add_workspace(workspace, user_id=None, seed=Seed((), ()), keys=[])
    assert await store.workspace("w3") == workspace
    renamed = replace(workspace, name="Inn", is_suspended=True, required_evidence=Evidence.NONE)
    await store.update_workspace(renamed)
    assert await store.workspace("w3") == renamed
    assert await store.workspace("w4") is None


async def test_workspaces_that_announce_more_are_found(store: Store):
    """Those that chose further types are listed with their choice, and no longer once they chose none."""
    assert await store.announcing_workspaces() == []
    workspace = await store.workspace("w2")
    assert workspace is not None
    chose = replace(workspace, announced_action_types=frozenset({"*"}))
    await store.update_workspace(chose)
    assert await store.announcing_workspaces() == [chose]
    await store.update_workspace(workspace)
    assert await store.announcing_workspaces() == []


async def test_members_see_their_workspaces(store: Store):
    """A person's workspaces are listed oldest first; a stranger has none."""
    assert [each.id for each in await store.workspaces_of_user("u1")] == ["w1", "w2"]
    assert await store.workspaces_of_user("u2") == []
    assert await store.has_workspaces()


async def test_keys_open_their_workspaces_only(store: Store):
    """A workspace's keys are its API keys and its members' tokens, and only it can revoke them."""
    api_key = a_key()
    token = a_key(
        "k2", kind=KeyKind.PERSONAL_ACCESS_TOKEN, workspace_id=None, user_id="u1", created_at=NOON + 1
    )
    stranger = a_key("k3", kind=KeyKind.PERSONAL_ACCESS_TOKEN, workspace_id=None, user_id="u2")
    for key in (token, api_key, stranger):
        await store.add_key(key)
    assert await store.key("hash of k1") == api_key
    assert await store.key("hash of nothing") is None
    assert await store.keys("w1") == [api_key, token]
    assert await store.keys("w2") == [token]
    assert await store.revoke_key("w2", "k1", NOON) is None
    assert await store.key("hash of k1") == api_key


async def test_a_key_is_revoked_once(store: Store):
    """A revoked key is still found, and keeps the time of its first revocation."""
    await store.add_key(a_key())
    revoked = a_key(revoked_at=NOON + 1)
    assert await store.revoke_key("w1", "k1", NOON + 1) == revoked
    assert await store.revoke_key("w1", "k1", NOON + 2) == revoked
    assert await store.key("hash of k1") == revoked


async def test_keys_are_counted_by_whom_they_open_something_for(store: Store):
    """A bound on keys counts a workspace's own, or a person's tokens, and those only that are not revoked."""
    personal: dict[str, Any] = {"kind": KeyKind.PERSONAL_ACCESS_TOKEN, "workspace_id": None}
    assert await store.add_key(a_key("k1"), most=2)
    assert await store.add_key(a_key("k2"), most=2)
    assert not await store.add_key(a_key("k3"), most=2)
    assert await store.key("hash of k3") is None
    assert await store.add_key(a_key("t1", user_id="u1", **personal), most=1)
    assert await store.add_key(a_key("t2", user_id="u2", **personal), most=1)
    assert not await store.add_key(a_key("t3", user_id="u1", **personal), most=1)
    assert await store.add_key(a_key("k4", workspace_id="w2"), most=1)
    await store.revoke_key("w1", "k1", NOON)
    assert await store.add_key(a_key("k5"), most=2)
    assert not await store.add_key(a_key("k6"), most=2)
    assert await store.add_key(a_key("k7"))


async def test_a_person_has_so_many_workspaces(store: Store):
    """Of a workspace that is one too many for its member nothing is stored; one of nobody does not count."""
    seed = Seed((), ())
    third, fourth = (Workspace(id=id, name=id, is_sandbox=True, created_at=NOON + 9) for id in ("w3", "w4"))
    assert not await store.add_workspace(third, user_id="u1", seed=seed, keys=[a_key("k9")], most=2)
    assert await store.workspace("w3") is None
    assert await store.key("hash of k9") is None
    assert await store.add_workspace(third, user_id="u1", seed=seed, keys=[], most=3)
    assert await store.add_workspace(fourth, user_id=None, seed=seed, keys=[], most=1)
    assert [each.id for each in await store.workspaces_of_user("u1")] == ["w1", "w2", "w3"]
