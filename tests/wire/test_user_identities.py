"""User identities on the wire: persons, their users in systems, their devices and their client sessions."""

from __future__ import annotations

import pytest

from tests.fixtures.access import credential, groups, identity, refused, system, told, user
from tests.fixtures.sessions import Guest, own_account

JANE = {
    "user_identity_key": "jane",
    "full_name": "Jane Doe",
    "email_address": "jane@example.com",
    "phone_number": "+15551234567",
}


async def test_an_identity_is_made_and_found(wire):
    """It has what was said of it, and is found by its id and by its key."""
    made = await identity(wire, **JANE)
    assert made == {
        **JANE,
        "user_identity_id": made["user_identity_id"],
        "workspace_id": "w1",
        "display_name": "Jane Doe",
        "acs_user_ids": [],
        "errors": [],
        "warnings": [],
        "created_at": made["created_at"],
    }
    for ask in ({"user_identity_id": made["user_identity_id"]}, {"user_identity_key": "jane"}):
        assert (await wire.call("/user_identities/get", **ask))["user_identity"] == made
    assert await refused(wire, "/user_identities/get") == (400, "invalid_input")
    for ask in ({"user_identity_id": "x"}, {"user_identity_key": "x"}):
        assert await refused(wire, "/user_identities/get", **ask) == (404, "user_identity_not_found")


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        ({}, "Unnamed"),
        ({"user_identity_key": "k"}, "k"),
        ({"user_identity_key": "k", "phone_number": "+1"}, "+1"),
        ({"phone_number": "+1", "email_address": "a@b.ch"}, "a@b.ch"),
    ],
)
async def test_what_is_shown_for_an_identity(wire, known, shown):
    """The name, else the address, else the number, else the key."""
    assert (await identity(wire, **known))["display_name"] == shown


async def test_a_key_is_one_identitys(wire):
    """A key that another has is refused, when it is made and when it is changed; null gives it up."""
    first = await identity(wire, **JANE)
    assert await refused(wire, "/user_identities/create", **JANE) == (409, "user_identity_key_taken")
    other = await identity(wire)
    ask = {"user_identity_id": other["user_identity_id"], "user_identity_key": "jane"}
    assert await refused(wire, "/user_identities/update", **ask) == (409, "user_identity_key_taken")
    await wire.call(
        "/user_identities/update", user_identity_id=first["user_identity_id"], user_identity_key=None
    )
    await wire.call("/user_identities/update", **ask)
    found = await wire.call("/user_identities/get", user_identity_key="jane")
    assert found["user_identity"]["user_identity_id"] == other["user_identity_id"]


@pytest.mark.parametrize(
    "ask",
    [{"email_address": "jane"}, {"full_name": ""}, {"user_identity_key": ""}, {"phone_number": 5}],
    ids=str,
)
async def test_what_describes_nobody_is_refused(wire, ask):
    """An address that is none, and names without a letter."""
    assert await refused(wire, "/user_identities/create", **ask) == (400, "invalid_input")


async def test_identities_are_listed(wire):
    """Filters narrow the list, and pages hold each once."""
    made = [await identity(wire, full_name=name) for name in ("Ann", "Bob", "ANNE")]
    path = "/user_identities/list"

    async def names(**ask):
        return [each["full_name"] for each in (await wire.call(path, **ask))["user_identities"]]

    assert await names() == ["Ann", "Bob", "ANNE"]
    assert await names(search="ann") == ["Ann", "ANNE"]
    assert await names(user_identity_ids=[made[1]["user_identity_id"], "x"]) == ["Bob"]
    assert await names(created_before="2000-01-01") == []
    assert await names(credential_manager_acs_system_id=await system(wire)) == []
    page = await wire.call(path, limit=2)
    assert [each["full_name"] for each in page["user_identities"]] == ["Ann", "Bob"]
    assert await names(limit=2, page_cursor=page["pagination"]["next_page_cursor"]) == ["ANNE"]


