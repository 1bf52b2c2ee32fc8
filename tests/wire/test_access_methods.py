"""Access methods on the wire: unlocking, encoding, assigning, what they rest on, and their end."""

from __future__ import annotations

import pytest

from tests.fixtures.access import entrances, refused, system
from tests.fixtures.granted import BACK, FRONT, NOWHERE, G, M, attempt, encoder, granted, look, method
from tests.fixtures.wire import Wire
from thumbturn.domain.clock import seconds, to_wire


async def test_a_cloud_key_unlocks_the_doors_of_its_grant(wire):
    """From here, at the entrances that the grant is for, and at no other; and not once it is revoked."""
    at = await entrances(wire)
    grant = await granted(wire, "cloud_key", acs_entrance_ids=[at[FRONT]])
    key = await method(wire, grant)
    ask = {"access_method_id": key["access_method_id"]}
    assert (key["is_issued"], "code" in key) == (True, False)
    done = await attempt(wire, f"{M}unlock_door", **ask, acs_entrance_id=at[FRONT])
    assert (done["action_type"], done["status"]) == ("UNLOCK_DOOR", "success")
    cannot = (400, "credential_cannot_unlock_entrance")
    assert await refused(wire, f"{M}unlock_door", **ask, acs_entrance_id=at[BACK]) == cannot
    await wire.call(f"{M}delete", **ask)
    gone = (404, "access_method_not_found")
    assert await refused(wire, f"{M}unlock_door", **ask, acs_entrance_id=at[FRONT]) == gone


async def test_a_code_unlocks_nothing_from_here(wire):
    """Only cloud keys do."""
    at = await entrances(wire)
    code = await method(wire, await granted(wire, "code", acs_entrance_ids=[at[FRONT]]))
    ask = {"access_method_id": code["access_method_id"], "acs_entrance_id": at[FRONT]}
    assert await refused(wire, f"{M}unlock_door", **ask) == (400, "credential_cannot_unlock_entrance")


@pytest.mark.parametrize("path", [f"{M}encode", "/acs/encoders/encode_credential"])
async def test_a_card_is_encoded(wire, path):
    """At either endpoint; then it is issued, and stands so as soon as its attempt has ended."""
    at = await entrances(wire)
    card = await method(wire, await granted(wire, "card", acs_entrance_ids=[at[FRONT], at[BACK]]))
    before = {
        "is_issued": False,
        "is_encoding_required": True,
        "is_ready_for_encoding": True,
        "is_assignment_required": False,
        "is_ready_for_assignment": True,
    }
    assert {name: card[name] for name in before} == before
    ask = {"access_method_id": card["access_method_id"], "acs_encoder_id": await encoder(wire)}
    done = await attempt(wire, path, **ask)
    assert (done["action_type"], done["status"]) == ("ENCODE_CREDENTIAL", "success")
    after = (await wire.call(f"{M}get", access_method_id=card["access_method_id"]))["access_method"]
    assert {name: after[name] for name in before} == dict.fromkeys(before, False) | {"is_issued": True}
    opened = await wire.call(
        "/acs/credentials/list_accessible_entrances",
        acs_credential_id=done["result"]["acs_credential_id"],
    )
    assert {each["display_name"] for each in opened["acs_entrances"]} == {FRONT, BACK}


async def free_card(wire: Wire) -> str:
    """The number of a card that was written once and is nobody's now."""
    made = await wire.call("/acs/credentials/create", access_method="card", acs_system_id=await system(wire))
    ask = {"acs_credential_id": made["acs_credential"]["acs_credential_id"]}
    done = await attempt(wire, "/acs/encoders/encode_credential", acs_encoder_id=await encoder(wire), **ask)
    number: str = done["result"]["card_number"]
    return number


async def test_a_card_that_lies_there_is_assigned(wire):
    """A card that is nobody's is the method's from then on; its doors are the user's."""
    at = await entrances(wire)
    number = await free_card(wire)
    grant = await granted(wire, "card", acs_entrance_ids=[at[FRONT]])
    card = await method(wire, grant)
    ask = {"access_method_id": card["access_method_id"], "card_number": number}
    done = await attempt(wire, f"{M}assign_card", **ask)
    assert (done["action_type"], done["status"]) == ("ASSIGN_CREDENTIAL", "success")
    assert done["result"] == (await method(wire, grant))
    assert done["result"]["is_issued"] is True
    again = await attempt(wire, f"{M}assign_card", **ask)
    assert again["result"] == done["result"], "doing it twice is doing it once"
    whose = await wire.call(
        "/user_identities/list_accessible_entrances", user_identity_id=grant["user_identity_id"]
    )
    assert [each["display_name"] for each in whose["acs_entrances"]] == [FRONT]
    related = await wire.call(f"{M}get_related", access_method_ids=[card["access_method_id"]])
    assert [each["card_number"] for each in related["batch"]["acs_credentials"]] == [number]


