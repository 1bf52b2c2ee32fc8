"""Questions about devices and accounts, and their rarer changes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Dialect, Select, delete, func, select, tuple_, update

from thumbturn.domain.client_session import Reach
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.device import Device
from thumbturn.domain.encoder import ENCODER_TYPE
from thumbturn.domain.event import Event
from thumbturn.domain.space import Members, Space
from thumbturn.engine.ports import DeviceFilter, Seed
from thumbturn.storage import access, spaces
from thumbturn.storage.access_codes import forget_codes
from thumbturn.storage.bulk import insert_rows
from thumbturn.storage.client_sessions import take_from_all
from thumbturn.storage.expressions import many, one_of, within
from thumbturn.storage.hot import write_events
from thumbturn.storage.rows import account_of, account_row, device_of, device_row, encode
from thumbturn.storage.scope import Scope, everywhere
from thumbturn.storage.tables import connected_accounts, devices, thermostat_schedules


def by_ids(connection: Connection, ids: Sequence[str]) -> dict[str, Device]:
    """The devices of these ids, in any workspace."""
    statement = _by_ids(connection.dialect)
    rows = connection.exec_driver_sql(statement, (many(ids, connection.dialect),)).all()
    return {row[0]: device_of(row) for row in rows}


@lru_cache(maxsize=256)
def _by_ids(dialect: Dialect) -> str:
    return str(select(devices).where(one_of(devices.c.id, (), dialect)).compile(dialect=dialect))


def listed(
    connection: Connection,
    workspace_id: str,
    wanted: DeviceFilter,
    *,
    after: tuple[int, str] | None,
    limit: int,
) -> list[Device]:
    """The devices of a workspace that fit, in order of (created_at, id)."""
    query = _that_fit(
        select(devices).where(devices.c.workspace_id == workspace_id), wanted, connection.dialect
    )
    if after is not None:
        query = query.where(tuple_(devices.c.created_at, devices.c.id) > after)
    query = query.order_by(devices.c.created_at, devices.c.id)
    if wanted.search is None and not wanted.custom_metadata_has:
        query = query.limit(limit)
    # What the two databases would answer differently (letter case beyond ASCII, the types of JSON)
    # is looked at here.
    found = (device_of(row) for row in connection.execute(query))
    return list(islice((device for device in found if _fits(device, wanted)), limit))


def _that_fit(query: Select[Any], wanted: DeviceFilter, dialect: Dialect) -> Select[Any]:
    columns = devices.c
    for column, values in (
        (columns.id, wanted.device_ids),
        (columns.connected_account_id, wanted.connected_account_ids),
        (columns.device_type, wanted.device_types),
    ):
        if values is not None:
            query = query.where(one_of(column, values, dialect))
    if wanted.customer_key is not None:
        accounts = connected_accounts.c
        theirs = select(accounts.id).where(
            accounts.workspace_id == columns.workspace_id,
            # Nothing that is stored is equal to what cannot be.
            one_of(accounts.customer_key, (wanted.customer_key,), dialect),
        )
        query = query.where(columns.connected_account_id.in_(theirs))
    if wanted.capability != "encoder":
        query = query.where(columns.device_type != ENCODER_TYPE)
    if wanted.capability is not None:
        query = query.where(columns.capabilities.contains(encode(wanted.capability), autoescape=True))
    if wanted.manufacturer is not None:
        query = query.where(columns.manufacturer == wanted.manufacturer)
    if wanted.name is not None:
        query = query.where(func.coalesce(func.nullif(columns.nickname, ""), columns.name) == wanted.name)
    if wanted.created_before is not None:
        query = query.where(columns.created_at < wanted.created_before)
    if wanted.is_managed is not None:
        query = query.where(columns.is_managed == wanted.is_managed)
    return query.where(*within(columns.connected_account_id, wanted.reach, dialect))


def _fits(device: Device, wanted: DeviceFilter) -> bool:
    if wanted.search is not None and wanted.search.casefold() not in device.display_name.casefold():
        return False
    # By JSON's rules true is not 1: the types are compared too.
    return all(
        key in device.custom_metadata
        and type(device.custom_metadata[key]) is type(value)
        and device.custom_metadata[key] == value
        for key, value in (wanted.custom_metadata_has or {}).items()
    )


def ids_within(connection: Connection, workspace_id: str, reach: Reach, most: int) -> list[str] | None:
    """The devices that somebody with this reach sees; ``None`` if that is all, or more than ``most``."""
    if reach is None:
        return None
    columns = devices.c
    seen = select(columns.id).where(
        columns.workspace_id == workspace_id, *within(columns.connected_account_id, reach, connection.dialect)
    )
    found = list(connection.execute(seen.limit(most + 1)).scalars())
    return found if len(found) <= most else None


def every_device(connection: Connection, scope: Scope = everywhere) -> list[Device]:
    """The devices of all workspaces."""
    return [device_of(row) for row in connection.execute(scope(select(devices), devices.c.workspace_id))]


def every_account(connection: Connection, scope: Scope = everywhere) -> list[ConnectedAccount]:
    """The accounts of all workspaces."""
    query = scope(select(connected_accounts), connected_accounts.c.workspace_id)
    return [account_of(row) for row in connection.execute(query)]


def add(connection: Connection, new: Sequence[Device], told: Sequence[Event]) -> None:
    """Insert devices, and the events that tell of it."""
    insert_rows(connection, devices, [device_row(device) for device in new])
    write_events(connection, told)


def change(connection: Connection, device: Device, told: Sequence[Event]) -> bool:
    """Store what people may change of a device, and tell it; ``False`` if it is not there."""
    statement = (
        update(devices)
        .where(devices.c.id == device.id, devices.c.workspace_id == device.workspace_id)
        .values(
            nickname=device.nickname,
            custom_metadata=encode(device.custom_metadata),
            is_managed=device.is_managed,
            settings=encode(device.settings),
        )
    )
    is_there = connection.execute(statement).rowcount == 1
    if is_there:
        write_events(connection, told)
    return is_there


def plant(connection: Connection, seed: Seed) -> None:
    """Insert a workspace's first accounts and devices."""
    insert_rows(connection, connected_accounts, [account_row(account) for account in seed.accounts])
    insert_rows(connection, devices, [device_row(device) for device in seed.devices])
    access.plant(connection, seed.access)


