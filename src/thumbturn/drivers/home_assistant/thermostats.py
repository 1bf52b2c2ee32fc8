"""Thermostats of Home Assistant: what they can be set to, and what they say that they are set to.

Home Assistant has all degrees in its own unit, and rounds them in steps. What an entity has *changed* to is
the thermostat's report; what was there before the command is a memory: ``radio_ack``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thumbturn.domain.climate import COOLING, HEATING, to_celsius
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import NotSupported, OutcomeUnknown
from thumbturn.drivers.home_assistant.codec import State, number_of, words_of
from thumbturn.drivers.home_assistant.proof import Proof
from thumbturn.drivers.home_assistant.things import CHECKED_WITHIN, LOOKS_WITHIN, Home, Thing

_MODE, _FAN = "hvac_mode_setting", "fan_mode_setting"
_MODES, _FANS = ("off", "heat", "cool", "heat_cool"), ("auto", "on", "circulate")
_SETTINGS = (_MODE, HEATING, COOLING, _FAN)
#: Of ``supported_features``: one set point, and two.
_ONE_SET_POINT, _TWO_SET_POINTS = 1, 2
#: By mode, the set points and how Home Assistant calls them.
_ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    "heat": {HEATING: "temperature"},
    "cool": {COOLING: "temperature"},
    "heat_cool": {HEATING: "target_temp_low", COOLING: "target_temp_high"},
}
_COLDEST, _WARMEST = -460.0, 1_000.0


class HomeAssistantThermostat(Thing):
    """Implements ``Thermostat`` of ``domain.capabilities``."""

    def __init__(self, device: Device, home: Home) -> None:
        super().__init__(device, home)
        self._told = {name: device.state.get(name) for name in _SETTINGS}
        #: What it was told last, and how it was before that.
        self._wanted: Mapping[str, Any] = {}
        self._said = ""
        #: By set point, the degrees that were asked for, and those that were sent.
        self._asked: dict[str, tuple[float, float]] = {}
        self._proof = Proof(lambda: self.refresh(CHECKED_WITHIN), self._is_as_wanted, self._arrived)

    async def set_climate(self, setting: Mapping[str, Any]) -> Evidence:
        """Set those of its mode, its two set points and its fan that are named."""
        await self.be_ready()
        orders = self._orders(setting)
        self._wanted = dict(setting)
        self._proof.begin()
        is_taken = True
        for number, (service, data) in enumerate(orders):
            try:
                answer = await self.serve("climate", service, **data)
            except Failure as failure:
                if number == 0:
                    self._give_up()
                    raise
                raise OutcomeUnknown.because(
                    f"It took a part of it, and not the rest: {failure.message}"
                ) from None
            is_taken = is_taken and answer is not None and answer.is_good
        self._proof.answered()
        state = self.state
        return Evidence.RADIO_ACK if is_taken and state is not None and state.is_assumed else Evidence.NONE

    async def read_climate(self) -> Observation | None:
        """What it is set to, if that is as it was last told to be; else ``None``: it may not be known yet."""
        if not await self.link.stands() or not await self.refresh(LOOKS_WITHIN):
            return None
        state = self.state
        if state is None or not state.is_reachable or state.is_assumed:
            return None
        so = self._so(state)
        is_news = any(self._told[name] != so.get(name) for name in self._wanted)
        if not self._wanted or any(so.get(name) != value for name, value in self._wanted.items()):
            self.say_unproven(state)
            return None
        self._give_up()
        self._told |= {name: so[name] for name in _SETTINGS if name in so}
        evidence = Evidence.STATE_REPORT if is_news else Evidence.RADIO_ACK
        said = "Its integration was made to look, and says that it is set so."
        return self.seen(so, evidence, "remote", said)

    def found(self, state: State) -> Mapping[str, Any]:
        """Mode, set points, fan and temperature, as its integration says now."""
        so = self._so(state)
        self._told |= {name: so[name] for name in _SETTINGS if name in so}
        return so

    def hear(self, state: State, said: str) -> None:
        """Take in what its entity has changed to."""
        so = self._so(state)
        news = {name: so[name] for name in _SETTINGS if name in so and so[name] != self._told[name]}
        mine = {name: value for name, value in news.items() if self._is_about(name, value)}
        others = {name: value for name, value in news.items() if name not in mine}
        self._told |= others
        sensed = {name: value for name, value in so.items() if name not in _SETTINGS}
        # Of what is measured nobody is the cause; what is set somebody has set there, or in Home Assistant.
        self.say({**sensed, **others}, method="manual" if others else None, said=said)
        if mine:
            self._said = said
        if mine and self._is_so(so):
            self._proof.seen()

    def forget(self) -> None:
        """Stop whatever it waits for."""
        super().forget()
        self._give_up()

    # inside -------------------------------------------------------------------------------------

    def _give_up(self) -> None:
        self._wanted = {}
        self._proof.give_up()

    def _is_about(self, name: str, value: Any) -> bool:
        return self._proof.is_open and name in self._wanted and self._wanted[name] == value

    def _is_so(self, so: Mapping[str, Any]) -> bool:
        return all(so.get(name) == value for name, value in self._wanted.items())

    def _is_as_wanted(self) -> bool:
        state = self.state
        return (
            state is not None and state.is_reachable and not state.is_assumed and self._is_so(self._so(state))
        )

    def _arrived(self) -> None:
        wanted, self._wanted = self._wanted, {}
        self._told |= wanted
        self.say(wanted, method="remote", said=self._said)

    def _orders(self, setting: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """The services to be called, one by one. Raises ``NotSupported`` for what it does not offer."""
        state = self.state
        if state is None:
            raise NotSupported
        orders: list[tuple[str, dict[str, Any]]] = []
        mode, fan = setting.get(_MODE), setting.get(_FAN)
        if mode is not None:
            if mode not in _modes(state):
                raise NotSupported
            orders.append(("set_hvac_mode", {"hvac_mode": mode}))
        words = _ATTRIBUTES.get(state.value if mode is None else mode, {})
        degrees: dict[str, float] = {}
        for name in (HEATING, COOLING):
            if setting.get(name) is None:
                continue
            if name not in words:
                raise NotSupported
            degrees[words[name]] = self._sent(state, name, setting[name])
        if degrees:
            orders.append(("set_temperature", degrees))
        if fan is not None:
            if fan not in _fans(state):
                raise NotSupported
            orders.append(("set_fan_mode", {"fan_mode": _fans(state)[fan]}))
        return orders

    def _sent(self, state: State, name: str, celsius: float) -> float:
        """The degrees as they are sent: in Home Assistant's unit, in its steps."""
        is_fahrenheit = self.link.house.facts.is_fahrenheit
        step = _step(state, is_fahrenheit=is_fahrenheit)
        sent = round(round((celsius * 1.8 + 32 if is_fahrenheit else celsius) / step) * step, 2)
        self._asked[name] = celsius, to_celsius(sent) if is_fahrenheit else sent
        return sent

    def _so(self, state: State) -> dict[str, Any]:
        """What a state means; of an assumed one nothing is known."""
        if state.is_assumed:
            return {}
        words, is_fahrenheit = state.attributes, self.link.house.facts.is_fahrenheit
        so: dict[str, Any] = {_MODE: state.value if state.value in _MODES else None}
        for name, word in _ATTRIBUTES.get(state.value, {}).items():
            celsius = _celsius(words.get(word), is_fahrenheit=is_fahrenheit)
            if celsius is not None:
                so[name] = self._as_asked(state, name, celsius)
        fan = next((ours for ours, its in _fans(state).items() if its == words.get("fan_mode")), None)
        if fan is not None:
            so[_FAN] = fan
        warm = _celsius(words.get("current_temperature"), is_fahrenheit=is_fahrenheit)
        if warm is not None:
            so["temperature_celsius"] = round(warm, 2)
        damp = number_of(words.get("current_humidity"), 0, 100)
        if damp is not None:
            so["relative_humidity"] = round(damp / 100, 4)
        does = words.get("hvac_action")
        if isinstance(does, str):
            so |= {
                "is_heating": does in {"heating", "preheating"},
                "is_cooling": does == "cooling",
                "is_fan_running": does not in {"off", "idle"},
            }
        return so

    def _as_asked(self, state: State, name: str, celsius: float) -> float:
        """The very degrees that it was told, if they were rounded on the way."""
        asked, sent = self._asked.get(name, (celsius, celsius))
        is_fahrenheit = self.link.house.facts.is_fahrenheit
        step = _step(state, is_fahrenheit=is_fahrenheit) / (1.8 if is_fahrenheit else 1)
        return asked if abs(sent - celsius) <= max(0.06, step / 2) else round(celsius, 2)


