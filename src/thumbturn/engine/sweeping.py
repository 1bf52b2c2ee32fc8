"""What one of many processes does for all of them: it forgets what is over, under a lease of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from thumbturn.engine.in_bites import InBites
from thumbturn.engine.tenure import Tenure


class Sweeping:
    """The loops that forget, for as long as they are this process's (``Owning`` of ``claims.py``)."""

    def __init__(self, make: Callable[[Tenure], Sequence[InBites]]) -> None:
        """``make`` makes them, with a store that writes no longer than the tenure lasts."""
        self._make = make
        self._loops: Sequence[InBites] = ()

    async def begin(self, tenure: Tenure) -> None:
        self._loops = self._make(tenure)
        for loop in self._loops:
            loop.start()

    async def end(self, tenure: Tenure) -> None:
        for loop in self._loops:
            await loop.stop()
        self._loops = ()
