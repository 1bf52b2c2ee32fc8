"""A driver whose devices can be recorded: what they are told, what came of it and what they report is told to
whoever records them, and goes its way.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from thumbturn.domain.device import Device, Observation
from thumbturn.domain.errors import Failure
from thumbturn.engine.tape import Tape

C = TypeVar("C")


class Overheard:
    """Whatever driver it is made of, with tapes that run along. Implements ``HubDriver``."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        #: What is recorded now, by device.
        self.tapes: dict[str, Tape] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    async def start(self, observe: Callable[[Observation], None]) -> None:
        """Begin to report."""

        def overheard(seen: Observation) -> None:
            tape = self.tapes.get(seen.device_id)
            if tape is not None:
                tape.observed(seen)
            observe(seen)

        await self._driver.start(overheard)

    def offer(self, device: Device, capability: type[C]) -> C | None:
        """The device's capability, to command it by."""
        offered = self._driver.offer(device, capability)
        tape = self.tapes.get(device.id)
        if offered is None or tape is None:
            return cast("C | None", offered)
        return cast("C", _Told(offered, tape))


class _Told:
    """A capability whose verbs are recorded."""

    def __init__(self, offered: Any, tape: Tape) -> None:
        self._offered = offered
        self._tape = tape

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._offered, name)
        if not inspect.iscoroutinefunction(verb):
            return verb

        async def told(*given: Any, **named: Any) -> Any:
            id = self._tape.commanded(name, (*given, *named.values()))
            try:
                outcome = await verb(*given, **named)
            except Failure as failure:
                self._tape.came(id, failure)
                raise
            self._tape.came(id, outcome)
            return outcome

        return told