def remove_devices(
    connection: Connection, workspace_id: str, account_id: str | None = None
) -> list[tuple[Space, Members]]:
    """Delete the devices of a workspace, or of one of its accounts, with everything that is kept of them;
    the spaces of others that lose some of them, and what is left there.
    """
    which = [devices.c.workspace_id == workspace_id]
    if account_id is not None:
        which.append(devices.c.connected_account_id == account_id)
    gone = select(devices.c.id).where(*which)
    schedules = thermostat_schedules.c
    connection.execute(
        delete(thermostat_schedules).where(
            schedules.workspace_id == workspace_id, schedules.device_id.in_(gone)
        )
    )
    forget_codes(connection, workspace_id, gone)
    lost = spaces.let_go(connection, workspace_id, account_id)
    connection.execute(delete(devices).where(*which))
    access.clear(connection, workspace_id, account_id)
    return lost


def reset(connection: Connection, workspace_id: str, seed: Seed, told: Sequence[Event]) -> None:
    """Replace a workspace's accounts, devices and access control and what is kept of them by the seed's."""
    remove_devices(connection, workspace_id)
    accounts = connected_accounts.c
    before = connection.execute(select(accounts.id).where(accounts.workspace_id == workspace_id)).scalars()
    gone = set(before) - {account.id for account in seed.accounts}
    connection.execute(delete(connected_accounts).where(accounts.workspace_id == workspace_id))
    take_from_all(connection, workspace_id, gone)
    plant(connection, seed)
    write_events(connection, told)
