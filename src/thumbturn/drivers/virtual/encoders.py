"""The virtual encoder, and the card that lies on it.

Unless it is armed, somebody always presents that card in time. What is written on it stays on it: what was
encoded can be scanned. The next scan or encoding can be armed with another card, or with a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from thumbturn.domain.clock import MILLISECOND
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.encoder import CARD_READ, ON_CARD
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import EncodingInterrupted
from thumbturn.drivers.virtual.faults import Fault
from thumbturn.drivers.virtual.link import Link
from thumbturn.drivers.virtual.things import Obedient, Order
from thumbturn.drivers.virtual.world import World

#: Digits on a card.
_DIGITS = 10


class VirtualEncoder(Obedient):
    """Implements ``Encoder`` of ``domain.capabilities.encoder``."""

    def __init__(self, device: Device, link: Link, world: World) -> None:
        super().__init__(link, world)
        facts = world.journal.facts(device.id)
        number = world.chance(f"{device.id}/card").randrange(10**_DIGITS)
        #: What lies on it.
        self._card: Mapping[str, Any] = facts.get("card") or {"card_number": f"{number:0{_DIGITS}}"}
        #: What comes of the next scan, and of the next encoding, if that is armed.
        self._armed: dict[str, Mapping[str, Any]] = dict(facts.get("armed") or {})

    # what it can be told ------------------------------------------------------------------------

    async def scan(self, order: str) -> Evidence:
        """Read the card that is presented."""
        return await self._obey(Order("scan", {"order": order}, "remote"))

    async def encode(self, order: str, credential: Mapping[str, Any]) -> Evidence:
        """Write this on the card that is presented."""
        becomes = {"order": order, "card": dict(credential)}
        return await self._obey(Order("encode", becomes, "remote"))

    async def read_card(self) -> Observation | None:
        """What it said last, as it says; ``None`` if it does not answer."""
        return self._answer(CARD_READ, method="remote", said="The encoder answered when it was asked.")

    # what happens to it -------------------------------------------------------------------------

    def arm(self, verb: str, outcome: Mapping[str, Any]) -> None:
        """Have this come of the next ``scan`` or ``encode``, in the place of whatever it was armed with."""
        self._armed[verb] = outcome
        self._remember("arm", None)

    def wake(self) -> None:
        """It has nothing to say by itself."""

    def still(self) -> None:
        """Let go of the card that is being read or written."""
        if self._work is not None:
            self._work.cancel()

    # inside -------------------------------------------------------------------------------------

    def _begin(self, order: Order, fault: Fault) -> None:
        said, card = self._outcome(order)
        if self._acts(fault):
            self._card = card
        self._remember(order.did, None if fault.is_sound else fault.name)
        if fault.milliseconds:
            takes = fault.milliseconds * MILLISECOND
            self._work = self._world.later(takes, partial(self._end, fault, said))
        else:
            self._end(fault, said)

    def _end(self, fault: Fault, said: Mapping[str, Any]) -> None:
        self._is[CARD_READ] = said
        if fault.dies:
            self._link.cut()
        self._link.report({CARD_READ: said}, method="remote", said=_sentence(said))

    def _outcome(self, order: Order) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """What it will say, and the card that lies on it then."""
        about = {"order": order.becomes["order"]}
        armed = self._armed.pop(order.did, {})
        written = order.becomes.get("card")
        only_for = armed.get(ON_CARD)
        if only_for is not None and (written or self._card).get(ON_CARD) != only_for:
            self._armed[order.did], armed = armed, {}
        number = {"card_number": self._card["card_number"]}
        if "error" in armed:
            # Taken away while it is written, a card loses what was on it.
            is_lost = armed["error"] == EncodingInterrupted.type
            return {**about, "error": armed["error"]}, number if is_lost else self._card
        card = {**number, **armed["card"]} if "card" in armed else self._card
        if written is not None:
            card = {**number, **written, "encoded_at": self._world.clock.now()}
        return {**about, "card": card}, card

    def _remember(self, did: str, fault: str | None) -> None:
        facts = {"card": self._card, "armed": dict(self._armed)}
        self._world.journal.record(self._world.clock.now(), self._link.device_id, did, facts, fault)


def _sentence(said: Mapping[str, Any]) -> str:
    return "A card was presented." if "card" in said else f"The encoder says: {said['error']}."
