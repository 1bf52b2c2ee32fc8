"""Noise sensors on the wire: thresholds that are put, changed and deleted, and breaches, told once."""

from __future__ import annotations

import pytest

from thumbturn.domain.clock import seconds
from thumbturn.drivers.virtual.noise_sensors import BURST

SENSOR = "Terrace"
T = "/noise_sensors/noise_thresholds/"
NIGHT = {
    "name": "Night",
    "starts_daily_at": "22:00:00[Europe/Berlin]",
    "ends_daily_at": "07:00:00[Europe/Berlin]",
    "noise_threshold_decibels": 60,
}
HOUR = seconds(3_600)


async def made(wire, **ask):
    """A new threshold, as it was answered, and its attempt as it ended."""
    answer = await wire.call(T + "create", device_id=await wire.door(SENSOR), **{**NIGHT, **ask})
    return answer["noise_threshold"], await ended(wire, answer)


async def ended(wire, answer):
    await wire.house.clock.settle()
    id = answer["action_attempt"]["action_attempt_id"]
    return (await wire.call("/action_attempts/get", action_attempt_id=id))["action_attempt"]


async def held(wire):
    """The names of the thresholds that the sensor holds."""
    found = await wire.call(T + "list", device_id=await wire.door(SENSOR))
    return [each["name"] for each in found["noise_thresholds"]]


async def triggered(wire):
    """The breaches that were told, by the names of their thresholds."""
    found = await wire.call("/events/list", device_id=await wire.door(SENSOR))
    kind = "noise_sensor.noise_threshold_triggered"
    return [each for each in found["events"] if each["event_type"] == kind]


async def properties(wire):
    return (await wire.call("/devices/get", name=SENSOR))["device"]["properties"]


async def refused(wire, path, **ask):
    reply = await wire.ask("POST", path, {"device_id": await wire.door(SENSOR), **ask})
    return reply.status, reply.error["type"]


async def test_a_threshold_is_made(wire):
    """The answer has the threshold and its attempt; the result is the threshold as the sensor holds it."""
    threshold, attempt = await made(wire)
    assert threshold == {
        "noise_threshold_id": threshold["noise_threshold_id"],
        "device_id": await wire.door(SENSOR),
        **NIGHT,
    }
    assert (attempt["action_type"], attempt["status"]) == ("CREATE_NOISE_THRESHOLD", "success")
    assert attempt["result"] == {"noise_threshold": threshold}
    found = await wire.call(T + "get", noise_threshold_id=threshold["noise_threshold_id"])
    assert found["noise_threshold"] == threshold
    assert await held(wire) == ["Loud at any time", "Night"]
    none = await wire.call(T + "list", device_id=await wire.door(SENSOR), is_programmed=False)
    assert none["noise_thresholds"] == []


async def test_what_is_not_said_of_a_threshold(wire):
    """Without a name it has a usual one, and a time without a zone is on the clocks where the sensor is."""
    ask = {key: value for key, value in NIGHT.items() if key != "name"} | {"starts_daily_at": "23:30"}
    answer = await wire.call(T + "create", device_id=await wire.door(SENSOR), sync=True, **ask)
    assert answer["action_attempt"]["status"] == "success"
    threshold = answer["noise_threshold"]
    assert (threshold["name"], threshold["starts_daily_at"]) == ("Noise threshold", "23:30:00[Etc/UTC]")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_threshold_is_changed(wire, method):
    """What is given changes and the rest stays, by each of the methods."""
    threshold, _ = await made(wire)
    which = {key: threshold[key] for key in ("noise_threshold_id", "device_id")}
    reply = await wire.ask(method, T + "update", {**which, "noise_threshold_decibels": 65.5})
    attempt = await ended(wire, reply.json)
    after = {**threshold, "noise_threshold_decibels": 65.5}
    assert (attempt["action_type"], attempt["result"]) == (
        "UPDATE_NOISE_THRESHOLD",
        {"noise_threshold": after},
    )
    found = await wire.call(T + "get", noise_threshold_id=threshold["noise_threshold_id"])
    assert found["noise_threshold"] == after


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_a_threshold_is_deleted(wire, method):
    """It is gone, and deleting it again is 404. Who searches by the old name of the action finds it."""
    threshold, _ = await made(wire)
    which = {key: threshold[key] for key in ("noise_threshold_id", "device_id")}
    query = "&".join(f"{key}={value}" for key, value in which.items())
    reply = (
        await wire.ask(method, f"{T}delete?{query}")
        if method == "DELETE"
        else await wire.ask(method, T + "delete", which)
    )
    attempt = await ended(wire, reply.json)
    assert (attempt["action_type"], attempt["status"]) == ("DELETE_NOISE_THRESHOLD", "success")
    assert attempt["result"] == {}
    assert await held(wire) == ["Loud at any time"]
    ask = {"noise_threshold_id": threshold["noise_threshold_id"]}
    for path in ("delete", "update"):
        assert await refused(wire, T + path, **ask) == (404, "noise_threshold_not_found")
    for word in ("REMOVE_NOISE_THRESHOLD", "DELETE_NOISE_THRESHOLD"):
        found = await wire.call("/thumbturn/attempts/search", action_type=word)
        assert [each["action_attempt_id"] for each in found["attempts"]] == [attempt["action_attempt_id"]]


