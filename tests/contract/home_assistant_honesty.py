"""What ``home_assistant`` may say of locks: each test takes a ``home`` that is a fake or the real stack.

Run on the fake by ``test_home_assistant.py`` here, on the real stack by ``labs/test_home_assistant.py``.
"""

from __future__ import annotations

import pytest

from tests.fixtures.home_assistant_home import BACK, BLIND, FRONT, HALL, TERRACE, HomeAssistantHome
from thumbturn.domain.clock import seconds
from thumbturn.domain.evidence import Evidence
from thumbturn.engine.acceptance import Timing

MOVES = ("lock.locked", "lock.unlocked")


def why(attempt) -> str | None:
    """The type of its failure."""
    return None if attempt.failure is None else attempt.failure[0]


async def test_devices_are_what_their_entities_say(home: HomeAssistantHome):
    """Locks, thermostats and the sensors that were named are found with what they offer."""
    lock, hall, terrace = home.device(FRONT), home.device(HALL), home.device(TERRACE)
    assert [each.device_type for each in (lock, hall, terrace)] == [
        "home_assistant_lock",
        "home_assistant_thermostat",
        "home_assistant_noise_sensor",
    ]
    assert (lock.name, lock.details["manufacturer"], lock.details["model_name"]) == (
        "Front Door",
        "Lab & Sons",
        "L1",
    )
    assert lock.capabilities == {"lock", "battery"}
    assert home.device(BACK).capabilities == {"lock"}
    assert (lock.state["locked"], lock.state["battery_level"]) == (True, 0.87)
    assert hall.details["available_hvac_mode_settings"] == ["off", "heat", "cool", "heat_cool"]
    assert hall.details["available_fan_mode_settings"] == ["auto", "on"]
    assert hall.details["max_heating_set_point_celsius"] == 30
    assert terrace.state["noise_level_decibels"] == 41.5
    assert await home.told(*MOVES) == []


@pytest.mark.parametrize("fault", ["", "moving", "polled"])
async def test_a_change_after_the_command_is_success(home: HomeAssistantHome, fault: str):
    """A bolt whose entity changes to what was asked for has moved: by itself, or once it is looked at."""
    await home.fault(FRONT, fault)
    ended = await home.run("UNLOCK_DOOR")
    assert (why(ended), ended.evidence, ended.result) == (
        None,
        Evidence.STATE_REPORT,
        {"was_confirmed_by_device": True},
    )
    assert await home.is_locked(FRONT) is False
    assert [mark.evidence for mark in ended.marks if "has called lock.unlock" in mark.note] == [
        Evidence.RADIO_ACK
    ]
    await home.pass_time(1)
    [event] = await home.told("lock.unlocked")
    assert (event.payload["method"], event.action_attempt_id) == ("remote", ended.id)
    assert why(await home.run("LOCK_DOOR")) is None


async def test_a_jam_is_its_own_cause(home: HomeAssistantHome):
    """A bolt that jams is said to have jammed, and a free one moves again."""
    await home.fault(FRONT, "jam")
    assert why(await home.run("UNLOCK_DOOR")) == "lock_jammed"
    assert await home.is_locked(FRONT) is True
    await home.fault(FRONT, "")
    assert why(await home.run("UNLOCK_DOOR")) is None
    assert why(await home.run("LOCK_DOOR")) is None


@pytest.mark.parametrize("fault", ["ack_only", "silent"])
async def test_a_service_that_succeeds_is_no_success(home: HomeAssistantHome, fault: str):
    """A command after which nothing changes has an unknown outcome at its deadline, whatever was answered."""
    await home.fault(FRONT, fault)
    within = seconds(5)
    ended = await home.run("UNLOCK_DOOR", timing=Timing(deadline=within))
    assert why(ended) == "outcome_unknown"
    assert ended.settled_at is not None
    assert within <= ended.settled_at - ended.accepted_at <= within + seconds(1)
    assert any("it may not have heard of a change" in mark.note for mark in ended.marks)
    assert await home.told("lock.unlocked") == []


