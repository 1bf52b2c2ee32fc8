"""The engine: accepts attempts, runs them, and is the only one to end them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from thumbturn.actions.definition import CAPABILITY_WORD, Action, Ask
from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Attempt, DeadlinePassed, Mark, Phase
from thumbturn.domain.capabilities.lock import Lock
from thumbturn.domain.clock import Clock
from thumbturn.domain.device import Device
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.idempotency import Keep, KeyTaken
from thumbturn.domain.ids import new_id
from thumbturn.domain.refusals import (
    DeviceNotFound,
    DeviceTypeNotSupported,
    DeviceUnmanaged,
    WorkspaceNotSandbox,
)
from thumbturn.domain.workspace import Key, Workspace
from thumbturn.engine.begun import Begun
from thumbturn.engine.census import Census, take_census
from thumbturn.engine.devices import Devices
from thumbturn.engine.dispatch import Dispatch
from thumbturn.engine.forgetting import Forgetting
from thumbturn.engine.lanes import Lanes
from thumbturn.engine.ledger import Ledger
from thumbturn.engine.live import LiveAttempts
from thumbturn.engine.meters import AttemptMeters
from thumbturn.engine.observations import Observations
from thumbturn.engine.ports import Driver, SandboxWorld, Seed, Store
from thumbturn.engine.recovery import Recovery
from thumbturn.engine.run import Run
from thumbturn.engine.sandbox import ResettableSandbox, SandboxControls
from thumbturn.engine.timetable import Timetable
from thumbturn.engine.traces import Traces
from thumbturn.engine.waiting import Waiting


class Timing(NamedTuple):
    """When a command shall be sent, where its caller says more than *now*."""

    #: µs. Not before this moment.
    not_before: int | None = None
    #: µs in which it shall be sent, from ``not_before`` or else from acceptance; as its action has it.
    deadline: int | None = None

    def deadline_at(self, now: int, usual: int) -> int:
        """The moment from which on it is not sent, for one that is accepted now."""
        return max(now, self.not_before or now) + (self.deadline or usual)


AT_ONCE = Timing()


class Engine:
    """Makes attempts happen. Holds no SQL and no JSON."""

    def __init__(
        self,
        *,
        store: Store,
        drivers: Mapping[str, Driver],
        world: SandboxWorld,
        actions: Mapping[str, Action],
        clock: Clock,
        traces: Traces | None = None,
    ) -> None:
        self.actions = actions
        self._store = store
        self._drivers = drivers
        self._world = world
        self._clock = clock
        self._devices = Devices()
        self._lanes = Lanes()
        #: Where attempts are shown as they move.
        self.live = LiveAttempts()
        #: What ended while this process ran.
        self.meters = AttemptMeters()
        self._ledger = Ledger(store, clock, self._devices, self.meters)
        self._deadlines = Timetable(clock, self._expire)
        self._waiting = Waiting(clock)
        self._dispatch = Dispatch(
            self._lanes,
            self._deadlines,
            self._waiting,
            self._devices,
            drivers,
            self._capability_of,
            traces,
            clock,
        )
        self._observations = Observations(
            self._devices,
            self._lanes,
            self._ledger,
            clock,
            secretive={action.type for action in actions.values() if action.secrets},
            came_back=self._dispatch.held.device_is_back,
        )
        self._forgetting = Forgetting(store, clock)
        self._last_accepted = 0
        #: True from the end of ``start`` until ``stop``.
        self.is_running = False
        #: Held while a device is changed; gone when nobody changes it any more.
        self._changing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        #: What callers may do with attempts that have begun.
        self.begun = Begun(store, self._dispatch, self._lanes, self._waiting, clock)
        #: What sandboxes may do to their devices.
        self.sandbox = SandboxControls(
            world=world,
            drivers=drivers,
            store=store,
            devices=self._devices,
            lanes=self._lanes,
            dispatch=self._dispatch,
            observations=self._observations,
            clock=clock,
        )

    # its own life -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Own every device and every unfinished attempt again, and settle what can be settled."""
        self._devices.put(await self._store.every_device())
        recovery = Recovery(
            self.actions, self._dispatch, self._devices, self._ledger, self._clock, self._revive
        )
        recovery.own(await self._store.open_attempts())
        for driver in self._drivers.values():
            await driver.start(self._observations.observe)
            driver.attach([device for device in self._devices if device.driver == driver.name])
        self._deadlines.start()
        self._dispatch.held.start()
        self._forgetting.start()
        await recovery.settle()
        self.is_running = True

    async def stop(self, patience: float = 3.0) -> None:
        """Start nothing more, give what is in flight some seconds to end, let go of the devices.

        What cannot be written in that time either is settled by the next start.
        """
        self.is_running = False
        await self._dispatch.drain(patience)
        await self._deadlines.stop()
        await self._dispatch.held.stop()
        await self._forgetting.stop()
        for driver in self._drivers.values():
            await driver.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ledger.settle_down(), patience)

    def census(self) -> Census:
        """How things stand now, over all workspaces. Looks at every open attempt and every device."""
        return take_census(self._dispatch.open.values(), self._devices, self._drivers)

    # attempts -----------------------------------------------------------------------------------

    async def begin(
        self,
        action: Action,
        ask: Ask,
        workspace: Workspace,
        asked_by: Asker | None = None,
        *,
        timing: Timing = AT_ONCE,
        keep: Keep | None = None,
    ) -> Attempt:
        """Accept an attempt; it is durable when this returns, and runs by itself from then on.

        What ``keep`` makes of it is stored with it, and ``KeyTaken`` raised if its key is taken.

        Raises ``DeviceNotFound``, ``DeviceUnmanaged``, ``DeviceTypeNotSupported``,
        ``WorkspaceNotSandbox``; ``Overloaded`` or ``StorageUnavailable`` when it cannot be stored.
        No attempt exists then.
        """
        device = self._admit(action, ask, workspace)
        now = self._last_accepted = max(self._clock.now(), self._last_accepted + 1)
        lane = device.id if device is not None else f"workspace:{workspace.id}"
        attempt = Attempt(
            id=new_id(),
            workspace_id=workspace.id,
            action_type=action.type,
            lane=lane,
            device_id=None if device is None else device.id,
            connected_account_id=None if device is None else device.connected_account_id,
            ask=_storable(action, ask),
            phase=Phase.QUEUED,
            accepted_at=now,
            deadline_at=timing.deadline_at(now, action.deadline),
            required_evidence=workspace.required_evidence if action.needs is Lock else Evidence.RADIO_ACK,
            marks=(Mark("accepted", now),),
            asked_by=asked_by,
            not_before=timing.not_before,
        )
        run = self._run(attempt, action, ask)
        if self._dispatch.enter(run):
            run.born_sent()
        else:
            run.queue()
        accepted = run.attempt
        self._store_soon(run, keep)
        await run.accepted
        return accepted

    # workspaces and devices ---------------------------------------------------------------------

    async def change_device(
        self, workspace_id: str, device_id: str, change: Callable[[Device], Device]
    ) -> None:
        """Change a device's nickname, metadata or whether it is managed, and store that.

        Changes of one device are made one after the other, so that none undoes another. Raises
        ``DeviceNotFound``.
        """
        async with self._changing.setdefault(device_id, asyncio.Lock()):
            changed = change(self._known(workspace_id, device_id))
            if not await self._store.update_device(changed):
                raise DeviceNotFound
            # It may have reported something since it was read: only what people change is taken over.
            self._devices.put(
                (
                    replace(
                        self._known(workspace_id, device_id),
                        nickname=changed.nickname,
                        custom_metadata=changed.custom_metadata,
                        is_managed=changed.is_managed,
                    ),
                )
            )

    async def add_workspace(
        self, workspace: Workspace, *, user_id: str | None, keys: Sequence[Key] = (), seeded: bool = True
    ) -> None:
        """Store a new workspace; a seeded sandbox begins with its virtual devices."""
        seed = Seed((), ())
        if workspace.is_sandbox and seeded:
            seed = self._world.seed(workspace.id, self._clock.now())
        await self._store.add_workspace(workspace, user_id=user_id, seed=seed, keys=keys)
        self.sandbox.attach(seed.devices)

    # inside -------------------------------------------------------------------------------------

    def _known(self, workspace_id: str, device_id: str) -> Device:
        device = self._devices.find(workspace_id, device_id)
        if device is None:
            raise DeviceNotFound
        return device

    def _admit(self, action: Action, ask: Ask, workspace: Workspace) -> Device | None:
        device = None
        if action.concerns_device:
            device = self._known(workspace.id, ask.device_id)  # type: ignore[attr-defined]
        if action.sandbox_only and not workspace.is_sandbox:
            raise WorkspaceNotSandbox
        if device is not None:
            if not device.is_managed:
                raise DeviceUnmanaged
            if CAPABILITY_WORD[action.needs] not in device.capabilities:
                raise DeviceTypeNotSupported(f"{device.display_name} cannot do {action.type}.")
        return device

    def _store_soon(self, run: Run, keep: Keep | None) -> None:
        # The store's answer is handled here and not by the caller, who may have gone away.
        def stored(answer: asyncio.Future[bool | None]) -> None:
            error = asyncio.CancelledError() if answer.cancelled() else answer.exception()
            if error is None and answer.result() is False:
                error = KeyTaken()
                self._dispatch.forget(run)
            elif error is None:
                if self.live.watched:
                    self.live.accepted(run.attempt)
                self._dispatch.durable(run)
            else:
                run.void()
                self._dispatch.forget(run)
            if run.accepted.done():
                return
            if error is None:
                run.accepted.set_result(None)
            else:
                run.accepted.set_exception(error)

        try:
            answer: asyncio.Future[bool | None] = asyncio.ensure_future(
                self._store.accept(run.attempt)
                if keep is None
                else self._store.accept_once(run.attempt, keep(run.attempt))
            )
        except Exception:
            self._dispatch.forget(run)
            raise
        answer.add_done_callback(stored)

    def _capability_of(self, run: Run) -> object | None:
        if not run.action.concerns_device:
            workspace_id = run.attempt.workspace_id
            return ResettableSandbox(lambda: self.sandbox.reset(workspace_id))
        device = self._devices.get(run.attempt.device_id or "")
        driver = None if device is None else self._drivers.get(device.driver)
        if device is None or driver is None:
            return None
        return driver.offer(device, run.action.needs)

    def _revive(self, attempt: Attempt, action: Action) -> Run:
        ask = action.ask.model_construct(**attempt.ask)
        return self._run(attempt, action, ask)

    def _run(self, attempt: Attempt, action: Action, ask: Ask) -> Run:
        return Run(
            attempt,
            action,
            ask,
            ledger=self._ledger,
            devices=self._devices,
            clock=self._clock,
            live=self.live,
        )

    async def _expire(self, run: Run) -> None:
        if run.ends_by <= self._clock.now():
            await self._dispatch.end(run, DeadlinePassed())


def _storable(action: Action, ask: Ask) -> dict[str, Any]:
    # What ``model_dump`` does, without its two dozen arguments.
    stored: dict[str, Any] = ask.__pydantic_serializer__.to_python(
        ask, mode="json", exclude=set(action.secrets) or None
    )
    return stored
