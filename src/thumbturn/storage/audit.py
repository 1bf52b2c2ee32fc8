"""The audit trail on disk: what waits to be sealed, what is sealed, and the head of each chain.

An acting call must cost next to nothing, and its entry must be as durable as what it did. So a line
that says no more than which attempt was accepted is written in the attempt's own transaction
(``audit_waiting``, in the order of commits). Soon after, many lines at a time are sealed and moved to
``audit_entries``; their text is read from the attempts themselves, from columns that nothing ever
changes. So a change of one of those breaks the chain as well. Of an attempt that is kept no more, its
text stays (``audit_texts``).

The text is put together by the database, already in canonical form (``domain/chain.py``): that saves
the interpreter most of the work of an entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar

from pydantic_core import from_json
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    Table,
    Text,
    bindparam,
    case,
    cast,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from thumbturn.domain.audit import Act
from thumbturn.domain.chain import Head, Sealed, canonical, seal
from thumbturn.engine.ports import Trail
from thumbturn.storage.bulk import insert_rows
from thumbturn.storage.expressions import one_of
from thumbturn.storage.retention_tables import audit_texts
from thumbturn.storage.tables import attempts, audit_entries, audit_waiting, workspaces

#: Entries that are sealed in one transaction: a few milliseconds of work.
AT_ONCE = 500
#: Of a workspace's entries, so many are looked through for one that may be there already.
RECENT = 20_000

T = TypeVar("T")


def append(connection: Connection, act: Act) -> None:
    """Put an act that is no attempt in line."""
    insert_rows(connection, audit_waiting, [(act.workspace_id, None, canonical(act.entry()))])


def append_once(connection: Connection, act: Act) -> None:
    """Put an act in line that may be on record already: its commit was made, and the answer lost."""
    body = canonical(act.entry())
    line, entry = audit_waiting.c, audit_entries.c
    newest = select(workspaces.c.audit_count).where(workspaces.c.id == act.workspace_id).scalar_subquery()
    waiting = select(line.n).where(line.workspace_id == act.workspace_id, line.body == body)
    sealed = select(entry.number).where(
        entry.workspace_id == act.workspace_id, entry.number > newest - RECENT, entry.body == body
    )
    if not any(connection.execute(query.limit(1)).first() for query in (waiting, sealed)):
        append(connection, act)


def together(call: Callable[[Connection], T], act: Act) -> Callable[[Connection], T]:
    """The call with its act in line, in one transaction; without it if nothing was done (None, false)."""

    def both(connection: Connection) -> T:
        done = call(connection)
        if was_done(done):
            append(connection, act)
        return done

    return both


def was_done(answer: object) -> bool:
    """True if a call that answered this has done something."""
    return answer is not None and answer is not False


def seal_waiting(connection: Connection) -> bool:
    """Seal the oldest lines that wait; true if there may be more."""
    if connection.dialect.name == "postgresql":
        # One process at a time: whoever comes second leaves it to the first.
        lock = text("select pg_try_advisory_xact_lock(hashtext('thumbturn.audit'))")
        if not connection.execute(lock).scalar():
            return False
    lines = connection.execute(_waiting(connection.dialect), {"most": AT_ONCE}).all()
    if not lines:
        return False
    gone = _texts(connection, [line[2] for line in lines if line[2] is not None and line[4] is None])
    heads: dict[str, Head] = {}
    sealed = []
    for _, workspace_id, attempt_id, body, composed in lines:
        number, before = heads.get(workspace_id) or _head(connection, workspace_id)
        # An attempt that is gone without a text leaves a gap in the trail that shows.
        own = seal(before, body or composed or gone.get(attempt_id) or "")
        heads[workspace_id] = Head(number + 1, own)
        sealed.append((workspace_id, number + 1, attempt_id, body, own))
    insert_rows(connection, audit_entries, sealed)
    for workspace_id in sorted(heads):
        number, own = heads[workspace_id]
        connection.execute(
            update(workspaces)
            .where(workspaces.c.id == workspace_id)
            .values(audit_count=number, audit_seal=own)
        )
    _strike_out(connection, [line[0] for line in lines])
    return len(lines) == AT_ONCE


def _texts(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """What is left of attempts that were forgotten before they were sealed. Hardly ever there are any."""
    if not ids:
        return {}
    columns = audit_texts.c
    query = select(columns.attempt_id, columns.body).where(
        one_of(columns.attempt_id, ids, connection.dialect)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _strike_out(connection: Connection, numbers: Sequence[int]) -> None:
    line = audit_waiting.c.n
    if connection.dialect.name == "sqlite":
        those = line <= numbers[-1]
    else:
        # One by one: another process may have committed a line in between.
        those = line == func.any(bindparam(None, numbers, type_=ARRAY(BigInteger)))
    connection.execute(delete(audit_waiting).where(those))


def trail(connection: Connection, workspace_id: str, after: int, limit: int) -> Trail:
    """A part of a workspace's chain, with its head as it was at the same moment."""
    asked = {"after": after, "workspace": workspace_id, "most": limit}
    rows = connection.execute(_trail(connection.dialect), asked).all()
    still = select(func.count()).select_from(audit_waiting)
    waiting = connection.execute(still.where(audit_waiting.c.workspace_id == workspace_id)).scalar_one()
    return Trail(_sealed(rows), Head(*rows[0][:2]) if rows else Head(), waiting)


