"""Access control on the wire: users, groups, entrances, credentials, and who gets through where."""

from __future__ import annotations

import pytest

from tests.fixtures.access import (
    credential,
    entrances,
    groups,
    identity,
    refused,
    system,
    told,
    user,
)
from tests.fixtures.sessions import guest, own_account
from thumbturn.domain.clock import seconds, to_wire

HOUR = seconds(3_600)
ALL = ["Front Door", "Back Door", "Garage Side Door"]


async def through(wire, **whom):
    """The names of the entrances that somebody gets through."""
    found = await wire.call("/acs/users/list_accessible_entrances", **whom)
    return [each["display_name"] for each in found["acs_entrances"]]


def later(wire, hours):
    return to_wire(wire.house.clock.now() + int(hours * HOUR))


async def test_a_sandbox_has_a_system(wire):
    """One system, with entrances at its doors and groups that open them; always with the same ids."""
    [found] = (await wire.call("/acs/systems/list"))["acs_systems"]
    assert found["name"] == "Virtual Access Control"
    got = await wire.call("/acs/systems/get", acs_system_id=found["acs_system_id"])
    assert got["acs_system"] == found
    assert list(await entrances(wire)) == ALL
    assert list(await groups(wire)) == ["Residents", "Visitors"]
    managers = await wire.call(
        "/acs/systems/list_compatible_credential_manager_acs_systems", acs_system_id=found["acs_system_id"]
    )
    assert managers["acs_systems"] == []
    before = await entrances(wire), await groups(wire)
    made = await user(wire)
    await wire.call("/workspaces/reset_sandbox")
    await wire.house.clock.settle()
    assert (await entrances(wire), await groups(wire)) == before
    assert await refused(wire, "/acs/users/get", acs_user_id=made["acs_user_id"]) == (
        404,
        "acs_user_not_found",
    )


@pytest.mark.parametrize(
    ("path", "key", "filters"),
    [
        ("systems", "acs_systems", [{"search": "VIRTUAL"}, {"search": "none"}, {"customer_key": "x"}]),
        ("access_groups", "acs_access_groups", [{"search": "RESI"}, {"search": "x"}, {"acs_user_id": "x"}]),
        ("entrances", "acs_entrances", [{"search": "FRONT"}, {"search": "none"}, {"space_id": "x"}]),
    ],
)  # fmt: skip
async def test_filters(wire, path, key, filters):
    """A search finds what has the words in its name in any case; what there is none of matches nothing."""
    assert [len((await wire.call(f"/acs/{path}/list", **ask))[key]) for ask in filters] == [1, 0, 0]


async def test_a_user_is_made(wire):
    """He has what was said of him, is told, and is found by his id and by his identity."""
    id = (await identity(wire))["user_identity_id"]
    schedule = {"starts_at": "2030-01-01T00:00:00.000Z", "ends_at": "2030-02-01T00:00:00.000Z"}
    made = await user(
        wire,
        email_address="j@example.com",
        phone_number="+1",
        user_identity_id=id,
        access_schedule=schedule,
        acs_access_group_ids=[(await groups(wire))["Visitors"]],
    )
    assert {key: made[key] for key in ("full_name", "email", "email_address", "phone_number")} == {
        "full_name": "Jane",
        "email": "j@example.com",
        "email_address": "j@example.com",
        "phone_number": "+1",
    }
    assert (made["access_schedule"], made["user_identity_id"], made["is_suspended"]) == (schedule, id, False)
    assert await told(wire) == [("acs_user.created", made["acs_user_id"])]
    for ask in ({"acs_user_id": made["acs_user_id"]}, {"user_identity_id": id}):
        assert (await wire.call("/acs/users/get", **ask))["acs_user"] == made
        assert await through(wire, **ask) == ["Front Door"]
    assert await refused(wire, "/acs/users/get") == (400, "invalid_input")
    taken = {"acs_system_id": await system(wire), "full_name": "Again", "user_identity_id": id}
    assert await refused(wire, "/acs/users/create", **taken) == (409, "user_identity_has_acs_user")


