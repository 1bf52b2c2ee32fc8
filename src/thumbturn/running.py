"""What runs behind the API: one cell for the whole database, or those that this process owns of many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from thumbturn.api.desk import Application, Desk
from thumbturn.api.forwarding import Forwarding
from thumbturn.api.surroundings import Others
from thumbturn.cell_making import CellMaker
from thumbturn.domain.clock import MILLISECOND, Clock, seconds, uptime
from thumbturn.domain.ids import new_id
from thumbturn.engine.cells import Cells, OneCell
from thumbturn.engine.elsewhere import Elsewhere
from thumbturn.engine.forgetting import Forgetting
from thumbturn.engine.in_bites import InBites
from thumbturn.engine.lease_ports import ROLES, Process
from thumbturn.engine.notices import About
from thumbturn.engine.owned_cells import OwnedCells
from thumbturn.engine.showing import Showing
from thumbturn.engine.supervised import supervised
from thumbturn.engine.sweeping import Sweeping
from thumbturn.engine.webhooks import Webhooks
from thumbturn.process_name import succeed
from thumbturn.sealing import Seal
from thumbturn.settings import Settings
from thumbturn.storage.correspondence import Correspondence
from thumbturn.storage.databases import parse_url, sqlite_file
from thumbturn.storage.leases import SqlLeases
from thumbturn.storage.store import SqlStore
from thumbturn.upkeep.chosen import listening_url_of, url_of
from thumbturn.webhooks.by_cell import DeliveriesOfCells
from thumbturn.webhooks.open import (
    DELIVERIES_MAY_TAKE,
    Delivery,
    open_webhooks,
    open_webhooks_of_cells,
)
from thumbturn.worlds.fake_seam_connect.facts import NAME as FAKE

#: Makes what forgets what is over, with the store that forgets it.
MakeSweeps = Callable[[SqlStore], Sequence[InBites]]
#: Seconds; together with what requests take under the promised 5 s from SIGTERM to exit.
ATTEMPTS_MAY_TAKE = 1.5
CALLS_MAY_TAKE = 1.0


class NotShared(Exception):
    """A process was to do a part only, of a database that no other process can share."""


def is_shared(settings: Settings) -> bool:
    """True if other processes may work on the same database. Raises ``NotShared``."""
    is_shared = settings.world != FAKE and sqlite_file(parse_url(url_of(settings))) is None
    if not is_shared and settings.chosen_roles != ROLES:
        raise NotShared(
            f"With the roles {settings.roles} there must be other processes on the same database. An SQLite "
            f"file and the world {FAKE} are one process's alone: leave out --roles, or set a postgresql:// "
            "URL."
        )
    if settings.database_pooled and settings.chosen_roles != {"api"}:
        raise NotShared(
            "Behind a transaction pooler a process can only answer callers: say --roles api, or give one "
            "that owns devices or webhooks the URL of the database itself."
        )
    return is_shared


@dataclass(frozen=True, kw_only=True)
class Running:
    """It runs, until the block that gave it is left."""

    cells: Cells
    webhooks: Webhooks
    others: Others | None
    #: Whether it is for this process to fill an unused database.
    may_begin_world: bool
    #: Answers everybody who waits for the end of an attempt; called when the server will stop.
    dismiss: Callable[[], None]
    #: Has the calls that other processes put down answered by this application, from now on.
    answer_others: Callable[[Application], None]


@asynccontextmanager
async def run_alone(
    store: SqlStore, maker: CellMaker, sweeps: MakeSweeps, delivery: Delivery
) -> AsyncIterator[Running]:
    """Every workspace's engine and webhooks, in this process."""
    cell = maker.alone()
    loops = sweeps(store)
    await cell.engine.start()
    try:
        for loop in loops:
            loop.start()
        async with open_webhooks(store, delivery) as webhooks:
            yield Running(
                cells=OneCell(cell, new_id()),
                webhooks=webhooks,
                others=None,
                may_begin_world=True,
                dismiss=cell.engine.begun.dismiss_waiting,
                answer_others=_nobody,
            )
    finally:
        await cell.engine.stop(ATTEMPTS_MAY_TAKE)
        for loop in loops:
            await loop.stop()


