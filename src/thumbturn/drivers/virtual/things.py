"""What virtual devices have in common: they take an order, and act or misbehave as their fault has it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from thumbturn.domain.clock import MILLISECOND
from thumbturn.domain.device import Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.drivers.virtual.faults import Fault
from thumbturn.drivers.virtual.link import Link
from thumbturn.drivers.virtual.world import World

NOTHING: Mapping[str, Any] = {}


class Order(NamedTuple):
    """Something that a device is to do."""

    #: What the journal calls it.
    did: str
    #: What will be so when it is done.
    becomes: Mapping[str, Any] = NOTHING
    #: Who does it, as in ``Observation.method``.
    method: str | None = None
    #: Why the keypad says no.
    denied: str | None = None
    said: str = ""
    #: Where the code is that was entered, as ``Observation.place``.
    place: str | None = None


class Thing(Protocol):
    """A virtual device that does more than being there."""

    def wake(self) -> None:
        """Report what is not as the server believes, and take up again what it was doing."""

    def still(self) -> None:
        """Stop doing things by itself."""


class Obedient:
    """A device that takes orders. What becomes of one is decided by ``_begin``.

    With no fault that takes time a command never yields to the event loop.
    """

    def __init__(self, link: Link, world: World) -> None:
        self._link = link
        self._world = world
        #: What is physically so.
        self._is: dict[str, Any] = {}
        #: What a lying device says instead of the truth.
        self._claims: Mapping[str, Any] = NOTHING
        #: The command that is being carried out, if that takes time.
        self._work: asyncio.Task[None] | None = None
        link.on_return = self._tell_everything

    def _begin(self, order: Order, fault: Fault) -> None:
        raise NotImplementedError

    async def _obey(self, order: Order) -> Evidence:
        fault = self._link.receive(order.did)
        if not fault.reaches:
            return fault.reply
        self._claims = NOTHING
        self._begin(order, fault)
        if fault.milliseconds:
            await self._world.clock.sleep(fault.milliseconds * MILLISECOND)
        return fault.reply

    def _acts(self, fault: Fault) -> bool:
        """Whether it does what it is told; of a device that dies, chance decides."""
        return fault.acts or (fault.dies and self._link.chance.random() < 0.5)

    def _answer(self, *names: str, method: str | None, said: str) -> Observation | None:
        if not self._link.answers:
            return None
        says = {**self._is, **self._claims}
        return Observation(
            device_id=self._link.device_id,
            at=self._world.clock.now(),
            changes={name: says[name] for name in names if name in says},
            method=method,
            said=said,
        )

    def _tell_everything(self) -> None:
        self._claims = NOTHING
