"""The radio between a virtual device and its hub: what gets through, and what is wrong today."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from random import Random
from typing import Any

from thumbturn.domain.connected_account import ACCOUNT_DISCONNECTED
from thumbturn.domain.device import HUB_DISCONNECTED, UNPAID_SINCE, Device, Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, DeviceOffline, SubscriptionRequired
from thumbturn.drivers.virtual.faults import KINDS, OFFLINE, SLOW, SOUND, Fault
from thumbturn.drivers.virtual.world import World

#: Of ``Device.details``: what its answer to a command is worth, where that is not its own word.
REPLY = "reply"


class Link:
    """One device's connection, with the fault it has, if any.

    A fault is met by commands. It stays in force for what the device says afterwards, until the
    next command comes or the device is healed: so a device that was silent once is also silent when
    it is asked what it did.
    """

    def __init__(self, device: Device, world: World) -> None:
        self.device_id = device.id
        #: Called when the device can speak freely again after it could not.
        self.on_return: Callable[[], None] = _nothing
        self._world = world
        self._believed_online = device.state.get("online")
        facts = world.journal.facts(device.id)
        because = device.state.get("offline_because")
        self._disconnected: bool = facts.get(
            # What a fault cut off is not disconnected, whatever it was believed to be when the server died.
            "disconnected",
            self._believed_online is False and because is None and not facts.get("cut", False),
        )
        #: Its hub lost it, and its account lets nobody in.
        self._hub_lost: bool = facts.get("hub_lost", because == HUB_DISCONNECTED)
        self._locked_out: bool = facts.get("locked_out", because == ACCOUNT_DISCONNECTED)
        #: Since when its maker wants to be paid first, µs.
        self._unpaid_since: int | None = facts.get(UNPAID_SINCE, device.state.get(UNPAID_SINCE))
        self._removed: bool = facts.get("removed", device.state.get("removed", False))
        #: A fault took it off the air.
        self._cut: bool = facts.get("cut", False)
        self._injected: Fault | None = None
        #: How many commands the injected fault will still meet; ``None`` is all of them.
        self._times: int | None = None
        self._in_force = SOUND
        reply = device.details.get(REPLY)
        #: How it deals with a command while nothing is wrong.
        self._sound = SOUND if reply is None else replace(SOUND, reply=Evidence[str(reply).upper()])

    @cached_property
    def chance(self) -> Random:
        """The device's own luck. Made when first needed: most devices never leave a thing to chance."""
        return self._world.chance(self.device_id)

    @property
    def online(self) -> bool:
        """True while commands can reach it."""
        return not (self._disconnected or self._removed or self._cut or self._hub_lost or self._locked_out)

    @property
    def answers(self) -> bool:
        """True while what it says gets out."""
        return self._in_force.speaks and self.online

    # what commands and reports meet -------------------------------------------------------------

    def receive(self, did: str) -> Fault:
        """How the device deals with the command that comes now; a fault that is counted is spent.

        Raises ``DeviceOffline`` when nothing can reach it and ``CommandRefused`` when it says no.
        """
        fault = self._injected or SOUND
        if fault is OFFLINE:
            self._spend()
            if self._injected is None:
                # Once the command has failed, so that nobody takes the return for its outcome.
                self._world.later(0, self._return)
            raise DeviceOffline
        if not self.online:
            raise DeviceOffline
        if self._unpaid_since is not None:
            raise SubscriptionRequired
        self._spend()
        self._in_force = fault
        if fault.refuses:
            self._world.journal.record(self._world.clock.now(), self.device_id, did, fault=fault.name)
            raise CommandRefused
        return self._sound if fault is SOUND else fault

    def report(
        self,
        changes: Mapping[str, Any],
        *,
        evidence: Evidence = Evidence.STATE_REPORT,
        method: str | None = None,
        denied: str | None = None,
        said: str = "",
        place: str | None = None,
    ) -> None:
        """What the device reports now, if it can be heard."""
        if self.answers:
            self._world.observe(
                Observation(
                    device_id=self.device_id,
                    at=self._world.clock.now(),
                    changes=changes,
                    evidence=evidence,
                    method=method,
                    denied=denied,
                    said=said,
                    place=place,
                )
            )

    def wake(self) -> None:
        """Say whether it is online, if the server believes otherwise."""
        if self.online is not self._believed_online:
            self._say_presence()

    # what a sandbox does to it ------------------------------------------------------------------

    def inject(self, fault: str, times: int | None, milliseconds: int | None) -> None:
        """Put this fault in the place of any other, for so many commands or until healed."""
        self.heal()
        kind = KINDS[fault]
        if kind is SLOW and milliseconds is not None:
            kind = replace(kind, milliseconds=milliseconds)
        self._injected, self._times = kind, times
        if kind is OFFLINE:
            self.cut()

    def heal(self) -> None:
        """Nothing is wrong with it any more; what it could not say, it says now."""
        if self._injected or self._cut or self._in_force is not SOUND:
            self._injected, self._times, self._in_force = None, None, SOUND
            self._return()

    def cut(self) -> None:
        """It drops off the air, until healed or connected."""
        self._cut = True
        self._remember("cut", cut=True)
        self._say_presence()

    def connect(self) -> None:
        """It comes online, whatever kept it off but its account."""
        if self._injected is OFFLINE:
            self._injected = None
        self._disconnected = self._removed = self._cut = self._hub_lost = False
        self._in_force = SOUND
        self._remember("connect", disconnected=False, removed=False, cut=False, hub_lost=False)
        self._say_presence(removed=False)
        self.on_return()

    def disconnect(self) -> None:
        """It goes offline, until connected."""
        self._disconnected = True
        self._remember("disconnect", disconnected=True)
        self._say_presence()

    def lose_hub(self) -> None:
        """Its hub loses it, until it finds it again or the device is connected."""
        self._hub_lost = True
        self._remember("lose_hub", hub_lost=True)
        self._say_presence()

    def find_hub(self) -> None:
        """Its hub has it again."""
        self._hub_lost = False
        self._remember("find_hub", hub_lost=False)
        self._say_presence()
        self.on_return()

    def lock_out(self) -> None:
        """Its account lets nobody in."""
        self._locked_out = True
        self._remember("lock_out", locked_out=True)
        self._say_presence()

    def let_in(self) -> None:
        """Its account lets the server in again."""
        if self._locked_out:
            self._locked_out = False
            self._remember("let_in", locked_out=False)
            self._say_presence()
            self.on_return()

    def owe(self, *, is_unpaid: bool) -> None:
        """Its maker wants to be paid before it takes another command, or was."""
        if is_unpaid is (self._unpaid_since is not None):
            return
        self._unpaid_since = self._world.clock.now() if is_unpaid else None
        facts = {UNPAID_SINCE: self._unpaid_since}
        self._world.journal.record(self._world.clock.now(), self.device_id, "owe", facts)
        self._say(**facts)

    def remove(self) -> None:
        """It is taken out of its account, until connected."""
        self._removed = True
        self._remember("remove", removed=True)
        self._say_presence(removed=True)

    # inside -------------------------------------------------------------------------------------

    def _spend(self) -> None:
        if self._times is not None:
            self._times -= 1
            if self._times <= 0:
                self._injected = self._times = None

    def _return(self) -> None:
        if self._cut:
            self._cut = False
            self._remember("heal", cut=False)
            self._say_presence()
        self.on_return()

    def _remember(self, did: str, **facts: bool) -> None:
        self._world.journal.record(self._world.clock.now(), self.device_id, did, facts)

    def _say_presence(self, **more: bool) -> None:
        because = None
        if self._locked_out:
            because = ACCOUNT_DISCONNECTED
        elif self._hub_lost:
            because = HUB_DISCONNECTED
        self._say(online=self.online, offline_because=because, **more)

    def _say(self, **changes: Any) -> None:
        # The hub says this of the device: the device need not be heard for it.
        self._world.observe(
            Observation(device_id=self.device_id, at=self._world.clock.now(), changes=changes)
        )


def _nothing() -> None:
    """A device that has nothing to catch up on."""