async def test_a_user_without_a_start_has_no_schedule_and_none_ends_before_it_starts(wire):
    """Times are checked when he is made and when he is changed."""
    assert "access_schedule" not in await user(wire)
    backwards = {"starts_at": "2030-01-02", "ends_at": "2030-01-01"}
    ask = {"acs_system_id": await system(wire), "full_name": "Jane", "access_schedule": backwards}
    assert await refused(wire, "/acs/users/create", **ask) == (400, "invalid_access_times")
    made = await user(wire)
    ask = {"acs_user_id": made["acs_user_id"], "access_schedule": backwards}
    assert await refused(wire, "/acs/users/update", **ask) == (400, "invalid_access_times")


async def test_a_user_is_changed(wire):
    """What is given changes and the rest stays; a schedule of null is none."""
    schedule = {"starts_at": "2030-01-01", "ends_at": None}
    made = await user(wire, email_address="j@example.com", access_schedule=schedule)
    which = {"acs_user_id": made["acs_user_id"]}
    await wire.call("/acs/users/update", **which, full_name="Joan", email="k@example.com")
    found = (await wire.call("/acs/users/get", **which))["acs_user"]
    assert (found["full_name"], found["email_address"]) == ("Joan", "k@example.com")
    assert found["access_schedule"]["ends_at"] is None
    await wire.call("/acs/users/update", **which, access_schedule=None)
    assert "access_schedule" not in (await wire.call("/acs/users/get", **which))["acs_user"]


async def test_users_are_listed(wire):
    """By system, identity, what is known of that, and words."""
    made = await identity(wire, email_address="i@example.com", phone_number="+49")
    ann = await user(wire, "Ann", user_identity_id=made["user_identity_id"])
    await user(wire, "Bob")

    async def names(**ask):
        return [each["full_name"] for each in (await wire.call("/acs/users/list", **ask))["acs_users"]]

    assert await names() == ["Ann", "Bob"]
    assert await names(acs_system_id=await system(wire)) == ["Ann", "Bob"]
    assert await names(acs_system_id="x") == []
    assert await names(user_identity_id=ann["user_identity_id"]) == ["Ann"]
    assert await names(user_identity_email_address="i@example.com") == ["Ann"]
    assert await names(user_identity_email_address="i@example.com", user_identity_phone_number="+1") == []
    assert await names(search="BO") == ["Bob"]
    assert await names(limit=1) == ["Ann"]


async def test_who_gets_through_where(wire):
    """By an access group or by himself; not when he is out of it, when it is gone, or when all is revoked."""
    doors, all_groups = await entrances(wire), await groups(wire)
    who = {"acs_user_id": (await user(wire))["acs_user_id"]}
    assert await through(wire, **who) == []
    await wire.call("/acs/entrances/grant_access", **who, acs_entrance_id=doors["Back Door"])
    await wire.call("/acs/access_groups/add_user", **who, acs_access_group_id=all_groups["Visitors"])
    await wire.call("/acs/users/add_to_access_group", **who, acs_access_group_id=all_groups["Residents"])
    assert await through(wire, **who) == ALL
    members = await wire.call("/acs/access_groups/list_users", acs_access_group_id=all_groups["Visitors"])
    assert [each["acs_user_id"] for each in members["acs_users"]] == [who["acs_user_id"]]
    his = await wire.call("/acs/access_groups/list", **who)
    assert [each["name"] for each in his["acs_access_groups"]] == ["Residents", "Visitors"]
    await wire.call("/acs/users/remove_from_access_group", **who, acs_access_group_id=all_groups["Residents"])
    assert await through(wire, **who) == ["Front Door", "Back Door"]
    await wire.call("/acs/access_groups/delete", acs_access_group_id=all_groups["Visitors"])
    assert await through(wire, **who) == ["Back Door"]
    assert ("acs_access_group.deleted", all_groups["Visitors"]) in await told(wire)
    await wire.call("/acs/users/revoke_access_to_all_entrances", **who)
    assert await through(wire, **who) == []
    gone = {"acs_access_group_id": all_groups["Visitors"]}
    for verb in ("get", "delete", "list_users", "list_accessible_entrances"):
        found = await refused(wire, f"/acs/access_groups/{verb}", **gone)
        assert found == (404, "acs_access_group_not_found")


async def test_an_access_group_opens_entrances(wire):
    """It is got by its id, and its entrances are listed."""
    id = (await groups(wire))["Visitors"]
    found = (await wire.call("/acs/access_groups/get", acs_access_group_id=id))["acs_access_group"]
    assert (found["name"], found["is_managed"]) == ("Visitors", True)
    opened = await wire.call("/acs/access_groups/list_accessible_entrances", acs_access_group_id=id)
    assert [each["display_name"] for each in opened["acs_entrances"]] == ["Front Door"]