@asynccontextmanager
async def run_among_others(
    settings: Settings,
    store: SqlStore,
    maker: CellMaker,
    sweeps: MakeSweeps,
    delivery: Delivery,
    *,
    seal: Seal,
    clock: Clock,
) -> AsyncIterator[Running]:
    """What this process owns of the cells of a PostgreSQL database, and its way to the others."""
    url = url_of(settings)
    process = Process(new_id(), settings.chosen_roles, seconds(settings.lease_seconds))
    predecessor = succeed(settings.data, process.id)
    async with AsyncExitStack() as ends:
        leases = SqlLeases(url)
        ends.push_async_callback(leases.close)
        cells = OwnedCells(
            process=process,
            leases=leases,
            make=maker.make,
            arrived=store.arrived,
            upkeep=Sweeping(lambda tenure: _swept(store.in_cell(tenure), sweeps, clock)),
            meters=maker.meters,
            records=maker.records,
            clock=clock,
            uptime=uptime,
        )
        heard_at = listening_url_of(settings)
        talk = Correspondence(
            url, process.id, listening=heard_at, is_alone=lambda: cells.is_alone, clock=clock
        )
        ends.push_async_callback(talk.close)
        notices = talk.notices
        elsewhere = Elsewhere(store=store, cells=cells, notices=notices, pace=maker.pace, clock=clock)
        showing = Showing(live=elsewhere.live, cells=cells, notices=notices, store=store, clock=clock)
        webhooks, deliveries = await ends.enter_async_context(
            open_webhooks_of_cells(store, delivery, cells.cell_of)
        )
        cells.on_taken("webhooks", partial(_begin_delivering, cells, deliveries, store))
        cells.on_lost("webhooks", partial(deliveries.end, patience=DELIVERIES_MAY_TAKE))
        arriving = _Arriving(cells, clock)
        notices.hear(About.ARRIVALS, arriving.heard)
        store.tell_others(notices)
        talk.start()
        showing.start()
        ends.callback(showing.stop)
        ends.callback(arriving.stop)
        ends.push_async_callback(cells.stop)
        await cells.start(predecessor)

        def dismiss() -> None:
            elsewhere.begun.dismiss_waiting()
            for cell in cells.here():
                cell.engine.begun.dismiss_waiting()

        def answer_others(application: Application) -> None:
            desk = Desk(
                application=application,
                store=talk.calls,
                notices=notices,
                seal=seal,
                cells=cells,
                clock=clock,
            )
            desk.start()
            ends.push_async_callback(desk.stop, CALLS_MAY_TAKE)

        forwarding = Forwarding(store=talk.calls, notices=notices, seal=seal, cells=cells, clock=clock)
        yield Running(
            cells=cells,
            webhooks=webhooks,
            others=Others(forwarding=forwarding, elsewhere=elsewhere, notices=notices),
            may_begin_world=bool(cells.mine("upkeep")),
            dismiss=dismiss,
            answer_others=answer_others,
        )


#: µs between two looks for what others accepted: with several who say so there is something all the time.
LOOKS_APART = 20 * MILLISECOND


class _Arriving:
    """Has taken in what others say they accepted for this process: at once, and then what came meanwhile."""

    def __init__(self, cells: OwnedCells, clock: Clock) -> None:
        self._cells = cells
        self._clock = clock
        self._told: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    def heard(self, words: frozenset[str] | None) -> None:
        """Look for these cells. For ``None``, which is any of them, they are looked for by themselves."""
        self._told |= {int(word) for word in words or ()} & self._cells.mine("engine")
        if self._told and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._look())

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    async def _look(self) -> None:
        while self._told:
            told, self._told = self._told, set()
            with supervised("arrivals_not_looked_for"):
                await self._cells.look_for_arrivals(told)
            await self._clock.sleep(LOOKS_APART)


async def _begin_delivering(
    cells: OwnedCells, deliveries: DeliveriesOfCells, store: SqlStore, cell: int
) -> None:
    tenure = cells.tenure("webhooks", cell)
    if tenure is not None:
        await deliveries.begin(cell, store.in_cell(tenure))


def _swept(store: SqlStore, sweeps: MakeSweeps, clock: Clock) -> list[InBites]:
    # An engine that has its database to itself forgets first answers by itself.
    return [Forgetting(store, clock), *sweeps(store)]


def _nobody(application: Application) -> None:
    """There are no others."""
