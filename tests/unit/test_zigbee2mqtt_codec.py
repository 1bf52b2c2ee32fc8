"""The words of Zigbee2MQTT, as the real one says them: of most, that they say nothing."""

from __future__ import annotations

import json

import pytest

from thumbturn.drivers.zigbee2mqtt.bolt import BoltStory, CodesTouched, Denied, Move
from thumbturn.drivers.zigbee2mqtt.codec import (
    BridgeInfo,
    BridgeState,
    DeviceSaid,
    Failed,
    Presence,
    heard,
    question,
    topic_of,
)

OPTIONS = '{"timeout":10007,"disableResponse":false,"writeUndiv":false}'


def of_log(message: str, level: str = "error") -> Failed | None:
    """What a line of its log says."""
    payload = json.dumps({"level": level, "message": message, "namespace": "z2m"}).encode()
    return heard("zigbee2mqtt", "zigbee2mqtt/bridge/logging", payload)


def failure(verb: str, key: str, name: str, frame: str, reason: str) -> str:
    """A line that a failed command leaves."""
    sent = f"ZCL command 0x00124b0000000001/1 closuresDoorLock.{frame}({{}}, {OPTIONS}) failed ({reason})"
    return f"z2m: Publish '{verb}' '{key}' to '{name}' failed: 'Error: {sent}'"


@pytest.mark.parametrize(
    ("reason", "how"),
    [
        ("Delivery failed for '4097'.", "undelivered"),
        ("Data request failed with error: 'MAC_NO_ACK' (0xe9)", "undelivered"),
        ("Data request failed with error: 'NWK_NO_ROUTE' (0xcd)", "undelivered"),
        ("Timeout - 4097 - 1 - 23 - 257 - 1 after 10000ms", "unanswered"),
        ("Status 'NOT_AUTHORIZED'", "refused"),
        ("Status 'UNSUPPORTED_ATTRIBUTE'", "refused"),
        ("something new", "unknown"),
    ],
)
def test_a_line_of_the_log_says_how_a_command_failed(reason, how):
    """What was not delivered, not answered, or refused is told apart; what is not known is called so."""
    said = of_log(failure("set", "state", "front_door", "unlockDoor", reason))
    assert said == Failed("front_door", "set", "state", how, "unlockDoor", 10_007)


def test_a_name_may_hold_whatever_people_write():
    """Quotes and slashes in a device's name are part of it."""
    said = of_log(failure("get", "pin_code", "Mum's 'old' door/left", "getPinCode", "Timeout"))
    assert said is not None
    assert (said.name, said.verb, said.key) == ("Mum's 'old' door/left", "get", "pin_code")


def test_no_pin_is_read_out_of_the_log():
    """The line quotes the whole command; of it nothing but what is known is kept."""
    line = failure("set", "pin_code", "front_door", "setPinCode", "Delivery failed")
    said = of_log(line.replace("setPinCode({}", 'setPinCode({"userid":3,"pincodevalue":"4711"}'))
    assert said is not None
    assert "4711" not in repr(said)


@pytest.mark.parametrize(
    ("message", "level"),
    [
        ("z2m:mqtt: MQTT publish: topic 'zigbee2mqtt/front_door', payload 'failed'", "info"),
        (failure("set", "state", "front_door", "unlockDoor", "Delivery failed"), "info"),
        ("Entity 'nobody' is unknown, failed", "error"),
    ],
)
def test_other_lines_of_the_log_say_nothing(message, level):
    """Only an error about a command is one."""
    assert of_log(message, level) is None


@pytest.mark.parametrize(
    ("topic", "payload", "says"),
    [
        ("bridge/state", '{"state":"online"}', BridgeState(True)),
        ("bridge/state", '{"state":"offline"}', BridgeState(False)),
        ("bridge/state", '{"state":"elsewhere"}', None),
        ("bridge/info", '{"version":"2","coordinator":{"ieee_address":"0x1"}}', BridgeInfo("0x1", "2")),
        ("bridge/info", '{"version":"2.14.1"}', None),
        ("bridge/groups", "[]", None),
        ("front_door/availability", '{"state":"online"}', Presence("front_door", True)),
        ("front_door/availability", "", None),
        ("a/b/availability", '{"state":"offline"}', Presence("a/b", False)),
        ("a/b", '{"state":"LOCK"}', DeviceSaid("a/b", {"state": "LOCK"})),
        ("front_door", "", None),
        ("front_door", "[1]", None),
        ("front_door/set", '{"pin_code":{"pin_code":"4711"}}', None),
        ("front_door/get", '{"state":""}', None),
    ],
)  # fmt: skip
def test_what_is_said_is_understood(topic, payload, says):
    """Each topic that matters, and some that do not."""
    assert heard("zigbee2mqtt", f"zigbee2mqtt/{topic}", payload.encode()) == says
    assert heard("elsewhere", f"zigbee2mqtt/{topic}", payload.encode()) is None


def test_what_it_is_told():
    """Commands go to a device's address; a question names its answer and how long it may take."""
    assert topic_of("zigbee2mqtt", "0x1", "set") == "zigbee2mqtt/0x1/set"
    asked = json.loads(question("closuresDoorLock", ("lockState",), "action_thumbturn_x", 10_001))
    assert asked == {
        "read": {
            "cluster": "closuresDoorLock",
            "attributes": ["lockState"],
            "options": {"timeout": 10_001},
            "state_property": "action_thumbturn_x",
        }
    }


LOCKED = {"state": "LOCK", "lock_state": "locked"}
UNLOCKED = {"state": "UNLOCK", "lock_state": "unlocked"}


def test_the_first_state_is_no_news():
    """It may be of any age; a change is news, and a repetition is none."""
    story = BoltStory()
    assert [story.told(each) for each in (LOCKED, LOCKED, UNLOCKED, UNLOCKED)] == [(), (), (Move(False),), ()]
    story.forget()
    assert story.told(LOCKED) == ()


def test_a_bolt_that_is_neither_in_nor_out_is_said_to_be():
    """Not fully locked is not unlocked."""
    story = BoltStory()
    story.told(LOCKED)
    assert story.told({"state": "UNLOCK", "lock_state": "not_fully_locked"}) == (Move(None),)
    assert story.told(UNLOCKED) == (Move(False),)


def test_events_carry_the_state_from_before_them():
    """What was done counts, and not the state that is told with it; who did it is told."""
    story = BoltStory()
    story.told(LOCKED)
    keypad = {**LOCKED, "action": "unlock", "action_source_name": "keypad", "action_user": 7}
    assert story.told(keypad) == (Move(False, "keycode", 7),)
    assert story.told(UNLOCKED) == (Move(False),)
    assert story.told({**UNLOCKED, "action": "auto_lock", "action_source_name": "manual"}) == (
        Move(True, "automatic"),
    )
    wrong = {**UNLOCKED, "action": "unlock_failure_invalid_pin_or_id", "action_source_name": "keypad"}
    assert story.told(wrong) == (Denied("unknown_code"),)


@pytest.mark.parametrize(("source", "told"), [("keypad", (CodesTouched(),)), ("rf", ())])
def test_a_changed_code_is_told_if_it_was_not_us(source, told):
    """By the keypad it was somebody at the lock; by radio it was a hub, we ourselves perhaps."""
    assert BoltStory().told({"action": "pin_code_added", "action_source_name": source}) == told