async def test_a_user_goes_with_his_credentials(wire):
    """He and they are told once each, and are not found any more."""
    who = {"acs_user_id": (await user(wire))["acs_user_id"]}
    code = await credential(wire, **who)
    await wire.call("/acs/users/delete", **who)
    assert (await told(wire))[-2:] == [
        ("acs_credential.deleted", code["acs_credential_id"]),
        ("acs_user.deleted", who["acs_user_id"]),
    ]
    assert await refused(wire, "/acs/users/delete", **who) == (404, "acs_user_not_found")
    ask = {"acs_credential_id": code["acs_credential_id"]}
    assert await refused(wire, "/acs/credentials/get", **ask) == (404, "acs_credential_not_found")


async def test_an_entrance_is_unlocked_by_a_cloud_key(wire):
    """It is an attempt like any unlock, at the lock that is there."""
    doors = await entrances(wire)
    resident = await user(wire, acs_access_group_ids=[(await groups(wire))["Residents"]])
    key = await credential(wire, "cloud_key", acs_user_id=resident["acs_user_id"])
    ask = {"acs_credential_id": key["acs_credential_id"], "acs_entrance_id": doors["Back Door"]}
    begun = (await wire.call("/acs/entrances/unlock", **ask))["action_attempt"]
    await wire.house.clock.settle()
    ended = await wire.call("/action_attempts/get", action_attempt_id=begun["action_attempt_id"])
    assert ended["action_attempt"]["action_type"] == "UNLOCK_DOOR"
    assert ended["action_attempt"]["result"] == {"was_confirmed_by_device": True}
    device = (await wire.call("/devices/get", name="Back Door"))["device"]
    assert device["properties"]["locked"] is False


async def test_what_does_not_unlock(wire):
    """A code, a key of nobody, of somebody who does not get through or is suspended, or out of its time."""
    doors = await entrances(wire)
    visitor = {
        "acs_user_id": (await user(wire, acs_access_group_ids=[(await groups(wire))["Visitors"]]))[
            "acs_user_id"
        ]
    }

    async def unlock(made, name="Front Door"):
        ask = {"acs_credential_id": made["acs_credential_id"], "acs_entrance_id": doors[name]}
        reply = await wire.ask("POST", "/acs/entrances/unlock", ask)
        return reply.status

    key = await credential(wire, "cloud_key", **visitor)
    assert await unlock(key) == 200
    assert await unlock(key, "Back Door") == 400
    assert await unlock(await credential(wire, "code", **visitor)) == 400
    assert await unlock(await credential(wire, "cloud_key")) == 400
    timed = await credential(wire, "cloud_key", **visitor, starts_at=later(wire, 1), ends_at=later(wire, 2))
    found = []
    for _ in range(3):
        found.append(await unlock(timed))
        await wire.house.clock.advance(HOUR)
    assert found == [400, 200, 400]
    await wire.call("/acs/users/suspend", **visitor)
    assert await unlock(key) == 400
    await wire.call("/acs/users/unsuspend", **visitor)
    schedule = {"starts_at": later(wire, 1), "ends_at": later(wire, 2)}
    await wire.call("/acs/users/update", **visitor, access_schedule=schedule)
    assert await unlock(key) == 400
    assert await unlock({"acs_credential_id": "x"}) == 404


async def test_events_are_found_by_what_they_are_about(wire):
    """Each filter by a thing of a system finds what was told of it, and nothing of others."""
    one, two = [await user(wire, name) for name in ("Ann", "Bob")]
    assert await told(wire, acs_user_id=one["acs_user_id"]) == [("acs_user.created", one["acs_user_id"])]
    for ask, count in (
        ({"acs_system_id": await system(wire)}, 2),
        ({"acs_system_ids": [await system(wire), "x"]}, 2),
        ({"acs_system_ids": []}, 0),
        ({"acs_system_id": "x"}, 0),
        ({"acs_credential_id": two["acs_user_id"]}, 0),
    ):
        assert len(await told(wire, **ask)) == count, ask