@pytest.mark.parametrize(
    ("ask", "type"),
    [
        ({"noise_threshold_decibels": None}, "invalid_input"),
        ({"noise_threshold_nrs": 3}, "invalid_input"),
        ({"noise_threshold_decibels": 201}, "invalid_input"),
        ({"noise_threshold_decibels": -1}, "invalid_input"),
        ({"starts_daily_at": "25:00:00"}, "invalid_input"),
        ({"ends_daily_at": "07:00:00[Nowhere/Town]"}, "invalid_input"),
        ({"name": ""}, "invalid_input"),
    ],
    ids=str,
)
async def test_what_is_no_threshold_is_refused(wire, ask, type):
    """Exactly one loudness, times that there are, and a name, if any, of some letters; or nothing begins."""
    assert await refused(wire, T + "create", **{**NIGHT, **ask}) == (400, type)
    assert (await wire.call("/action_attempts/list"))["action_attempts"] == []


async def test_one_of_both_is_needed_and_a_risk_score_is_not_known(wire):
    """Without any loudness it is refused as input; a noise risk score is refused by what the sensor is."""
    neither = {key: value for key, value in NIGHT.items() if key != "noise_threshold_decibels"}
    assert await refused(wire, T + "create", **neither) == (400, "invalid_input")
    found = await refused(wire, T + "create", **neither, noise_threshold_nrs=3)
    assert found == (400, "noise_risk_score_not_supported")
    threshold, _ = await made(wire)
    ask = {"noise_threshold_id": threshold["noise_threshold_id"], "noise_threshold_nrs": 3}
    assert await refused(wire, T + "update", **ask) == (400, "noise_risk_score_not_supported")
    assert await refused(wire, T + "update", **ask, noise_threshold_decibels=3) == (400, "invalid_input")


async def test_a_sensor_holds_so_many(wire):
    """The fifty-first threshold is refused."""
    for number in range(49):
        await made(wire, name=f"Number {number}")
    assert await refused(wire, T + "create", **NIGHT) == (400, "too_many_noise_thresholds")


async def test_other_devices_hold_no_thresholds(wire):
    """What is no noise sensor has no thresholds to put, list or trigger."""
    ask = {"device_id": await wire.door("Hallway Sensor")}
    for path, more in (
        (T + "create", NIGHT),
        (T + "list", {}),
        ("/noise_sensors/simulate/trigger_noise_threshold", {}),
        ("/thumbturn/sandbox/make_noise", {"noise_level_decibels": 50}),
    ):
        reply = await wire.ask("POST", path, {**ask, **more})
        assert (reply.status, reply.error["type"]) == (400, "device_type_not_supported"), path


async def test_noise_sensors_are_listed(wire):
    """Only noise sensors are, under both keys, with what they hear."""
    found = await wire.call("/noise_sensors/list")
    assert [each["display_name"] for each in found["noise_sensors"]] == [SENSOR]
    assert found["devices"] == found["noise_sensors"]
    [device] = found["devices"]
    assert device["capabilities_supported"] == ["noise_detection", "battery"]
    assert device["properties"]["noise_level_decibels"] == 35
    assert device["properties"]["currently_triggering_noise_threshold_ids"] == []


async def test_a_breach_is_told_once(wire):
    """However long it is too loud, and whatever it does there, it is told once for each threshold."""
    threshold, _ = await made(wire, starts_daily_at="22:00[Etc/UTC]", ends_daily_at="07:00[Etc/UTC]")
    id = await wire.door(SENSOR)
    for decibels in (61, 70, 60):
        await wire.call("/thumbturn/sandbox/make_noise", device_id=id, noise_level_decibels=decibels)
    assert (await properties(wire))["currently_triggering_noise_threshold_ids"] == [
        threshold["noise_threshold_id"]
    ]
    [told] = await triggered(wire)
    assert {key: told[key] for key in told if key.startswith("noise_")} == {
        "noise_level_decibels": 61,
        "noise_threshold_id": threshold["noise_threshold_id"],
        "noise_threshold_name": "Night",
    }
    for decibels in (59, 60, 81):
        await wire.call("/thumbturn/sandbox/make_noise", device_id=id, noise_level_decibels=decibels)
    assert [each["noise_threshold_name"] for each in await triggered(wire)] == [
        "Night",
        "Night",
        "Loud at any time",
    ]


