"""The right to act for a cell, as far as this process knows by its own clock.

Its lease on record may be another's long before this process hears of it: after a pause, while the
database is away. So the right ends by itself after a while without good news, earlier than anybody else
may take it over, and it never comes back: whoever acted under it stops, and begins anew under the next.
"""

from __future__ import annotations

from collections.abc import Callable

from thumbturn.domain.refusals import Fenced
from thumbturn.engine.lease_ports import Fence


class Tenure:
    """A cell that is ours for now. Used from one event loop."""

    __slots__ = ("_is_over", "_on_end", "_until", "_uptime", "fence")

    def __init__(self, fence: Fence, until: int, uptime: Callable[[], int]) -> None:
        """``until``, µs by ``uptime``, is when it ends unless it is renewed."""
        self.fence = fence
        self._until = until
        self._uptime = uptime
        self._is_over = False
        self._on_end: list[Callable[[], None]] = []

    def holds(self) -> bool:
        """True while what is done under it is done by the only one who may."""
        return not self._is_over and self._uptime() < self._until

    def require(self) -> None:
        """Return if it holds. Raises ``Fenced``."""
        if not self.holds():
            self.end()
            raise Fenced(headers={"Retry-After": "1"})

    def renew(self, until: int) -> None:
        """It goes on until then, if it has not ended yet."""
        if self.holds():
            self._until = until
        else:
            self.end()

    def on_end(self, tell: Callable[[], None]) -> None:
        """Call this once it has ended and somebody noticed; at once if that is so already."""
        if self._is_over:
            tell()
        else:
            self._on_end.append(tell)

    def end(self) -> None:
        """It is over, for good."""
        if self._is_over:
            return
        self._is_over = True
        told, self._on_end = self._on_end, []
        for tell in told:
            tell()
