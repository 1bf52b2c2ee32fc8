"""The virtual noise sensor, and how loud it is where it hangs.

It judges the noise by the thresholds that it holds, by itself: when the noise changes, when a threshold is
put or deleted, and when one begins or ceases to be in force.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from thumbturn.domain.clock import MILLISECOND, seconds
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.noise import BREACHED, LEVEL, THRESHOLDS, breached, next_turn
from thumbturn.drivers.virtual.faults import Fault
from thumbturn.drivers.virtual.link import Link
from thumbturn.drivers.virtual.things import NOTHING, Obedient, Order
from thumbturn.drivers.virtual.world import World

#: How long a burst of noise lasts.
BURST = seconds(10)
#: dB. How loud it is where nobody makes a noise.
QUIET = 35.0
#: What the sensor says without being told anything.
_SENSED = (LEVEL, BREACHED)


class VirtualNoiseSensor(Obedient):
    """Implements ``NoiseSensor`` of ``domain.capabilities.noise_sensor``."""

    def __init__(self, device: Device, link: Link, world: World) -> None:
        super().__init__(link, world)
        facts = world.journal.facts(device.id)
        self._believed = device.state
        #: How loud it is when no burst is on, dB.
        self._lasting: float = facts.get("decibels", device.state.get(LEVEL, QUIET))
        self._is = {
            THRESHOLDS: facts.get(THRESHOLDS, device.state.get(THRESHOLDS) or {}),
            LEVEL: self._lasting,
        }
        #: When it is quiet again, and when a threshold begins or ceases to be in force.
        self._burst: asyncio.Task[None] | None = None
        self._timer: asyncio.Task[None] | None = None
        self._listen()

    # what it can be told ------------------------------------------------------------------------

    async def put_threshold(self, threshold_id: str, threshold: Mapping[str, Any]) -> Evidence:
        """Hold this threshold, in the place of any under this id."""
        return await self._hold("put_threshold", {**self._is[THRESHOLDS], threshold_id: dict(threshold)})

    async def delete_threshold(self, threshold_id: str) -> Evidence:
        """Hold this threshold no more."""
        left = {id: each for id, each in self._is[THRESHOLDS].items() if id != threshold_id}
        return await self._hold("delete_threshold", left)

    async def read_thresholds(self) -> Observation | None:
        """What it holds and hears, as it says; ``None`` if it does not answer."""
        self._listen()
        said = "The sensor answered when it was asked."
        return self._answer(THRESHOLDS, *_SENSED, method="remote", said=said)

    # what happens to it -------------------------------------------------------------------------

    def make_noise(self, decibels: float) -> None:
        """From now on it is this loud."""
        self._lasting = decibels
        self._world.journal.record(
            self._world.clock.now(), self._link.device_id, "noise", {"decibels": decibels}
        )
        self._end_burst()

    def burst(self, decibels: float) -> None:
        """For some seconds it is this loud, if it is not louder."""
        if self._burst is not None:
            self._burst.cancel()
        self._is[LEVEL] = max(self._is[LEVEL], decibels)
        self._report()
        self._burst = self._world.later(BURST, self._end_burst)

    def wake(self) -> None:
        """Report what is not as the server believes, and listen on."""
        self._listen()
        changes = {name: value for name, value in self._is.items() if self._believed.get(name) != value}
        if changes:
            self._link.report(changes, said="Found so at start.")
        self._set_timer()

    def still(self) -> None:
        """Do nothing more by itself."""
        for task in (self._work, self._burst, self._timer):
            if task is not None:
                task.cancel()

    # inside -------------------------------------------------------------------------------------

    async def _hold(self, did: str, thresholds: Mapping[str, Any]) -> Evidence:
        return await self._obey(
            Order(did, {THRESHOLDS: thresholds}, "remote", said="The thresholds are set.")
        )

    def _begin(self, order: Order, fault: Fault) -> None:
        now = self._world.clock.now()
        so = order.becomes if self._acts(fault) else NOTHING
        name = None if fault.is_sound else fault.name
        self._world.journal.record(now, self._link.device_id, order.did, so, name)
        if fault.milliseconds:
            takes = fault.milliseconds * MILLISECOND
            self._work = self._world.later(takes, partial(self._end, order, fault, so))
        else:
            self._end(order, fault, so)

    def _end(self, order: Order, fault: Fault, so: Mapping[str, Any]) -> None:
        self._is |= so
        if fault.dies:
            self._link.cut()
        elif fault.lies:
            self._claims = order.becomes
        self._report(order.becomes, method=order.method, said=order.said)

    def _end_burst(self) -> None:
        burst, self._burst = self._burst, None
        if burst is not None and burst is not asyncio.current_task():
            burst.cancel()
        self._is[LEVEL] = self._lasting
        self._report()

    def _report(
        self, changes: Mapping[str, Any] = NOTHING, *, method: str | None = None, said: str = ""
    ) -> None:
        self._listen()
        self._link.report({**changes, **{name: self._is[name] for name in _SENSED}}, method=method, said=said)
        self._set_timer()

    def _listen(self) -> None:
        self._is[BREACHED] = breached(self._is[THRESHOLDS], self._is[LEVEL], self._world.clock.now())

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        now = self._world.clock.now()
        turn = next_turn(self._is[THRESHOLDS], now)
        self._timer = None if turn is None else self._world.later(turn - now, self._turn)

    def _turn(self) -> None:
        self._timer = None  # setting the next one would cancel this very call
        self._report()

    def _tell_everything(self) -> None:
        super()._tell_everything()
        self._listen()
        self._link.report(dict(self._is), said="The sensor can be heard again.")
