"""What the driver ``zigbee2mqtt`` may say of thermostats: run on the fake, and in the lab on the real one.

Each takes ``linked`` as the tests of ``zigbee_honesty.py`` do.
"""

from __future__ import annotations

import pytest

from thumbturn.domain.capabilities.thermostat import Thermostat
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, DeviceUnreachable, NotSupported

CLUSTER = "hvacThermostat"
SIXTY_NINE_FAHRENHEIT = (69 - 32) / 1.8


async def sent_and_asked_to(linked, setting):
    """What the engine does with a setting: it sends it, and asks."""
    thermostat = linked.lock("hall", Thermostat)
    reply = await thermostat.set_climate(setting)
    return reply, await thermostat.read_climate()


async def attributes_of(linked):
    """What the thermostat is really set to."""
    return (await linked.world.order("look", "hall"))["attributes"]


async def test_a_thermostat_is_found_with_what_it_offers(linked):
    """Its modes and limits are those that it offers itself, and no others; it is read before it is online."""
    await linked.until(lambda: linked.is_online("hall"))
    hall = linked.devices["hall"]
    assert hall.details["available_hvac_mode_settings"] == ["off", "heat", "cool", "heat_cool"]
    assert hall.details["available_fan_mode_settings"] == ["auto", "on"]
    limits = {name: value for name, value in hall.details.items() if name[:4] in {"min_", "max_"}}
    assert limits == {
        "min_heating_set_point_celsius": 10.0,
        "max_heating_set_point_celsius": 30.0,
        "min_cooling_set_point_celsius": 10.0,
        "max_cooling_set_point_celsius": 31.0,
    }
    assert hall.state["temperature_celsius"] == 21.0


@pytest.mark.parametrize(
    "setting",
    [
        {"hvac_mode_setting": "cool", "cooling_set_point_celsius": 24.5},
        {
            "hvac_mode_setting": "heat_cool",
            "heating_set_point_celsius": 19.0,
            "cooling_set_point_celsius": 25.0,
        },
        {"hvac_mode_setting": "off"},
        {"fan_mode_setting": "on"},
    ],
    ids=["cool", "heat and cool", "off", "fan"],
)
async def test_a_setting_is_confirmed_by_the_thermostat(linked, setting):
    """It is set and then asked; what it answers is what was asked for, and is so."""
    reply, found = await sent_and_asked_to(linked, setting)
    assert reply is Evidence.DEVICE_ACCEPTED
    assert found is not None
    assert setting.items() <= found.changes.items()

    def told():
        return [each.method for each in linked.seen if setting.items() <= each.changes.items()]

    await linked.until(told)
    assert told()[0] == "remote"
    is_so = await attributes_of(linked)
    if "cooling_set_point_celsius" in setting:
        cooling = setting["cooling_set_point_celsius"]
        assert is_so[CLUSTER]["occupiedCoolingSetpoint"] == round(cooling * 100)
    if "fan_mode_setting" in setting:
        assert is_so["hvacFanCtrl"]["fanMode"] == 4


async def test_a_set_point_in_fahrenheit_is_the_nearest_that_it_has(linked):
    """69 °F are set as 20.5 °C, and are what was asked for."""
    setting = {"hvac_mode_setting": "heat", "heating_set_point_celsius": SIXTY_NINE_FAHRENHEIT}
    reply, found = await sent_and_asked_to(linked, setting)
    assert reply is Evidence.DEVICE_ACCEPTED
    assert found is not None
    assert found.changes["heating_set_point_celsius"] == SIXTY_NINE_FAHRENHEIT
    assert (await attributes_of(linked))[CLUSTER]["occupiedHeatingSetpoint"] == 2_050


async def test_an_echo_is_no_setting(linked):
    """It says thank you and stays as it was; the hub echoes the new mode, its answer is the old one."""
    await linked.world.order("fault", "hall", kind="ignore")
    _, found = await sent_and_asked_to(linked, {"hvac_mode_setting": "cool"})
    assert found is not None
    assert found.changes["hvac_mode_setting"] == "heat"
    assert all(each.changes.get("hvac_mode_setting") != "cool" for each in linked.seen)


async def test_a_thermostat_that_refuses_is_believed(linked):
    """It answers the command with a no."""
    await linked.world.order("fault", "hall", kind="refuse")
    with pytest.raises(CommandRefused):
        await linked.lock("hall", Thermostat).set_climate({"hvac_mode_setting": "cool"})


async def test_a_thermostat_out_of_reach_has_its_own_cause(linked):
    """Its hub says that nothing was delivered, and it does not answer."""
    await linked.world.order("fault", "hall", kind="unreachable")
    with pytest.raises(DeviceUnreachable):
        await linked.lock("hall", Thermostat).set_climate({"hvac_mode_setting": "cool"})


async def test_a_silent_thermostat_is_not_known_to_be_set(linked):
    """Neither the command nor the question is answered: nobody knows."""
    await linked.world.order("fault", "hall", kind="silent")
    assert await sent_and_asked_to(linked, {"hvac_mode_setting": "cool"}) == (Evidence.NONE, None)
    assert not [each for each in linked.seen if "hvac_mode_setting" in each.changes]


async def test_what_a_thermostat_does_not_offer_is_not_sent(linked):
    """A mode that it has not is refused before anything is said to it."""
    with pytest.raises(NotSupported):
        await linked.lock("hall", Thermostat).set_climate({"hvac_mode_setting": "eco"})
    assert (await linked.world.order("look", "hall"))["log"] == []


async def test_what_somebody_sets_by_hand_is_told(linked):
    """It reports something new; it is asked, and what it says is told as somebody's doing at the device."""
    await linked.world.order("set", "hall", cluster=CLUSTER, values={"systemMode": 3, "localTemp": 1_850})
    await linked.world.order("report", "hall", cluster=CLUSTER, names=["systemMode", "localTemp"])
    await linked.until(lambda: linked.devices["hall"].state.get("hvac_mode_setting") == "cool")
    told = [each for each in linked.seen if each.changes.get("hvac_mode_setting") == "cool"]
    assert (told[0].method, told[0].changes["temperature_celsius"]) == ("manual", 18.5)
