"""The ecosystems of real devices that this server speaks to: a driver for each, new ones at each call.

What a driver needs to connect (a WebSocket client, an MQTT client) is loaded when the first hub is.
"""

from __future__ import annotations

from typing import cast

from thumbturn.domain.clock import Clock
from thumbturn.drivers.home_assistant.driver import HomeAssistantDriver
from thumbturn.drivers.matter.driver import MatterDriver
from thumbturn.drivers.zigbee2mqtt.driver import Zigbee2MqttDriver
from thumbturn.drivers.zwave_js.driver import ZwaveJsDriver
from thumbturn.engine.hub_ports import HubDriver
from thumbturn.engine.overheard import Overheard
from thumbturn.engine.pins import Pins


def hub_drivers(clock: Clock, pins: Pins) -> dict[str, HubDriver]:
    """A driver for each ecosystem, by its name. ``pins`` read what codes are on record."""
    drivers: tuple[HubDriver, ...] = (
        ZwaveJsDriver(clock, pins),
        Zigbee2MqttDriver(clock, pins),
        HomeAssistantDriver(clock),
        MatterDriver(clock, pins),
    )
    # Each can be listened to while one of its devices is recorded.
    return {driver.name: cast("HubDriver", Overheard(driver)) for driver in drivers}
