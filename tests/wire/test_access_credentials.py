"""Credentials of access control systems on the wire: codes, cards and keys, and what they open."""

from __future__ import annotations

import asyncio

import pytest

from tests.fixtures.access import credential, entrances, groups, identity, refused, system, told, user
from thumbturn.domain.clock import seconds, to_wire
from thumbturn.engine import acs_credentials

ALL = ["Front Door", "Back Door", "Garage Side Door"]


async def through(wire, **which):
    """The names of the entrances that a credential opens."""
    found = await wire.call("/acs/credentials/list_accessible_entrances", **which)
    return [each["display_name"] for each in found["acs_entrances"]]


def later(wire, hours):
    return to_wire(wire.house.clock.now() + seconds(hours * 3_600))


async def test_same_code_at_the_same_moment(wire, monkeypatch):
    """Of several who want the same code at once one gets it; made up ones that are the same are made anew."""
    store = wire.house.store.access
    find = store.find

    async def together(*what, **how):
        found = await find(*what, **how)
        await asyncio.sleep(0)  # everybody has looked before anybody writes
        return found

    monkeypatch.setattr(store, "find", together)
    ask = {"access_method": "code", "acs_system_id": await system(wire), "code": "4711"}
    asked = [wire.ask("POST", "/acs/credentials/create", ask) for _ in range(5)]
    replies = await asyncio.gather(*asked)
    assert sorted(reply.status for reply in replies) == [200, 409, 409, 409, 409]
    assert [event for event, _ in await told(wire)] == ["acs_credential.issued"]
    drawn = iter([["111111", "222222"], ["111111", "222222"], ["111111", "222222"]])
    monkeypatch.setattr(acs_credentials, "drawn", lambda length: next(drawn))
    del ask["code"]
    asked = [wire.ask("POST", "/acs/credentials/create", ask) for _ in range(2)]
    made = [reply.json["acs_credential"]["code"] for reply in await asyncio.gather(*asked)]
    assert sorted(made) == ["111111", "222222"]


async def test_codes(wire):
    """A code that is not given is six digits; one that another has is refused, also when it is changed."""
    made = await credential(wire)
    assert len(made["code"]) == 6
    assert made["code"].isdigit()
    assert (made["is_issued"], made["access_method"]) == (True, "code")
    assert await told(wire) == [("acs_credential.issued", made["acs_credential_id"])]
    own = await credential(wire, code="4711")
    ask = {"access_method": "code", "acs_system_id": await system(wire), "code": "4711"}
    assert await refused(wire, "/acs/credentials/create", **ask) == (409, "duplicate_code")
    which = {"acs_credential_id": made["acs_credential_id"]}
    assert await refused(wire, "/acs/credentials/update", **which, code="4711") == (409, "duplicate_code")
    changed = await wire.call("/acs/credentials/update", **which, code="0815", ends_at=later(wire, 1))
    assert changed["acs_credential"]["code"] == "0815"
    found = (await wire.call("/acs/credentials/get", **which))["acs_credential"]
    assert found == changed["acs_credential"]
    again = await wire.call(
        "/acs/credentials/update", acs_credential_id=own["acs_credential_id"], code="4711"
    )
    assert again["acs_credential"] == own


async def test_a_code_is_unreadable_where_it_is_kept(wire):
    """What is on record of it are not its digits."""
    made = await credential(wire, code="48151623")
    [kept] = [
        each for each in wire.house.store.access._things.values() if each.id == made["acs_credential_id"]
    ]
    assert "48151623" not in str(kept)


@pytest.mark.parametrize(
    ("ask", "found"),
    [
        ({"access_method": "code", "code": "12a4"}, (400, "invalid_input")),
        ({"access_method": "stone"}, (400, "invalid_input")),
        ({"access_method": "card", "code": "1234"}, (400, "credential_has_no_code")),
        ({"access_method": "mobile_key"}, (400, "access_method_not_supported")),
        (
            {"access_method": "cloud_key", "is_multi_phone_sync_credential": True},
            (400, "access_method_not_supported"),
        ),
        (
            {"access_method": "code", "starts_at": "2030-01-02", "ends_at": "2030-01-01"},
            (400, "invalid_access_times"),
        ),
        ({"access_method": "code", "acs_user_id": "x"}, (404, "acs_user_not_found")),
        ({"access_method": "code", "user_identity_id": "x"}, (404, "user_identity_not_found")),
        ({"access_method": "code", "allowed_acs_entrance_ids": ["x"]}, (404, "acs_entrance_not_found")),
    ],
    ids=str,
)  # fmt: skip
async def test_what_is_no_credential_is_refused(wire, ask, found):
    """Each for its own reason, and nothing is made."""
    assert await refused(wire, "/acs/credentials/create", acs_system_id=await system(wire), **ask) == found
    assert (await wire.call("/acs/credentials/list"))["acs_credentials"] == []


