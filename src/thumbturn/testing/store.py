"""A store that forgets when the process ends: for tests of the engine, and for simulations.

It passes the same contract tests as the SQL store. A write is true as soon as it was asked for,
and its answer comes at the next turn of the event loop.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace

from thumbturn.domain.attempt import Attempt, Mark, Progress
from thumbturn.domain.audit import Act, act_of
from thumbturn.domain.client_session import Reach, among
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.device import Device
from thumbturn.domain.event import Event, Recorded
from thumbturn.domain.idempotency import FirstAnswer
from thumbturn.domain.workspace import Key, Workspace
from thumbturn.engine.meters import WriterMeters
from thumbturn.engine.ports import (
    AttemptFilter,
    Change,
    DeviceFilter,
    EventFilter,
    Seed,
    Timeline,
    Trail,
    Writing,
)
from thumbturn.testing.access import MemoryAccess
from thumbturn.testing.access_codes import MemoryAccessCodes
from thumbturn.testing.accounts import MemoryAccounts
from thumbturn.testing.answers import answered
from thumbturn.testing.arrivals import MemoryArrivals
from thumbturn.testing.client_sessions import MemoryClientSessions
from thumbturn.testing.event_log import MemoryLog
from thumbturn.testing.filters import wanted_attempt, wanted_device, wanted_event
from thumbturn.testing.first_answers import MemoryFirstAnswers
from thumbturn.testing.keys import MemoryKeys
from thumbturn.testing.retention import MemoryRetention
from thumbturn.testing.schedules import MemorySchedules
from thumbturn.testing.secrets import MemorySecrets
from thumbturn.testing.spaces import MemorySpaces
from thumbturn.testing.trails import MemoryTrails
from thumbturn.testing.webhooks import MemoryWebhooks
from thumbturn.testing.webviews import MemoryWebviews


class MemoryStore:
    """Implements ``engine.ports.Store`` with dictionaries."""

    def __init__(self) -> None:
        self._arrivals = MemoryArrivals()
        self._attempts: dict[str, Attempt] = {}
        self._late: dict[str, list[Mark]] = defaultdict(list)
        self._devices: dict[str, Device] = {}
        self._accounts: dict[str, ConnectedAccount] = {}
        self._events: dict[str, MemoryLog] = defaultdict(MemoryLog)
        self._listeners: list[Callable[[frozenset[str]], None]] = []
        self._workspaces: dict[str, Workspace] = {}
        self._members: dict[str, list[str]] = defaultdict(list)
        self._keys = keys = MemoryKeys(self._members)
        self.key, self.keys = keys.key, keys.of_workspace
        self.add_key, self.revoke_key = keys.add_key, keys.revoke_key
        self.webhooks = MemoryWebhooks(self._events, self._tell)
        self.client_sessions = MemoryClientSessions(self.every_account, self.every_device, self._tell)
        self.access = MemoryAccess(self._tell)
        self.spaces = MemorySpaces(self._devices, self._accounts, self.access, self._tell)
        self.schedules = MemorySchedules(self._devices.get)
        self.access_codes = MemoryAccessCodes(self._devices.get, self._tell)
        kept = (self.schedules, self.access_codes)
        self.accounts = MemoryAccounts(
            self._accounts,
            self._devices,
            self.access_codes,
            kept,
            self.client_sessions,
            self.access,
            self.spaces,
            self._tell,
        )
        self.webviews = MemoryWebviews(
            self._accounts, self._devices, self.client_sessions, self.access, self._tell
        )
        self.secrets = MemorySecrets(self.webhooks, self.client_sessions, self.webviews)
        self.retention = MemoryRetention(self._attempts, self._late, self._events, self.webhooks)
        self._meters = WriterMeters()
        self._first_answers = answers = MemoryFirstAnswers()
        self.complete, self.release = answers.complete, answers.release
        self.first_answer, self.forget_first_answers = answers.first_answer, answers.forget
        #: Everything is in the chain at once.
        self.unsealed = 0
        self._trails = MemoryTrails()

    # the hot path -----------------------------------------------------------------------------

    def accept(self, attempt: Attempt) -> Awaitable[None]:
        if attempt.id in self._attempts:
            raise ValueError(f"attempt {attempt.id} exists")
        self._attempts[attempt.id] = attempt
        self._trails.add(act_of(attempt))
        return answered(None)

    def accept_all(self, attempts: Sequence[Attempt], first: FirstAnswer | None = None) -> Awaitable[bool]:
        known = {attempt.id for attempt in attempts} & self._attempts.keys()
        if known:
            raise ValueError(f"attempts {sorted(known)} exist")
        if first is not None and not self._first_answers.take(first):
            return answered(False)
        for attempt in attempts:
            self.accept(attempt)
        return answered(True)

    def accept_once(self, attempt: Attempt, first: FirstAnswer) -> Awaitable[bool]:
        if not self._first_answers.take(first):
            return answered(False)
        self.accept(attempt)
        return answered(True)

    def accept_for(self, cell: int, attempt: Attempt, first: FirstAnswer | None) -> Awaitable[bool]:
        if first is not None and not self._first_answers.take(first):
            return answered(False)
        self.accept(attempt)
        self._arrivals.put(cell, attempt)
        return answered(True)

    def apply(self, change: Change) -> Awaitable[bool]:
        for attempt, came_from in change.transitions:
            known = self._attempts.get(attempt.id)
            if known is None or known.phase is not came_from:
                return answered(False)
        for attempt, _ in change.transitions:
            self._attempts[attempt.id] = attempt
        for device in change.devices:
            if device.id in self._devices:
                self._devices[device.id] = replace(self._devices[device.id], state=device.state)
        self._tell(self.access_codes.naming(change.events) if change.names_codes else change.events)
        self.access_codes.learn(change.codes)
        return answered(True)

    def append_late(self, attempt_id: str, mark: Mark) -> Awaitable[None]:
        self._late[attempt_id].append(mark)
        return answered(None)

    # its own health ---------------------------------------------------------------------------

    def writing(self) -> Writing:
        return Writing(0, 1, self._meters)

    async def check(self) -> None:
        pass

    # attempts ---------------------------------------------------------------------------------

    async def attempt(self, workspace_id: str, attempt_id: str, reach: Reach = None) -> Attempt | None:
        found = self._attempts.get(attempt_id)
        if (
            found is None
            or found.workspace_id != workspace_id
            or not among(reach, found.connected_account_id)
        ):
            return None
        return found

    async def progress(self, workspace_id: str, attempt_id: str, reach: Reach = None) -> Progress | None:
        found = await self.attempt(workspace_id, attempt_id, reach)
        if found is None:
            return None
        return Progress(found.id, workspace_id, found.action_type, found.phase, found.result, found.failure)

    async def attempts(
        self,
        workspace_id: str,
        *,
        ids: Sequence[str] | None = None,
        device_id: str | None = None,
        action_types: Sequence[str] | None = None,
        after: tuple[int, str] | None = None,
        limit: int,
    ) -> list[Attempt]:
        found = [
            each
            for each in self._attempts.values()
            if each.workspace_id == workspace_id
            and (ids is None or each.id in ids)
            and (device_id is None or each.device_id == device_id)
            and (action_types is None or each.action_type in action_types)
            and (after is None or (each.accepted_at, each.id) > after)
        ]
        return sorted(found, key=lambda each: (each.accepted_at, each.id))[:limit]

    async def search_attempts(
        self, workspace_id: str, wanted: AttemptFilter, *, after: tuple[int, str] | None = None, limit: int
    ) -> list[Attempt]:
        found = [
            each
            for each in self._attempts.values()
            if each.workspace_id == workspace_id
            and wanted_attempt(each, wanted)
            and (after is None or (each.accepted_at, each.id) < after)
        ]
        return sorted(found, key=lambda each: (each.accepted_at, each.id), reverse=True)[:limit]

    async def batch(self, workspace_id: str, batch_id: str, reach: Reach = None) -> list[Attempt]:
        found = [
            each
            for each in self._attempts.values()
            if each.workspace_id == workspace_id
            and each.batch_id == batch_id
            and among(reach, each.connected_account_id)
        ]
        return sorted(found, key=lambda each: (each.accepted_at, each.id))

    async def timeline(self, workspace_id: str, attempt_id: str, reach: Reach = None) -> Timeline | None:
        found = await self.attempt(workspace_id, attempt_id, reach)
        return None if found is None else Timeline(found, tuple(self._late.get(attempt_id, ())))

    async def open_count(self, workspace_id: str, most: int) -> int:
        return min(most, sum(each.workspace_id == workspace_id for each in await self.open_attempts()))

    async def arrived(self) -> list[int]:
        return self._arrivals.cells()

    async def arrivals(self, cell: int) -> Mapping[str, Attempt | None]:
        return {id: self._attempts.get(id) for id in self._arrivals.of(cell)}

    def drop_arrivals(self, ids: Collection[str]) -> Awaitable[bool]:
        self._arrivals.drop(ids)
        return answered(value=True)

    async def open_attempts(self) -> list[Attempt]:
        found = [each for each in self._attempts.values() if not each.phase.is_final]
        return sorted(found, key=lambda each: (each.accepted_at, each.id))

    # first answers ----------------------------------------------------------------------------
    def claim(self, first: FirstAnswer) -> Awaitable[bool]:
        return answered(self._first_answers.take(first))

    # devices ----------------------------------------------------------------------------------
    async def device(self, workspace_id: str, device_id: str) -> Device | None:
        found = self._devices.get(device_id)
        return found if found is not None and found.workspace_id == workspace_id else None

    async def devices(
        self,
        workspace_id: str,
        wanted: DeviceFilter,
        *,
        after: tuple[int, str] | None = None,
        limit: int,
    ) -> list[Device]:
        customer = wanted.customer_key
        theirs = {i for i, each in self._accounts.items() if customer in (None, each.customer_key)}
        found = [
            each
            for each in self._devices.values()
            if each.workspace_id == workspace_id
            and each.connected_account_id in theirs
            and wanted_device(each, wanted)
            and (after is None or (each.created_at, each.id) > after)
        ]
        return sorted(found, key=lambda each: (each.created_at, each.id))[:limit]

    async def every_device(self) -> list[Device]:
        return list(self._devices.values())

    async def every_account(self) -> list[ConnectedAccount]:
        return list(self._accounts.values())

    async def add_devices(self, devices: Sequence[Device], events: Sequence[Event]) -> None:
        self._devices.update({device.id: device for device in devices})
        self._tell(events)

    async def update_device(self, device: Device, told: Sequence[Event] = (), /, **made: str) -> bool:
        known = await self.device(device.workspace_id, device.id)
        if known is None:
            return False
        self._devices[device.id] = replace(
            known,
            nickname=device.nickname,
            custom_metadata=device.custom_metadata,
            is_managed=device.is_managed,
            settings=device.settings,
        )
        self._tell(told)
        return True

    # events -----------------------------------------------------------------------------------
    async def event(self, workspace_id: str, wanted: EventFilter) -> Event | None:
        found = [event for event in self._events[workspace_id] if wanted_event(event, wanted)]
        return found[-1] if found else None

    async def events(
        self, workspace_id: str, wanted: EventFilter, *, limit: int, offset: int = 0
    ) -> list[Event]:
        found = [event for event in self._events[workspace_id] if wanted_event(event, wanted)]
        return found[offset : offset + limit]

    async def events_after(self, workspace_id: str, sequence: int, *, limit: int) -> list[Recorded]:
        behind = self._events[workspace_id].behind(sequence, limit)
        return [Recorded(event.sequence, event) for event in behind]

    async def last_sequence(self, workspace_id: str) -> int:
        return self._events[workspace_id].newest

    def on_events(self, listener: Callable[[frozenset[str]], None]) -> None:
        self._listeners.append(listener)

    # the audit trail --------------------------------------------------------------------------

    async def record(self, act: Act, *, again: bool = False) -> None:
        if not (again and self._trails.has(act)):
            self._trails.add(act)

    async def seal_acts(self) -> bool:
        return False

    async def trail(self, workspace_id: str, *, after: int, limit: int) -> Trail:
        return self._trails.part(workspace_id, after, limit)

    # workspaces and keys ----------------------------------------------------------------------

    async def workspace(self, workspace_id: str) -> Workspace | None:
        return self._workspaces.get(workspace_id)

    async def workspaces_of_user(self, user_id: str) -> list[Workspace]:
        return [self._workspaces[each] for each in self._members[user_id]]

    async def add_workspace(
        self,
        workspace: Workspace,
        *,
        user_id: str | None,
        seed: Seed,
        keys: Sequence[Key],
        most: int | None = None,
    ) -> bool:
        if workspace.id in self._workspaces:
            raise ValueError(f"workspace {workspace.id} exists")
        if user_id is not None and most is not None and len(self._members[user_id]) >= most:
            return False
        self._workspaces[workspace.id] = workspace
        if user_id is not None:
            self._members[user_id].append(workspace.id)
        self._keys.update({key.id: key for key in keys})
        self._plant(seed)
        return True

    async def update_workspace(self, workspace: Workspace) -> None:
        self._workspaces[workspace.id] = workspace

    async def announcing_workspaces(self) -> list[Workspace]:
        return [each for each in self._workspaces.values() if each.announced_action_types]

    async def has_workspaces(self) -> bool:
        return bool(self._workspaces)

    async def reset_workspace(self, workspace_id: str, seed: Seed, events: Sequence[Event]) -> None:
        gone = {i for i, each in self._accounts.items() if each.workspace_id == workspace_id}
        self.accounts.drop(gone)
        self.client_sessions.take_from_all(workspace_id, gone - {each.id for each in seed.accounts})
        self.access.forget(workspace_id)
        self.spaces.forget(workspace_id)
        self._plant(seed)
        self._tell(events)

    # inside -----------------------------------------------------------------------------------

    def _plant(self, seed: Seed) -> None:
        self._accounts.update({account.id: account for account in seed.accounts})
        self._devices.update({device.id: device for device in seed.devices})
        self.access.plant(seed.access)

    def _tell(self, events: Sequence[Event]) -> None:
        for event in events:
            self._events[event.workspace_id].tell(event)
        if events and self._listeners:
            loop, told_something = asyncio.get_running_loop(), frozenset(each.workspace_id for each in events)
            for listener in self._listeners:
                loop.call_soon(listener, told_something)
