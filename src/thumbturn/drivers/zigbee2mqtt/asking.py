"""Asking a device through its hub: one question at a time, and which answer is to which.

A question goes out under a name of its own, and its answer comes back under it. Nothing else bears that name,
so that what Zigbee2MQTT remembers cannot be taken for an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.ids import new_id
from thumbturn.drivers.zigbee2mqtt.codec import ANSWER, Failed, How, question

#: ms. So long Zigbee2MQTT gives a frame, and then says that it failed; each question has a little more.
_PATIENCE: Final = 10_000
_QUESTIONS_APART: Final = 1_000
ANSWERED_WITHIN: Final = seconds(12)


class Answer(NamedTuple):
    """What the device itself said just now."""

    #: Zigbee's own attributes, by their names.
    attributes: Mapping[str, Any]
    #: The message that it came with: all that is known of the device.
    fields: Mapping[str, Any]


class Asking:
    """The questions to one device. ``publish`` says something to it, as a ``set`` or a ``get``."""

    def __init__(self, publish: Callable[[str, str], Awaitable[None]], clock: Clock) -> None:
        self._publish = publish
        self._clock = clock
        self._turn = asyncio.Lock()
        self._name = ""
        self._number = 0
        self._open: asyncio.Future[Answer | How] | None = None

    @property
    def is_under_way(self) -> bool:
        """True while a question is open, or waits for its turn."""
        return self._turn.locked()

    async def ask(self, cluster: str, attributes: Sequence[str], before: str = "") -> Answer | How:
        """What it answers, or how it came to nothing: ``unanswered`` if nobody knows more.

        ``before`` is a ``get`` that goes out right before it: if that fails, so does the question.
        """
        async with self._turn:
            self._name = f"{ANSWER}{new_id()}"
            self._number = (self._number + 1) % _QUESTIONS_APART
            self._open = answered = asyncio.get_running_loop().create_future()
            try:
                if before:
                    await self._publish(before, "get")
                await self._publish(question(cluster, attributes, self._name, self._patience), "set")
                await self._clock.wait(answered, ANSWERED_WITHIN)
                return answered.result() if answered.done() else "unanswered"
            finally:
                self._open = None

    def said(self, fields: Mapping[str, Any]) -> None:
        """Something was said of the device: perhaps it is the answer."""
        if self._open is None or self._open.done():
            return
        attributes = fields.get(self._name)
        if isinstance(attributes, dict):
            self._open.set_result(Answer(attributes, fields))

    def failed(self, failed: Failed) -> None:
        """A command to the device came to nothing: perhaps it was the question."""
        is_question = failed.key == "read" and failed.patience in {None, self._patience}
        if is_question or (failed.verb, failed.key) == ("get", "pin_code"):
            self.give_up(failed.how)

    @property
    def _patience(self) -> int:
        return _PATIENCE + self._number

    def give_up(self, how: How = "unanswered") -> None:
        """No answer will come any more."""
        if self._open is not None and not self._open.done():
            self._open.set_result(how)
