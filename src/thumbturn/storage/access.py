"""Access control on record: the ``AccessStore`` of ``engine/access_ports.py``.

Its things share a table. What they are asked for by has a column; what else is known of them is JSON, because
that differs from kind to kind and from system to system, and nothing is ever asked of it (ADR 0019).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple, TypeVar

from pydantic_core import from_json
from sqlalchemy import Connection, delete, select, tuple_, update

from thumbturn.domain.access import (
    AcsAccessGroup,
    AcsCredential,
    AcsEntrance,
    AcsSystem,
    AcsUser,
    Thing,
    UnmanagedIdentity,
    UserIdentity,
)
from thumbturn.domain.access_grant import AccessGrant, GrantedMethod, RequestedMethod
from thumbturn.domain.client_session import Reach
from thumbturn.domain.event import Event
from thumbturn.domain.phone import Phone
from thumbturn.domain.space import Space
from thumbturn.engine.access_ports import KeyIsTaken, Wanted
from thumbturn.storage.bulk import insert_rows
from thumbturn.storage.expressions import can_be_stored, one_of, within
from thumbturn.storage.hot import write_events
from thumbturn.storage.rows import Row, encode
from thumbturn.storage.scope import Scope, everywhere
from thumbturn.storage.tables import access_things, workspaces
from thumbturn.storage.webhook_store import ActOn, Do

T = TypeVar("T", bound=Thing)
_columns = access_things.c


class Kind(NamedTuple):
    """How a kind of thing stands in the table: the name of each field that has a column."""

    word: str
    system: str | None = "acs_system_id"
    account: str | None = "connected_account_id"
    holder: str | None = None
    key: str | None = None
    sealed: str | None = None


KINDS: Mapping[type[Any], Kind] = {
    UserIdentity: Kind("user_identity", system=None, account=None, key="user_identity_key"),
    UnmanagedIdentity: Kind("unmanaged_user_identity"),
    Phone: Kind("phone", system=None, account=None, holder="user_identity_id"),
    Space: Kind("space", system=None, account=None, holder="parent_space_id", key="space_key"),
    AcsSystem: Kind("acs_system", system="id"),
    AcsEntrance: Kind("acs_entrance", holder="device_id"),
    AcsAccessGroup: Kind("acs_access_group"),
    AcsUser: Kind("acs_user", holder="user_identity_id"),
    AcsCredential: Kind("acs_credential", holder="acs_user_id", key="card_number", sealed="code"),
    AccessGrant: Kind(
        "access_grant", system=None, account=None, holder="user_identity_id", key="access_grant_key"
    ),
    GrantedMethod: Kind("access_method", system=None, account=None, holder="access_grant_id"),
}
#: What has a column, whatever the kind.
_COMMON = ("id", "workspace_id", "created_at")
_TUPLES = frozenset(
    {
        "device_ids",
        "acs_entrance_ids",
        "acs_access_group_ids",
        "space_ids",
        "planned_device_ids",
        "planned_entrance_ids",
        "missing_device_ids",
        "codeless_device_ids",
        "opened_entrance_ids",
        "leaving_device_ids",
        "at_device_ids",
    }
)


class SqlAccess:
    """The things of a ``SqlStore``, which lends its ways to act and to read."""

    def __init__(self, act: ActOn, read: Do, scope: Scope = everywhere) -> None:
        self._scope = scope
        self._act = act
        self._read = read

    async def add(self, thing: Thing, told: Sequence[Event] = ()) -> bool:
        made = {f"{KINDS[type(thing)].word}_id": thing.id}
        return await self._act(lambda connection: add_thing(connection, thing, told), told, **made)

    async def change(
        self,
        kind: type[T],
        workspace_id: str,
        id: str,
        change: Callable[[T], T],
        told: Sequence[Event] = (),
    ) -> T | None:
        return await self._act(
            lambda connection: change_thing(connection, kind, (workspace_id, id), change, told), told
        )

    async def settle(
        self,
        workspace_id: str,
        *,
        new: Sequence[Thing] = (),
        changed: Sequence[Thing] = (),
        gone: Sequence[str] = (),
        needs: Sequence[str] = (),
        as_known: Sequence[Thing] = (),
        told: Sequence[Event] = (),
    ) -> bool:
        made = {f"{KINDS[type(each)].word}_id": each.id for each in new[:1]}
        return await self._act(
            lambda connection: (
                _is_there(connection, workspace_id, (*(each.id for each in changed), *gone, *needs))
                and _is_as_known(connection, workspace_id, as_known)
                and _settle(connection, workspace_id, new, changed, gone, told)
            ),
            told,
            **made,
        )

    async def remove(self, workspace_id: str, gone: Mapping[str, Event | None]) -> frozenset[str]:
        told = [event for event in gone.values() if event is not None]
        return await self._act(lambda connection: _remove(connection, workspace_id, gone), told)

    async def everywhere(self, kind: type[Any]) -> list[tuple[str, str]]:
        query = select(_columns.workspace_id, _columns.id).where(_columns.kind == KINDS[kind].word)
        query = self._scope(query, _columns.workspace_id)
        rows = await self._read(lambda connection: connection.execute(query).all())
        return [(row[0], row[1]) for row in rows]

    async def get(self, kind: type[T], workspace_id: str, id: str, reach: Reach = None) -> T | None:
        found = await self.find(kind, workspace_id, Wanted(ids=(id,), reach=reach), limit=1)
        return found[0] if found else None

    async def find(
        self,
        kind: type[T],
        workspace_id: str,
        wanted: Wanted,
        *,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> list[T]:
        return await self._read(
            lambda connection: find_things(connection, kind, workspace_id, wanted, after, limit)
        )


def plant(connection: Connection, things: Sequence[Thing]) -> None:
    """Insert a workspace's first things."""
    insert_rows(connection, access_things, [_row(thing) for thing in things])


