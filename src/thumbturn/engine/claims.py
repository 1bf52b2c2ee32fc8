"""Takes what this process should own, keeps it while it lives, and gives back what others lack.

Each round says that the process is alive, hears of the others (``neighbours.py``), and renews every
tenure whose lease is still its own. A tenure that was not renewed in time ends by itself (``tenure.py``),
earlier than others take it for dead. Whatever is owned has one task, from the taking to the end: so it
is begun, stopped and given back in this order, and taken again only after that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Protocol

import structlog

from thumbturn.domain.clock import MILLISECOND, SECOND, Clock
from thumbturn.domain.errors import Refusal
from thumbturn.engine.lease_ports import Fence, Kind, LeaseStore, Process, Roll
from thumbturn.engine.neighbours import Neighbours
from thumbturn.engine.supervised import supervised
from thumbturn.engine.tenure import Tenure

log = structlog.get_logger(__name__)

#: Rounds in the time that a lease lasts: so often it may fail to be renewed, less one.
ROUNDS_IN_LEASE = 5
#: µs between two looks whether a tenure has run out.
LOOK = 100 * MILLISECOND
#: µs after which one that is dead is on record no more.
FORGOTTEN_AFTER = 600 * SECOND
#: µs for which one who could not begin with a cell leaves it to others.
LEFT_ALONE = 5 * SECOND
#: µs that one who stops waits for the record of it.
STOPS_WITHIN = 2 * SECOND


class Owning(Protocol):
    """What is done with something of one kind as long as it is owned."""

    async def begin(self, tenure: Tenure) -> None:
        """It was taken. What this raises ends it: ``end`` is called and it is given back."""

    async def end(self, tenure: Tenure) -> None:
        """Stop whatever was begun. If the tenure still holds, there is time for it: it is given back when
        this returns. If not, somebody else may act already.
        """


class _Hold:
    """Something that is owned, from the taking to the end."""

    __slots__ = ("has_begun", "is_settled", "leaves", "tenure")

    def __init__(self, tenure: Tenure) -> None:
        self.tenure = tenure
        #: Set once it shall be given back, or is lost.
        self.leaves = asyncio.Event()
        self.has_begun = False
        #: Set once it was begun, or could not be.
        self.is_settled = asyncio.Event()
        tenure.on_end(self.leaves.set)


class Claims:
    """What this process owns."""

    def __init__(
        self,
        *,
        store: LeaseStore,
        process: Process,
        kinds: Mapping[Kind, int],
        owning: Mapping[Kind, Owning],
        clock: Clock,
        uptime: Callable[[], int],
    ) -> None:
        """``kinds`` says how many cells there are of each kind, ``owning`` what is done with those of which
        the process may own some. A tenure lasts as long as the process says, by ``uptime``, unless it is
        renewed.
        """
        self._store = store
        self._process = process
        self._kinds = kinds
        self._owning = owning
        self._round = process.lease // ROUNDS_IN_LEASE
        self._clock = clock
        self._uptime = uptime
        #: Who else there is.
        self.neighbours = Neighbours(process.id)
        self._held: dict[Kind, dict[int, _Hold]] = {kind: {} for kind in owning}
        self._owners: set[asyncio.Task[None]] = set()
        #: Until when what could not be begun here is left to others.
        self._spared: dict[tuple[Kind, int], int] = {}
        self._loops: list[asyncio.Task[None]] = []
        #: False while the database does not take the word that this process lives.
        self.is_heard = True
        self._is_stopping = False

    def mine(self, kind: Kind) -> frozenset[int]:
        """The cells with which it was begun and that may be acted for now."""
        held = self._held.get(kind, {})
        return frozenset(cell for cell, hold in held.items() if hold.has_begun and hold.tenure.holds())

    def tenure(self, kind: Kind, cell: int) -> Tenure | None:
        """The right to act for a cell; ``None`` if it is not owned here."""
        hold = self._held.get(kind, {}).get(cell)
        return None if hold is None else hold.tenure

    async def start(self, predecessor: str | None = None) -> None:
        """Take what is free, and go on from there. Returns when it was begun with what was taken first.

        ``predecessor`` is a process that has ended for certain. Raises ``StorageUnavailable``.
        """
        await self._store.enlist(self._process, self._kinds, self._clock.now(), predecessor)
        await self.round()
        # Before it was begun with everything: that may take longer than a lease lasts.
        loop = asyncio.get_running_loop()
        self._loops = [loop.create_task(self._rounds()), loop.create_task(self._looks())]
        for hold in self._all():
            await hold.is_settled.wait()

    async def stop(self) -> None:
        """Give back everything, and leave."""
        self._is_stopping = True
        for task in self._loops[:1]:
            task.cancel()
        for hold in self._all():
            hold.leaves.set()
        # Until the last of them, nobody may take this process for dead.
        beating = asyncio.get_running_loop().create_task(self._beat_on())
        await asyncio.gather(*self._owners, return_exceptions=True)
        for task in (*self._loops, beating):
            task.cancel()
        await asyncio.gather(*self._loops, beating, return_exceptions=True)
        retiring = asyncio.ensure_future(self._store.retire([self._process.id]))
        if not await self._clock.wait(retiring, STOPS_WITHIN) or retiring.exception() is not None:
            log.warning("left_without_a_word", because="the database cannot be reached")

    async def round(self) -> None:
        """Live on, and take and give what is due. Raises ``StorageUnavailable``."""
        until = await self._renew()
        at = self._uptime()
        for kind in self._owning:
            held = self._held[kind]
            leaving = [cell for cell, hold in held.items() if hold.leaves.is_set()]
            plan = self.neighbours.plan(kind, held.keys(), leaving)
            for cell in plan.give:
                held[cell].leaves.set()
            for lease in plan.drop:
                await self._store.give_back(Fence(kind, lease.cell, lease.epoch))
            free = [each for each in plan.take if self._spared.get((kind, each.cell), 0) <= at]
            if free and plan.most and not self._is_stopping:
                for lease in await self._store.take(self._process.id, free, plan.most):
                    self._hold(Tenure(Fence(kind, lease.cell, lease.epoch), until, self._uptime))
        forgotten = self.neighbours.dead_for(FORGOTTEN_AFTER, at)
        if forgotten:
            await self._store.retire(forgotten)

    async def _renew(self) -> int:
        """Say that it lives; until when its tenures last then."""
        asked = self._uptime()
        roll = await self._store.beat(self._process, self._clock.now())
        self._end_those_that_ran_out()  # also if this answer took too long
        until = asked + self._process.lease
        self.neighbours.see(roll, self._uptime())
        self._compare(roll, until)
        return until

    def _compare(self, roll: Roll, until: int) -> None:
        on_record = {(each.kind, each.cell): each for each in roll.leases}
        for hold in self._all():
            kind, cell, epoch = hold.tenure.fence
            lease = on_record.get((kind, cell))
            if lease and (lease.owner, lease.epoch) == (self._process.id, epoch):
                hold.tenure.renew(until)
            else:
                hold.tenure.end()

    def _end_those_that_ran_out(self) -> None:
        for hold in self._all():
            if not hold.tenure.holds():
                hold.tenure.end()

    def _all(self) -> list[_Hold]:
        return [hold for held in self._held.values() for hold in held.values()]

    # what is owned ------------------------------------------------------------------------------

    def _hold(self, tenure: Tenure) -> None:
        hold = self._held[tenure.fence.kind][tenure.fence.cell] = _Hold(tenure)
        task = asyncio.get_running_loop().create_task(self._own(hold))
        self._owners.add(task)
        task.add_done_callback(self._owners.discard)

    async def _own(self, hold: _Hold) -> None:
        tenure = hold.tenure
        kind, cell, epoch = tenure.fence
        owning = self._owning[kind]
        with supervised("cell_could_not_be_begun", kind=kind, cell=str(cell)) as beginning:
            await owning.begin(tenure)
            hold.has_begun = True
            log.info("cell_taken", kind=kind, cell=cell, epoch=epoch)
        hold.is_settled.set()
        if beginning.failed:
            self._spared[kind, cell] = self._uptime() + LEFT_ALONE
        else:
            await hold.leaves.wait()
        hold.has_begun = False
        with supervised("cell_could_not_be_ended", kind=kind, cell=str(cell)):
            await owning.end(tenure)
        log.info("cell_left", kind=kind, cell=cell, epoch=epoch, in_time=tenure.holds())
        if tenure.holds():
            with suppress(Refusal):  # it runs out instead
                await self._store.give_back(tenure.fence)
        tenure.end()
        del self._held[kind][cell]

    # by itself ----------------------------------------------------------------------------------

    async def _rounds(self) -> None:
        while True:
            await self._clock.sleep(self._round)
            with supervised("round_of_claims_failed"):
                await self._if_heard(self.round())

    async def _beat_on(self) -> None:
        while True:
            with supervised("round_of_claims_failed"):
                await self._if_heard(self._renew())
            await self._clock.sleep(self._round)

    async def _if_heard(self, asked: Awaitable[object]) -> None:
        """Wait for something that asks the database; say when it does not answer, and when it does again."""
        try:
            await asked
        except Refusal as refusal:
            if self.is_heard:
                log.warning("others_cannot_be_heard_of", because=refusal.message)
            self.is_heard = False
        else:
            if not self.is_heard:
                log.info("others_are_heard_of_again")
            self.is_heard = True

    async def _looks(self) -> None:
        while True:
            await self._clock.sleep(LOOK)
            self._end_those_that_ran_out()
