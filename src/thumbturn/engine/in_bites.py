"""What is done beside everything else in small bites, so that nobody waits for it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from thumbturn.domain.clock import Clock, seconds
from thumbturn.engine.supervised import supervised

#: µs that a pause lasts at most, however long a bite took: who always has his hands full must not wait for
#: ever, and the clock may have been set meanwhile.
LONGEST_PAUSE = seconds(2)


class InBites:
    """A loop: one bite after the other while there is more to do, and a look now and then after that."""

    def __init__(self, clock: Clock, *, pause: int, round: int, word: str, rest: int = 0) -> None:
        """``pause`` is between two bites and ``round`` between two looks, µs; a bite that fails is logged
        under ``word``. A pause lasts at least ``rest`` times as long as the bite before it took, but no
        longer than ``LONGEST_PAUSE``: a bite that takes long has a larger share of the time than others.
        """
        self._clock = clock
        self._pause = pause
        self._rest = rest
        self._round = round
        self._word = word
        self._task: asyncio.Task[None] | None = None

    async def bite(self) -> bool:
        """Do a little; true if there may be more."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin to look, at once."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Look no more. What is left is done after the next start."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            is_more, began = False, self._clock.now()
            with supervised(self._word):
                is_more = await self.bite()
            took = self._clock.now() - began
            pause = min(max(self._pause, self._rest * took), LONGEST_PAUSE)
            await self._clock.sleep(pause if is_more else self._round)
