"""Access codes on record: the ``AccessCodeStore`` of ``engine/access_code_ports.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, Select, and_, delete, exists, func, not_, select, tuple_, update

from thumbturn.domain.access_code import AccessCode, Facts, Slot
from thumbturn.domain.access_code_news import entered_by, is_by_code
from thumbturn.domain.event import Event
from thumbturn.engine.access_code_ports import CodeFacts, CodeFilter, CodeStored
from thumbturn.engine.ports import Change
from thumbturn.storage.bulk import insert_rows
from thumbturn.storage.coalesce import Coalescing
from thumbturn.storage.code_tables import access_codes, data_keys
from thumbturn.storage.expressions import one_of, within
from thumbturn.storage.hot import Rows, Telling, perform, telling, to_be_told, write_events
from thumbturn.storage.reader import Reader
from thumbturn.storage.rows import Row, encode
from thumbturn.storage.scope import Scope, everywhere
from thumbturn.storage.tables import devices
from thumbturn.storage.webhook_store import ActOn, Write

_columns = access_codes.c
#: What of a code is in the column ``wish``.
_WISHES = (
    "changed_at",
    "starts_at",
    "ends_at",
    "is_external_modification_allowed",
    "is_native",
    "uses_backup_pool",
    "pulled_backup_id",
    "stands_in_for",
    "removed_at",
)
_FACTS = tuple(name for name in Facts.__dataclass_fields__ if name != "held")
#: What callers never change.
_FIXED = (
    "id",
    "workspace_id",
    "device_id",
    "connected_account_id",
    "created_at",
    "place",
    "facts",
    "is_managed",
)
_SLOT = tuple(Slot.__dataclass_fields__)


class SqlAccessCodes:
    """The codes of a ``SqlStore``, which lends its ways to act, to write and to read."""

    def __init__(self, act: ActOn, write: Write, reader: Reader, scope: Scope = everywhere) -> None:
        self._scope = scope
        self._act = act
        self._write = write
        self._read = reader.read
        self._one = Coalescing(reader, _by_ids)

    async def add(self, codes: Sequence[AccessCode], told: Sequence[Event]) -> CodeStored:
        made = {"access_code_id": codes[0].id} if len(codes) == 1 else {}
        return await self._stored(lambda connection: _add(connection, codes, told), told, **made)

    async def change(self, codes: Sequence[AccessCode], told: Sequence[Event]) -> CodeStored:
        return await self._stored(lambda connection: _change(connection, codes, told), told)

    async def _stored(
        self, store: Callable[[Connection], CodeStored], told: Sequence[Event], **made: str
    ) -> CodeStored:
        stored = CodeStored.DONE

        def write(connection: Connection) -> bool:
            nonlocal stored
            stored = store(connection)
            return stored is CodeStored.DONE

        await self._act(write, told, **made)
        return stored

    async def note(self, facts: Sequence[CodeFacts], told: Sequence[Event]) -> None:
        def write(connection: Connection) -> None:
            known = [each.code.id for each in facts if not each.is_new]
            there = select(_columns.id).where(one_of(_columns.id, known, connection.dialect))
            if len(connection.execute(there.with_for_update()).all()) == len(known):
                write_facts(connection, facts)
                write_events(connection, told)

        await self._write(write, told)

    async def get(self, access_code_id: str) -> AccessCode | None:
        return await self._one.get(access_code_id)

    async def listed(
        self, workspace_id: str, wanted: CodeFilter, *, after: tuple[int, str] | None = None, limit: int
    ) -> list[AccessCode]:
        return await self._read(lambda connection: _listed(connection, workspace_id, wanted, after, limit))

    async def of_device(self, device_id: str, *, due_by: int | None = None) -> list[AccessCode]:
        query = select(access_codes).where(_columns.device_id == device_id)
        if due_by is not None:
            query = query.where(_columns.due_at <= due_by)
        rows = await self._read(lambda connection: connection.execute(query).all())
        return [_code(row) for row in rows]

    async def due(self, after: int, until: int) -> list[str]:
        query = select(_columns.device_id).distinct().where(_columns.due_at > after, _columns.due_at <= until)
        query = self._scope(query, _columns.workspace_id)
        return await self._read(lambda connection: list(connection.execute(query).scalars()))

    async def next_due(self, after: int) -> int | None:
        query = select(func.min(_columns.due_at)).where(_columns.due_at > after)
        query = self._scope(query, _columns.workspace_id)
        return await self._read(lambda connection: connection.execute(query).scalar())

    async def keep_key(self, id: str, sealed: str) -> str:
        def keep(connection: Connection) -> str:
            kept = connection.execute(select(data_keys.c.sealed).where(data_keys.c.id == id)).scalar()
            if kept is None:
                insert_rows(connection, data_keys, [(id, sealed)])
            return kept or sealed

        return await self._write(keep)


def write_facts(connection: Connection, facts: Iterable[CodeFacts]) -> None:
    """Store what became of codes at their locks, in the caller's transaction."""
    for code, is_gone, is_new in facts:
        this_one = _columns.id == code.id
        if is_gone:
            connection.execute(delete(access_codes).where(this_one))
        elif is_new:
            is_there = select(_columns.id).where(this_one)
            if connection.execute(is_there).first() is None and not _is_taken(connection, code):
                insert_rows(connection, access_codes, [_row(code)])
        else:
            values = {"facts": _facts_text(code.facts), "due_at": code.due_at, "is_managed": code.is_managed}
            connection.execute(update(access_codes).where(this_one).values(values))