async def test_a_credential_is_of_something(wire):
    """A user, an identity or a system must be named."""
    found = await refused(wire, "/acs/credentials/create", access_method="code")
    assert found == (400, "invalid_input")


async def test_what_a_credential_opens(wire):
    """What its user gets through, or of that what it was made for; nothing for nobody or while suspended."""
    doors = await entrances(wire)
    who = {
        "acs_user_id": (await user(wire, acs_access_group_ids=[(await groups(wire))["Residents"]]))[
            "acs_user_id"
        ]
    }
    whole = await credential(wire, **who)
    part = await credential(wire, **who, allowed_acs_entrance_ids=[doors["Back Door"]])
    nobodys = await credential(wire, "card")

    async def opened(made):
        return await through(wire, acs_credential_id=made["acs_credential_id"])

    assert [await opened(each) for each in (whole, part, nobodys)] == [ALL, ["Back Door"], []]
    back = {"acs_entrance_id": doors["Back Door"]}
    path = "/acs/entrances/list_credentials_with_access"
    found = (await wire.call(path, **back))["acs_credentials"]
    assert found == [whole, part]
    assert (await wire.call(path, **back, include_if=["visionline_metadata.is_valid"]))[
        "acs_credentials"
    ] == []
    filtered = await wire.call("/acs/entrances/list", acs_credential_id=part["acs_credential_id"])
    assert [each["display_name"] for each in filtered["acs_entrances"]] == ["Back Door"]
    await wire.call("/acs/users/suspend", **who)
    assert await opened(whole) == []
    assert (await wire.call("/acs/users/get", **who))["acs_user"]["is_suspended"] is True
    await wire.call("/acs/users/unsuspend", **who)
    assert await opened(whole) == ALL


async def test_a_credential_changes_hands(wire):
    """It is given to a user and taken from him; from another it is not taken."""
    ann, bob = [await user(wire, name) for name in ("Ann", "Bob")]
    which = {"acs_credential_id": (await credential(wire, "card"))["acs_credential_id"]}
    given = await wire.call("/acs/credentials/assign", **which, acs_user_id=ann["acs_user_id"])
    assert given["acs_credential"]["acs_user_id"] == ann["acs_user_id"]
    ask = {**which, "acs_user_id": bob["acs_user_id"]}
    assert await refused(wire, "/acs/credentials/unassign", **ask) == (404, "acs_user_not_found")
    taken = await wire.call("/acs/credentials/unassign", **which, acs_user_id=ann["acs_user_id"])
    assert "acs_user_id" not in taken["acs_credential"]


async def test_credentials_are_listed(wire):
    """By system, user, identity and words; a list of what only mobile keys can be is empty."""
    who = await identity(wire, acs_system_ids=[await system(wire)])
    [theirs] = who["acs_user_ids"]
    code = await credential(wire, user_identity_id=who["user_identity_id"])
    card = await credential(wire, "card")

    async def ids(**ask):
        found = await wire.call("/acs/credentials/list", **ask)
        return [each["acs_credential_id"] for each in found["acs_credentials"]]

    both = [code["acs_credential_id"], card["acs_credential_id"]]
    assert await ids() == both
    assert await ids(acs_system_id=await system(wire)) == both
    assert await ids(acs_user_id=theirs) == both[:1]
    assert await ids(user_identity_id=who["user_identity_id"], acs_user_id="x") == []
    assert await ids(search="CARD") == both[1:]
    assert await ids(is_multi_phone_sync_credential=True) == []
    assert await ids(created_before="2000-01-01") == []


async def test_a_deleted_credential_is_told_once(wire):
    """It opens nothing any more, and deleting it again is 404."""
    which = {"acs_credential_id": (await credential(wire))["acs_credential_id"]}
    await wire.call("/acs/credentials/delete", **which)
    assert (await told(wire))[-1] == ("acs_credential.deleted", which["acs_credential_id"])
    assert await refused(wire, "/acs/credentials/delete", **which) == (404, "acs_credential_not_found")
