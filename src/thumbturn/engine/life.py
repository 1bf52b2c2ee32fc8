"""How an engine begins, takes in what others accepted, and ends: in peace, or at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog

from thumbturn.engine.announcing import Announcing
from thumbturn.engine.begun import Begun
from thumbturn.engine.code_keeper import CodeKeeper
from thumbturn.engine.code_rounds import CodeRounds
from thumbturn.engine.devices import Devices
from thumbturn.engine.dispatch import Dispatch
from thumbturn.engine.forgetting import Forgetting
from thumbturn.engine.grant_keeper import GrantKeeper
from thumbturn.engine.hubs import Hubs
from thumbturn.engine.ledger import Ledger
from thumbturn.engine.observations import Observations
from thumbturn.engine.ports import ARRIVALS_AT_ONCE, Driver, Store
from thumbturn.engine.recovery import Recovery
from thumbturn.engine.schedule_keeper import ScheduleKeeper

log = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class Life:
    """The parts of an engine that are started and stopped."""

    store: Store
    devices: Devices
    drivers: Mapping[str, Driver]
    observations: Observations
    dispatch: Dispatch
    ledger: Ledger
    begun: Begun
    announcing: Announcing
    forgetting: Forgetting
    schedules: ScheduleKeeper
    codes: CodeKeeper
    code_rounds: CodeRounds
    grants: GrantKeeper
    hubs: Hubs
    recovery: Callable[[], Recovery]
    #: Whether it forgets first answers that are over. Of many engines on a database, one needs to.
    forgets: bool
    #: True from the end of ``start`` until ``stop``.
    is_running: bool = False
    #: Those that arrived and were taken, by id, of which the record may not know that they were.
    taken: frozenset[str] = frozenset()

    async def start(self) -> None:
        """Own every device and every unfinished attempt again, and settle what can be settled."""
        await self.announcing.start()
        self.devices.put(await self.store.every_device())
        accounts = await self.store.every_account()
        self.devices.labels.follow(accounts)
        recovery = self.recovery()
        recovery.own(await self.store.open_attempts())
        for driver in self.drivers.values():
            await driver.start(self.observations.observe)
            driver.attach([device for device in self.devices if device.driver == driver.name])
        self.hubs.start(accounts)
        self.dispatch.deadlines.start()
        self.dispatch.held.start()
        if self.forgets:
            self.forgetting.start()
        ended, going_on = await recovery.settle()
        if ended or going_on:
            log.info("attempts_taken_up_again", ended=ended, going_on=going_on)
        await self.schedules.start()
        await self.codes.start(run.attempt for run in self.dispatch.open.values())
        self.code_rounds.start()
        await self.grants.start()
        self.is_running = True

    async def take_arrivals(self, cell: int) -> None:
        """Run what other processes accepted for this cell. Raises ``Fenced``, ``StorageUnavailable``.

        One at a time.
        """
        while arrived := await self.store.arrivals(cell):
            # What was taken must not be taken anew once it has ended, and is there until the record knows.
            # What is not there any more never is again.
            known, self.taken = self.taken, frozenset(arrived)
            recovery = self.recovery()
            recovery.own(
                [
                    each
                    for each in arrived.values()
                    # What a start found open is known already; what has ended is nobody's to run.
                    if each is not None and not each.phase.is_final
                    if each.id not in known and each.id not in self.dispatch.open
                ]
            )
            await recovery.settle()
            # At once, and so in one commit with the record that these are sent.
            await self.store.drop_arrivals(self.taken)
            if len(arrived) < ARRIVALS_AT_ONCE:
                return

    async def stop(self, patience: float) -> None:
        """Start nothing more, give what is in flight some seconds to end, let go of the devices.

        What cannot be written in that time either is settled by the next start.
        """
        self.is_running = False
        await self._stop_keepers()
        await self.dispatch.drain(patience)
        await self._let_go()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.ledger.settle_down(), patience)

    async def give_up(self) -> None:
        """Stop at once: send nothing more, write nothing more, and say nothing of what is open.

        Another process acts for the devices already, or will, and settles what this one leaves.
        """
        self.is_running = False
        self.ledger.give_up()
        await self.dispatch.give_up()
        self.begun.dismiss_waiting()
        await self._stop_keepers()
        await self._let_go()

    async def _stop_keepers(self) -> None:
        await self.schedules.stop()
        await self.code_rounds.stop()
        await self.grants.stop()
        await self.codes.stop()

    async def _let_go(self) -> None:
        await self.dispatch.deadlines.stop()
        await self.dispatch.held.stop()
        await self.forgetting.stop()
        await self.hubs.stop()
        for driver in self.drivers.values():
            await driver.stop()
