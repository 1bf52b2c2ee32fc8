"""Encoders on the wire: cards that are scanned, encoded and assigned, and every way in which that fails."""

from __future__ import annotations

import pytest

from tests.fixtures.access import credential, identity, refused, system, told, user
from thumbturn.api.wire.attempt import CLOSED
from thumbturn.domain.clock import seconds

E = "/acs/encoders/"
SIM = E + "simulate/next_credential_"


async def encoder(wire):
    """The id of the sandbox's encoder."""
    [found] = (await wire.call(E + "list"))["acs_encoders"]
    return found["acs_encoder_id"]


async def ended(wire, path, **ask):
    """The attempt, once everything that takes no time has happened."""
    begun = await wire.call(E + path, acs_encoder_id=await encoder(wire), **ask)
    await wire.house.clock.settle()
    id = begun["action_attempt"]["action_attempt_id"]
    return (await wire.call("/action_attempts/get", action_attempt_id=id))["action_attempt"]


async def arm(wire, what, **ask):
    await wire.call(SIM + what, acs_encoder_id=await encoder(wire), **ask)


async def card(wire, **other):
    """A new credential for a card."""
    return await credential(wire, "card", **other)


async def encoded(wire, **other):
    """A new credential that is on the card at the encoder."""
    made = await card(wire, **other)
    return (await ended(wire, "encode_credential", acs_credential_id=made["acs_credential_id"]))["result"]


async def test_an_encoder_is_no_device(wire):
    """It is found as an encoder of its system, by each filter, and nowhere among devices."""
    id = await encoder(wire)
    found = (await wire.call(E + "get", acs_encoder_id=id))["acs_encoder"]
    assert (found["display_name"], found["acs_system_id"], found["errors"]) == (
        "Front Desk",
        await system(wire),
        [],
    )
    for ask, count in (
        ({"acs_system_id": found["acs_system_id"]}, 1),
        ({"acs_system_ids": ["x"]}, 0),
        ({"acs_encoder_ids": [id]}, 1),
        ({"acs_encoder_ids": []}, 0),
    ):
        assert len((await wire.call(E + "list", **ask))["acs_encoders"]) == count
    assert (await wire.call("/devices/list", device_ids=[id]))["devices"] == []
    assert await refused(wire, "/devices/get", device_id=id) == (404, "device_not_found")
    assert await refused(wire, "/devices/update", device_id=id, name="x") == (404, "device_not_found")
    for path, ask in (
        ("/devices/simulate/disconnect_from_hub", {}),
        ("/devices/simulate/connect_to_hub", {}),
        ("/devices/simulate/paid_subscription", {"is_expired": True}),
        ("/thumbturn/sandbox/swing_door", {"is_open": True}),
        ("/noise_sensors/simulate/trigger_noise_threshold", {}),
        ("/thermostats/simulate/temperature_reached", {"temperature_celsius": 20}),
    ):
        assert await refused(wire, path, device_id=id, **ask) == (404, "device_not_found"), path
    door = await wire.door()
    for path in ("get", "scan_credential"):
        assert await refused(wire, E + path, acs_encoder_id=door) == (404, "acs_encoder_not_found")


async def test_an_empty_card(wire):
    """A card that carries nothing is read all the same."""
    attempt = await ended(wire, "scan_credential", salto_ks_metadata={"detect_new_tags": True})
    assert (attempt["action_type"], attempt["status"]) == ("SCAN_CREDENTIAL", "success")
    nothing = {"acs_credential_on_encoder": None, "acs_credential_on_seam": None, "warnings": []}
    assert attempt["result"] == nothing
    await encoded(wire)
    await arm(wire, "scan_will_succeed", scenario="credential_on_encoder_is_empty")
    assert (await ended(wire, "scan_credential"))["result"] == nothing


async def test_a_credential_is_encoded_and_scanned(wire):
    """It is issued by that, and told; the card carries it from then on, as it was."""
    made = await card(wire, starts_at="2030-01-01", ends_at="2030-02-01")
    assert (made["is_issued"], made["card_number"]) == (False, None)
    attempt = await ended(wire, "encode_credential", acs_credential_id=made["acs_credential_id"])
    issued = attempt["result"]
    assert (attempt["action_type"], attempt["status"]) == ("ENCODE_CREDENTIAL", "success")
    assert (issued["is_issued"], issued["issued_at"]) == (True, "2025-01-01T00:00:00.000Z")
    assert len(issued["card_number"]) == 10
    found = await wire.call("/acs/credentials/get", acs_credential_id=made["acs_credential_id"])
    assert found["acs_credential"] == issued
    assert await told(wire) == [("acs_credential.issued", made["acs_credential_id"])]
    read = (await ended(wire, "scan_credential"))["result"]
    assert read == {
        "acs_credential_on_encoder": {
            "card_number": issued["card_number"],
            "created_at": "2025-01-01T00:00:00.000Z",
            "starts_at": "2030-01-01T00:00:00.000Z",
            "ends_at": "2030-02-01T00:00:00.000Z",
            "is_issued": True,
        },
        "acs_credential_on_seam": issued,
        "warnings": [],
    }


