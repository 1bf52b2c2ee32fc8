"""A capability that is commanded only while whoever commands it may.

That a command may be sent is on record before it is sent. A process that was stopped just between the two
may wake when its devices are another's long since. So its right is looked at once more, at each verb.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from thumbturn.engine.tenure import Tenure


class Owned:
    """Whatever a driver offers, for as long as a tenure lasts.

    Past that each verb ends the task that speaks it as if that were cancelled: nothing is to be told of it.
    """

    __slots__ = ("_capability", "_tenure")

    def __init__(self, capability: Any, tenure: Tenure) -> None:
        self._capability = capability
        self._tenure = tenure

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._capability, name)
        return self._while_owned(verb) if callable(verb) else verb

    def _while_owned(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        def speak(*given: Any, **named: Any) -> Any:
            if not self._tenure.holds():
                self._tenure.end()
                raise asyncio.CancelledError
            return verb(*given, **named)

        return speak
