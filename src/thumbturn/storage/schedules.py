"""Thermostats' schedules on record: the ``ScheduleStore`` of ``engine/schedule_ports.py``."""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, delete, select, update

from thumbturn.domain.schedule import Schedule
from thumbturn.engine.schedule_ports import Stored
from thumbturn.storage.bulk import insert_rows
from thumbturn.storage.rows import Row, encode
from thumbturn.storage.scope import Scope, everywhere
from thumbturn.storage.tables import devices, thermostat_schedules
from thumbturn.storage.webhook_store import Do, Write

_columns = thermostat_schedules.c


class SqlSchedules:
    """The schedules of a ``SqlStore``, which lends its ways to write and to read."""

    def __init__(self, write: Write, read: Do, scope: Scope = everywhere) -> None:
        self._scope = scope
        self._write = write
        self._read = read

    async def add(self, schedule: Schedule) -> Stored:
        return await self._write(lambda connection: _add(connection, schedule))

    async def change(self, schedule: Schedule) -> Stored:
        return await self._write(lambda connection: _change(connection, schedule))

    async def remove(self, workspace_id: str, schedule_id: str) -> bool:
        gone = delete(thermostat_schedules).where(*_mine(workspace_id, schedule_id))
        return await self._write(lambda connection: connection.execute(gone).rowcount == 1)

    async def get(self, workspace_id: str, schedule_id: str) -> Schedule | None:
        query = select(thermostat_schedules).where(*_mine(workspace_id, schedule_id))
        row = await self._read(lambda connection: connection.execute(query).first())
        return None if row is None else _schedule(row)

    async def of_device(self, workspace_id: str, device_id: str) -> list[Schedule]:
        query = (
            select(thermostat_schedules)
            .where(_columns.device_id == device_id, _columns.workspace_id == workspace_id)
            .order_by(_columns.starts_at)
        )
        rows = await self._read(lambda connection: connection.execute(query).all())
        return [_schedule(row) for row in rows]

    async def over_before(self, moment: int, most: int) -> list[Schedule]:
        query = (
            select(thermostat_schedules)
            .where(_columns.is_over.is_(True), _columns.ends_at < moment)
            .order_by(_columns.ends_at)
            .limit(most)
        )
        rows = await self._read(lambda connection: connection.execute(query).all())
        return [_schedule(row) for row in rows]

    async def not_over(self) -> list[Schedule]:
        query = select(thermostat_schedules).where(_columns.is_over.is_(False))
        query = self._scope(query, _columns.workspace_id)
        rows = await self._read(lambda connection: connection.execute(query).all())
        return [_schedule(row) for row in rows]


def _add(connection: Connection, schedule: Schedule) -> Stored:
    # Whoever holds the thermostat's row is alone in giving it a schedule.
    here = select(devices.c.id).where(
        devices.c.id == schedule.device_id, devices.c.workspace_id == schedule.workspace_id
    )
    if connection.execute(here.with_for_update()).scalar() is None:
        return Stored.MISSING
    if _is_taken(connection, schedule):
        return Stored.TAKEN
    insert_rows(connection, thermostat_schedules, [_row(schedule)])
    return Stored.DONE


def _change(connection: Connection, schedule: Schedule) -> Stored:
    here = select(devices.c.id).where(devices.c.id == schedule.device_id).with_for_update()
    connection.execute(here)
    if _is_taken(connection, schedule):
        return Stored.TAKEN
    values = dict(zip(_columns.keys(), _row(schedule), strict=True))
    for name in ("id", "workspace_id", "device_id", "created_at"):
        del values[name]
    statement = update(thermostat_schedules).where(*_mine(schedule.workspace_id, schedule.id)).values(values)
    return Stored.DONE if connection.execute(statement).rowcount == 1 else Stored.MISSING


def _is_taken(connection: Connection, schedule: Schedule) -> bool:
    query = select(_columns.id).where(
        _columns.device_id == schedule.device_id,
        _columns.starts_at == schedule.starts_at,
        _columns.id != schedule.id,
    )
    return connection.execute(query).first() is not None


def _mine(workspace_id: str, schedule_id: str) -> tuple[Any, Any]:
    return _columns.id == schedule_id, _columns.workspace_id == workspace_id


def _row(schedule: Schedule) -> Row:
    return (
        schedule.id,
        schedule.workspace_id,
        schedule.device_id,
        schedule.name,
        schedule.climate_preset_key,
        schedule.starts_at,
        schedule.ends_at,
        schedule.is_override_allowed,
        schedule.max_override_period_minutes,
        schedule.created_at,
        schedule.is_over,
        encode(schedule.errors),
    )


def _schedule(row: Row) -> Schedule:
    return Schedule(
        id=row[0],
        workspace_id=row[1],
        device_id=row[2],
        name=row[3],
        climate_preset_key=row[4],
        starts_at=row[5],
        ends_at=row[6],
        is_override_allowed=bool(row[7]),
        max_override_period_minutes=row[8],
        created_at=row[9],
        is_over=bool(row[10]),
        errors=tuple(from_json(row[11])),
    )