async def test_an_identity_has_users_in_systems(wire):
    """One is made with it where that is asked for, and told; others are added and taken away."""
    id = await system(wire)
    made = await identity(wire, **JANE, acs_system_ids=[id])
    [theirs] = made["acs_user_ids"]
    assert await told(wire) == [("acs_user.created", theirs)]
    who = {"user_identity_id": made["user_identity_id"]}
    users = (await wire.call("/user_identities/list_acs_users", **who))["acs_users"]
    assert [(each["full_name"], each["email_address"]) for each in users] == [
        ("Jane Doe", "jane@example.com")
    ]
    systems = (await wire.call("/user_identities/list_acs_systems", **who))["acs_systems"]
    assert [each["acs_system_id"] for each in systems] == [id]
    other = await user(wire, "Other")
    path = "/user_identities/add_acs_user"
    assert await refused(wire, path, **who, acs_user_id=other["acs_user_id"]) == (
        409,
        "user_identity_has_acs_user",
    )
    await wire.call("/user_identities/remove_acs_user", **who, acs_user_id=theirs)
    await wire.call(path, user_identity_key="jane", acs_user_id=other["acs_user_id"])
    found = (await wire.call("/user_identities/get", **who))["user_identity"]
    assert found["acs_user_ids"] == [other["acs_user_id"]]
    second = await identity(wire)
    ask = {"user_identity_id": second["user_identity_id"], "acs_user_id": other["acs_user_id"]}
    assert await refused(wire, path, **ask) == (409, "acs_user_of_another_identity")
    assert await refused(wire, path, **who, acs_user_id="x") == (404, "acs_user_not_found")


async def test_an_identity_gets_through_its_users_entrances(wire):
    """The entrances of a user of his are his, too."""
    made = await identity(wire, acs_system_ids=[await system(wire)])
    who = {"user_identity_id": made["user_identity_id"]}
    await wire.call(
        "/acs/access_groups/add_user", acs_access_group_id=(await groups(wire))["Visitors"], **who
    )
    found = await wire.call("/user_identities/list_accessible_entrances", **who)
    assert [each["display_name"] for each in found["acs_entrances"]] == ["Front Door"]


async def test_an_identity_is_granted_devices(wire):
    """A device is granted once, listed, and revoked; one that is not there is not granted."""
    who = {"user_identity_id": (await identity(wire))["user_identity_id"]}
    door = await wire.door("Back Door")
    for _ in range(2):
        await wire.call("/user_identities/grant_access_to_device", **who, device_id=door)
    found = await wire.call("/user_identities/list_accessible_devices", **who)
    assert [each["display_name"] for each in found["devices"]] == ["Back Door"]
    assert found["accessible_devices"] == found["devices"]
    path = "/user_identities/grant_access_to_device"
    assert await refused(wire, path, **who, device_id="x") == (404, "device_not_found")
    await wire.call("/user_identities/revoke_access_to_device", **who, device_id=door)
    assert (await wire.call("/user_identities/list_accessible_devices", **who))["devices"] == []


async def test_an_identity_goes_with_all_that_is_its(wire):
    """With it go its users, their credentials, each told once, and its sessions: they open nothing."""
    made = await identity(wire, acs_system_ids=[await system(wire)])
    who = {"user_identity_id": made["user_identity_id"]}
    [theirs] = made["acs_user_ids"]
    code = await credential(wire, acs_user_id=theirs)
    session = (await wire.call("/client_sessions/create", **who))["client_session"]
    guest = Guest(wire, session)
    assert (await guest.ask("/workspaces/get")).status == 200
    await wire.call("/user_identities/delete", **who)
    assert await told(wire) == [
        ("acs_user.created", theirs),
        ("acs_credential.issued", code["acs_credential_id"]),
        ("acs_credential.deleted", code["acs_credential_id"]),
        ("acs_user.deleted", theirs),
    ]
    assert (await guest.ask("/workspaces/get")).status == 401
    assert await refused(wire, "/user_identities/delete", **who) == (404, "user_identity_not_found")


async def test_a_session_is_for_an_identity(wire):
    """It says so, is found by it, and sees its own identity and no other."""
    made = await identity(wire, **JANE, acs_system_ids=[await system(wire)])
    other = await identity(wire)
    who = {"user_identity_id": made["user_identity_id"]}
    account = await own_account(wire)
    ask = {"connected_account_ids": [account], "user_identity_ids": [made["user_identity_id"]]}
    session = (await wire.call("/client_sessions/create", **ask))["client_session"]
    assert (session["user_identity_id"], session["user_identity_ids"]) == (
        made["user_identity_id"],
        [made["user_identity_id"]],
    )
    found = (await wire.call("/client_sessions/list", **who))["client_sessions"]
    assert [each["client_session_id"] for each in found] == [session["client_session_id"]]
    guest = Guest(wire, session)
    seen = (await guest.call("/user_identities/list"))["user_identities"]
    assert [each["user_identity_id"] for each in seen] == [made["user_identity_id"]]
    assert (await guest.call("/user_identities/list_acs_systems", **who))["acs_systems"] != []
    for id in (other["user_identity_id"], "x"):
        beyond = await guest.refusal("/user_identities/list_acs_systems", user_identity_id=id)
        assert beyond == (404, "user_identity_not_found")
    assert await guest.refusal("/user_identities/get", **who) == (401, "unauthorized")


