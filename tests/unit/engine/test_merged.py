"""Looks that are asked for while one is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from thumbturn.engine.merged import Merged


class Looks:
    """Something to look at, where each look takes until it is let go on."""

    def __init__(self) -> None:
        self.begun = 0
        self.ends: asyncio.Queue[Exception | None] = asyncio.Queue()
        self.merged = Merged(self._look)

    async def _look(self) -> None:
        self.begun += 1
        if problem := await self.ends.get():
            raise problem

    def ask(self) -> asyncio.Task[None]:
        """Somebody asks for a look."""
        return asyncio.get_running_loop().create_task(self.merged.look())


async def until(found: Callable[[], bool]) -> None:
    """Return when this is so."""
    for _ in range(100):
        if found():
            return
        await asyncio.sleep(0)
    pytest.fail("it never was so")


async def test_who_asks_while_one_is_under_way_shares_the_next():
    """Whoever asks gets a look that begins after he asked, and all who wait for it the same one."""
    looks = Looks()
    first = looks.ask()
    await until(lambda: looks.begun == 1)
    late = [looks.ask() for _ in range(10)]
    await asyncio.sleep(0)
    looks.ends.put_nowait(None)
    await first
    await until(lambda: looks.begun == 2)
    assert not any(each.done() for each in late)
    looks.ends.put_nowait(None)
    await asyncio.gather(*late)
    assert looks.begun == 2


async def test_a_look_goes_on_for_the_others_when_one_gives_up():
    """Who waits no more takes nothing from those who wait for the same look."""
    looks = Looks()
    impatient, patient = looks.ask(), looks.ask()
    await until(lambda: looks.begun == 1)
    impatient.cancel()
    looks.ends.put_nowait(None)
    await patient
    assert impatient.cancelled()
    assert looks.begun == 1


async def test_what_a_look_raises_is_no_end_of_looking():
    """What one look raises comes to those who wait for it, and the next is made all the same."""
    looks = Looks()
    looks.ends.put_nowait(OSError("away"))
    looks.ends.put_nowait(None)
    with pytest.raises(OSError, match="away"):
        await looks.ask()
    await looks.ask()
    assert looks.begun == 2
