"""One of several processes on the same record: it owns the cell of the workspace, or does not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from tests.simulation.scenario import Trouble
from tests.simulation.seams import READS, Disk, Radio
from tests.simulation.server import ASKER, PINS, SEAL, WORKSPACE, Server, known_actions
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import SECOND
from thumbturn.domain.errors import Refusal
from thumbturn.domain.idempotency import KeyTaken
from thumbturn.domain.refusals import Fenced, StorageUnavailable
from thumbturn.engine.acceptance import Timing
from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.cell_engines import Engines, Listeners
from thumbturn.engine.cells import Cell, Cells
from thumbturn.engine.claims import Claims
from thumbturn.engine.elsewhere import Elsewhere
from thumbturn.engine.engine import Engine
from thumbturn.engine.everywhere import Everywhere
from thumbturn.engine.lease_ports import LeaseStore, Process
from thumbturn.engine.notices import Silence
from thumbturn.engine.tenure import Tenure

if TYPE_CHECKING:
    from tests.simulation.several import Several

#: How long a lease lasts.
LEASE = 6 * SECOND
#: Between two looks for what the others accepted.
LOOK_EVERY = 1.0
CELL = 0


class Member(Server):
    """One life of a process. To whatever passes its seams it is the ``Life`` that it passes in."""

    universe: Several

    def __init__(self, universe: Several, slot: int, life: int, predecessor: str | None) -> None:
        super().__init__(universe)
        self.slot = slot
        self.name = f"process {life}"
        self.is_dead = False
        #: It gets no time of the processor until then, seconds.
        self.paused_until = 0.0
        self._life = life
        self._drivers: list[Radio] = []
        self._predecessor = predecessor

    # what passes its seams ------------------------------------------------------------------------

    def passes(self, seam: str) -> Trouble | None:
        """What goes wrong here and now."""
        return self.universe.passes(seam)

    def stand_still(self, seconds: float) -> None:
        """It gets no turn until so much later, as by SIGSTOP."""
        self.paused_until = asyncio.get_running_loop().time() + seconds
        self.note("paused", name=self.name, until=self.paused_until)

    def note(self, what: str, **how: Any) -> None:
        """Put it into the history, while it lives."""
        if not self.is_dead:
            self.universe.lives = self._life
            self.universe.note(what, **how)

    def on_record(self, attempt: Attempt) -> Mapping[str, Any]:
        """How an attempt stands, and whether this process may do anything for it."""
        owner = self.universe.leases.owner_of("engine", CELL)
        return {**self.universe.on_record(attempt), "is_owner": owner == self.name}

    # its life -------------------------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        """The engine, while the cell is owned here. Raises ``Fenced``."""
        cell = self.engines.of(CELL)
        if cell is None:
            raise Fenced
        return cell.engine

    @engine.setter
    def engine(self, _: Engine) -> None:
        """It comes and goes with the cell."""

    async def live(self) -> float | None:
        """Own what it should until it is stopped; for how many seconds it shall be down then."""
        self._over = asyncio.get_running_loop().create_future()
        self.note("start")
        self.store = Disk(self.universe.model, self)
        self.engines = Engines(self._make, Listeners())
        cells = cast("Cells", _TheCell())
        self._elsewhere = Elsewhere(
            store=self.store, cells=cells, notices=Silence(), pace=None, clock=self.clock
        )
        self.claims = Claims(
            store=cast("LeaseStore", _Leases(self.universe.leases, self)),
            process=Process(self.name, frozenset(("api", "engine")), LEASE),
            kinds={"engine": 1},
            owning={"engine": self.engines},
            clock=self.clock,
            uptime=lambda: round(asyncio.get_running_loop().time() * SECOND),
        )
        while True:
            try:
                await self.claims.start(self._predecessor)
                break
            except Refusal:
                await asyncio.sleep(LOOK_EVERY)
        self._looking = asyncio.get_running_loop().create_task(self._look_for_arrivals())
        self.note("ready")
        for how in list(self.universe.unanswered.values()):
            self.call("command", **how)
        return await self._over

    def call(self, what: str, **how: Any) -> None:
        """Somebody asks this process for something."""
        self._call(getattr(self, f"_{what}"), **how)

    def _make(self, tenure: Tenure) -> Cell:
        self.note("taken", epoch=tenure.fence.epoch)
        store: Any = _Guarded(self.universe.model, self, self.store._writer, tenure)
        self.driver = Radio(self, self.clock, self.universe.scenario.seed, self.universe.journal, PINS)
        self._drivers.append(self.driver)
        engine = Engine(
            store=store,
            drivers={"virtual": self.driver},
            world=self.driver,
            actions=known_actions(),
            clock=self.clock,
            pins=PINS,
            credentials=AcsCredentials(store.access, SEAL, PINS, self.clock),
            seal=SEAL,
            tenure=tenure,
        )
        engine.begun.take_arrivals = partial(self.engines.take_arrivals, (CELL,))
        parts: Any = dict.fromkeys(("acs_users", "acs_credentials", "connect_webviews"))
        return Cell(number=CELL, engine=engine, **parts)

    async def _look_for_arrivals(self) -> None:
        while True:
            with suppress(Refusal):
                await self.engines.take_arrivals(await self.store.arrived())
            await asyncio.sleep(LOOK_EVERY)

    async def _stop(self, down: int) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            self._looking.cancel()
            await self.claims.stop()
            self._over.set_result(down / SECOND)

    def let_go(self) -> None:
        """What the system does for a process that has ended: close its files."""
        for driver in self._drivers:
            driver._world.journal.close()

    # what somebody asks of it ---------------------------------------------------------------------

    async def _begin(self, name: str, key: str | None, how: dict[str, Any]) -> str:
        action = known_actions()[how["type"]]
        ask = action.ask.model_validate({"device_id": self._doors[how["door"]], **how["ask"]})
        cell = self.engines.of(CELL)
        here = self._elsewhere if cell is None else Everywhere(cell.engine, self._elsewhere, self.clock)
        try:
            attempt = await here.begin(
                action,
                ask,
                WORKSPACE,
                ASKER._replace(request_id=name),
                timing=Timing(how["not_before"], how["deadline"]),
                keep=None if key is None else lambda new: self._first_answer(key, new.id),
            )
        except KeyTaken:
            first = await self.store.first_answer(key, self.clock.now())
            return str(first.attempt_id)
        return attempt.id

    async def _heal_all(self) -> None:
        """Everything is sound from now on."""
        await self.engine.sandbox.clear_faults(WORKSPACE)
        for door in self._doors:
            await self.engine.sandbox.connect(WORKSPACE, door)
        self.note("healed")


class _TheCell:
    """What whoever accepts for others asks of ``Cells``: there is one."""

    def cell_of(self, _: str) -> int:
        return CELL


class _Guarded(Disk):
    """The store of an engine that acts for a cell: what it writes is refused once its lease is another's."""

    def __init__(self, memory: Any, life: Any, writer: Any, tenure: Tenure) -> None:
        super().__init__(memory, life, writer)
        self._tenure = tenure

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._memory, name)
        if not callable(found):
            part = _Guarded(found, self._life, self._writer, self._tenure)
            return part if name in _PARTS else found
        if name in READS or name in {"writing", "on_events"}:
            return super().__getattr__(name)
        return partial(self._submit, name, found)

    def _submit(self, name: str, write: Any, *args: Any, **how: Any) -> Any:
        self._tenure.require()
        leases = self._life.universe.leases

        async def guarded() -> Any:
            if not leases.stands(self._tenure.fence):
                raise Fenced
            return await write(*args, **how)

        return self._writer.submit(name, guarded)


_PARTS = frozenset({"accounts", "schedules", "access_codes", "access", "webhooks", "secrets", "spaces"})


class _Leases:
    """The record of leases, behind the same wires as the rest."""

    def __init__(self, leases: Any, life: Member) -> None:
        self._leases = leases
        self._life = life

    def __getattr__(self, name: str) -> Any:
        return partial(self._ask, getattr(self._leases, name))

    async def _ask(self, ask: Any, *args: Any) -> Any:
        trouble = self._life.passes("lease")
        kind = trouble.kind if trouble else ""
        await asyncio.sleep(0.001 + (trouble.time / SECOND if trouble and kind == "slow" else 0))
        if self._life.is_dead:
            await asyncio.get_running_loop().create_future()
        if kind == "refused":
            raise StorageUnavailable
        answer = await ask(*args)
        if kind == "answer lost":
            raise StorageUnavailable
        return answer
