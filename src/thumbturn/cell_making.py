"""Makes cells: an engine with its drivers, and whatever must know that engine."""

from __future__ import annotations

from pathlib import Path

import typer

from thumbturn import actions
from thumbturn.domain.clock import Clock, seconds
from thumbturn.drivers.virtual.driver import VirtualDriver
from thumbturn.ecosystems import hub_drivers
from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.acs_users import AcsUsers
from thumbturn.engine.cells import Cell
from thumbturn.engine.connect_webviews import ConnectWebviews
from thumbturn.engine.engine import Engine
from thumbturn.engine.meters import AttemptMeters, RecordMeters
from thumbturn.engine.pace import Pace, read_limits
from thumbturn.engine.pins import Pins
from thumbturn.engine.tenure import Tenure
from thumbturn.engine.traces import Traces
from thumbturn.sealing import Seal
from thumbturn.settings import Settings
from thumbturn.storage.store import SqlStore
from thumbturn.upkeep.chosen import journal_of
from thumbturn.worlds.opening import beginnings_of


class CellMaker:
    """Makes the cells of this process, none of them started."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: SqlStore,
        seal: Seal,
        pins: Pins,
        traces: Traces | None,
        clock: Clock,
    ) -> None:
        """Raises ``typer.BadParameter`` if the rate limits name an action that there is not."""
        #: What is counted in all of them.
        self.meters, self.records = AttemptMeters(), RecordMeters()
        #: How often a device may be asked for the same.
        self.pace = _pace(settings, clock)
        self._settings = settings
        self._store = store
        self._seal = seal
        self._pins = pins
        self._traces = traces
        self._clock = clock

    def alone(self) -> Cell:
        """The one cell of a process that has its database to itself."""
        return self._made(0, self._store, journal_of(self._settings), None)

    def make(self, tenure: Tenure) -> Cell:
        """The cell of this tenure; nothing is written in it once that is over."""
        number = tenure.fence.cell
        # A file for each cell: only its owner writes to it, and the next owner reads what he wrote.
        journal = journal_of(self._settings, number)
        return self._made(number, self._store.in_cell(tenure), journal, tenure)

    def _made(self, number: int, store: SqlStore, journal: Path, tenure: Tenure | None) -> Cell:
        settings, clock, pins = self._settings, self._clock, self._pins
        virtual = VirtualDriver(clock, settings.seed, journal, pins, beginnings_of(settings))
        credentials = AcsCredentials(store.access, self._seal, pins, clock)
        engine = Engine(
            store=store,
            drivers={virtual.name: virtual, **hub_drivers(clock, pins)},
            world=virtual,
            actions=actions.load(),
            clock=clock,
            pins=pins,
            credentials=credentials,
            seal=self._seal,
            traces=self._traces,
            pace=self.pace,
            codes_looked_at_every=seconds(settings.code_look_seconds),
            tenure=tenure,
            meters=self.meters,
            records=self.records,
        )
        return Cell(
            number=number,
            engine=engine,
            acs_users=AcsUsers(store.access, clock, engine.access_grants.touched),
            acs_credentials=credentials,
            connect_webviews=ConnectWebviews(
                engine, store=store, world=virtual, seal=self._seal, clock=clock
            ),
        )


def _pace(settings: Settings, clock: Clock) -> Pace | None:
    limits = read_limits(settings.rate_limits)
    unknown = limits.keys() - actions.load().keys()
    if unknown:
        raise typer.BadParameter(f"THUMBTURN_RATE_LIMITS: there is no action {', '.join(sorted(unknown))}")
    spared = () if settings.rate_limit_sandboxes else (VirtualDriver.name,)
    return Pace(limits, spared, clock) if limits else None