async def test_an_entity_that_hopes_is_not_believed(home: HomeAssistantHome):
    """An entity that says at once what it was told is looked at, and then it says how its device is."""
    await home.fault(FRONT, "hopeful")
    ended = await home.run("UNLOCK_DOOR", timing=Timing(deadline=seconds(5)))
    assert why(ended) == "outcome_unknown"
    assert await home.is_locked(FRONT) is True
    await home.pass_time(1)
    assert await home.told(*MOVES) == []
    assert home.device().state["locked"] is True


async def test_a_state_that_was_there_before_is_no_evidence(home: HomeAssistantHome):
    """Of a bolt that was where it is to go nothing is known after a command, which is said at once."""
    ended = await home.run("LOCK_DOOR")
    assert why(ended) == "outcome_unknown"
    assert "it was locked before the command" in ended.failure[1]
    assert ended.settled_at - ended.accepted_at < seconds(8)
    await home.fault(FRONT, "moving")
    assert why(await home.run("LOCK_DOOR")) is None


async def test_an_assumed_state_is_nobody_s_word(home: HomeAssistantHome):
    """Success at a lock that nobody hears is unconfirmed, and nothing is told of where its bolt is."""
    ended = await home.run("UNLOCK_DOOR", BLIND)
    assert (why(ended), ended.evidence, ended.result) == (
        None,
        Evidence.RADIO_ACK,
        {"was_confirmed_by_device": False},
    )
    assert home.device(BLIND).state.get("locked") is None
    assert await home.told(*MOVES) == []


async def test_a_refusal_and_a_failure_are_told_apart(home: HomeAssistantHome):
    """What Home Assistant does not send has not been done; what its integration failed at may have been."""
    await home.fault(FRONT, "refuse")
    refused = await home.run("UNLOCK_DOOR")
    assert why(refused) == "command_refused"
    await home.fault(FRONT, "reject")
    failed = await home.run("UNLOCK_DOOR")
    assert why(failed) == "outcome_unknown"
    assert "the lab's device says no" in failed.failure[1]
    assert await home.did("front_door") == []


async def test_what_cannot_be_reached_is_offline(home: HomeAssistantHome):
    """An entity that is unavailable is offline, told once, and is sent nothing; the others go on."""
    await home.fault(FRONT, "dead")
    await home.until(lambda: not home.device().online)
    assert why(await home.run("UNLOCK_DOOR")) == "device_offline"
    assert why(await home.run("UNLOCK_DOOR", BACK)) is None
    assert len(await home.told("device.disconnected")) == 1
    await home.fault(FRONT, "")
    await home.all_online()
    assert why(await home.run("UNLOCK_DOOR")) is None
    for address in (FRONT, BACK):
        assert why(await home.run("LOCK_DOOR", address)) is None


async def test_what_happens_at_the_door_is_told_once(home: HomeAssistantHome):
    """A bolt that is turned by hand and a battery are told once, in order; who it was nobody knows."""
    await home.order("hand", "front_door", so={"locked": False})
    await home.pass_time(1.2)
    await home.order("flicker", "front_door", so={"locked": True})
    await home.pass_time(1.2)
    await home.order("hand", "front_door", so={"locked": True, "battery": 5})
    await home.pass_time(1.2)
    assert [(each.event_type, each.payload["method"]) for each in await home.told(*MOVES)] == [
        ("lock.unlocked", "unknown"),
        ("lock.locked", "unknown"),
    ]
    assert len(await home.told("device.low_battery")) == 1
    await home.order("hand", "front_door", so={"battery": 87})


async def test_whoever_turns_it_back_at_the_door_is_not_us(home: HomeAssistantHome):
    """What happens right after a command bears its context, and is not its doing."""
    assert why(await home.run("UNLOCK_DOOR")) is None
    await home.order("hand", "front_door", so={"locked": True})
    await home.until(lambda: home.device().state["locked"])
    [event] = await home.told("lock.locked")
    assert (event.payload["method"], event.action_attempt_id) == ("unknown", None)