async def test_a_session_is_given_an_identity_later(wire):
    """Granting access may name it; a session for nobody sees no identity at all."""
    made = await identity(wire)
    session = (await wire.call("/client_sessions/create"))["client_session"]
    guest = Guest(wire, session)
    assert (await guest.call("/user_identities/list"))["user_identities"] == []
    which = {"client_session_id": session["client_session_id"]}
    granted = await wire.call(
        "/client_sessions/grant_access", **which, user_identity_id=made["user_identity_id"]
    )
    assert granted["client_session"]["user_identity_ids"] == [made["user_identity_id"]]
    assert len((await guest.call("/user_identities/list"))["user_identities"]) == 1
    ask = {"user_identity_id": made["user_identity_id"], "user_identity_ids": ["another"]}
    assert await refused(wire, "/client_sessions/create", **ask) == (404, "user_identity_not_found")


async def test_a_sandbox_phone(wire):
    """It is made for an identity, found, and told once when it is deactivated or goes with its identity."""
    who = {"user_identity_id": (await identity(wire))["user_identity_id"]}
    path = "/phones/simulate/create_sandbox_phone"
    plain = (await wire.call(path, **who))["phone"]
    kind = {"operating_system": "ios", "device_manufacturer": "Apple", "device_model": "iPhone"}
    other = (await wire.call(path, **who, phone_metadata=kind, assa_abloy_metadata={}))["phone"]
    assert (plain["device_type"], plain["display_name"]) == ("android_phone", "Samsung Samsung Galaxy S10")
    assert (other["device_type"], other["display_name"]) == ("ios_phone", "Apple iPhone")
    assert other["properties"]["assa_abloy_credential_service_metadata"]["has_active_endpoint"] is True
    assert (await wire.call("/phones/get", device_id=other["device_id"]))["phone"] == other
    theirs = {"owner_user_identity_id": who["user_identity_id"]}
    assert (await wire.call("/phones/list", **theirs))["phones"] == [plain, other]
    assert (await wire.call("/phones/list", owner_user_identity_id="x"))["phones"] == []
    assert (await wire.call("/phones/list", acs_credential_id="x"))["phones"] == []
    await wire.call("/phones/deactivate", device_id=plain["device_id"])
    gone = {"device_id": plain["device_id"]}
    for verb in ("get", "deactivate"):
        assert await refused(wire, f"/phones/{verb}", **gone) == (404, "phone_not_found")
    await wire.call("/user_identities/delete", **who)
    found = (await wire.call("/events/list", event_type="phone.deactivated"))["events"]
    assert [each["device_id"] for each in found] == [plain["device_id"], other["device_id"]]
    assert await refused(wire, path, user_identity_id="x") == (404, "user_identity_not_found")
    _, token = await wire.another_workspace(is_sandbox=False)
    reply = await wire.ask("POST", path, who, token=token)
    assert (reply.status, reply.error["type"]) == (400, "workspace_not_sandbox")


async def test_a_session_deactivates_its_own_phone(wire):
    """That of the identity that it is for; another's is unknown to it."""
    mine, other = [(await identity(wire))["user_identity_id"] for _ in range(2)]
    path = "/phones/simulate/create_sandbox_phone"
    phones = [(await wire.call(path, user_identity_id=id))["phone"]["device_id"] for id in (mine, other)]
    session = (await wire.call("/client_sessions/create", user_identity_id=mine))["client_session"]
    guest = Guest(wire, session)
    assert await guest.refusal("/phones/deactivate", device_id=phones[1]) == (404, "phone_not_found")
    await guest.call("/phones/deactivate", device_id=phones[0])
    left = (await wire.call("/phones/list"))["phones"]
    assert [each["device_id"] for each in left] == [phones[1]]


async def by_hand(wire, name, **known):
    """Somebody whom the sandbox's system knows by itself: his user."""
    where = await system(wire)
    made = await wire.call("/thumbturn/sandbox/add_acs_user", acs_system_id=where, full_name=name, **known)
    return made["acs_user"]


