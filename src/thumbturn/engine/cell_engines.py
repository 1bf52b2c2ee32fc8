"""The engines of the cells that are owned here: begun with the cell, and given up or stopped with it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection
from functools import partial

from thumbturn.engine.cells import Cell, CellListener
from thumbturn.engine.lease_ports import Kind
from thumbturn.engine.merged import Merged
from thumbturn.engine.supervised import supervised
from thumbturn.engine.tenure import Tenure

#: Seconds that what is in flight may take to end when its cell is given back.
ENDS_WITHIN = 1.5


class Listeners:
    """Who wants to know that cells come and go."""

    def __init__(self) -> None:
        self._by_kind: dict[tuple[Kind, bool], list[CellListener]] = defaultdict(list)

    def add(self, kind: Kind, listener: CellListener, *, taken: bool) -> None:
        """From now on call this when a cell was taken, or was left."""
        self._by_kind[kind, taken].append(listener)

    async def tell(self, kind: Kind, cell: int, *, taken: bool) -> None:
        """Call them, one after the other; what one of them raises is no affair of the others."""
        for listener in self._by_kind[kind, taken]:
            with supervised("cell_listener_failed", kind=kind, cell=str(cell)):
                await listener(cell)

    async def begin(self, kind: Kind, cell: int) -> None:
        """Call those who act for a cell that was taken. Raises what the first of them raises who cannot."""
        for listener in self._by_kind[kind, True]:
            await listener(cell)


class Engines:
    """An engine for each cell that is owned (``Owning`` of ``claims.py``)."""

    def __init__(self, make: Callable[[Tenure], Cell], listeners: Listeners) -> None:
        """``make`` makes what a cell needs, not started yet."""
        self._make = make
        self._listeners = listeners
        self._made: dict[int, tuple[Cell, Tenure]] = {}
        self._arriving: dict[int, Merged] = {}
        #: Those whose engine has begun.
        self.begun: dict[int, Cell] = {}

    def of(self, number: int) -> Cell | None:
        """The cell, if it may be acted for now."""
        cell = self.begun.get(number)
        return cell if cell is not None and self._made[number][1].holds() else None

    async def begin(self, tenure: Tenure) -> None:
        number = tenure.fence.cell
        cell = self._make(tenure)
        self._made[number] = cell, tenure
        cell.engine.begun.take_arrivals = partial(self.take_arrivals, (number,))
        await cell.engine.start()
        tenure.require()
        self.begun[number] = cell
        await self._listeners.tell("engine", number, taken=True)
        await self.take_arrivals((number,))

    async def end(self, tenure: Tenure) -> None:
        number = tenure.fence.cell
        self.begun.pop(number, None)
        if number not in self._made:
            return
        engine = self._made[number][0].engine
        if tenure.holds():
            await engine.stop(ENDS_WITHIN)
            # What has not ended does so elsewhere, and is to be waited for there.
            engine.begun.dismiss_waiting()
        if not tenure.holds():
            await engine.give_up()
        del self._made[number]
        await self._listeners.tell("engine", number, taken=False)

    async def take_arrivals(self, numbers: Collection[int]) -> None:
        """Run what other processes accepted for these cells, if they are owned here."""
        await asyncio.gather(
            *(self._arriving_in(number).look() for number in numbers if number in self.begun)
        )

    def _arriving_in(self, number: int) -> Merged:
        if number not in self._arriving:
            self._arriving[number] = Merged(partial(self._take, number))
        return self._arriving[number]

    async def _take(self, number: int) -> None:
        if number not in self.begun:
            return
        cell, tenure = self._made[number]
        with supervised("arrivals_not_taken_in", cell=str(number)) as look:
            await cell.engine.take_arrivals(number)
        if look.failed and not look.may_soon_pass:
            # What was taken may be known to nobody then: whoever owns the cell next finds it.
            tenure.end()


class Told:
    """Owning of which nothing comes but that somebody is told."""

    def __init__(self, kind: Kind, listeners: Listeners) -> None:
        self._kind = kind
        self._listeners = listeners

    async def begin(self, tenure: Tenure) -> None:
        # Whoever cannot begin has it given back: it is tried again, here or elsewhere.
        await self._listeners.begin(self._kind, tenure.fence.cell)

    async def end(self, tenure: Tenure) -> None:
        await self._listeners.tell(self._kind, tenure.fence.cell, taken=False)
