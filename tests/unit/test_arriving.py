"""How often a process looks for what others say they accepted for it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from thumbturn.running import LOOKS_APART, _Arriving
from thumbturn.testing.clock import FakeClock


class Owned:
    """The cells of a process that owns two, and when it looked for which."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.looked: list[tuple[int, set[int]]] = []

    def mine(self, _: str) -> frozenset[int]:
        """Those that it owns."""
        return frozenset((3, 4))

    async def look_for_arrivals(self, cells: Collection[int]) -> None:
        """Note that it looks."""
        self.looked.append((self.clock.now(), set(cells)))
        if len(self.looked) == 1:
            raise OSError("the first look fails")


async def test_it_looks_at_once_and_then_for_all_that_was_said_meanwhile():
    """After a silence it looks at once, for its own cells only; what many say in the next 20 ms is one look,
    also if the one before came to nothing.
    """
    clock = FakeClock()
    owned: Any = Owned(clock)
    arriving = _Arriving(owned, clock)
    began = clock.now()
    arriving.heard(frozenset(("3", "9")))
    await clock.settle()
    assert owned.looked == [(began, {3})]
    for cell in ("3", "4", "9"):
        arriving.heard(frozenset((cell,)))
        await clock.settle()
    arriving.heard(None)
    await clock.advance(LOOKS_APART)
    assert owned.looked[1:] == [(began + LOOKS_APART, {3, 4})]
    await clock.advance(10 * LOOKS_APART)
    assert len(owned.looked) == 2
    arriving.stop()