async def test_a_credential_that_changed_since_it_was_encoded(wire):
    """The scan warns of it until it is encoded again, which is told as that."""
    made = await encoded(wire)
    which = {"acs_credential_id": made["acs_credential_id"]}
    await wire.call("/acs/credentials/update", **which, ends_at="2031-01-01")
    [warning] = (await ended(wire, "scan_credential"))["result"]["warnings"]
    assert warning.keys() == {"warning_code", "warning_message"}
    assert warning["warning_code"] == "acs_credential_on_encoder_out_of_sync"
    await wire.house.clock.advance(seconds(1))
    again = await ended(wire, "encode_credential", **which)
    assert again["result"]["issued_at"] == "2025-01-01T00:00:01.000Z"
    assert again["result"]["ends_at"] == "2031-01-01T00:00:00.000Z"
    assert (await told(wire))[-1] == ("acs_credential.reissued", made["acs_credential_id"])
    assert (await ended(wire, "scan_credential"))["result"]["warnings"] == []


async def test_a_card_that_is_written_over(wire):
    """What was on it is no longer issued, and told to be invalid; what is deleted is not known on a card."""
    first, second = await encoded(wire), await encoded(wire)
    assert first["card_number"] == second["card_number"]
    assert ("acs_credential.invalidated", first["acs_credential_id"]) in await told(wire)
    old = await wire.call("/acs/credentials/get", acs_credential_id=first["acs_credential_id"])
    assert (old["acs_credential"]["is_issued"], old["acs_credential"]["card_number"]) == (False, None)
    await wire.call("/acs/credentials/delete", acs_credential_id=second["acs_credential_id"])
    read = (await ended(wire, "scan_credential"))["result"]
    assert read["acs_credential_on_seam"] is None
    assert [each["warning_code"] for each in read["warnings"]] == ["acs_credential_on_seam_not_found"]


async def test_the_next_scan_can_be_armed(wire):
    """Each scenario is what the next scan finds, once; the card stays there."""
    made = await card(wire)
    await arm(wire, "scan_will_succeed")
    for _ in range(2):
        read = (await ended(wire, "scan_credential"))["result"]
        assert read["acs_credential_on_seam"]["acs_credential_id"] == made["acs_credential_id"]
    other = await card(wire, ends_at="2030-01-01")
    needs = {"scenario": "credential_on_encoder_needs_update"}
    await arm(wire, "scan_will_succeed", **needs, acs_credential_id_on_seam=other["acs_credential_id"])
    read = (await ended(wire, "scan_credential"))["result"]
    assert read["acs_credential_on_seam"] == other
    assert read["acs_credential_on_encoder"]["ends_at"] == "2029-12-31T00:00:00.000Z"
    assert [each["warning_code"] for each in read["warnings"]] == ["acs_credential_on_encoder_out_of_sync"]
    await arm(wire, "scan_will_succeed", scenario="credential_does_not_exist_on_seam")
    read = (await ended(wire, "scan_credential"))["result"]
    assert read["acs_credential_on_seam"] is None
    assert [each["warning_code"] for each in read["warnings"]] == ["acs_credential_on_seam_not_found"]


async def test_nothing_to_arm_a_scan_with(wire):
    """Without any credential for a card there is none that could be found."""
    ask = {"acs_encoder_id": await encoder(wire)}
    assert await refused(wire, SIM + "scan_will_succeed", **ask) == (404, "acs_credential_not_found")
    for path in ("scan_will_fail", "scan_will_succeed"):
        found = await refused(wire, SIM + path, **ask, acs_credential_id_on_seam="x")
        assert found == (404, "acs_credential_not_found")
    found = await refused(wire, SIM + "encode_will_fail", **ask, error_code="encoder_on_fire")
    assert found == (400, "invalid_input")