def clear(connection: Connection, workspace_id: str, account_id: str | None = None) -> None:
    """Delete all that a workspace has of access control, or what there is of one of its accounts."""
    which = [_columns.workspace_id == workspace_id]
    if account_id is not None:
        which.append(_columns.connected_account_id == account_id)
    connection.execute(delete(access_things).where(*which))


def add_thing(connection: Connection, thing: Thing, told: Sequence[Event] = ()) -> bool:
    """As ``AccessStore.add``."""
    if _is_taken(connection, thing):
        return False
    insert_rows(connection, access_things, [_row(thing)])
    write_events(connection, told)
    return True


def hold_workspace(connection: Connection, workspace_id: str) -> None:
    """Let nobody else, until the commit, do what is done one after the other in a workspace."""
    here = select(workspaces.c.id).where(workspaces.c.id == workspace_id)
    # What is only added to the workspace, as events are, need not wait.
    connection.execute(here.with_for_update(key_share=True))


def change_thing(
    connection: Connection,
    kind: type[T],
    whose: tuple[str, str],
    change: Callable[[T], T],
    told: Sequence[Event] = (),
) -> T | None:
    """As ``AccessStore.change``: of the workspace's thing of this id."""
    query = select(access_things).where(*_mine(kind, *whose)).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    before: T = _thing(kind, row)
    after = change(before)
    if after == before:
        return before
    if _is_another(after, before) and _is_taken(connection, after):
        raise KeyIsTaken
    values = dict(zip(_columns.keys(), _row(after), strict=True))
    connection.execute(update(access_things).where(*_mine(kind, *whose)).values(values))
    write_events(connection, told)
    return after


def _is_there(connection: Connection, workspace_id: str, ids: Sequence[str]) -> bool:
    """True if the workspace has all of these, which are as they are until the end of the transaction."""
    here = _columns.workspace_id == workspace_id, one_of(_columns.id, ids, connection.dialect)
    there = frozenset(connection.execute(select(_columns.id).where(*here).with_for_update()).scalars())
    return there.issuperset(ids)


def _is_as_known(connection: Connection, workspace_id: str, things: Sequence[Thing]) -> bool:
    for each in things:
        query = select(access_things).where(*_mine(type(each), workspace_id, each.id)).with_for_update()
        row = connection.execute(query).one_or_none()
        if row is None or _thing(type(each), row) != each:
            return False
    return True


def _settle(
    connection: Connection,
    workspace_id: str,
    new: Sequence[Thing],
    changed: Sequence[Thing],
    gone: Sequence[str],
    told: Sequence[Event],
) -> bool:
    for each in (*new, *changed):
        if _is_taken(connection, each):
            raise KeyIsTaken
    insert_rows(connection, access_things, [_row(each) for each in new])
    for each in changed:
        values = dict(zip(_columns.keys(), _row(each), strict=True))
        connection.execute(
            update(access_things).where(*_mine(type(each), workspace_id, each.id)).values(values)
        )
    if gone:
        going = one_of(_columns.id, gone, connection.dialect)
        connection.execute(delete(access_things).where(_columns.workspace_id == workspace_id, going))
    write_events(connection, told)
    return True


def _remove(connection: Connection, workspace_id: str, gone: Mapping[str, Event | None]) -> frozenset[str]:
    mine = _columns.workspace_id == workspace_id, one_of(_columns.id, gone, connection.dialect)
    there = frozenset(connection.execute(select(_columns.id).where(*mine).with_for_update()).scalars())
    connection.execute(delete(access_things).where(*mine))
    write_events(connection, [event for id, event in gone.items() if event is not None and id in there])
    return there


