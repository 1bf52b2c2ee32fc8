"""A thermostat behind a hub, which echoes at once what it is told: only what it says when asked counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from thumbturn.domain.climate import COOLING, HEATING
from thumbturn.domain.clock import MILLISECOND
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, DeviceUnreachable, NotSupported
from thumbturn.domain.hub import HubUnreachable
from thumbturn.drivers.zigbee2mqtt.asking import Answer
from thumbturn.drivers.zigbee2mqtt.codec import Failed, How, command, number
from thumbturn.drivers.zigbee2mqtt.exposes import (
    COOLING_FEATURE,
    FAN,
    FAN_MODES,
    HEATING_FEATURE,
    MODES,
    THERMOSTAT,
)
from thumbturn.drivers.zigbee2mqtt.things import HubLine, Thing
from thumbturn.engine.pins import Pins

#: Zigbee's numbers (``systemMode``, ``fanMode``), in our words. Emergency heating is heating.
_SYSTEM_MODES: Final[Mapping[int, str]] = {0: "off", 1: "heat_cool", 3: "cool", 4: "heat", 5: "heat"}
_FAN_NUMBERS: Final[Mapping[int, str]] = {4: "on", 5: "auto"}
_ATTRIBUTES: Final[Mapping[str, str]] = {
    HEATING: "occupiedHeatingSetpoint",
    COOLING: "occupiedCoolingSetpoint",
}
_FEATURES: Final[Mapping[str, str]] = {HEATING: HEATING_FEATURE, COOLING: COOLING_FEATURE}
#: What is reported within this after a message was heard is asked for once.
_HEARD_WITHIN: Final = 300 * MILLISECOND
_HEATS, _COOLS, _BLOWS = 0b1, 0b10, 0b100
_COLDEST, _WARMEST = -10_000, 20_000


class ZigbeeThermostat(Thing):
    """Implements ``Thermostat`` of ``domain.capabilities``."""

    def __init__(
        self, device: Device, hub: HubLine, observe: Callable[[Observation], None], pins: Pins
    ) -> None:
        super().__init__(device, hub, observe, pins)
        details = device.details
        self._modes: tuple[str, ...] = tuple(details.get("available_hvac_mode_settings", ()))
        self._fans: tuple[str, ...] = tuple(details.get("available_fan_mode_settings", ()))
        #: Its set points, and to what each is rounded on the way, °C.
        self._steps: Mapping[str, float] = {
            name: float(details.get(f"{name.removesuffix('_celsius')}_step_celsius", 0.5))
            for name in (HEATING, COOLING)
            if f"min_{name}" in details
        }
        self._tells_running = details.get("tells_running_state") is True
        #: What was asked for, and what it became on the way: 69 °F are no half degree Celsius.
        self._asked: dict[str, tuple[float, float]] = {}
        #: How a part of the command that is under way failed.
        self._failure: How | None = None
        self._last: Mapping[str, Any] | None = None
        self._listening: asyncio.Task[None] | None = None

    # what it can be told ------------------------------------------------------------------------

    async def set_climate(self, setting: Mapping[str, Any]) -> Evidence:
        """Set what is named, and ask what it is set to then."""
        await self.must_be_linked()
        words = self._words(setting)
        self._failure = None
        try:
            await self.send(command(**words))
            # A question waits until the command before it was answered, or given up.
            found = await self._read_climate()
        except HubUnreachable:
            return Evidence.NONE
        if self._failure == "refused":
            raise CommandRefused
        if found is None:
            if self._failure == "undelivered":
                raise DeviceUnreachable
            return Evidence.NONE
        self.report(found, method="remote", said="It was set, and then asked.")
        return Evidence.DEVICE_ACCEPTED

    async def read_climate(self) -> Observation | None:
        """What it is set to and what it senses, as it says; ``None`` if it does not answer."""
        try:
            found = await self._read_climate()
        except HubUnreachable:
            return None
        return None if found is None else self.observation(found, said="The thermostat was asked.")

    async def read(self) -> Mapping[str, Any] | None:
        """All that is so of it."""
        found = await self._read_climate()
        return None if found is None else {**found, **await self.read_battery()}

    # what it hears ------------------------------------------------------------------------------

    def said(self, fields: Mapping[str, Any]) -> None:
        super().said(fields)
        # An echo and a report look alike. So it is asked, when something is new and nobody asks already.
        heard = {name: fields.get(name) for name in _HEARD}
        before, self._last = self._last, heard
        is_quiet = not self.asking.is_under_way and (self._listening is None or self._listening.done())
        if before is not None and before != heard and is_quiet:
            self._listening = asyncio.get_running_loop().create_task(self._listen())

    def failed(self, failed: Failed) -> None:
        super().failed(failed)
        if failed.verb == "set" and failed.key in _SET_WORDS:
            self._failure = failed.how

    def link_lost(self) -> None:
        super().link_lost()
        self._last = None
        if self._listening is not None:
            self._listening.cancel()

    # inside -------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        await self.clock.sleep(_HEARD_WITHIN)
        try:
            found = await self._read_climate()
        except HubUnreachable:
            return
        if found is not None and self.is_online:
            self.report(found, method="manual", said="It reported something new, and was asked.")

    def _words(self, setting: Mapping[str, Any]) -> dict[str, Any]:
        """The command. Raises ``NotSupported`` for what the device never offered."""
        words: dict[str, Any] = {}
        for name, value in setting.items():
            if name == "hvac_mode_setting" and value in self._modes:
                words["system_mode"] = MODES[value]
            elif name == "fan_mode_setting" and value in self._fans:
                words["fan_mode"] = FAN_MODES[value]
            elif name in self._steps:
                rounded = round(value / self._steps[name]) * self._steps[name]
                words[_FEATURES[name]] = rounded = round(rounded, 2)
                self._asked[name] = value, rounded
            else:
                raise NotSupported
        return words

    async def _read_climate(self) -> dict[str, Any] | None:
        set_points = [_ATTRIBUTES[name] for name in self._steps]
        running = ["runningState"] if self._tells_running else []
        answer = await self.ask(THERMOSTAT, "systemMode", "localTemp", *set_points, *running)
        if not isinstance(answer, Answer):
            return None
        found = self._in_our_words(answer.attributes)
        if self._fans:
            fan = await self.ask(FAN, "fanMode")
            speed = number(fan.attributes.get("fanMode"), 0, 255) if isinstance(fan, Answer) else None
            if speed is not None and int(speed) in _FAN_NUMBERS:
                found["fan_mode_setting"] = _FAN_NUMBERS[int(speed)]
        return found

    def _in_our_words(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        mode = number(attributes.get("systemMode"), 0, 255)
        if mode is not None and int(mode) in _SYSTEM_MODES:
            found["hvac_mode_setting"] = _SYSTEM_MODES[int(mode)]
        for name in self._steps:
            raw = number(attributes.get(_ATTRIBUTES[name]), _COLDEST, _WARMEST)
            if raw is not None:
                asked, rounded = self._asked.get(name, (None, None))
                celsius = raw / 100
                found[name] = asked if asked is not None and rounded == celsius else celsius
        warm = number(attributes.get("localTemp"), _COLDEST, _WARMEST)
        if warm is not None:
            found["temperature_celsius"] = warm / 100
        running = number(attributes.get("runningState"), 0, 65_535)
        if running is not None:
            found["is_heating"] = bool(int(running) & _HEATS)
            found["is_cooling"] = bool(int(running) & _COOLS)
            found["is_fan_running"] = bool(int(running) & _BLOWS)
        return found


_SET_WORDS: Final = ("system_mode", "fan_mode", HEATING_FEATURE, COOLING_FEATURE)
_HEARD: Final = (*_SET_WORDS, "local_temperature", "running_state")