async def test_what_a_session_sees_of_a_system(wire):
    """Within its accounts it sees users, entrances and credentials, without their digits; beyond, nothing."""
    resident = await user(wire, acs_access_group_ids=[(await groups(wire))["Residents"]])
    await credential(wire, acs_user_id=resident["acs_user_id"])
    doors = await entrances(wire)
    within, beyond = await guest(wire, await own_account(wire)), await guest(wire)
    for path, key, count in (
        ("/acs/systems/list", "acs_systems", 1),
        ("/acs/entrances/list", "acs_entrances", 3),
        ("/acs/users/list", "acs_users", 1),
        ("/acs/credentials/list", "acs_credentials", 1),
    ):
        assert len((await within.call(path))[key]) == count
        assert (await beyond.call(path))[key] == []
    [seen] = (await within.call("/acs/credentials/list"))["acs_credentials"]
    assert seen["code"] is None
    door = {"acs_entrance_id": doors["Front Door"]}
    [seen] = (await within.call("/acs/entrances/list_credentials_with_access", **door))["acs_credentials"]
    assert seen["code"] is None
    who = {"acs_user_id": resident["acs_user_id"]}
    assert len((await within.call("/acs/users/list_accessible_entrances", **who))["acs_entrances"]) == 3
    for path, ask in (
        ("/acs/entrances/get", door),
        ("/acs/entrances/list_credentials_with_access", door),
        ("/acs/users/list_accessible_entrances", who),
        ("/acs/access_groups/delete", {"acs_access_group_id": (await groups(wire))["Visitors"]}),
    ):
        assert (await beyond.refusal(path, **ask))[0] == 404


async def test_all_that_is_of_an_account_goes_with_it(wire):
    """Each user, credential, group, entrance and encoder is told once, and none is found any more."""
    who = {"acs_user_id": (await user(wire))["acs_user_id"]}
    code = await credential(wire, **who)
    doors, all_groups = await entrances(wire), await groups(wire)
    [encoder] = (await wire.call("/acs/encoders/list"))["acs_encoders"]
    before = len(await told(wire))
    await wire.call("/connected_accounts/delete", connected_account_id=await own_account(wire))
    await wire.house.clock.settle()
    assert sorted((await told(wire))[before:]) == sorted(
        [
            ("acs_user.deleted", who["acs_user_id"]),
            ("acs_credential.deleted", code["acs_credential_id"]),
            ("acs_encoder.removed", encoder["acs_encoder_id"]),
            *(("acs_entrance.removed", id) for id in doors.values()),
            *(("acs_access_group.deleted", id) for id in all_groups.values()),
        ]
    )
    for noun in ("systems", "entrances", "users", "credentials", "encoders", "access_groups"):
        assert (await wire.call(f"/acs/{noun}/list"))[f"acs_{noun}"] == []


async def test_who_was_let_in_where_is_told(wire):
    """That a door was unlocked by a cloud key is told with the entrance, the user and his identity, and is
    found by them; that it was unlocked without one is not.
    """
    jane = await identity(wire, full_name="Jane", acs_system_ids=[await system(wire)])
    who = {"user_identity_id": jane["user_identity_id"]}
    at = {"acs_entrance_id": (await entrances(wire))["Back Door"]}
    await wire.call("/acs/entrances/grant_access", **who, **at)
    key = await credential(wire, "cloud_key", **who)
    ask = {"acs_credential_id": key["acs_credential_id"], **at}
    attempt = (await wire.call("/acs/entrances/unlock", **ask))["action_attempt"]
    await wire.house.clock.advance(seconds(5))
    await wire.call("/locks/lock_door", device_id=await wire.door("Back Door"))
    await wire.house.clock.advance(seconds(5))
    await wire.call("/locks/unlock_door", device_id=await wire.door("Back Door"))
    await wire.house.clock.advance(seconds(5))
    known = {
        "acs_system_id": await system(wire),
        "acs_user_id": jane["acs_user_ids"][0],
        **at,
        **who,
    }
    [by_key, by_none] = (await wire.call("/events/list", event_type="lock.unlocked"))["events"]
    assert {name: by_key.get(name) for name in known} == known
    assert by_key["action_attempt_id"] == attempt["action_attempt_id"]
    assert known.keys() & by_none.keys() == set()
    for ask in (who, at):
        found = (await wire.call("/events/list", **ask))["events"]
        assert [each for each in found if each["event_type"].startswith("lock.")] == [by_key]