async def test_a_card_that_is_not_free_is_not_found(wire):
    """What is no card, and what somebody has, cannot be assigned."""
    at = await entrances(wire)
    number = await free_card(wire)
    first = await method(wire, await granted(wire, "card", acs_entrance_ids=[at[FRONT]]))
    await attempt(wire, f"{M}assign_card", access_method_id=first["access_method_id"], card_number=number)
    second = await method(wire, await granted(wire, "card", acs_entrance_ids=[at[FRONT]]))
    for taken in (number, "0000"):
        ask = {"access_method_id": second["access_method_id"], "card_number": taken}
        failed = await attempt(wire, f"{M}assign_card", **ask)
        assert (failed["status"], failed["error"]["type"]) == ("error", "credential_not_found")
    key = await method(wire, await granted(wire, "cloud_key", acs_entrance_ids=[at[FRONT]]))
    ask = {"access_method_id": key["access_method_id"]}
    no_card = (400, "access_method_not_encodable")
    assert await refused(wire, f"{M}assign_card", **ask, card_number=number) == no_card
    assert await refused(wire, f"{M}encode", **ask, acs_encoder_id=await encoder(wire)) == no_card


async def test_a_card_is_given_to_no_grant_that_is_over(wire):
    """When its time is over, a method neither asks for a card nor takes one."""
    at = await entrances(wire)
    number = await free_card(wire)
    ends_at = to_wire(wire.house.clock.now() + seconds(60))
    grant = await granted(wire, "card", acs_entrance_ids=[at[FRONT]], ends_at=ends_at)
    assert (await method(wire, grant))["is_ready_for_assignment"] is True
    await wire.house.clock.advance(seconds(61))
    card = await method(wire, grant)
    asks = [name for name in card if name.startswith("is_") and card[name]]
    assert asks == []
    ask = {"access_method_id": card["access_method_id"]}
    over = (409, "access_method_not_ready")
    assert await refused(wire, f"{M}assign_card", **ask, card_number=number) == over
    assert await refused(wire, f"{M}encode", **ask, acs_encoder_id=await encoder(wire)) == over


async def test_what_fails_at_a_lock_shows(wire):
    """At the method as an error, at the grant as less than it should be."""
    door = await wire.door(FRONT)
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=door, fault="refuse", times=1)
    grant = await granted(wire, "code", device_ids=[door])
    shown = await method(wire, grant)
    assert (shown["is_issued"], [each["error_code"] for each in shown["errors"]]) == (
        False,
        ["failed_to_issue"],
    )
    [pending] = shown["pending_mutations"]
    assert (pending["mutation_code"], pending["from"], pending["to"]) == (
        "provisioning_access",
        {"device_ids": []},
        {"device_ids": [door]},
    )
    assert [each["warning_code"] for each in grant["warnings"]] == ["underprovisioned_access"]
    await wire.house.clock.advance(seconds(120))
    assert (await method(wire, grant))["errors"] == []
    assert (await look(wire, grant["access_grant_id"]))["warnings"] == []


async def test_a_user_that_a_grant_needs_is_made_again(wire):
    """Whoever is let in is said by the grant: an ACS user that is deleted meanwhile comes back."""
    at = await entrances(wire)
    await granted(wire, "cloud_key", acs_entrance_ids=[at[FRONT]])
    [user] = (await wire.call("/acs/users/list"))["acs_users"]
    await wire.call("/acs/users/delete", acs_user_id=user["acs_user_id"])
    await wire.house.clock.settle()
    [again] = (await wire.call("/acs/users/list"))["acs_users"]
    [key] = (await wire.call("/acs/credentials/list"))["acs_credentials"]
    assert key["acs_user_id"] == again["acs_user_id"] != user["acs_user_id"]


async def test_methods_are_deleted_together(wire):
    """Those of a grant, or of all grants of a reservation."""
    door, at = await wire.door(FRONT), await entrances(wire)
    for _ in range(2):
        ask = {"device_ids": [door], "acs_entrance_ids": [at[BACK]], "reservation_key": "booking-1"}
        await granted(wire, "code", "card", **ask)
    await wire.call(f"{M}delete", reservation_key="booking-1")
    await wire.house.clock.advance(seconds(2))
    assert (await wire.call(f"{M}list"))["access_methods"] == []
    grants = (await wire.call(f"{G}list", reservation_key="booking-1"))["access_grants"]
    assert [each["access_method_ids"] for each in grants] == [[], []]
    assert await refused(wire, f"{M}delete", access_grant_id=NOWHERE) == (404, "access_grant_not_found")
