"""Encoders when the server dies: what is on record of a card and what became of its attempt agree."""

from __future__ import annotations

from tests.fixtures.access import told, user
from tests.wire.test_encoders import E, card, encoder


async def crash_when_recorded(wire, monkeypatch, path, **ask):
    """The server dies when what was done is on record and the attempt's end is not; the attempt then."""
    apply = wire.house.store.apply

    async def lose_ends(change):
        if any(each.attempt.phase.is_final for each in change.transitions):
            raise ConnectionError
        return await apply(change)

    monkeypatch.setattr(wire.house.store, "apply", lose_ends)
    begun = await wire.call(E + path, acs_encoder_id=await encoder(wire), **ask)
    await wire.house.clock.settle()
    await wire.house.die()
    monkeypatch.undo()
    wire.house.boot()
    await wire.house.open()
    wire.speak_for(wire.house.engine)
    await wire.house.clock.settle()
    id = begun["action_attempt"]["action_attempt_id"]
    return (await wire.call("/action_attempts/get", action_attempt_id=id))["action_attempt"]


async def test_after_a_crash_attempt_and_credential_agree(wire, monkeypatch):
    """What is on record as encoded, or given to a user, is success: told once, and never both ways."""
    made = await card(wire)
    which = {"acs_credential_id": made["acs_credential_id"]}
    attempt = await crash_when_recorded(wire, monkeypatch, "encode_credential", **which)
    issued = (await wire.call("/acs/credentials/get", **which))["acs_credential"]
    assert issued["is_issued"] is True
    assert (attempt["status"], attempt["result"]) == ("success", issued)
    assert [event for event, _ in await told(wire)] == ["acs_credential.issued"]
    jane = await user(wire)
    of_jane = {"acs_user_id": jane["acs_user_id"]}
    attempt = await crash_when_recorded(wire, monkeypatch, "scan_to_assign_credential", **of_jane)
    assert (attempt["status"], attempt["result"]["acs_user_id"]) == ("success", jane["acs_user_id"])


async def test_after_a_crash_a_card_is_to_be_presented_again(wire):
    """What is not on record is done by nobody's guess: a person has to present the card again."""
    made = await card(wire)
    which = {"acs_credential_id": made["acs_credential_id"]}
    await wire.house.fault(wire.house.engine.encoders.one("w1", await encoder(wire)), "slow", ms=9_000)
    begun = await wire.call(E + "encode_credential", acs_encoder_id=await encoder(wire), **which)
    await wire.house.revive()
    wire.speak_for(wire.house.engine)
    await wire.house.clock.settle()
    id = begun["action_attempt"]["action_attempt_id"]
    attempt = (await wire.call("/action_attempts/get", action_attempt_id=id))["action_attempt"]
    assert attempt["error"]["type"] == "uncategorized_error"
    assert "present the card again" in attempt["error"]["message"]
    assert (await wire.call("/acs/credentials/get", **which))["acs_credential"]["is_issued"] is False
