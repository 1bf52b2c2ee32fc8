"""A recording does not depend on any secret of the conversation, in whatever form a hub may say it."""

from __future__ import annotations

import base64
import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from thumbturn.drivers.zigbee2mqtt.link import as_text
from thumbturn.drivers.zigbee2mqtt.recording import NAME, ZigbeeCleaner
from thumbturn.drivers.zwave_js.recording import ZwaveCleaner

DEVICES = Path(__file__).resolve().parents[1] / "devices"
#: A conversation is long: nobody waits until the smallest that fails is found.
LONG = settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
#: What stands in the recordings in the place of the PIN.
PIN = "100001"
#: Fields that no rule knows, and some that people fill.
UNKNOWN = (
    "name",
    "location",
    "userName",
    "pin",
    "lastCode",
    "networkKey",
    "dsk",
    "note",
    "last_seen",
    "host",
)
#: The same secret in the forms that programs give to one.
FORMS = (
    lambda secret: secret,
    lambda secret: [ord(each) for each in secret],
    lambda secret: {"type": "Buffer", "data": list(secret.encode())},
    lambda secret: secret.encode().hex(),
    lambda secret: base64.b64encode(secret.encode()).decode(),
    lambda secret: f"{secret} was entered by Ann",
    lambda secret: {secret: {"status": "enabled", "value": secret}},
    lambda secret: int(secret) if secret.isdecimal() else secret,
)


@cache
def lines(name: str) -> list[dict[str, Any]]:
    """The messages of a recording."""
    scenes = json.loads((DEVICES / name).read_text())["scenes"]
    return [line for scene in scenes for line in scene["lines"] if {"hub", "server"} & line.keys()]


def objects(value: Any) -> list[dict[str, Any]]:
    """All objects inside, itself first."""
    found = [value] if isinstance(value, dict) else []
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        found += objects(each)
    return found


def with_secrets(message: Any, secret: dict[str, str], where: list[tuple[int, str, int, str]]) -> Any:
    """The message as a hub says it that knows these secrets, and says them in these places too."""
    said = json.loads(json.dumps(deepcopy(message)).replace(PIN, secret["pin"]))
    for place, field, form, which in where:
        inside = objects(said)
        inside[place % len(inside)][field] = FORMS[form](secret[which])
    return said


secrets = st.fixed_dictionaries(
    {
        "pin": st.text("0123456789", min_size=6, max_size=6),
        "home": st.integers(1, 2**32 - 1).map(str),
        "person": st.text("abcdefghijklmnop XYZ'é", min_size=3, max_size=20),
        "host": st.ip_addresses(v=4).map(str),
    }
)
places = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.lists(
            st.tuples(
                st.integers(0, 60),
                st.sampled_from(UNKNOWN),
                st.integers(0, len(FORMS) - 1),
                st.sampled_from(("pin", "home", "person", "host")),
            ),
            min_size=1,
            max_size=4,
        ),
    ),
    max_size=12,
)


def zwave(secret: dict[str, str], where: list[Any]) -> list[Any]:
    """What is kept of the conversation of a hub with these secrets."""
    cleaner = ZwaveCleaner(2)
    kept = []
    all_of_it = lines("zwave_js/schlage_be469.json")
    spots = {number % len(all_of_it): spots for number, spots in where}
    for number, line in enumerate(all_of_it):
        who = "hub" if "hub" in line else "server"
        said = with_secrets(line[who], secret, spots.get(number, []))
        if said.get("type") == "version":
            said["homeId"] = int(secret["home"])
        if "id" in line:
            said["messageId"] = f"{secret['home']}-{line['id']}"
        if "zwaveErrorCodeName" in said:
            said["zwaveErrorMessage"] = f"{secret['person']} pressed {secret['pin']}"
        kept.append((cleaner.heard if who == "hub" else cleaner.sent)(json.dumps(said)))
    return [*kept, cleaner.pin(secret["pin"])]


def zigbee(secret: dict[str, str], where: list[Any]) -> list[Any]:
    """The same, of a Zigbee2MQTT."""
    address, base = f"0x{int(secret['home']):016x}", f"home/{secret['host']}"
    name = "".join(each for each in secret["person"] if each != "'") + "-door"
    cleaner = ZigbeeCleaner(address, base)
    kept = []
    all_of_it = lines("zigbee2mqtt/yale_yrd226.json")
    spots = {number % len(all_of_it): spots for number, spots in where}
    for number, line in enumerate(all_of_it):
        who = "hub" if "hub" in line else "server"
        topic, payload = line[who]["topic"], line[who]["payload"]
        if isinstance(payload, dict):
            payload = with_secrets(payload, secret, spots.get(number, []))
        if topic == "bridge/devices":
            payload = [{**with_secrets(each, secret, []), "ieee_address": address, "friendly_name": name}
                       for each in payload]  # fmt: skip
            payload.append({"ieee_address": "0x1", "friendly_name": secret["person"], "type": "Router"})
        elif topic == "bridge/info":
            payload["config"] = {
                "advanced": {"network_key": secret["pin"]},
                "mqtt": {"server": secret["host"]},
            }
            payload["coordinator"] = {"ieee_address": secret["home"]}
        place = topic.replace(NAME, name if who == "hub" else address, 1) if topic.startswith(NAME) else topic
        text = as_text(f"{base}/{place}", json.dumps(payload), is_retained=False)
        kept.append((cleaner.heard if who == "hub" else cleaner.sent)(text))
    line = (
        f"Publish 'set' 'pin_code' to '{name}' failed: 'ZCL command {address}/1 closuresDoorLock.setPinCode"
    )
    for quoted in (secret["pin"], secret["person"]):
        message = (
            f'{line}({{"pincodevalue":"{quoted}"}},{{"timeout":10000}}) failed (Timeout - {secret["pin"]})\''
        )
        failed = json.dumps({"level": "error", "message": message})
        kept.append(cleaner.heard(as_text(f"{base}/bridge/logging", failed, is_retained=False)))
    return [*kept, cleaner.pin(secret["pin"])]


@LONG
@given(secrets, secrets, places)
def test_no_secret_of_a_zwave_hub_is_in_a_recording(one, other, where):
    """Two hubs that differ in their secrets only are recorded alike, to the letter."""
    kept = zwave(one, where)
    assert kept == zwave(other, where)
    assert sum(each is not None for each in kept) > 100


@LONG
@given(secrets, secrets, places)
def test_no_secret_of_a_zigbee_hub_is_in_a_recording(one, other, where):
    """Two Zigbee2MQTTs that differ in their secrets only are recorded alike, to the letter."""
    kept = zigbee(one, where)
    assert kept == zigbee(other, where)
    assert sum(each is not None for each in kept) > 80
