"""Matter thermostats: what they can be set to they say, and each setting they confirm themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from thumbturn.domain.climate import COOLING, HEATING
from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import NotSupported, OutcomeUnknown
from thumbturn.domain.hub import HubUnreachable
from thumbturn.drivers.matter.codec import Cluster, Node, Path, Reported
from thumbturn.drivers.matter.things import Home, Thing, battery_of, written
from thumbturn.engine.hub_words import is_number

THERMOSTAT, FAN = Cluster.THERMOSTAT, Cluster.FAN
_TEMPERATURE, _SEQUENCE, _SYSTEM_MODE, _RUNNING = 0, 0x1B, 0x1C, 0x29
_SET_POINTS = {HEATING: 0x12, COOLING: 0x11}
#: By set point the attributes of its limits: those that people set, and those that the device has.
_LIMITS = {HEATING: ((0x15, 3), (0x16, 4)), COOLING: ((0x17, 5), (0x18, 6))}
_DEAD_BAND = 0x19
_FAN_MODE, _FAN_SEQUENCE = 0, 1
#: Features of the two clusters.
_HEATS, _COOLS, _BOTH, _FAN_AUTO = 0x1, 0x2, 0x20, 0x2
#: ``ControlSequenceOfOperation``: with these it only cools, or only heats, whatever it could do.
_COOLS_ONLY, _HEATS_ONLY = {0, 1}, {2, 3}
#: ``SystemMode`` in our words. Emergency heating is heating.
_MODES = {0: "off", 1: "heat_cool", 3: "cool", 4: "heat", 5: "heat"}
_NUMBERS = {"off": 0, "heat_cool": 1, "cool": 3, "heat": 4}
#: ``FanMode`` in our words; which one is meant by *on* depends on the speeds that it has.
_FANS = {1: "on", 2: "on", 3: "on", 4: "on", 5: "auto", 6: "auto"}
_LOW, _HIGH, _AUTO = 1, 3, 5
_WITHOUT_LOW = {4, 5}
_MODE, _FAN_SETTING = "hvac_mode_setting", "fan_mode_setting"
#: So long after a command what is reported is about it: a server hears from a device once a second.
_ABOUT = seconds(3)
#: ``ThermostatRunningState``: what runs, in bits.
_RUNS = {"is_heating": 0b1001, "is_cooling": 0b1_0010, "is_fan_running": 0b110_0100}


class MatterThermostat(Thing):
    """Implements ``Thermostat`` of ``domain.capabilities``."""

    def __init__(self, device: Device, at: tuple[int, int], home: Home) -> None:
        super().__init__(device, at, home)
        #: The set points that it was told, °C: it has rounded them to hundredths.
        self._asked: dict[str, float] = {}
        self._told_at = -_ABOUT

    async def set_climate(self, setting: Mapping[str, Any]) -> Evidence:
        """Set those of its mode, its two set points and its fan that are named, and ask what it is set to."""
        orders = [self._order(name, value) for name, value in self._in_order(setting)]
        await self.be_ready()
        self._asked |= {name: value for name, value in setting.items() if name in _SET_POINTS}
        worst = Evidence.DEVICE_ACCEPTED
        for number, (path, value) in enumerate(orders):
            self._told_at = self.clock.now()
            answer = await self.link.write(self.node_id, path, value)
            try:
                worst = min(worst, self.judged(written(answer), "It is set."))
            except Failure as failure:
                if number == 0:
                    raise
                raise OutcomeUnknown.because(
                    f"It took a part of it, and not the rest: {failure.message}"
                ) from None
        so = await self.read_climate() if worst.confirms else None
        if so is not None:
            self.say(so.changes, method="remote", said=so.said)
        return worst

    async def read_climate(self) -> Observation | None:
        """What it is set to, as it says now; ``None`` if it does not answer."""
        if not await self.link.stands():
            return None
        try:
            so = await self.read()
        except HubUnreachable:
            return None
        return None if so is None else self.seen(so, method="remote", said="It was asked, and answered.")

    async def read(self) -> Mapping[str, Any] | None:
        """Mode, set points, fan and temperature, as it says now; ``None`` if it does not answer."""
        attributes = (_SYSTEM_MODE, *_SET_POINTS.values(), _TEMPERATURE, _RUNNING)
        paths = [*self.those_there(THERMOSTAT, attributes), *self.those_there(FAN, (_FAN_MODE,))]
        values = await self.ask(*paths, *self.battery_paths)
        return {**self._so(values), **self.battery_in(values)} if values else None

    def reported(self, told: Reported, number: int) -> None:
        """Take in an attribute of the thermostat."""
        so = self._so({told.path: told.is_now})
        if not so:
            return
        method = None
        if not so.keys().isdisjoint(_SETTINGS):
            # What is not about a command somebody has set at the device.
            method = "remote" if self.clock.now() - self._told_at <= _ABOUT else "manual"
        self.say(so, method=method, said=f"It reported ({self.reference(number)}).")

    # inside -------------------------------------------------------------------------------------

    def _in_order(self, setting: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
        """So that what is set never comes too near to what is still as it was; the mode last."""
        known, cooling = self.device.state.get(COOLING), setting.get(COOLING)
        is_lowered = cooling is not None and known is not None and cooling < known
        first = (HEATING, COOLING) if is_lowered else (COOLING, HEATING)
        order = (*first, _FAN_SETTING, _MODE)
        return sorted(setting.items(), key=lambda each: order.index(each[0]))

    def _order(self, name: str, value: Any) -> tuple[Path, int]:
        """A setting as the device takes it. Raises ``NotSupported`` for what it does not offer."""
        node, details = self.node, self.device.details
        if name == _MODE and value in details.get("available_hvac_mode_settings", ()):
            return self.path(THERMOSTAT, _SYSTEM_MODE), _NUMBERS[value]
        if name == _FAN_SETTING and value in details.get("available_fan_mode_settings", ()):
            sequence = None if node is None else node.number(self.endpoint, FAN, _FAN_SEQUENCE)
            on = _HIGH if sequence in _WITHOUT_LOW else _LOW
            return self.path(FAN, _FAN_MODE), _AUTO if value == "auto" else on
        if name in _SET_POINTS and f"min_{name}" in details:
            return self.path(THERMOSTAT, _SET_POINTS[name]), round(value * 100)
        raise NotSupported

    def _so(self, values: Mapping[Path, Any]) -> dict[str, Any]:
        """What attributes mean; nothing for what means nothing here."""
        so: dict[str, Any] = {}
        mode, fan, running = (
            values.get(self.path(*each))
            for each in ((THERMOSTAT, _SYSTEM_MODE), (FAN, _FAN_MODE), (THERMOSTAT, _RUNNING))
        )
        if is_number(mode) and mode in _MODES:
            so[_MODE] = _MODES[mode]
        if is_number(fan) and fan in _FANS and self.device.details.get("available_fan_mode_settings"):
            so[_FAN_SETTING] = _FANS[fan]
        if is_number(running):
            so |= {name: bool(running & bits) for name, bits in _RUNS.items()}
        for name, attribute in (*_SET_POINTS.items(), ("temperature_celsius", _TEMPERATURE)):
            celsius = _degrees(values.get(self.path(THERMOSTAT, attribute)))
            if celsius is not None:
                asked = self._asked.get(name)
                so[name] = (
                    asked if asked is not None and round(asked * 100) == round(celsius * 100) else celsius
                )
        return so


_SETTINGS = frozenset({_MODE, _FAN_SETTING, HEATING, COOLING})


def capabilities_of(node: Node, endpoint: int) -> frozenset[str]:
    """What a thermostat can do; nothing if the endpoint is none."""
    if not node.has(endpoint, THERMOSTAT, _SYSTEM_MODE):
        return frozenset()
    return frozenset({"thermostat"} if battery_of(node, endpoint) is None else {"thermostat", "battery"})


def details_of(node: Node, endpoint: int) -> dict[str, Any]:
    """What a thermostat can be set to, as it says."""
    sequence = node.number(endpoint, THERMOSTAT, _SEQUENCE)
    heats = node.can(endpoint, THERMOSTAT, _HEATS) and sequence not in _COOLS_ONLY
    cools = node.can(endpoint, THERMOSTAT, _COOLS) and sequence not in _HEATS_ONLY
    details: dict[str, Any] = {}
    for name, is_offered in ((HEATING, heats), (COOLING, cools)):
        limits = [
            next((limit for each in ways if (limit := _limit(node, endpoint, each)) is not None), None)
            for ways in _LIMITS[name]
        ]
        if is_offered and None not in limits:
            details[f"min_{name}"], details[f"max_{name}"] = limits
    heats, cools = f"min_{HEATING}" in details, f"min_{COOLING}" in details
    by_turns = heats and cools and node.can(endpoint, THERMOSTAT, _BOTH)
    offered = {"off": True, "heat": heats, "cool": cools, "heat_cool": by_turns}
    details["available_hvac_mode_settings"] = [mode for mode, is_offered in offered.items() if is_offered]
    apart = node.number(endpoint, THERMOSTAT, _DEAD_BAND)
    if by_turns and apart is not None and 0 <= apart <= 100:
        # It counts in tenths, unlike everything else.
        details["min_heating_cooling_delta_celsius"] = apart / 10
    return {**details, "available_fan_mode_settings": _fans_of(node, endpoint)}


def _fans_of(node: Node, endpoint: int) -> list[str]:
    if not node.has(endpoint, FAN, _FAN_MODE):
        return []
    return ["auto", "on"] if node.can(endpoint, FAN, _FAN_AUTO) else ["on"]


def _limit(node: Node, endpoint: int, attribute: int) -> float | None:
    return _degrees(node.attributes.get((endpoint, int(THERMOSTAT), attribute)))


def _degrees(hundredths: Any) -> float | None:
    if not is_number(hundredths) or not -27_315 <= hundredths <= 32_767:
        return None
    return hundredths / 100