def _sealed(rows: Sequence[Any]) -> tuple[Sealed, ...]:
    return tuple(
        [
            Sealed(number, seal_, _entry(composed if attempt_id is not None else body, body, attempt_id))
            for _, _, number, seal_, attempt_id, body, composed in rows
            if number is not None
        ]
    )


def _entry(written: str | None, body: str | None, attempt_id: str | None) -> Any:
    if written is None or (body is not None and attempt_id is not None):
        return None
    with suppress(ValueError):
        return from_json(written)
    return None


def _head(connection: Connection, workspace_id: str) -> Head:
    columns = workspaces.c
    query = select(columns.audit_count, columns.audit_seal).where(columns.id == workspace_id)
    row = connection.execute(query).one_or_none()
    return Head() if row is None else Head(*row)


@lru_cache(maxsize=8)
def _waiting(dialect: Dialect) -> Select[Any]:
    line = audit_waiting.c
    return (
        select(line.n, line.workspace_id, line.attempt_id, line.body, composed(dialect, attempts))
        .select_from(audit_waiting.outerjoin(attempts, attempts.c.id == line.attempt_id))
        .order_by(line.n)
        .limit(bindparam("most"))
    )


@lru_cache(maxsize=8)
def _trail(dialect: Dialect) -> Select[Any]:
    entry, workspace = audit_entries.c, workspaces.c
    joined = workspaces.outerjoin(
        audit_entries, (entry.workspace_id == workspace.id) & (entry.number > bindparam("after"))
    ).outerjoin(attempts, attempts.c.id == entry.attempt_id)
    joined = joined.outerjoin(audit_texts, audit_texts.c.attempt_id == entry.attempt_id)
    return (
        select(
            workspace.audit_count,
            workspace.audit_seal,
            entry.number,
            entry.seal,
            entry.attempt_id,
            entry.body,
            # While there is an attempt it is looked at, and not what may be kept of it besides.
            func.coalesce(composed(dialect, attempts), audit_texts.c.body),
        )
        .select_from(joined)
        .where(workspace.id == bindparam("workspace"))
        .order_by(entry.number)
        .limit(bindparam("most"))
    )


#: The entry of an attempt (``Act.entry``) in canonical form.
_TEMPLATE = (
    '{"action":%s,"actor":%s,"asked_by":%s,"at":%s,"ids":{"action_attempt_id":%s,"device_id":%s},'
    '"parameters":%s,"request_id":%s,"workspace_id":%s}'
)


def composed(dialect: Dialect, table: Table) -> ColumnElement[str]:
    """The text of the entry of an attempt in this table, in canonical form; null where there is none."""
    columns = table.c
    is_sqlite = dialect.name == "sqlite"

    def quoted(column: ColumnElement[Any]) -> ColumnElement[str]:
        if is_sqlite:
            return func.json_quote(column, type_=Text)
        return func.coalesce(cast(func.to_json(column), Text), "null")

    fill_in = func.printf if is_sqlite else func.format
    text_ = fill_in(
        _TEMPLATE,
        quoted(columns.action_type),
        quoted(columns.actor),
        func.coalesce(columns.asked_by, "null"),
        columns.accepted_at,
        quoted(columns.id),
        quoted(columns.device_id),
        columns.ask,
        quoted(columns.request_id),
        quoted(columns.workspace_id),
    )
    return case((columns.id.is_not(None), text_))