@pytest.mark.parametrize(
    "code", ["no_credential_on_encoder", "uncategorized_error", "action_attempt_expired"]
)
async def test_the_next_scan_fails(wire, code):
    """Of what it was armed with, once."""
    await arm(wire, "scan_will_fail", error_code=code)
    attempt = await ended(wire, "scan_credential")
    assert (attempt["status"], attempt["error"]["type"], attempt["result"]) == ("error", code, None)
    assert (await ended(wire, "scan_credential"))["status"] == "success"


@pytest.mark.parametrize(
    "code",
    ["no_credential_on_encoder", "encoding_interrupted", "uncategorized_error", "action_attempt_expired"],
)
async def test_the_next_encoding_fails(wire, code):
    """Of what it was armed with, once; nothing is issued by it."""
    which = {"acs_credential_id": (await card(wire))["acs_credential_id"]}
    await arm(wire, "encode_will_fail", error_code=code)
    attempt = await ended(wire, "encode_credential", **which)
    assert (attempt["status"], attempt["error"]["type"]) == ("error", code)
    found = (await wire.call("/acs/credentials/get", **which))["acs_credential"]
    assert found["is_issued"] is False
    assert await told(wire) == []
    assert (await ended(wire, "encode_credential", **which))["status"] == "success"


async def test_a_card_that_is_pulled_away(wire):
    """While it is written, it loses what was on it; one that is not presented keeps it."""
    await encoded(wire)
    which = {"acs_credential_id": (await card(wire))["acs_credential_id"]}
    for code, is_there in (("no_credential_on_encoder", True), ("encoding_interrupted", False)):
        await arm(wire, "encode_will_fail", error_code=code)
        await ended(wire, "encode_credential", **which)
        read = (await ended(wire, "scan_credential"))["result"]
        assert (read["acs_credential_on_encoder"] is not None) is is_there


async def test_what_is_armed_for_one_credential_waits_for_it(wire):
    """Another one is encoded as ever; success takes back whatever was armed."""
    one, two = [{"acs_credential_id": (await card(wire))["acs_credential_id"]} for _ in range(2)]
    await arm(wire, "encode_will_fail", error_code="uncategorized_error", **one)
    assert (await ended(wire, "encode_credential", **two))["status"] == "success"
    assert (await ended(wire, "encode_credential", **one))["error"]["type"] == "uncategorized_error"
    await arm(wire, "encode_will_fail")
    await arm(wire, "encode_will_succeed")
    assert (await ended(wire, "encode_credential", **one))["status"] == "success"


async def test_what_is_armed_outlives_the_server(wire):
    """The world stands apart from the server: after a restart the card and what was armed are as before."""
    made = await encoded(wire)
    await arm(wire, "encode_will_fail", error_code="encoding_interrupted")
    await wire.house.revive()
    wire.speak_for(wire.house.engine)
    read = (await ended(wire, "scan_credential"))["result"]
    assert read["acs_credential_on_seam"] == made
    attempt = await ended(wire, "encode_credential", acs_credential_id=made["acs_credential_id"])
    assert attempt["error"]["type"] == "encoding_interrupted"


@pytest.mark.parametrize(
    ("ask", "found"),
    [
        ({}, (400, "invalid_input")),
        ({"acs_credential_id": "x", "access_method_id": "x"}, (400, "invalid_input")),
        ({"acs_credential_id": "x"}, (404, "acs_credential_not_found")),
        ({"access_method_id": "x"}, (404, "access_method_not_found")),
    ],
    ids=str,
)
async def test_what_cannot_be_encoded(wire, ask, found):
    """Exactly one thing must be named, and be there."""
    assert await refused(wire, E + "encode_credential", acs_encoder_id=await encoder(wire), **ask) == found


async def test_a_code_is_not_encoded(wire):
    """Only what is for cards is."""
    ask = {
        "acs_encoder_id": await encoder(wire),
        "acs_credential_id": (await credential(wire))["acs_credential_id"],
    }
    assert await refused(wire, E + "encode_credential", **ask) == (400, "credential_not_encodable")


async def test_a_credential_that_is_deleted_while_its_card_waits(wire):
    """It is not written any more."""
    which = {"acs_credential_id": (await card(wire))["acs_credential_id"]}
    id = await encoder(wire)
    fault = {"fault": "slow", "milliseconds": 2_000, "times": 1}
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=id, **fault)
    await wire.call(E + "scan_credential", acs_encoder_id=id)
    begun = await wire.call(E + "encode_credential", acs_encoder_id=id, **which)
    await wire.call("/acs/credentials/delete", **which)
    await wire.house.clock.advance(seconds(3))
    attempt = await wire.call(
        "/action_attempts/get", action_attempt_id=begun["action_attempt"]["action_attempt_id"]
    )
    assert attempt["action_attempt"]["error"]["type"] == "credential_deleted"