def changing_codes(rows: Rows, change: Change) -> Telling:
    """An operation that also stores what became of codes, as one; answered as the rows are."""

    def write(connection: Connection) -> bool:
        done = rows
        if change.names_codes:
            done = rows._replace(told=to_be_told(_with_codes(connection, change.events)))
        [answer] = perform(connection, [done])
        write_facts(connection, change.codes)
        return bool(answer)

    return telling(write, change.events)


def _with_codes(connection: Connection, told: Sequence[Event]) -> list[Event]:
    """The events, of which some tell of bolts that were moved by codes, with what is on record of those."""
    ids = [event.payload["access_code_id"] for event in told if is_by_code(event)]
    query = (
        select(access_codes, devices.c.is_managed)
        .join_from(access_codes, devices, devices.c.id == _columns.device_id)
        .where(one_of(_columns.id, ids, connection.dialect))
    )
    known = {row[0]: entered_by(_code(row), is_managed=bool(row[-1])) for row in connection.execute(query)}
    return [
        event._replace(payload={**event.payload, **known.get(event.payload["access_code_id"], {})})
        if is_by_code(event)
        else event
        for event in told
    ]


def codes_of_account(connection: Connection, workspace_id: str, account_id: str) -> list[AccessCode]:
    """The codes of the locks of an account; none comes to them until the caller's transaction ends."""
    locks = select(devices.c.id).where(
        devices.c.workspace_id == workspace_id, devices.c.connected_account_id == account_id
    )
    there = connection.execute(locks.with_for_update()).scalars().all()
    rows = connection.execute(
        select(access_codes)
        .where(one_of(_columns.device_id, there, connection.dialect))
        .order_by(_columns.created_at, _columns.id)
    )
    return [_code(row) for row in rows]


def forget_codes(connection: Connection, workspace_id: str, of: Select[tuple[str]]) -> None:
    """Forget the codes of these locks of a workspace."""
    here = _columns.workspace_id == workspace_id, _columns.device_id.in_(of)
    connection.execute(delete(access_codes).where(*here))


def _add(connection: Connection, codes: Sequence[AccessCode], told: Sequence[Event]) -> CodeStored:
    for code in codes:
        # Whoever holds the lock's row is alone in giving it a code.
        here = select(devices.c.id).where(
            devices.c.id == code.device_id, devices.c.workspace_id == code.workspace_id
        )
        if connection.execute(here.with_for_update()).scalar() is None:
            return CodeStored.MISSING
        if _is_taken(connection, code):
            return CodeStored.TAKEN
    insert_rows(connection, access_codes, [_row(code) for code in codes])
    write_events(connection, told)
    return CodeStored.DONE


