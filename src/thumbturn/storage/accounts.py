"""Connected accounts on record: the ``AccountStore`` of ``engine/account_ports.py``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Update, delete, select, tuple_, update

from thumbturn.domain.access_code import AccessCode
from thumbturn.domain.client_session import Reach
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.device import Device
from thumbturn.domain.event import Event
from thumbturn.domain.space import Members, Space
from thumbturn.engine.account_ports import AccountFilter
from thumbturn.storage import devices
from thumbturn.storage.access_codes import codes_of_account
from thumbturn.storage.bulk import insert_rows
from thumbturn.storage.client_sessions import take_from_all
from thumbturn.storage.devices import remove_devices
from thumbturn.storage.expressions import can_be_stored, one_of, within
from thumbturn.storage.hot import write_events
from thumbturn.storage.rows import account_of, account_row, encode
from thumbturn.storage.tables import connected_accounts
from thumbturn.storage.tables import devices as device_table
from thumbturn.storage.webhook_store import ActOn, Do, Write

_columns = connected_accounts.c


class SqlAccounts:
    """The connected accounts of a ``SqlStore``, which lends its ways to write, to act and to read."""

    def __init__(self, write: Write, act: ActOn, read: Do) -> None:
        self._write = write
        self._act = act
        self._read = read

    async def get(self, workspace_id: str, account_id: str, reach: Reach = None) -> ConnectedAccount | None:
        def get(connection: Connection) -> ConnectedAccount | None:
            mine = (*_mine(workspace_id, account_id), *within(_columns.id, reach, connection.dialect))
            row = connection.execute(select(connected_accounts).where(*mine)).one_or_none()
            return None if row is None else account_of(row)

        return await self._read(get) if can_be_stored(account_id) else None

    async def listed(
        self,
        workspace_id: str,
        wanted: AccountFilter,
        *,
        after: tuple[int, str] | None = None,
        limit: int,
    ) -> list[ConnectedAccount]:
        return await self._read(lambda connection: _listed(connection, workspace_id, wanted, after, limit))

    async def change(self, account: ConnectedAccount) -> bool:
        changed = (
            update(connected_accounts)
            .where(*_mine(account.workspace_id, account.id))
            .values(
                name=account.name,
                custom_metadata=encode(account.custom_metadata),
                customer_key=account.customer_key,
                accepted_capabilities=encode(account.accepted_capabilities),
                manages_new_devices=account.manages_new_devices,
            )
        )
        return await self._act(lambda connection: connection.execute(changed).rowcount == 1)

    async def disconnect(self, workspace_id: str, account_id: str, at: int, told: Sequence[Event]) -> bool:
        open_until_now = (*_mine(workspace_id, account_id), _columns.disconnected_at.is_(None))
        closed = update(connected_accounts).where(*open_until_now).values(disconnected_at=at)

        def disconnect(connection: Connection) -> bool:
            done = connection.execute(closed).rowcount == 1
            if done:
                write_events(connection, told)
            return done

        return await self._act(disconnect, told)

    async def link(
        self, account: ConnectedAccount, new_devices: Sequence[Device], told: Sequence[Event]
    ) -> None:
        def put(connection: Connection) -> None:
            link(connection, account, new_devices)
            write_events(connection, told)

        await self._act(put, told, connected_account_id=account.id)

    async def describe(self, known: Sequence[Device], told: Sequence[Event]) -> None:
        def describe(connection: Connection) -> None:
            for device in known:
                connection.execute(_described(device))
            write_events(connection, told)

        await self._write(describe, told)

    async def remove(
        self,
        workspace_id: str,
        account_id: str,
        told: Sequence[Event],
        told_of_code: Callable[[AccessCode], Event],
        told_of_space: Callable[[Space, Members], Event],
    ) -> bool:
        def remove(connection: Connection) -> bool:
            return _remove(connection, workspace_id, account_id, told, told_of_code, told_of_space)

        return await self._act(remove, told)


def link(connection: Connection, account: ConnectedAccount, new_devices: Sequence[Device]) -> None:
    """Store an account, or of one that is there how it is reached from now on; and its new devices."""
    known = update(connected_accounts).where(*_mine(account.workspace_id, account.id))
    let_in = known.values(disconnected_at=None, hub=account.hub, hub_id=account.hub_id)
    if not connection.execute(let_in).rowcount:
        insert_rows(connection, connected_accounts, [account_row(account)])
    devices.add(connection, new_devices, ())


def _described(device: Device) -> Update:
    here = device_table.c
    mine = (here.id == device.id, here.workspace_id == device.workspace_id)
    return (
        update(device_table)
        .where(*mine)
        .values(
            name=device.name,
            device_type=device.device_type,
            capabilities=encode(sorted(device.capabilities)),
            details=encode(device.details),
            manufacturer=device.details.get("manufacturer"),
        )
    )


def _listed(
    connection: Connection,
    workspace_id: str,
    wanted: AccountFilter,
    after: tuple[int, str] | None,
    limit: int,
) -> list[ConnectedAccount]:
    query = _of_workspace(workspace_id).where(*within(_columns.id, wanted.reach, connection.dialect))
    if wanted.account_ids is not None:
        query = query.where(one_of(_columns.id, wanted.account_ids, connection.dialect))
    if wanted.customer_key is not None:
        if not can_be_stored(wanted.customer_key):
            return []
        query = query.where(_columns.customer_key == wanted.customer_key)
    if after is not None:
        query = query.where(tuple_(_columns.created_at, _columns.id) > after)
    query = query.order_by(_columns.created_at, _columns.id)
    if wanted.email is None and wanted.search is None and not wanted.custom_metadata_has:
        query = query.limit(limit)
    found = (account_of(row) for row in connection.execute(query))
    return list(islice((account for account in found if wanted.fits(account)), limit))


def _remove(
    connection: Connection,
    workspace_id: str,
    account_id: str,
    told: Sequence[Event],
    told_of_code: Callable[[AccessCode], Event],
    told_of_space: Callable[[Space, Members], Event],
) -> bool:
    mine = _mine(workspace_id, account_id)
    if connection.execute(select(_columns.id).where(*mine).with_for_update()).first() is None:
        return False
    of_codes = [told_of_code(code) for code in codes_of_account(connection, workspace_id, account_id)]
    lost = remove_devices(connection, workspace_id, account_id)
    of_spaces = [told_of_space(space, left) for space, left in lost]
    connection.execute(delete(connected_accounts).where(*mine))
    take_from_all(connection, workspace_id, (account_id,))
    write_events(connection, (*of_codes, *of_spaces, *told))
    return True


def _of_workspace(workspace_id: str) -> Select[Any]:
    return select(connected_accounts).where(_columns.workspace_id == workspace_id)


def _mine(workspace_id: str, account_id: str) -> tuple[ColumnElement[bool], ...]:
    return _columns.id == account_id, _columns.workspace_id == workspace_id
