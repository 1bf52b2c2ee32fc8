"""Z-Wave thermostats: what they can be set to they say, and what they are set to they report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from thumbturn.domain.climate import COOLING, HEATING
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import NotSupported, OutcomeUnknown
from thumbturn.drivers.zwave_js.codec import CC, Message, Node, Value, degrees
from thumbturn.drivers.zwave_js.things import Home, Thing, level_of, response_of
from thumbturn.engine.hub_words import is_number

#: Z-Wave's modes, set points and fan modes, and our words for them.
_MODES = {0: "off", 1: "heat", 2: "cool", 3: "heat_cool"}
_SET_POINTS = {1: HEATING, 2: COOLING}
_FANS = {0: "auto", 1: "on", 6: "circulate"}
_MODE, _FAN = "hvac_mode_setting", "fan_mode_setting"
_HEATING, _COOLING = {1, 7, 8, 9, 11}, {2, 10}


class ZwaveThermostat(Thing):
    """Implements ``Thermostat`` of ``domain.capabilities``."""

    def __init__(self, device: Device, home: Home) -> None:
        super().__init__(device, home)
        #: What it was told last, and what of it it has reported since.
        self._wanted: dict[str, Any] = {}
        self._confirmed: dict[str, Any] = {}

    async def set_climate(self, setting: Mapping[str, Any]) -> Evidence:
        """Set those of its mode, its two set points and its fan that are named."""
        await self.be_ready()
        orders = [self._order(name, value) for name, value in setting.items()]
        self._wanted, self._confirmed = dict(setting), {}
        worst = Evidence.DEVICE_ACCEPTED
        for cc, name, key, value in orders:
            answer = await self.link.set_value(self.node_id, cc, name, value, key)
            try:
                worst = min(worst, self.judged(answer))
            except Failure as failure:
                if (cc, name, key, value) == orders[0]:
                    raise
                raise OutcomeUnknown.because(
                    f"It took a part of it, and not the rest: {failure.message}"
                ) from None
        if worst.confirms:
            self._wanted = {}
            self.say(setting, worst, "remote", "Supervision: it is set.")
        return worst

    async def read_climate(self) -> Observation | None:
        """What it is set to, as it says now; ``None`` if it does not answer."""
        if not await self.link.stands():
            return None
        so = await self.read()
        return None if so is None else self.seen(so, method="remote", said="It answered when it was asked.")

    async def read(self) -> Mapping[str, Any] | None:
        """Mode, set points, fan and temperature, as it says now; ``None`` if it does not answer."""
        node = self.node
        if node is None:
            return None
        so: dict[str, Any] = {}
        for cc, method, given, take in self._questions(node):
            answer = await self.link.ask(self.node_id, cc, method, *given)
            if answer is not None and not answer.is_good:
                self.failure(answer)
                return None
            said = response_of(answer)
            if said is None:
                return None
            so |= take(said)
        return so

    def hear(self, message: Message, number: int) -> None:
        """Take in what its hub says of it."""
        super().hear(message, number)
        if not isinstance(message, Value) or message.is_echo:
            return
        so = self._so(message)
        if not so:
            return
        said = f"It reported: {message.cc}/{message.name} ({self.reference(number)})."
        about = {name: value for name, value in so.items() if self._wanted.get(name) == value}
        if not about:
            # Of what is measured nobody is the cause; what is set somebody has set at the device.
            self.say(so, method="manual" if so.keys() & _SETTINGS else None, said=said)
            return
        self._confirmed |= about
        if self._confirmed == self._wanted:
            confirmed, self._wanted = self._confirmed, {}
            self.say(confirmed, method="remote", said=said)

    def forget(self) -> None:
        """Stop whatever it waits for."""
        self._wanted = {}

    def _order(self, name: str, value: Any) -> tuple[int, str, int | None, Any]:
        """A setting as its node takes it. Raises ``NotSupported`` for what it does not offer."""
        node = self.node
        for cc, words, its_name in ((CC.THERMOSTAT_MODE, _MODES, _MODE), (CC.FAN_MODE, _FANS, _FAN)):
            if name == its_name:
                number = next((key for key, word in words.items() if word == value), None)
                if number is None or node is None or value not in _offered(node, cc, words):
                    raise NotSupported
                return cc, "mode", None, number
        key = next(key for key, word in _SET_POINTS.items() if word == name)
        if node is None or not node.has(CC.SETPOINT, "setpoint", key):
            raise NotSupported
        if "F" in _unit(node, CC.SETPOINT, "setpoint", key):
            value = round(value * 1.8 + 32, 1)
        return CC.SETPOINT, "setpoint", key, value

    def _so(self, value: Value) -> dict[str, Any]:
        """What a report means; nothing for what means nothing here."""
        node = self.node
        unit = "" if node is None else _unit(node, value.cc, value.name, value.key)
        if value.cc == CC.SETPOINT and value.key in _SET_POINTS:
            celsius = degrees(value.is_now, unit)
            return {} if celsius is None else {_SET_POINTS[value.key]: self._as_wanted(value.key, celsius)}
        if value.cc == CC.SENSOR:
            return _measured(value.name, value.is_now, unit)
        return _meant(value.cc, value.is_now)

    def _as_wanted(self, key: int, celsius: float) -> float:
        """The very degrees that it was told, if it has rounded them on its own scale."""
        wanted = self._wanted.get(_SET_POINTS[key])
        return wanted if wanted is not None and abs(wanted - celsius) < 0.06 else round(celsius, 2)

    def _questions(
        self, node: Node
    ) -> list[tuple[int, str, tuple[Any, ...], Callable[[Any], dict[str, Any]]]]:
        """What is asked to know how it is: command class, method, its parameters, what an answer means."""

        def set_point(key: int) -> Callable[[Any], dict[str, Any]]:
            def take(said: Any) -> dict[str, Any]:
                scale = said.get("scale") if isinstance(said, dict) else None
                unit = scale.get("unit", "") if isinstance(scale, dict) else ""
                celsius = degrees(said.get("value"), str(unit)) if isinstance(said, dict) else None
                return {} if celsius is None else {_SET_POINTS[key]: self._as_wanted(key, celsius)}

            return take

        def mode(cc: int) -> Callable[[Any], dict[str, Any]]:
            return lambda said: _meant(cc, said.get("mode")) if isinstance(said, dict) else {}

        asked: list[tuple[int, str, tuple[Any, ...], Callable[[Any], dict[str, Any]]]] = []
        asked += [
            (cc, "get", (), mode(cc)) for cc in (CC.THERMOSTAT_MODE, CC.FAN_MODE) if node.has(cc, "mode")
        ]
        asked += [
            (CC.SETPOINT, "get", (key,), set_point(key))
            for key in _SET_POINTS
            if node.has(CC.SETPOINT, "setpoint", key)
        ]
        asked += [
            (cc, "get", (), lambda said, cc=cc: _meant(cc, said))  # type: ignore[misc]
            for cc in (CC.OPERATING_STATE, CC.FAN_STATE)
            if node.has(cc, "state")
        ]
        if node.has(CC.SENSOR, "Air temperature"):
            asked.append((CC.SENSOR, "get", (), _answered_temperature))
        if node.has(CC.BATTERY, "level"):
            asked.append((CC.BATTERY, "get", (), _answered_battery))
        return asked


_SETTINGS = frozenset({_MODE, _FAN, HEATING, COOLING})


def capabilities_of(node: Node) -> frozenset[str]:
    """What a thermostat can do; nothing if the node is none."""
    if not node.has(CC.THERMOSTAT_MODE, "mode"):
        return frozenset()
    return frozenset({"thermostat", "battery"} if node.has(CC.BATTERY, "level") else {"thermostat"})


def details_of(node: Node) -> dict[str, Any]:
    """What a thermostat can be set to, as it says."""
    limits: dict[str, Any] = {}
    for key, name in _SET_POINTS.items():
        described = node.description(CC.SETPOINT, "setpoint", key)
        for word in ("min", "max"):
            celsius = degrees(described.get(word), _unit(node, CC.SETPOINT, "setpoint", key))
            if celsius is not None:
                limits[f"{word}_{name}"] = round(celsius, 2)
    modes = _offered(node, CC.THERMOSTAT_MODE, _MODES)
    points = {_SET_POINTS[key] for key in node.keys(CC.SETPOINT, "setpoint") if key in _SET_POINTS}
    # A mode whose set points it does not have could not be set.
    needs = {"heat": {HEATING}, "cool": {COOLING}, "heat_cool": {HEATING, COOLING}}
    return {
        **limits,
        "available_hvac_mode_settings": [each for each in modes if needs.get(each, set()) <= points],
        "available_fan_mode_settings": _offered(node, CC.FAN_MODE, _FANS),
    }


def _offered(node: Node, cc: int, words: Mapping[int, str]) -> list[str]:
    states = node.description(cc, "mode").get("states")
    return [word for number, word in words.items() if isinstance(states, dict) and str(number) in states]


def _unit(node: Node, cc: int, name: str, key: Any) -> str:
    return str(node.description(cc, name, key).get("unit", ""))


def _meant(cc: int, value: Any) -> dict[str, Any]:
    if not is_number(value):
        return {}
    if cc == CC.THERMOSTAT_MODE:
        return {_MODE: _MODES[value]} if value in _MODES else {}
    if cc == CC.FAN_MODE:
        return {_FAN: _FANS[value]} if value in _FANS else {}
    if cc == CC.OPERATING_STATE:
        return {"is_heating": value in _HEATING, "is_cooling": value in _COOLING}
    if cc == CC.FAN_STATE:
        return {"is_fan_running": value != 0}
    return {}


def _measured(name: str, value: Any, unit: str) -> dict[str, Any]:
    if name == "Air temperature":
        celsius = degrees(value, unit)
        return {} if celsius is None else {"temperature_celsius": round(celsius, 2)}
    if name == "Humidity" and (level := level_of(value)) is not None:
        return {"relative_humidity": level}
    return {}


def _answered_temperature(said: Any) -> dict[str, Any]:
    scale = said.get("scale") if isinstance(said, dict) else None
    unit = scale.get("unit", "") if isinstance(scale, dict) else ""
    return _measured("Air temperature", said.get("value"), str(unit)) if isinstance(said, dict) else {}


def _answered_battery(said: Any) -> dict[str, Any]:
    level = level_of(said.get("level")) if isinstance(said, dict) else None
    return {} if level is None else {"battery_level": level}