def find_things(
    connection: Connection,
    kind: type[T],
    workspace_id: str,
    wanted: Wanted,
    after: tuple[int, str] | None = None,
    limit: int | None = None,
) -> list[T]:
    """As ``AccessStore.find``."""
    if wanted.key is not None and not can_be_stored(wanted.key):
        return []
    query = select(access_things).where(
        _columns.workspace_id == workspace_id, _columns.kind == KINDS[kind].word
    )
    for column, values in (
        (_columns.id, wanted.ids),
        (_columns.acs_system_id, wanted.acs_system_ids),
        (_columns.connected_account_id, wanted.connected_account_ids),
        (_columns.holder_id, wanted.holder_ids),
    ):
        if values is not None:
            query = query.where(one_of(column, values, connection.dialect))
    if wanted.key is not None:
        query = query.where(_columns.key == wanted.key)
    if wanted.created_before is not None:
        query = query.where(_columns.created_at < wanted.created_before)
    if after is not None:
        query = query.where(tuple_(_columns.created_at, _columns.id) > after)
    query = query.where(*within(_columns.connected_account_id, wanted.reach, connection.dialect))
    rows = connection.execute(query.order_by(_columns.created_at, _columns.id).limit(limit))
    return [_thing(kind, row) for row in rows]


def _is_taken(connection: Connection, thing: Thing) -> bool:
    """True if another has what only one may have. Of cards there may be several credentials."""
    if (only := _one_of_its(thing)) is None:
        return False
    # Whoever holds the workspace's row is alone in giving it one of these.
    hold_workspace(connection, thing.workspace_id)
    query = select(_columns.id).where(
        _columns.workspace_id == thing.workspace_id,
        _columns.kind == KINDS[type(thing)].word,
        _columns.id != thing.id,
        *only,
    )
    return connection.execute(query).first() is not None


def _is_another(after: Thing, before: Thing) -> bool:
    """True if a thing has another key, or is another identity's user, than before."""
    if isinstance(after, AcsUser) and isinstance(before, AcsUser):
        return after.user_identity_id != before.user_identity_id
    return _only_its(after) != _only_its(before)


def _one_of_its(thing: Thing) -> tuple[Any, ...] | None:
    """What finds those of the workspace that cannot be there beside this thing; ``None`` if all can."""
    if isinstance(thing, AcsUser) and thing.user_identity_id is not None:
        return _columns.holder_id == thing.user_identity_id, _columns.acs_system_id == thing.acs_system_id
    key = _only_its(thing)
    return None if key is None else (_columns.key == key,)


def _only_its(thing: Thing) -> str | None:
    """What no other may have: the key of an identity, a grant or a space; what tells a credential's code
    from others of its system, which is another in each system.
    """
    if isinstance(thing, AcsCredential):
        return thing.code_key
    if isinstance(thing, Space):
        return thing.space_key
    if isinstance(thing, AccessGrant):
        return thing.access_grant_key
    return thing.user_identity_key if isinstance(thing, UserIdentity) else None


def _mine(kind: type[Any], workspace_id: str, id: str) -> tuple[Any, ...]:
    id = id if can_be_stored(id) else ""
    return _columns.id == id, _columns.workspace_id == workspace_id, _columns.kind == KINDS[kind].word


def _row(thing: Any) -> Row:
    kind = KINDS[type(thing)]
    named = kind[1:]
    apart = {*_COMMON, *named}
    facts = {each.name: getattr(thing, each.name) for each in fields(thing) if each.name not in apart}
    *others, key, secret = [None if name is None else getattr(thing, name) for name in named]
    # A credential is on a card or is a code: either is what it is looked for by.
    key = key or _only_its(thing)
    return (thing.id, thing.workspace_id, kind.word, *others, key, thing.created_at, encode(facts), secret)


def _thing(kind: type[T], row: Row) -> T:
    id, workspace_id, _, *columns, created_at, facts, secret = row
    known = {name: _part(name, value) for name, value in from_json(facts).items()}
    named = zip(KINDS[kind][1:], (*columns, secret), strict=True)
    known |= {name: value for name, value in named if name is not None}
    if known.get("code_key") is not None:
        known["card_number"] = None
    return kind(**known | {"id": id, "workspace_id": workspace_id, "created_at": created_at})


def _part(name: str, value: Any) -> Any:
    """A fact as its kind has it: JSON knows no tuples."""
    if name == "requested":
        lists = ("access_method_ids", "denied_ids")
        given = [each | {name: tuple(each.get(name, ())) for name in lists} for each in value]
        return tuple(RequestedMethod(**each) for each in given)
    return tuple(value) if name in _TUPLES and value is not None else value