def details_of(state: State, *, is_fahrenheit: bool) -> Mapping[str, Any] | None:
    """What a thermostat can be set to; ``None`` if the entity is none, or does not say so now."""
    if state.domain != "climate" or not _modes(state):
        return None
    modes = _modes(state)
    details: dict[str, Any] = {
        "available_hvac_mode_settings": modes,
        "available_fan_mode_settings": list(_fans(state)),
    }
    points = {name for mode in modes for name in _ATTRIBUTES.get(mode, {})}
    for least_or_most in ("min", "max"):
        limit = _celsius(state.attributes.get(f"{least_or_most}_temp"), is_fahrenheit=is_fahrenheit)
        if limit is not None:
            details |= {f"{least_or_most}_{name}": round(limit, 2) for name in sorted(points)}
    return details


def _modes(state: State) -> list[str]:
    """The modes that it offers and that have the set points they go by."""
    features = state.attributes.get("supported_features")
    features = features if isinstance(features, int) else 0
    needs = {"heat": _ONE_SET_POINT, "cool": _ONE_SET_POINT, "heat_cool": _TWO_SET_POINTS}
    offered = words_of(state.attributes.get("hvac_modes"))
    return [
        mode for mode in _MODES if mode in offered and features & needs.get(mode, 0) == needs.get(mode, 0)
    ]


def _fans(state: State) -> dict[str, str]:
    """By our words, those that it has for its fan."""
    offered = words_of(state.attributes.get("fan_modes"))
    return {ours: its for ours in _FANS for its in offered if its.lower() == ours}


def _step(state: State, *, is_fahrenheit: bool) -> float:
    step = number_of(state.attributes.get("target_temp_step"), 0.01, 10)
    # Without a step Home Assistant shows whole degrees Fahrenheit, and tenths of a degree Celsius.
    return step if step is not None else 1.0 if is_fahrenheit else 0.1


def _celsius(value: Any, *, is_fahrenheit: bool) -> float | None:
    degrees = number_of(value, _COLDEST, _WARMEST)
    if degrees is None:
        return None
    return to_celsius(degrees) if is_fahrenheit else degrees
