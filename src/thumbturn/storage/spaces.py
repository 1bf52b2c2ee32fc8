"""What is in spaces on record: the ``SpaceStore`` of ``engine/space_ports.py``.

The spaces themselves are things of access control. What is in them are pairs, found from either side:
pages of devices ask for the spaces of each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from sqlalchemy import Connection, Table, delete, or_, select

from thumbturn.domain.encoder import ENCODER_TYPE
from thumbturn.domain.event import Event
from thumbturn.domain.space import Members, Space, check_parent, has_moved, naming
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.space_ports import NotInWorkspace
from thumbturn.storage.access import KINDS, add_thing, change_thing, find_things, hold_workspace
from thumbturn.storage.bulk import insert_rows
from thumbturn.storage.expressions import one_of
from thumbturn.storage.hot import write_events
from thumbturn.storage.space_tables import space_members
from thumbturn.storage.tables import access_things, connected_accounts, devices
from thumbturn.storage.webhook_store import ActOn, Do

_columns = space_members.c
#: The word for each part of ``Members``, and the table that has those.
_KINDS: tuple[tuple[str, Table], ...] = (
    ("device", devices),
    ("acs_entrance", access_things),
    ("connected_account", connected_accounts),
)


class SqlSpaces:
    """What is in the spaces of a ``SqlStore``, which lends its ways to act and to read."""

    def __init__(self, act: ActOn, read: Do) -> None:
        self._act = act
        self._read = read

    async def add(self, space: Space, inside: Members, told: Event) -> bool:
        def add(connection: Connection) -> bool:
            if space.parent_space_id is not None:
                hold_workspace(connection, space.workspace_id)
                _check_parent(connection, space)
            if not add_thing(connection, space):
                return False
            _require(connection, space.workspace_id, inside)
            _put(connection, space, inside)
            write_events(connection, (naming(told, space, inside),))
            return True

        return await self._act(add, (told,), space_id=space.id)

    async def change(
        self,
        workspace_id: str,
        space_id: str,
        change: Callable[[Space], Space],
        named: Members,
        refill: Callable[[Members], Members],
        told: Event,
    ) -> Space | None:
        def refilled(connection: Connection) -> Space | None:
            def checked(before: Space) -> Space:
                after = change(before)
                if after.parent_space_id != before.parent_space_id:
                    _check_parent(connection, after)
                return after

            # What is above a space is in other rows: these must not change meanwhile. It is held before any
            # space is, by all who hold both.
            hold_workspace(connection, workspace_id)
            # Locks the space: what is read of its members then is what it has.
            space = change_thing(connection, Space, (workspace_id, space_id), checked)
            if space is None:
                return None
            _require(connection, workspace_id, named)
            before = _inside(connection, workspace_id, (space_id,)).get(space_id, Members())
            after = refill(before)
            _take(connection, space, before.without(after))
            _put(connection, space, after.without(before))
            if has_moved(before, after):
                write_events(connection, (naming(told, space, after),))
            return space

        return await self._act(refilled, (told,))

    async def remove(self, workspace_id: str, space_id: str, told: Event) -> bool:
        return await self._act(lambda connection: _remove(connection, workspace_id, space_id, told), (told,))

    async def inside(self, workspace_id: str, space_ids: Collection[str]) -> Mapping[str, Members]:
        if not space_ids:
            return {}
        return await self._read(lambda connection: _inside(connection, workspace_id, space_ids))

    async def around(self, workspace_id: str, member_ids: Collection[str]) -> Mapping[str, list[str]]:
        if not member_ids:
            return {}
        return await self._read(lambda connection: _around(connection, workspace_id, member_ids))


def let_go(
    connection: Connection, workspace_id: str, account_id: str | None = None
) -> list[tuple[Space, Members]]:
    """Let nothing of a workspace, or of one of its accounts, be in a space any more; while that is there.

    Of an account, the spaces that lose devices or entrances, and what is left in them.
    """
    gone = [_columns.workspace_id == workspace_id]
    if account_id is None:
        connection.execute(delete(space_members).where(*gone))
        return []
    of_account = [
        select(each.c.id).where(
            each.c.workspace_id == workspace_id, each.c.connected_account_id == account_id
        )
        for each in (devices, access_things)
    ]
    gone.append(or_(_columns.member_id == account_id, *(_columns.member_id.in_(ids) for ids in of_account)))
    ids = set(connection.execute(select(_columns.space_id).where(*gone)).scalars())
    before = _inside(connection, workspace_id, ids)
    connection.execute(delete(space_members).where(*gone))
    after = _inside(connection, workspace_id, ids)
    lost = [id for id in before if has_moved(before[id], after.get(id, Members()))]
    return [
        (space, after.get(space.id, Members()))
        for space in find_things(connection, Space, workspace_id, Wanted(ids=lost))
    ]


def _remove(connection: Connection, workspace_id: str, space_id: str, told: Event) -> bool:
    def as_it_is(space: Space) -> Space:
        return space

    # Nothing is put in it meanwhile, which would be in nothing then.
    hold_workspace(connection, workspace_id)
    space = change_thing(connection, Space, (workspace_id, space_id), as_it_is)
    if space is None:
        return False
    inside = _inside(connection, workspace_id, (space_id,)).get(space_id, Members())
    things = access_things.c
    of_kind = things.workspace_id == workspace_id, things.kind == KINDS[Space].word
    within = select(things.id).where(*of_kind, things.holder_id == space_id)
    for child in list(connection.execute(within).scalars()):
        change_thing(
            connection, Space, (workspace_id, child), lambda each: replace(each, parent_space_id=None)
        )
    connection.execute(delete(space_members).where(_columns.space_id == space_id))
    connection.execute(delete(access_things).where(*of_kind, things.id == space_id))
    write_events(connection, (naming(told, space, inside),))
    return True


def _check_parent(connection: Connection, space: Space) -> None:
    def find(id: str) -> Space | None:
        found = find_things(connection, Space, space.workspace_id, Wanted(ids=(id,)))
        return found[0] if found else None

    check_parent(space, find)


def _put(connection: Connection, space: Space, more: Members) -> None:
    rows = [
        (space.id, id, space.workspace_id, word)
        for (word, _), ids in zip(_KINDS, more, strict=True)
        for id in ids
    ]
    insert_rows(connection, space_members, rows)


def _take(connection: Connection, space: Space, less: Members) -> None:
    ids = [id for part in less for id in part]
    if ids:
        mine = _columns.space_id == space.id, one_of(_columns.member_id, ids, connection.dialect)
        connection.execute(delete(space_members).where(*mine))


def _require(connection: Connection, workspace_id: str, named: Members) -> None:
    """Raise ``NotInWorkspace`` for what the workspace has not; what it has stays until the commit."""
    missing = []
    for (word, table), ids in zip(_KINDS, named, strict=True):
        there: set[str] = set()
        if ids:
            mine = [table.c.workspace_id == workspace_id, one_of(table.c.id, ids, connection.dialect)]
            if table is access_things:
                mine.append(access_things.c.kind == word)
            if table is devices:
                mine.append(devices.c.device_type != ENCODER_TYPE)
            there = set(
                connection.execute(select(table.c.id).where(*mine).with_for_update(read=True)).scalars()
            )
        missing.append(tuple(id for id in ids if id not in there))
    if any(missing):
        raise NotInWorkspace(Members(*missing))


def _inside(connection: Connection, workspace_id: str, space_ids: Collection[str]) -> dict[str, Members]:
    query = select(_columns.space_id, _columns.kind, _columns.member_id).where(
        _columns.workspace_id == workspace_id, one_of(_columns.space_id, space_ids, connection.dialect)
    )
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for space_id, kind, member_id in connection.execute(query):
        found[space_id][kind].add(member_id)
    return {
        space_id: Members(*(tuple(sorted(parts[word])) for word, _ in _KINDS))
        for space_id, parts in found.items()
    }


def _around(connection: Connection, workspace_id: str, member_ids: Collection[str]) -> dict[str, list[str]]:
    query = select(_columns.member_id, _columns.space_id).where(
        _columns.workspace_id == workspace_id, one_of(_columns.member_id, member_ids, connection.dialect)
    )
    found: dict[str, list[str]] = defaultdict(list)
    for member_id, space_id in connection.execute(query.order_by(_columns.space_id)):
        found[member_id].append(space_id)
    return dict(found)
