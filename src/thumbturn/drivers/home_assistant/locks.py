"""Locks of Home Assistant: what they are told, and what of what is said then is worth anything.

Success is a change of the entity to what was asked for, after the command. That Home Assistant has called
the service is no such word, nor is a state that was there before. A lock whose state is assumed nobody hears.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thumbturn.domain.device import Device, Observation
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import OutcomeUnknown
from thumbturn.drivers.home_assistant.bolt import JAMMED, Bolt, Move, position
from thumbturn.drivers.home_assistant.codec import State
from thumbturn.drivers.home_assistant.things import CHECKED_WITHIN, LOOKS_WITHIN, Home, Thing


class HomeAssistantLock(Thing):
    """Implements ``Lock`` of ``domain.capabilities``."""

    def __init__(self, device: Device, home: Home) -> None:
        super().__init__(device, home)
        self._bolt = Bolt(
            locked=device.state.get("locked"),
            tell=self._moved,
            look=lambda: self.refresh(CHECKED_WITHIN),
            user=lambda: self.link.user,
            clock=home.clock,
        )

    async def lock(self) -> Evidence:
        """Throw the bolt."""
        return await self._move("lock", locked=True)

    async def unlock(self) -> Evidence:
        """Withdraw the bolt."""
        return await self._move("unlock", locked=False)

    async def read_bolt(self) -> Observation | None:
        """Where its bolt is, if its entity has changed since it was last commanded; else ``None``.

        An entity that has not changed says what was known before the command. Raises ``OutcomeUnknown`` with
        what Home Assistant answered to the command, if that was that it failed.
        """
        if not await self.link.stands() or not await self.refresh(LOOKS_WITHIN):
            return None
        state = self.state
        if state is None or not state.is_reachable:
            return None
        method = {locked: self._bolt.method(locked=locked) for locked in (True, False)}
        locked = self._bolt.read(state)
        if locked is None:
            self.say_unproven(state)
            if self._bolt.was_there(state):
                word = "locked" if position(state) else "unlocked"
                raise OutcomeUnknown.because(
                    f"To Home Assistant it was {word} before the command, and nothing has changed since."
                )
            return None
        said = "Its integration was made to look, and says where it is now."
        return self.seen({"locked": locked, "jammed": False}, method=method[locked], said=said)

    def found(self, state: State) -> Mapping[str, Any]:
        """Where its bolt is, if that is news: what is as it was may be a memory."""
        locked = self._bolt.read(state)
        if state.value == JAMMED:
            return {"jammed": True}
        return {} if locked is None else {"locked": locked, "jammed": False}

    def hear(self, state: State, said: str) -> None:
        """Take in what its entity has changed to."""
        self._bolt.hear(state, said)

    def forget(self) -> None:
        """Stop whatever it waits for."""
        super().forget()
        self._bolt.forget()

    async def _move(self, service: str, *, locked: bool) -> Evidence:
        await self.be_ready()
        self._bolt.command(locked=locked)
        try:
            answer = await self.serve("lock", service)
        except Failure:
            self._bolt.give_up()
            raise
        self._bolt.answered()
        state = self.state
        is_taken = answer is not None and answer.is_good
        # Nobody will ever hear more of it: whoever took the command is all there is to know.
        return Evidence.RADIO_ACK if is_taken and state is not None and state.is_assumed else Evidence.NONE

    def _moved(self, move: Move) -> None:
        if move.locked is None:
            self.say({"jammed": True}, method=move.method, said=move.said)
        else:
            self.say({"locked": move.locked, "jammed": False}, method=move.method, said=move.said)


def details_of(state: State) -> Mapping[str, Any] | None:
    """What is known of a lock, beside its maker; ``None`` if the entity is no lock, or several."""
    return None if state.domain != "lock" or isinstance(state.attributes.get("entity_id"), list) else {}