async def test_whom_a_system_knows_by_itself_is_unmanaged(wire):
    """His identity has what the system knows of him, is no identity that was made here, and is told by his
    user.
    """
    user = await by_hand(wire, "Ann", email_address="ann@example.com", phone_number="+1")
    ask = {"user_identity_id": user["user_identity_id"]}
    found = (await wire.call("/user_identities/unmanaged/get", **ask))["user_identity"]
    assert found == {
        **ask,
        "workspace_id": "w1",
        "full_name": "Ann",
        "email_address": "ann@example.com",
        "phone_number": "+1",
        "display_name": "Ann",
        "acs_user_ids": [user["acs_user_id"]],
        "errors": [],
        "warnings": [],
        "created_at": found["created_at"],
    }
    assert (await wire.call("/acs/users/get", acs_user_id=user["acs_user_id"]))["acs_user"] == user
    assert (await wire.call("/user_identities/list"))["user_identities"] == []
    for path in ("get", "delete", "update"):
        assert await refused(wire, f"/user_identities/{path}", **ask) == (404, "user_identity_not_found")
    made = await identity(wire)
    other = {"user_identity_id": made["user_identity_id"]}
    gone = (404, "user_identity_not_found")
    assert await refused(wire, "/user_identities/unmanaged/get", **other) == gone
    assert await told(wire) == [("acs_user.created", user["acs_user_id"])]


async def test_unmanaged_identities_are_listed(wire):
    """Filters narrow the list, and pages hold each once."""
    for name in ("Ann", "Bob", "ANNE"):
        await by_hand(wire, name, email_address=f"{name}@example.com")
        await wire.house.clock.advance(1_000)
    path = "/user_identities/unmanaged/list"
    first = (await wire.call(path))["user_identities"]
    for ask, names in (
        ({}, ["Ann", "Bob", "ANNE"]),
        ({"search": "ann"}, ["Ann", "ANNE"]),
        ({"search": "BOB@"}, ["Bob"]),
        ({"created_before": first[1]["created_at"]}, ["Ann"]),
    ):
        found = (await wire.call(path, **ask))["user_identities"]
        assert [each["full_name"] for each in found] == names, ask
    page = await wire.call(path, limit=2)
    rest = await wire.call(path, limit=2, page_cursor=page["pagination"]["next_page_cursor"])
    assert page["user_identities"] + rest["user_identities"] == first


async def test_an_unmanaged_identity_is_taken_over(wire):
    """It is an identity like any other then, with its user and a key of ours; a key that is taken is refused,
    and only true takes over.
    """
    await identity(wire, **JANE)
    user = await by_hand(wire, "Ann")
    ask = {"user_identity_id": user["user_identity_id"]}
    path = "/user_identities/unmanaged/update"
    assert await refused(wire, path, **ask, is_managed=False) == (400, "invalid_input")
    taken = await refused(wire, path, **ask, is_managed=True, user_identity_key="jane")
    assert taken == (409, "user_identity_key_taken")
    await wire.call(path, **ask, is_managed=True, user_identity_key="ann")
    found = (await wire.call("/user_identities/get", user_identity_key="ann"))["user_identity"]
    assert (found["user_identity_id"], found["full_name"]) == (user["user_identity_id"], "Ann")
    assert found["acs_user_ids"] == [user["acs_user_id"]]
    gone = (404, "user_identity_not_found")
    assert await refused(wire, path, **ask, is_managed=True) == gone
    assert await refused(wire, "/user_identities/unmanaged/get", **ask) == gone
    assert (await wire.call("/user_identities/unmanaged/list"))["user_identities"] == []


@pytest.mark.parametrize("way", ["user", "account"])
async def test_an_unmanaged_identity_goes_with_its_user(wire, way):
    """When its user is deleted, or the account of its system; one that was taken over stays."""
    gone, kept = await by_hand(wire, "Ann"), await by_hand(wire, "Bob")
    ask = {"user_identity_id": kept["user_identity_id"], "is_managed": True}
    await wire.call("/user_identities/unmanaged/update", **ask)
    if way == "user":
        for user in (gone, kept):
            await wire.call("/acs/users/delete", acs_user_id=user["acs_user_id"])
    else:
        await wire.call("/connected_accounts/delete", connected_account_id=await own_account(wire))
    assert (await wire.call("/user_identities/unmanaged/list"))["user_identities"] == []
    [left] = (await wire.call("/user_identities/list"))["user_identities"]
    assert (left["user_identity_id"], left["acs_user_ids"]) == (kept["user_identity_id"], [])


async def test_only_a_sandbox_adds_users_by_hand(wire):
    """In another workspace nobody plays the system's own console; an unknown system is 404."""
    ask = {"acs_system_id": "x", "full_name": "Ann"}
    path = "/thumbturn/sandbox/add_acs_user"
    assert await refused(wire, path, **ask) == (404, "acs_system_not_found")
    _, token = await wire.another_workspace(is_sandbox=False)
    reply = await wire.ask("POST", path, ask, token=token)
    assert (reply.status, reply.error["type"]) == (400, "workspace_not_sandbox")