async def test_after_the_hub_was_restarted_everything_is_read(home: HomeAssistantHome):
    """While the hub is away its devices are offline, told once; after that they are as they really are."""
    assert why(await home.run("UNLOCK_DOOR")) is None
    before = sorted(each.id for each in home.devices())
    await home.stop_hub()
    await home.until(lambda: not any(each.online for each in home.devices()))
    await home.start_hub()
    await home.all_online()
    assert sorted(each.id for each in home.devices()) == before
    assert home.device().state["locked"] is await home.is_locked(FRONT) is False
    lost = await home.told("device.disconnected")
    assert sorted(each.device_id or "" for each in lost) == before
    assert {each.payload["error_code"] for each in lost} == {"hub_disconnected"}
    assert await home.told("device.removed") == []
    assert why(await home.run("LOCK_DOOR")) is None


async def test_commands_that_the_hub_dies_under_are_settled(home: HomeAssistantHome):
    """Whatever was under way when the hub died ends in time; success is said of nothing that is not so."""
    soon = Timing(deadline=seconds(10))
    attempts = [await home.begin("UNLOCK_DOOR", each, soon) for each in (FRONT, BACK) for _ in range(3)]
    await home.stop_hub()
    await home.pass_time(1)
    await home.start_hub()
    for attempt in attempts:
        ended = await home.end_of(attempt)
        assert ended.deadline_at + seconds(1) >= (ended.settled_at or 0)
        if why(ended) is None:
            assert {"locked": False}.items() <= (await home.did(_thing(home, ended)))[0].items()
    await home.all_online()
    for address in (FRONT, BACK):
        assert home.device(address).state["locked"] is await home.is_locked(address)
        if not await home.is_locked(address):
            assert why(await home.run("LOCK_DOOR", address)) is None


async def test_a_server_that_was_killed_finds_what_has_changed(home: HomeAssistantHome):
    """After a crash an unlock is not sent again: the bolt is not where it was on record, so it has moved."""
    await home.fault(FRONT, "polled")
    attempt = await home.begin("UNLOCK_DOOR")
    await home.pass_time(0.5)
    await home.crash()
    ended = await home.end_of(attempt)
    assert (why(ended), ended.evidence) == (None, Evidence.STATE_REPORT)
    assert len(await home.did("front_door")) == 1
    await home.fault(FRONT, "")
    await home.all_online()
    assert why(await home.run("LOCK_DOOR")) is None


async def test_a_server_that_was_killed_does_not_believe_a_memory(home: HomeAssistantHome):
    """After a crash nothing is known of a bolt that is to Home Assistant where it was before."""
    await home.fault(FRONT, "silent")
    attempt = await home.begin("UNLOCK_DOOR")
    await home.pass_time(0.5)
    await home.crash()
    assert why(await home.end_of(attempt)) == "outcome_unknown"
    assert len(await home.did("front_door")) == 1


async def test_entities_are_renamed_and_taken_out(home: HomeAssistantHome):
    """A device keeps its id when its entity has another; one that is taken out of the register is removed."""
    device = home.device(BACK)
    await home.rename(BACK, "lock.cellar")
    await home.pass_time(1.5)
    assert home.device(BACK).id == device.id
    assert await home.told("device.removed", "device.disconnected") == []
    assert why(await home.run("UNLOCK_DOOR", BACK)) is None
    assert why(await home.run("LOCK_DOOR", BACK)) is None
    await home.rename("lock.cellar", BACK)
    await home.remove(BLIND)
    await home.pass_time(1.5)
    assert [each.device_id for each in await home.told("device.removed")] == [home.device(BLIND).id]
    await home.bring_back(BLIND)
    await home.until(lambda: not home.device(BLIND).state.get("removed"))
    await home.all_online()


def _thing(home: HomeAssistantHome, attempt) -> str:
    return "front_door" if attempt.device_id == home.device(FRONT).id else "back_door"
