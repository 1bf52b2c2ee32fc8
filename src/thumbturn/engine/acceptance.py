"""Accepts attempts: looks whether they may begin, puts them into their lanes, and has them stored."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from thumbturn.actions.definition import CAPABILITY_WORD, Action, Ask
from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Attempt, Mark, Phase
from thumbturn.domain.capabilities.lock import Lock
from thumbturn.domain.client_session import Reach
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Refusal
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.idempotency import Keep, KeepAll, KeyTaken
from thumbturn.domain.ids import new_id
from thumbturn.domain.refusals import (
    BatchRefused,
    DeviceIsNotThermostat,
    DeviceNotFound,
    DeviceTypeNotSupported,
    DeviceUnmanaged,
    Fenced,
    StorageUnavailable,
    TooManyOpenAttempts,
    WorkspaceNotSandbox,
)
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.devices import Devices
from thumbturn.engine.dispatch import Dispatch
from thumbturn.engine.live import LiveAttempts
from thumbturn.engine.pace import Pace
from thumbturn.engine.ports import Store
from thumbturn.engine.run import Run


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
#: For so long, µs, a refusal waits until it is sure that what the database may have stored is void.
VOIDED_WITHIN = seconds(1)
MAY_BE_ON_RECORD = (
    "The database went away while this was stored: it may be on record, and be carried out by whoever finds "
    "it there. Look at the device, or use an Idempotency-Key, before you ask again."
)
#: Open attempts of one workspace. They are held in memory, some of them for weeks: one caller's must not
#: take the room of all others.
MOST_OPEN = 100_000


class Command(NamedTuple):
    """What shall be done, and when."""

    action: Action
    ask: Ask
    timing: Timing = AT_ONCE


class Acceptance:
    """Where attempts begin."""

    def __init__(
        self,
        *,
        store: Store,
        dispatch: Dispatch,
        devices: Devices,
        live: LiveAttempts,
        clock: Clock,
        make_run: Callable[[Attempt, Action, Ask], Run],
        pace: Pace | None = None,
    ) -> None:
        #: How often a device may be asked for the same; ``None`` for as often as one likes.
        self._pace = pace
        self._store = store
        self._dispatch = dispatch
        self._devices = devices
        self._live = live
        self._clock = clock
        self._make_run = make_run
        self._last_accepted = 0
        self._refusing: set[asyncio.Task[None]] = set()

    async def begin(
        self,
        action: Action,
        ask: Ask,
        workspace: Workspace,
        asked_by: Asker | None = None,
        *,
        timing: Timing = AT_ONCE,
        keep: Keep | None = None,
        reach: Reach = None,
    ) -> Attempt:
        """Accept an attempt; it is durable when this returns, and runs by itself from then on.

        What ``keep`` makes of it is stored with it, and ``KeyTaken`` raised if its key is taken. To somebody
        with a ``reach`` there is no other device than those that he sees.

        Raises ``DeviceNotFound``, ``DeviceUnmanaged``, ``DeviceTypeNotSupported``,
        ``WorkspaceNotSandbox``, ``TooManyOpenAttempts``, ``RateLimited``; ``Overloaded`` or
        ``StorageUnavailable`` when it cannot be stored. No attempt exists then.
        """
        self._make_room(workspace, 1)
        device = self._admit(action, ask, workspace, reach)
        if action.fit is not None and device is not None:
            ask = action.fit(ask, device)
        counted = self._pace is not None and device is not None and self._pace.begins(action.type, device)
        run = self._take_in(Command(action, ask, timing), device, workspace, asked_by)
        accepted = run.attempt
        stored = self._store_soon(
            (run,),
            lambda: (
                self._store.accept(accepted)
                if keep is None
                else self._store.accept_once(accepted, keep(accepted))
            ),
        )
        try:
            await stored
        except KeyTaken:
            if counted:
                # It was counted when it was asked for the first time.
                self._give_back(((action.type, device),))
            raise
        return accepted

    async def begin_all(
        self,
        commands: Sequence[Command],
        workspace: Workspace,
        asked_by: Asker | None = None,
        *,
        keep: KeepAll | None = None,
        reach: Reach = None,
    ) -> list[Attempt]:
        """Accept an attempt for each command, all or none, under one batch id; as ``begin`` otherwise.

        Raises ``BatchRefused`` with the first that cannot be accepted.
        """
        self._make_room(workspace, len(commands))
        admitted, counted = [], []
        for index, (action, ask, timing) in enumerate(commands):
            try:
                device = self._admit(action, ask, workspace, reach)
                fitting = ask if action.fit is None or device is None else action.fit(ask, device)
                if self._pace is not None and device is not None and self._pace.begins(action.type, device):
                    counted.append((action.type, device))
            except Refusal as refusal:
                self._give_back(counted)
                raise BatchRefused(index, refusal) from None
            admitted.append((Command(action, fitting, timing), device))
        batch_id = new_id()
        runs = [self._take_in(command, device, workspace, asked_by, batch_id) for command, device in admitted]
        accepted = [run.attempt for run in runs]
        stored = self._store_soon(runs, lambda: self._store.accept_all(accepted, keep and keep(accepted)))
        try:
            await stored
        except KeyTaken:
            self._give_back(counted)
            raise
        return accepted

    def _give_back(self, counted: Iterable[tuple[str, Device | None]]) -> None:
        for action_type, device in counted:
            if self._pace is not None and device is not None:
                self._pace.give_back(action_type, device)

    def _make_room(self, workspace: Workspace, count: int) -> None:
        if self._dispatch.open_in[workspace.id] + count > MOST_OPEN:
            raise TooManyOpenAttempts

    def _admit(self, action: Action, ask: Ask, workspace: Workspace, reach: Reach) -> Device | None:
        device = None
        if action.concerns_device:
            device = self._devices.find(workspace.id, ask.device_id, reach)  # type: ignore[attr-defined]
        return admitted(action, device, workspace)

    def _take_in(
        self,
        command: Command,
        device: Device | None,
        workspace: Workspace,
        asked_by: Asker | None,
        batch_id: str | None = None,
    ) -> Run:
        """A run for the command, in its lane or beside it, and ready to be stored."""
        now = self._last_accepted = max(self._clock.now(), self._last_accepted + 1)
        attempt = new_attempt(command, device, workspace, asked_by, now, batch_id)
        action, ask, _ = command
        run = self._make_run(attempt, action, ask)
        if self._dispatch.enter(run):
            run.born_sent()
        else:
            run.queue()
        return run

    def _store_soon(
        self, runs: Sequence[Run], store: Callable[[], Awaitable[bool | None]]
    ) -> asyncio.Future[None]:
        """Have new attempts stored together; done once they are durable, or with why they are not."""
        try:
            answer = asyncio.ensure_future(store())
        except Exception:  # whatever it is goes on to the caller: no attempt exists then
            for run in runs:
                self._dispatch.forget(run)
            raise
        # The store's answer is handled here and not by the caller, who may have gone away.
        accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(partial(self._stored, runs, accepted))
        return accepted

    def _stored(
        self, runs: Sequence[Run], accepted: asyncio.Future[None], answer: asyncio.Future[bool | None]
    ) -> None:
        error = asyncio.CancelledError() if answer.cancelled() else answer.exception()
        is_taken = error is None and answer.result() is False
        voiding = []
        for run in runs:
            if error is None and not is_taken:
                if self._live.watched:
                    self._live.accepted(run.attempt)
                self._dispatch.durable(run)
            else:
                # What came too late for its cell is not on record, for certain.
                is_sure = is_taken or isinstance(error, Fenced)
                if not is_sure and (void := run.void()) is not None:
                    voiding.append(void)
                self._dispatch.forget(run)
        if is_taken:
            error = KeyTaken()
        if error is None:
            if not accepted.done():
                accepted.set_result(None)
        elif voiding:
            refusing = asyncio.get_running_loop().create_task(self._refuse(accepted, error, voiding))
            self._refusing.add(refusing)
            refusing.add_done_callback(self._refusing.discard)
        elif not accepted.done():
            accepted.set_exception(error)

    async def _refuse(
        self, accepted: asyncio.Future[None], error: BaseException, voiding: Sequence[asyncio.Task[None]]
    ) -> None:
        """Refuse, once it is sure that nothing of it is done: not even after a crash at this very moment."""
        await self._clock.wait(asyncio.gather(*voiding, return_exceptions=True), VOIDED_WITHIN)
        # One that was cancelled is nobody's but the next owner's, who may have carried it out.
        is_sure = all(each.done() and not each.cancelled() and not each.exception() for each in voiding)
        if not is_sure and isinstance(error, StorageUnavailable):
            error = StorageUnavailable(MAY_BE_ON_RECORD, headers={"Retry-After": "1"})
        if not accepted.done():
            accepted.set_exception(error)


def admitted(action: Action, device: Device | None, workspace: Workspace) -> Device | None:
    """The device that the action was asked for, if it may be asked of it; ``None`` for one that needs none.

    Raises ``DeviceNotFound``, ``WorkspaceNotSandbox``, ``DeviceUnmanaged``, ``DeviceTypeNotSupported``.
    """
    if device is None and action.concerns_device:
        raise DeviceNotFound
    if action.sandbox_only and not workspace.is_sandbox:
        raise WorkspaceNotSandbox
    if device is not None:
        if not device.is_managed:
            raise DeviceUnmanaged
        if CAPABILITY_WORD[action.needs] not in device.capabilities:
            raise _lacking(action, device)(f"{device.display_name} cannot do {action.type}.")
    return device


def new_attempt(
    command: Command,
    device: Device | None,
    workspace: Workspace,
    asked_by: Asker | None,
    now: int,
    batch_id: str | None = None,
) -> Attempt:
    """The attempt of a command that was admitted, as it is accepted at this moment."""
    action, ask, timing = command
    return Attempt(
        id=new_id(),
        workspace_id=workspace.id,
        action_type=action.type,
        lane=device.id if device is not None else f"workspace:{workspace.id}",
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
        batch_id=batch_id,
    )


def _lacking(action: Action, device: Device) -> type[Refusal]:
    """How the wire refuses a device that has not what is needed."""
    is_for_thermostats = CAPABILITY_WORD[action.needs].startswith("thermostat")
    if is_for_thermostats and "thermostat" not in device.capabilities:
        return DeviceIsNotThermostat
    return DeviceTypeNotSupported


def _storable(action: Action, ask: Ask) -> dict[str, Any]:
    # What ``model_dump`` does, without its two dozen arguments.
    stored: dict[str, Any] = ask.__pydantic_serializer__.to_python(
        ask, mode="json", exclude=set(action.secrets) or None
    )
    return stored