def _change(connection: Connection, codes: Sequence[AccessCode], told: Sequence[Event]) -> CodeStored:
    for code in codes:
        connection.execute(select(devices.c.id).where(devices.c.id == code.device_id).with_for_update())
        here = select(_columns.id).where(_columns.id == code.id, _columns.workspace_id == code.workspace_id)
        if connection.execute(here).scalar() is None:
            return CodeStored.MISSING
        if _is_taken(connection, code):
            return CodeStored.TAKEN
    for code in codes:
        values = dict(zip(_columns.keys(), _row(code), strict=True))
        for name in _FIXED:
            del values[name]
        connection.execute(update(access_codes).where(_columns.id == code.id).values(values))
    write_events(connection, told)
    return CodeStored.DONE


def _is_taken(connection: Connection, code: AccessCode) -> bool:
    query = select(_columns.id).where(
        _columns.device_id == code.device_id, _columns.pin_key == code.pin_key, _columns.id != code.id
    )
    return connection.execute(query).first() is not None


def _by_ids(connection: Connection, ids: Sequence[str]) -> dict[str, AccessCode]:
    query = select(access_codes).where(one_of(_columns.id, ids, connection.dialect))
    return {row[0]: _code(row) for row in connection.execute(query)}


def _listed(
    connection: Connection,
    workspace_id: str,
    wanted: CodeFilter,
    after: tuple[int, str] | None,
    limit: int,
) -> list[AccessCode]:
    query = select(access_codes).where(_columns.workspace_id == workspace_id)
    if wanted.ids is not None:
        query = query.where(one_of(_columns.id, wanted.ids, connection.dialect))
    for column, value in (
        (_columns.device_id, wanted.device_id),
        (_columns.pin_key, wanted.pin_key),
        (_columns.common_code_key, wanted.common_code_key),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.is_backup is not None:
        query = query.where(_columns.is_backup == wanted.is_backup)
    if wanted.is_managed is not None:
        lock = exists().where(devices.c.id == _columns.device_id, devices.c.is_managed)
        is_looked_after = and_(_columns.is_managed, lock)
        query = query.where(is_looked_after if wanted.is_managed else not_(is_looked_after))
    query = query.where(*within(_columns.connected_account_id, wanted.reach, connection.dialect))
    if after is not None:
        query = query.where(tuple_(_columns.created_at, _columns.id) > after)
    query = query.order_by(_columns.created_at, _columns.id)
    if wanted.search is None:
        query = query.limit(limit)
    # Letter case beyond ASCII is another one in either database: it is looked at here.
    sought = None if wanted.search is None else wanted.search.casefold()
    found = (_code(row) for row in connection.execute(query))
    fitting = (each for each in found if sought is None or sought in (each.name or "").casefold())
    return list(islice(fitting, limit))


def _row(code: AccessCode) -> Row:
    return (
        code.id,
        code.workspace_id,
        code.device_id,
        code.connected_account_id,
        code.name,
        code.pin,
        code.pin_key,
        code.place,
        code.created_at,
        code.is_managed,
        code.is_backup,
        code.common_code_key,
        encode({name: getattr(code, name) for name in _WISHES}),
        _facts_text(code.facts),
        code.due_at,
    )


def _facts_text(facts: Facts) -> str:
    held = None if facts.held is None else {name: getattr(facts.held, name) for name in _SLOT}
    return encode({"held": held} | {name: getattr(facts, name) for name in _FACTS})


def _code(row: Row) -> AccessCode:
    facts: dict[str, Any] = from_json(row[13])
    held = facts.pop("held")
    for name in ("errors", "warnings"):
        facts[name] = {each: tuple(why) for each, why in facts[name].items()}
    return AccessCode(
        id=row[0],
        workspace_id=row[1],
        device_id=row[2],
        connected_account_id=row[3],
        name=row[4],
        pin=row[5],
        pin_key=row[6],
        place=row[7],
        created_at=row[8],
        is_managed=bool(row[9]),
        is_backup=bool(row[10]),
        common_code_key=row[11],
        facts=Facts(held=None if held is None else Slot(**held), **facts),
        due_at=row[14],
        **from_json(row[12]),
    )
