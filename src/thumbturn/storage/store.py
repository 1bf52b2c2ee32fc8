"""The ``Store`` of ``engine/ports.py`` on a SQL database."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from copy import copy
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, text

from thumbturn.domain.attempt import Attempt, Mark, Progress
from thumbturn.domain.audit import RECORDING, Act
from thumbturn.domain.client_session import Reach, among
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.device import Device
from thumbturn.domain.event import Event, Recorded
from thumbturn.domain.idempotency import FirstAnswer
from thumbturn.domain.refusals import Overloaded
from thumbturn.engine.notices import About, Notices, Silence, word_of
from thumbturn.engine.ports import (
    AttemptFilter,
    Change,
    DeviceFilter,
    EventFilter,
    Timeline,
    Trail,
    Writing,
)
from thumbturn.engine.retention_ports import RetentionStore
from thumbturn.engine.tenure import Tenure
from thumbturn.storage import arrivals, attempts, audit, devices, events, idempotency, search, workspaces
from thumbturn.storage.access import SqlAccess
from thumbturn.storage.access_codes import SqlAccessCodes, changing_codes
from thumbturn.storage.accounts import SqlAccounts
from thumbturn.storage.apart import Apart
from thumbturn.storage.client_session_store import SqlClientSessions
from thumbturn.storage.coalesce import Coalescing
from thumbturn.storage.databases import ABANDONED_AFTER, reading_engine, writing_engine
from thumbturn.storage.fences import GuardedWriter, unguarded
from thumbturn.storage.filing import AT_ONCE, file_rows
from thumbturn.storage.hot import (
    Operation,
    accepting,
    accepting_all,
    accepting_for,
    accepting_once,
    appending,
    changing,
    claiming,
    commit,
    dropping,
    ended_by,
    telling,
    told_by,
)
from thumbturn.storage.partitioned_retention import PartitionedRetention
from thumbturn.storage.reader import Reader
from thumbturn.storage.retention import RowRetention
from thumbturn.storage.schedules import SqlSchedules
from thumbturn.storage.scope import Scope, everywhere, in_cell
from thumbturn.storage.secrets import SqlSecrets
from thumbturn.storage.spaces import SqlSpaces
from thumbturn.storage.webhook_store import SqlWebhooks
from thumbturn.storage.webviews import SqlWebviews
from thumbturn.storage.workspace_store import SqlWorkspaces
from thumbturn.storage.writer import Writer

T = TypeVar("T")

_READ = text("select version_num from alembic_version")
#: A page that really goes to the disk, and changes nothing.
_WRITE = text("update alembic_version set version_num = version_num")


class _Unsealed:
    """How much was done that is not sealed yet, at least. At first, what an earlier process left."""

    left = 1


class SqlStore(SqlWorkspaces):
    """Everything that is remembered. Made by ``open_store``; used from one event loop."""

    def __init__(self, url: URL, *, waiting_at_most: int, readers: int) -> None:
        engine = writing_engine(url, abandoned_after=ABANDONED_AFTER)
        self._writer: Writer[Operation] | GuardedWriter = Writer(engine, commit, bound=waiting_at_most)
        self._reader = Reader(reading_engine(url), threads=readers)
        self._attempts = Coalescing(self._reader, attempts.by_ids)
        self._progress = Coalescing(self._reader, attempts.progress_by_ids)
        self._devices = Coalescing(self._reader, devices.by_ids)
        self._first_answers = Coalescing(self._reader, idempotency.by_scopes)
        self._arrivals = Coalescing(self._reader, arrivals.by_cells)
        self._keys = Coalescing(self._reader, workspaces.keys_by_hashes)
        self._members = Coalescing(self._reader, workspaces.of_users)
        self._read = self._reader.read
        self._notices: Notices = Silence()
        self._listeners: list[Callable[[frozenset[str]], None]] = []
        self._files = url.get_backend_name() == "sqlite"
        self._apart = Apart(writing_engine(url, abandoned_after=ABANDONED_AFTER))
        #: How many rows may be unfiled. What an earlier process left is filed with the first.
        self._unfiled = AT_ONCE
        self._sealing = _Unsealed()
        self._furnish(everywhere)

    def in_cell(self, tenure: Tenure) -> SqlStore:
        """This store for whoever acts for a cell of a PostgreSQL database.

        What it writes is written only while the tenure lasts, else ``Fenced`` is raised. What it reads for an
        engine's own start, or the work of one, is that of the cell's workspaces. It is not closed by itself.
        """
        assert isinstance(self._writer, Writer), "a cell's store has no cells"
        view = copy(self)
        view._writer = GuardedWriter(self._writer, tenure)  # noqa: SLF001 - it is one like this
        is_of_all = tenure.fence.kind == "upkeep"
        view._furnish(everywhere if is_of_all else in_cell(tenure.fence.cell))  # noqa: SLF001 - likewise
        return view

    def _furnish(self, scope: Scope) -> None:
        self._scope = scope
        self.webhooks = SqlWebhooks(self._write, self._act, self._read)
        self.client_sessions = SqlClientSessions(self._act, self._read)
        self.accounts = SqlAccounts(self._write, self._act, self._read)
        self.webviews = SqlWebviews(self._write, self._act, self._read)
        self.schedules = SqlSchedules(self._write, self._read, scope)
        self.access = SqlAccess(self._act, self._read, scope)
        self.spaces = SqlSpaces(self._act, self._read)
        self.secrets = SqlSecrets(self._write, self._read)
        self.retention: RetentionStore = (
            RowRetention(self._write, self._read)
            if self._files
            else PartitionedRetention(self._apart, self._read)
        )
        self.access_codes = SqlAccessCodes(self._act, self._write, self._reader, scope)

    async def close(self) -> None:
        """Write what still waits and let go of the database."""
        assert isinstance(self._writer, Writer), "a cell's store is not closed by itself"
        await self._writer.close()
        await self._reader.close()

    # the hot path -----------------------------------------------------------------------------
    def accept(self, attempt: Attempt) -> Awaitable[None]:
        accepted = self._writer.submit(accepting(attempt))
        self._sealing.left += 1
        self._count(1)
        return accepted

    def accept_all(self, attempts: Sequence[Attempt], first: FirstAnswer | None = None) -> Awaitable[bool]:
        accepted = self._writer.submit(accepting_all(attempts, first))
        self._sealing.left += len(attempts)
        self._count(len(attempts))
        return accepted

    def accept_once(self, attempt: Attempt, first: FirstAnswer) -> Awaitable[bool]:
        accepted = self._writer.submit(accepting_once(attempt, first))
        self._sealing.left += 1
        self._count(1)
        return accepted

    def accept_for(self, cell: int, attempt: Attempt, first: FirstAnswer | None) -> Awaitable[bool]:
        accepted = self._writer.submit(accepting_for(cell, attempt, first))
        self._sealing.left += 1
        self._count(1)
        return accepted

    def apply(self, change: Change) -> Awaitable[bool]:
        rows = changing(change)
        applied = self._writer.submit(
            changing_codes(rows, change) if change.codes or change.names_codes else rows
        )
        self._count(len(change.events))
        return applied

    def append_late(self, attempt_id: str, mark: Mark) -> Awaitable[None]:
        return self._writer.submit(appending(attempt_id, mark))

    def _count(self, rows: int) -> None:
        self._unfiled += rows
        if self._unfiled >= AT_ONCE and self._files:
            self._unfiled = 0
            with suppress(Overloaded):
                self._writer.submit(file_rows).add_done_callback(self._filed)

    def _filed(self, filed: Future[bool]) -> None:
        if filed.cancelled() or filed.exception() is not None or filed.result():
            self._unfiled += AT_ONCE  # again, with the next row

    async def _write(self, call: Callable[[Connection], T], told: Sequence[Event] = ()) -> T:
        operation: Operation = telling(call, told) if told else call
        written: T = await self._writer.submit(operation)
        return written

    # its own health ---------------------------------------------------------------------------
    def writing(self) -> Writing:
        return Writing(self._writer.waiting, self._writer.bound, self._writer.meters)

    async def check(self) -> None:
        await self._read(lambda connection: connection.execute(_READ).scalar())
        if self._writer.meters.is_down:
            await self._write(lambda connection: connection.execute(_WRITE).rowcount)

    # attempts ---------------------------------------------------------------------------------
    async def attempt(self, workspace_id: str, attempt_id: str, reach: Reach = None) -> Attempt | None:
        found = await self._attempts.get(attempt_id)
        if (
            found is None
            or found.workspace_id != workspace_id
            or not among(reach, found.connected_account_id)
        ):
            return None
        return found

    async def progress(self, workspace_id: str, attempt_id: str, reach: Reach = None) -> Progress | None:
        if reach is not None and await self.attempt(workspace_id, attempt_id, reach) is None:
            return None
        found = await self._progress.get(attempt_id)
        return found if found is not None and found.workspace_id == workspace_id else None

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
        narrowed: Any = {"device_id": device_id, "action_types": action_types, "after": after, "limit": limit}
        if ids is not None:
            wanted = ids
            return await self._read(
                lambda connection: attempts.chosen(connection, workspace_id, wanted, **narrowed)
            )
        return await self._read(lambda connection: attempts.listed(connection, workspace_id, **narrowed))

    async def search_attempts(
        self, workspace_id: str, wanted: AttemptFilter, *, after: tuple[int, str] | None = None, limit: int
    ) -> list[Attempt]:
        return await self._read(
            lambda connection: search.found(connection, workspace_id, wanted, after=after, limit=limit)
        )

    async def batch(self, workspace_id: str, batch_id: str, reach: Reach = None) -> list[Attempt]:
        return await self._read(
            lambda connection: attempts.of_batch(connection, workspace_id, batch_id, reach)
        )

    async def timeline(self, workspace_id: str, attempt_id: str, reach: Reach = None) -> Timeline | None:
        return await self._read(
            lambda connection: attempts.timeline(connection, workspace_id, attempt_id, reach)
        )

    async def open_count(self, workspace_id: str, most: int) -> int:
        return await self._read(lambda connection: attempts.open_count(connection, workspace_id, most))

    async def open_attempts(self) -> list[Attempt]:
        return await self._read(lambda connection: attempts.unfinished(connection, self._scope))

    async def arrived(self) -> list[int]:
        return await self._read(arrivals.cells)

    async def arrivals(self, cell: int) -> Mapping[str, Attempt | None]:
        return await self._arrivals.get(str(cell)) or {}

    def drop_arrivals(self, ids: Collection[str]) -> Awaitable[bool]:
        return self._writer.submit(dropping(ids))

    # first answers ----------------------------------------------------------------------------
    def claim(self, first: FirstAnswer) -> Awaitable[bool]:
        return self._writer.submit(claiming(first))

    async def complete(self, first: FirstAnswer) -> None:
        await self._write(lambda connection: idempotency.complete(connection, first))

    async def release(self, scope: str) -> None:
        await self._write(lambda connection: idempotency.release(connection, scope))

    async def first_answer(self, scope: str, now: int) -> FirstAnswer | None:
        found = await self._first_answers.get(scope)
        return None if found is None or found.is_over(now) else found

    async def forget_first_answers(self, begun_before: int, most: int) -> bool:
        return await self._write(lambda connection: idempotency.forget(connection, begun_before, most))

    # devices ----------------------------------------------------------------------------------
    async def device(self, workspace_id: str, device_id: str) -> Device | None:
        found = await self._devices.get(device_id)
        return found if found is not None and found.workspace_id == workspace_id else None

    async def devices(
        self,
        workspace_id: str,
        wanted: DeviceFilter,
        *,
        after: tuple[int, str] | None = None,
        limit: int,
    ) -> list[Device]:
        return await self._read(
            lambda connection: devices.listed(connection, workspace_id, wanted, after=after, limit=limit)
        )

    async def every_device(self) -> list[Device]:
        return await self._read(lambda connection: devices.every_device(connection, self._scope))

    async def every_account(self) -> list[ConnectedAccount]:
        return await self._read(lambda connection: devices.every_account(connection, self._scope))

    async def add_devices(self, new: Sequence[Device], told: Sequence[Event]) -> None:
        await self._write(lambda connection: devices.add(connection, new, told), told)

    async def update_device(self, device: Device, told: Sequence[Event] = (), /, **made: str) -> bool:
        return await self._act(lambda connection: devices.change(connection, device, told), told, **made)

    # events -----------------------------------------------------------------------------------
    async def event(self, workspace_id: str, wanted: EventFilter) -> Event | None:
        return await self._read(lambda connection: events.newest(connection, workspace_id, wanted))

    async def events(
        self, workspace_id: str, wanted: EventFilter, *, limit: int, offset: int = 0
    ) -> list[Event]:
        return await self._read(
            lambda connection: events.listed(connection, workspace_id, wanted, limit=limit, offset=offset)
        )

    async def events_after(self, workspace_id: str, sequence: int, *, limit: int) -> list[Recorded]:
        return await self._read(lambda connection: events.after(connection, workspace_id, sequence, limit))

    async def last_sequence(self, workspace_id: str) -> int:
        return await self._read(lambda connection: events.last(connection, workspace_id))

    def on_events(self, listener: Callable[[frozenset[str]], None]) -> None:
        assert isinstance(self._writer, Writer), "commits are heard of from the store of all"
        self._listeners.append(listener)
        self._writer.on_commit = self._committed

    def tell_others(self, notices: Notices) -> None:
        """From now on tell the other processes on this database what was committed here."""
        assert isinstance(self._writer, Writer), "commits are told of by the store of all"
        self._notices = notices
        self._writer.on_commit = self._committed

    def _committed(self, operations: Sequence[Operation]) -> None:
        if not self._files:
            operations = unguarded(operations)
        told = told_by(operations)
        if told:
            for listener in self._listeners:
                listener(told)
        if not self._notices.is_alone:
            self._notices.say(About.EVENTS, *told)
            self._notices.say(About.ENDS, *map(word_of, ended_by(operations)))

    # the audit trail --------------------------------------------------------------------------
    async def record(self, act: Act, *, again: bool = False) -> None:
        put = audit.append_once if again else audit.append
        await self._write(lambda connection: put(connection, act))
        self._sealing.left += 1

    async def _act(self, call: Callable[[Connection], T], told: Sequence[Event] = (), /, **made: str) -> T:
        """As ``_write``, with the act of the call that is under way (``RECORDING``) in one transaction."""
        recording = RECORDING.get()
        act = None if recording is None else recording.act(made)
        if recording is None or act is None:
            return await self._write(call, told)
        done = await self._write(audit.together(call, act), told)
        if audit.was_done(done):
            recording.is_written = True
            self._sealing.left += 1
        return done

    async def seal_acts(self) -> bool:
        before = self._sealing.left
        if not before:
            return False
        more = await self._write(audit.seal_waiting)
        # What came meanwhile may have come too late.
        self._sealing.left -= min(before, audit.AT_ONCE) if more else before
        self._sealing.left = max(self._sealing.left, int(more))
        return more

    @property
    def unsealed(self) -> int:
        return self._sealing.left

    async def trail(self, workspace_id: str, *, after: int, limit: int) -> Trail:
        while await self.seal_acts():
            pass
        return await self._read(lambda connection: audit.trail(connection, workspace_id, after, limit))