async def test_a_card_is_assigned(wire):
    """The card that is presented gets a credential of the user; presented again, it changes hands."""
    ann = await user(wire, "Ann")
    attempt = await ended(wire, "scan_to_assign_credential", acs_user_id=ann["acs_user_id"])
    assert (attempt["action_type"], attempt["status"]) == ("SCAN_TO_ASSIGN_CREDENTIAL", "success")
    made = attempt["result"]
    assert (made["access_method"], made["acs_user_id"], made["is_issued"]) == (
        "card",
        ann["acs_user_id"],
        True,
    )
    assert ("acs_credential.issued", made["acs_credential_id"]) in await told(wire)
    bob = await identity(wire, acs_system_ids=[await system(wire)])
    again = await ended(wire, "scan_to_assign_credential", user_identity_id=bob["user_identity_id"])
    assert again["result"] == {**made, "acs_user_id": bob["acs_user_ids"][0]}
    ask = {"acs_encoder_id": await encoder(wire)}
    path = E + "scan_to_assign_credential"
    assert await refused(wire, path, **ask) == (400, "invalid_input")
    assert await refused(wire, path, **ask, acs_user_id="x") == (404, "acs_user_not_found")
    await arm(wire, "scan_will_fail")
    failed = await ended(wire, "scan_to_assign_credential", acs_user_id=ann["acs_user_id"])
    assert failed["error"]["type"] == "no_credential_on_encoder"


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ("offline", "encoder_not_online"),
        ("refuse", "uncategorized_error"),
        ("silent", "encoder_communication_timeout"),
        ("ack_only", "encoder_communication_timeout"),
    ],
)
async def test_what_ails_an_encoder_has_the_contracts_words(wire, fault, word):
    """The contract lists the errors of these attempts: what is called otherwise here is called so there."""
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=await encoder(wire), fault=fault)
    begun = await wire.call(E + "scan_credential", acs_encoder_id=await encoder(wire))
    await wire.house.clock.advance(seconds(62))
    id = begun["action_attempt"]["action_attempt_id"]
    attempt = (await wire.call("/action_attempts/get", action_attempt_id=id))["action_attempt"]
    assert attempt["error"]["type"] == word


def test_no_other_words_are_said():
    """Each word for a failure of these attempts is in the contract's list."""
    listed = {
        "SCAN_CREDENTIAL": {"encoder_not_online", "encoder_communication_timeout"},
        "ENCODE_CREDENTIAL": {
            "encoder_not_online",
            "encoder_communication_timeout",
            "encoding_interrupted",
            "credential_deleted",
        },
        "SCAN_TO_ASSIGN_CREDENTIAL": set(),
        "ASSIGN_CREDENTIAL": {"credential_not_found"},
    }
    always = {"no_credential_on_encoder", "action_attempt_expired"}
    assert {kind: set(words.values()) - always for kind, words in CLOSED.items()} == listed


async def test_an_encoder_that_is_taken_away_is_told(wire):
    """It is told as an encoder, once, and again when it is back; going offline is no event of anything."""
    id = await encoder(wire)
    for verb in ("disconnect", "connect", "remove", "connect"):
        await wire.call(f"/devices/simulate/{verb}", device_id=id)
        found = (await wire.call(E + "get", acs_encoder_id=id))["acs_encoder"]
        assert [each["error_code"] for each in found["errors"]] == (
            ["acs_encoder_removed"] if verb == "remove" else []
        )
    everything = (await wire.call("/events/list", since="2000-01-01T00:00:00Z"))["events"]
    assert [each["event_type"] for each in everything] == ["acs_encoder.removed", "acs_encoder.added"]
    assert await told(wire, acs_encoder_id=id) == [("acs_encoder.removed", id), ("acs_encoder.added", id)]


async def test_nothing_is_armed_elsewhere(wire):
    """Outside a sandbox nothing is simulated."""
    _, token = await wire.another_workspace(is_sandbox=False)
    reply = await wire.ask("POST", SIM + "scan_will_fail", {"acs_encoder_id": "x"}, token=token)
    assert (reply.status, reply.error["type"]) == (400, "workspace_not_sandbox")
