"""Noise sensors of Home Assistant: entities in dB. They know no thresholds: those are held and judged here.

What is held is on record with the device. While this server is down, or the sensor cannot be heard, nobody
judges.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from thumbturn.domain.device import Device, Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.noise import BREACHED, LEVEL, THRESHOLDS, breached, next_turn
from thumbturn.drivers.home_assistant.codec import State, number_of
from thumbturn.drivers.home_assistant.things import Home, Thing
from thumbturn.engine.hub_words import text_of

#: dB, the most that a noise threshold can be.
_LOUDEST = 200
_UNITS = frozenset({"dB", "dBA", "dB(A)"})


class HomeAssistantNoiseSensor(Thing):
    """Implements ``NoiseSensor`` of ``domain.capabilities.noise_sensor``."""

    def __init__(self, device: Device, home: Home) -> None:
        super().__init__(device, home)
        self._held: Mapping[str, Any] = device.state.get(THRESHOLDS) or {}
        self._level: float | None = None
        self._timer: asyncio.Task[None] | None = None

    async def put_threshold(self, threshold_id: str, threshold: Mapping[str, Any]) -> Evidence:
        """Hold this threshold, in the place of any under this id."""
        return await self._hold({**self._held, threshold_id: dict(threshold)})

    async def delete_threshold(self, threshold_id: str) -> Evidence:
        """Hold this threshold no more."""
        return await self._hold({id: each for id, each in self._held.items() if id != threshold_id})

    async def read_thresholds(self) -> Observation | None:
        """What is held for it, and what it heard last."""
        said = "Its thresholds are held by this server."
        return self.seen({THRESHOLDS: self._held, **self._judged()}, method="remote", said=said)

    def found(self, state: State) -> Mapping[str, Any]:
        """How loud it is, as its integration says now, and what of the thresholds is breached by that."""
        self._listen(state)
        return {THRESHOLDS: self._held, **self._judged()}

    def hear(self, state: State, said: str) -> None:
        """Take in what its entity has changed to."""
        self._listen(state)
        self.say(self._judged(), said=said)

    def forget(self) -> None:
        """Stop whatever it waits for."""
        super().forget()
        self._level = None
        self._stop()

    # inside -------------------------------------------------------------------------------------

    async def _hold(self, thresholds: Mapping[str, Any]) -> Evidence:
        await self.be_ready()
        self._held = thresholds
        self._set_timer()
        said = "This server holds it, and judges what the sensor says by it."
        self.say({THRESHOLDS: thresholds, **self._judged()}, Evidence.DEVICE_ACCEPTED, "remote", said)
        return Evidence.DEVICE_ACCEPTED

    def _listen(self, state: State) -> None:
        self._level = level_of(state)
        self._set_timer()

    def _judged(self) -> dict[str, Any]:
        if self._level is None:
            # It says nothing that could be too loud.
            return {BREACHED: []}
        return {LEVEL: self._level, BREACHED: breached(self._held, self._level, self.clock.now())}

    def _set_timer(self) -> None:
        self._stop()
        now = self.clock.now()
        turn = next_turn(self._held, now)
        if turn is not None:
            self._timer = asyncio.get_running_loop().create_task(self._judge_after(turn - now))

    async def _judge_after(self, time: int) -> None:
        await self.clock.sleep(time)
        self._timer = None  # setting the next one would cancel this very task
        self._set_timer()
        if self.is_online:
            self.say(self._judged(), said="A threshold began or ceased to be in force.")

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def level_of(state: State) -> float | None:
    """How loud it is, dB; ``None`` if it does not say."""
    return number_of(state.value, 0, _LOUDEST)


def details_of(state: State, time_zone: str) -> Mapping[str, Any] | None:
    """What is known of a noise sensor; ``None`` if the entity does not say that it hears dB."""
    if state.domain != "sensor" or text_of(state.attributes.get("unit_of_measurement")) not in _UNITS:
        return None
    return {"time_zone": time_zone} if time_zone else {}
