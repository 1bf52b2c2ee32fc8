"""What ``home_assistant`` may say of thermostats and noise sensors: on a fake or the real stack, likewise."""

from __future__ import annotations

import pytest

from tests.contract.home_assistant_honesty import why
from tests.fixtures.home_assistant_home import HALL, TERRACE, HomeAssistantHome
from thumbturn.domain.clock import seconds
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.ids import new_id
from thumbturn.domain.noise import BREACHED, LEVEL, THRESHOLDS
from thumbturn.engine.acceptance import Timing

ALL_DAY = {"starts_daily_at": "00:00:00[Etc/UTC]", "ends_daily_at": "00:00:00[Etc/UTC]"}


@pytest.mark.parametrize(
    ("mode", "points", "really"),
    [
        ("cool", {"cooling_set_point_celsius": 24.0}, {"mode": "cool", "temperature": 24}),
        ("heat", {"heating_set_point_celsius": 21.2}, {"mode": "heat", "temperature": 21}),
        (
            "heat_cool",
            {"heating_set_point_celsius": 18.5, "cooling_set_point_celsius": 26.0},
            {"mode": "heat_cool", "low": 18.5, "high": 26},
        ),
        ("off", {}, {"mode": "off"}),
    ],
)
async def test_a_thermostat_is_set(home: HomeAssistantHome, mode, points, really):
    """Mode and set points are sent in the steps that it has; success is what its entity changes to."""
    before = await home.order("nothing", "hall")
    await home.order("hand", "hall", so={**before, "mode": "dry", "temperature": 29, "low": 8, "high": 29})
    await home.pass_time(0.3)
    ended = await home.run("SET_HVAC_MODE", HALL, hvac_mode_setting=mode, **points)
    assert (why(ended), ended.evidence) == (None, Evidence.STATE_REPORT)
    assert really.items() <= (await home.order("nothing", "hall")).items()
    await home.pass_time(0.5)
    state = home.device(HALL).state
    assert {name: state[name] for name in ("hvac_mode_setting", *points)} == {
        "hvac_mode_setting": mode,
        **points,
    }
    await home.order("hand", "hall", so={"mode": "heat", "temperature": 20, "low": 19, "high": 25})


async def test_a_setting_that_was_there_before_is_only_remembered(home: HomeAssistantHome):
    """A thermostat that is set as it was is a success on the word of a memory, and says so."""
    ended = await home.run("SET_HVAC_MODE", HALL, hvac_mode_setting="heat", heating_set_point_celsius=20)
    assert (why(ended), ended.evidence) == (None, Evidence.RADIO_ACK)


async def test_a_thermostat_that_says_nothing_is_unknown(home: HomeAssistantHome):
    """A thermostat that takes a setting and says nothing of it has an unknown outcome."""
    await home.fault(HALL, "ack_only")
    ended = await home.run(
        "SET_HVAC_MODE",
        HALL,
        hvac_mode_setting="heat",
        heating_set_point_celsius=25,
        timing=Timing(deadline=seconds(5)),
    )
    assert why(ended) == "outcome_unknown"
    assert (await home.order("nothing", "hall"))["temperature"] == 20
    assert home.device(HALL).state["heating_set_point_celsius"] == 20


async def test_a_fan_is_set_by_the_words_that_it_has(home: HomeAssistantHome):
    """A fan is set in its own words, and what somebody sets at the device is known."""
    assert why(await home.run("SET_FAN_MODE", HALL, fan_mode_setting="on")) is None
    assert (await home.order("nothing", "hall"))["fan"] == "On"
    await home.order("hand", "hall", so={"fan": "Auto", "room": 22.5})
    await home.until(lambda: home.device(HALL).state["fan_mode_setting"] == "auto")
    assert home.device(HALL).state["temperature_celsius"] == 22.5
    adjusted = await home.told("thermostat.manually_adjusted")
    assert adjusted[-1].payload["method"] == "external"
    await home.order("hand", "hall", so={"room": 20.5})


async def test_a_noise_that_is_too_loud_is_told_once(home: HomeAssistantHome):
    """A threshold is held for a sensor that knows none, outlives the server, and is judged here."""
    id = new_id()
    loud = {"noise_threshold_id": id, "name": "Party", "noise_threshold_decibels": 70, **ALL_DAY}
    made = await home.run("CREATE_NOISE_THRESHOLD", TERRACE, **loud)
    assert (why(made), made.evidence) == (None, Evidence.DEVICE_ACCEPTED)
    assert list(home.device(TERRACE).state[THRESHOLDS]) == [id]
    await home.crash()
    await home.all_online()
    for noise in (71.5, 75, 40):
        await home.order("hand", "terrace", so={"noise": noise})
        await home.until(lambda heard=noise: home.device(TERRACE).state[LEVEL] == heard)
        assert home.device(TERRACE).state[BREACHED] == ([id] if noise > 70 else [])
    [event] = await home.told("noise_sensor.noise_threshold_triggered")
    assert (event.payload["noise_threshold_id"], event.payload[LEVEL]) == (id, 71.5)
    assert why(await home.run("DELETE_NOISE_THRESHOLD", TERRACE, noise_threshold_id=id)) is None
    assert home.device(TERRACE).state[THRESHOLDS] == {}
    await home.order("hand", "terrace", so={"noise": 41.5})