async def test_a_breach_begins_with_the_window_and_is_on_the_clocks_there(wire):
    """Noise by day is no breach of the night's threshold; when night falls there, it is; each night again."""
    await made(wire, starts_daily_at="22:00:00[Asia/Tokyo]", ends_daily_at="06:00:00[Asia/Tokyo]")
    id = await wire.door(SENSOR)
    # The clock begins at nine in the morning in Tokyo.
    await wire.call("/thumbturn/sandbox/make_noise", device_id=id, noise_level_decibels=70)
    await wire.house.clock.advance(13 * HOUR - 1)
    assert await triggered(wire) == []
    await wire.house.clock.advance(1)
    assert [each["occurred_at"] for each in await triggered(wire)] == ["2025-01-01T13:00:00.000Z"]
    await wire.house.clock.advance(24 * HOUR)
    assert len(await triggered(wire)) == 2


async def test_a_simulated_noise_triggers_what_is_in_force(wire):
    """It is loud for some seconds: a breach of each threshold in force, and while it lasts no other."""
    id = await wire.door(SENSOR)
    for _ in range(2):
        await wire.call("/noise_sensors/simulate/trigger_noise_threshold", device_id=id)
    assert (await properties(wire))["noise_level_decibels"] == 85
    assert len(await triggered(wire)) == 1
    await wire.house.clock.advance(BURST)
    assert (await properties(wire))["noise_level_decibels"] == 35
    await wire.call("/noise_sensors/simulate/trigger_noise_threshold", device_id=id)
    assert len(await triggered(wire)) == 2


async def test_no_noise_triggers_nothing(wire):
    """Where no threshold is in force there is nothing to simulate."""
    id = await wire.door(SENSOR)
    [first] = (await wire.call(T + "list", device_id=id))["noise_thresholds"]
    await wire.call(T + "delete", device_id=id, noise_threshold_id=first["noise_threshold_id"], sync=True)
    await made(wire, starts_daily_at="12:00[Etc/UTC]", ends_daily_at="13:00[Etc/UTC]")
    found = await refused(wire, "/noise_sensors/simulate/trigger_noise_threshold")
    assert found == (400, "no_noise_threshold_in_force")
    await wire.house.clock.advance(12 * HOUR)
    await wire.call("/noise_sensors/simulate/trigger_noise_threshold", device_id=id)
    assert len(await triggered(wire)) == 1


async def test_a_threshold_on_its_way_can_be_named_already(wire):
    """Until a slow sensor holds it, it is found as one that is not programmed, and it can be changed;
    if putting it there fails, it is gone.
    """
    id = await wire.door(SENSOR)
    fault = {"fault": "slow", "milliseconds": 2_000}
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=id, **fault, times=2)
    made = (await wire.call(T + "create", device_id=id, **NIGHT))["noise_threshold"]
    which = {"device_id": id, "noise_threshold_id": made["noise_threshold_id"]}
    found = await wire.call(T + "list", device_id=id, is_programmed=False)
    assert found["noise_thresholds"] == [made]
    first = await wire.call(T + "list", device_id=id, is_programmed=True)
    assert [each["name"] for each in first["noise_thresholds"]] == ["Loud at any time"]
    got = await wire.call(T + "get", noise_threshold_id=made["noise_threshold_id"])
    assert got["noise_threshold"] == made
    changed = await wire.call(T + "update", **which, name="Late")
    await wire.house.clock.advance(seconds(5))
    assert (await ended(wire, changed))["status"] == "success"
    assert await held(wire) == ["Loud at any time", "Late"]
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=id, fault="refuse")
    made = (await wire.call(T + "create", device_id=id, **NIGHT))["noise_threshold"]
    await wire.house.clock.settle()
    assert await held(wire) == ["Loud at any time", "Late"]


async def test_an_update_of_what_is_deleted_meanwhile_fails(wire):
    """One that waited behind the deletion finds nothing to change, and says so."""
    threshold, _ = await made(wire)
    which = {key: threshold[key] for key in ("noise_threshold_id", "device_id")}
    fault = {"fault": "slow", "milliseconds": 2_000, "times": 1}
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=which["device_id"], **fault)
    await wire.call(T + "delete", **which)
    late = await wire.call(T + "update", **which, name="Later")
    await wire.house.clock.advance(seconds(3))
    attempt = await ended(wire, late)
    assert (attempt["status"], attempt["error"]["type"]) == ("error", "noise_threshold_deleted")


async def test_a_repeated_call_makes_one_threshold(wire):
    """With the same idempotency key there is one threshold, and the same answer."""
    ask = {"device_id": await wire.door(SENSOR), **NIGHT}
    replies = [
        await wire.ask("POST", T + "create", ask, headers={"idempotency-key": "again"}) for _ in range(2)
    ]
    first, again = (reply.json["noise_threshold"] for reply in replies)
    assert first == again
    await wire.house.clock.settle()
    assert await held(wire) == ["Loud at any time", "Night"]
