"""Asking why: who asked, what came of it, the cause, and what to do next."""

from __future__ import annotations

import re

import pytest

from thumbturn.actions import load
from thumbturn.domain.attempt import Attempt, Mark, Phase
from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Observation
from thumbturn.domain.errors import FAILURES
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.explanation import advice_for, cause_of, may_have_acted
from thumbturn.domain.failures import CommandRefused

SENTENCE = re.compile(r"[A-Z].*[^.]\.")


async def begin(wire, path="/locks/unlock_door", actor=None, **ask):
    headers = None if actor is None else {"thumbturn-actor": actor}
    reply = await wire.ask("POST", path, ask, headers=headers)
    assert reply.status == 200, reply.content
    await wire.house.clock.settle()
    return reply.json["action_attempt"]["action_attempt_id"], reply.headers["seam-request-id"]


async def explained(wire, attempt_id):
    answer = await wire.call("/thumbturn/attempts/explain", action_attempt_id=attempt_id)
    return answer["explanation"]


async def test_a_success_is_explained(wire):
    """What was asked, by whom, when, each stage in the device's own words, and on what the success rests."""
    door = await wire.door()
    attempt_id, request_id = await begin(wire, actor="ZoÃ«", device_id=door)
    await wire.house.clock.advance(seconds(5))
    found = await explained(wire, attempt_id)
    stages = found.pop("stages")
    timeline = (await wire.call("/thumbturn/attempts/timeline", action_attempt_id=attempt_id))["timeline"]
    assert stages == timeline["stages"]
    assert "The bolt is withdrawn." in [stage["note"] for stage in stages]
    assert found == {
        "action_attempt_id": attempt_id,
        "action_type": "UNLOCK_DOOR",
        "status": "success",
        "phase": "succeeded",
        "device_id": door,
        "connected_account_id": timeline["connected_account_id"],
        "parameters": {"device_id": door},
        "asked_by": {
            "key_id": wire.key.id,
            "client_session_id": None,
            "kind": "api_key",
            "user_id": None,
            "actor": "Zoë",
            "request_id": request_id,
        },
        "asked_at": timeline["accepted_at"],
        "not_before": None,
        "deadline_at": timeline["deadline_at"],
        "settled_at": timeline["settled_at"],
        "cause": "The device reported the state that was asked for.",
        "what_to_do": "Nothing is left to do.",
        "may_have_acted": True,
        "error": None,
        "evidence": "state_report",
        "required_evidence": "radio_ack",
        "ahead": None,
        "late": [],
    }


async def test_a_person_is_named_with_his_token(wire):
    """An attempt that was asked for with a personal access token names the person, and not the token."""
    headers = {"seam-workspace": wire.house.workspace.id}
    ask = {"device_id": await wire.door()}
    reply = await wire.ask("POST", "/locks/lock_door", ask, token=wire.access_token, headers=headers)
    found = await explained(wire, reply.json["action_attempt"]["action_attempt_id"])
    assert found["asked_by"]["user_id"] == "u1"
    assert found["asked_by"]["kind"] == "personal_access_token"
    assert found["asked_by"]["actor"] is None
    assert wire.access_token not in str(found)


async def test_a_failure_is_explained(wire):
    """The cause and the next step are those of its type, with the detail of this one time."""
    door = await wire.door()
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=door, fault="jam", times=1)
    attempt_id, _ = await begin(wire, device_id=door)
    await wire.house.clock.advance(seconds(5))
    found = await explained(wire, attempt_id)
    assert (found["status"], found["error"]["type"]) == ("error", "lock_jammed")
    assert found["cause"] == "The bolt did not move."
    assert found["what_to_do"] == FAILURES["lock_jammed"].advice
    assert found["may_have_acted"] is False
    assert "The motor strained and the bolt stayed." in [stage["note"] for stage in found["stages"]]


async def test_a_pending_attempt_says_what_it_waits_for(wire):
    """One waits for the device's answer, the next for its turn: how many are before it, and until when."""
    door = await wire.door()
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=door, fault="silent", times=1)
    ids = [(await begin(wire, device_id=door))[0] for _ in range(3)]
    first, second, third = [await explained(wire, each) for each in ids]
    assert [each["ahead"] for each in (first, second, third)] == [0, 1, 2]
    assert [each["may_have_acted"] for each in (first, second, third)] == [True, False, False]
    assert first["cause"] == "The command was sent, and the device has not answered yet."
    assert second["cause"] == "It waits for its turn: 1 command to the same device must end first."
    assert third["cause"] == "It waits for its turn: 2 commands to the same device must end first."
    assert third["what_to_do"] == f"Wait: it ends by {third['deadline_at'][:23]}Z, one way or the other."


async def test_late_truth_is_shown_and_sent_to(wire):
    """What the device says after the end stands beside it, and the advice is to read that first."""
    door = await wire.door("Storage Room")
    ask = {"device_id": door, "fault": "slow", "times": 1, "milliseconds": 40_000}
    await wire.call("/thumbturn/sandbox/inject_fault", **ask)
    attempt_id, _ = await begin(wire, device_id=door)
    await wire.house.clock.advance(seconds(31))
    before = await explained(wire, attempt_id)
    assert (before["error"]["type"], before["late"]) == ("outcome_unknown", [])
    assert before["what_to_do"] == FAILURES["outcome_unknown"].advice
    await wire.house.clock.advance(seconds(20))
    after = await explained(wire, attempt_id)
    assert (after["status"], after["error"], after["settled_at"]) == (
        before["status"],
        before["error"],
        before["settled_at"],
    )
    assert [stage["stage"] for stage in after["late"]] == ["late"] * len(after["late"]) != []
    assert after["what_to_do"] == "Read what the device said after the end, under late, before you ask again."


