"""Some things at once, but never two that belong to the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def side_by_side(
    items: Iterable[T],
    do: Callable[[T], Awaitable[None]],
    *,
    belongs_to: Callable[[T], Hashable],
    at_once: int,
) -> None:
    """Do something with each item, so many at once: begun in their order, one of each owner at a time."""

    async def done(item: T) -> None:
        await do(item)

    running: dict[asyncio.Task[None], Hashable] = {}
    async with asyncio.TaskGroup() as tasks:
        for item in items:
            owner = belongs_to(item)
            while len(running) >= at_once or owner in running.values():
                ended, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for each in ended:
                    del running[each]
            running[tasks.create_task(done(item))] = owner