async def test_a_keypad_code_is_not_explained(wire):
    """A secret of the ask is shown as kept from view, wherever its digits could turn up."""
    door = await wire.door("Back Door")
    path = "/locks/simulate/keypad_code_entry"
    attempt_id, _ = await begin(wire, path, device_id=door, code="918273")
    found = await explained(wire, attempt_id)
    assert found["parameters"] == {"device_id": door, "code": "••••"}
    assert "918273" not in str(found)


async def test_what_a_driver_says_of_a_pin_is_not_kept(wire, monkeypatch):
    """A device that echoes a code, and a driver that fails with it, leave no digits of it on record."""
    door = await wire.house.device("Back Door")
    offered = wire.house.driver.offer

    class Echo:
        async def enter_code(self, code):
            seen = Observation(door.id, wire.house.clock.now(), said=f"Code {code} is 9182-73 in slot 7.")
            wire.house.engine._observations.observe(seen)
            raise CommandRefused.because(f"It does not know {code}.")

    monkeypatch.setattr(
        wire.house.driver,
        "offer",
        lambda device, kind: Echo() if kind.__name__ == "Keypad" else offered(device, kind),
    )
    path = "/locks/simulate/keypad_code_entry"
    attempt_id, _ = await begin(wire, path, device_id=door.id, code="918273")
    found = await explained(wire, attempt_id)
    assert found["error"]["message"].endswith("It does not know ••••.")
    assert "Code •••• is •••• in slot 7." in [stage["note"] for stage in found["stages"]]
    timeline = await wire.call("/thumbturn/attempts/timeline", action_attempt_id=attempt_id)
    stored = await wire.house.store.attempt("w1", attempt_id)
    assert "918273" not in f"{found}{timeline}{stored}"


@pytest.mark.parametrize("type_", sorted(FAILURES))
def test_each_failure_has_a_cause_and_a_next_step(type_):
    """For every failure there is a cause in one sentence, with its detail if there is one, and advice."""
    failure = FAILURES[type_]
    plain, exact = failure(), failure.because("It is raining. Hard.")
    for raised, tail in ((plain, ""), (exact, "; it is raining.")):
        attempt = ended(Phase.FAILED, failure=(type_, raised.message))
        cause = cause_of(attempt)
        assert SENTENCE.fullmatch(cause), cause
        assert ". " not in cause
        assert cause.endswith(tail)
        assert cause[:-1].removesuffix("; it is raining") in failure.sentence
        assert advice_for(attempt) == failure.advice
        assert may_have_acted(attempt) is failure.may_have_acted


@pytest.mark.parametrize("evidence", Evidence)
def test_each_grade_of_evidence_is_a_ground(evidence):
    """For every grade on which a success may rest there is a cause, and unconfirmed ones say what to do."""
    attempt = ended(Phase.SUCCEEDED, evidence=evidence)
    assert SENTENCE.fullmatch(cause_of(attempt))
    assert (advice_for(attempt) == "Nothing is left to do.") is evidence.confirms


def ended(phase, **facts):
    return Attempt(
        id="a",
        workspace_id="w1",
        action_type="UNLOCK_DOOR",
        lane="d",
        device_id="d",
        connected_account_id="c",
        ask={},
        phase=phase,
        accepted_at=0,
        deadline_at=1,
        **facts,
    )


def test_a_failure_of_another_version_excludes_nothing():
    """A type that this version does not know is explained in its own words, and may have acted."""
    attempt = ended(Phase.FAILED, failure=("melted", "The lock melted. Call somebody."))
    assert cause_of(attempt) == "The lock melted."
    assert may_have_acted(attempt) is True
    assert advice_for(attempt, (Mark("late", 1),)).startswith("Read what the device said")


def test_every_secret_is_a_parameter():
    """What an action declares secret is a parameter of its ask: hiding it hides something."""
    assert [
        action.type for action in load().values() if not action.secrets <= set(action.ask.model_fields)
    ] == []


@pytest.mark.parametrize(
    ("actor", "kept"),
    [
        ("a", "a"),
        ("guest 12, the desk", "guest 12, the desk"),
        ("x" * 255, "x" * 255),
        ("Ã©" * 255, "é" * 255),
        (" ", None),
        ("x" * 256, None),
        ("a\tb", None),
        ("a\x7f", None),
        ("\xe9", None),
    ],
    ids=repr,
)
async def test_actor_is_one_to_255_printable_characters(wire, actor, kept):
    """The header Thumbturn-Actor is kept as it is in UTF-8, or the call is refused and nothing begins."""
    door = await wire.door()
    headers = {"thumbturn-actor": actor}
    reply = await wire.ask("POST", "/locks/unlock_door", {"device_id": door}, headers=headers)
    if kept is None:
        assert (reply.status, reply.error["type"]) == (400, "invalid_actor")
        assert (await wire.call("/action_attempts/list"))["action_attempts"] == []
    else:
        found = await explained(wire, reply.json["action_attempt"]["action_attempt_id"])
        assert found["asked_by"]["actor"] == kept
