"""On PostgreSQL attempts and events lie in partitions by time, so that old ones go as a whole.

Revision 0020. The rows that there are stay where they are: their tables become the first partitions.
Both are locked from the beginning to the end, so nobody writes for about 1.5 s per million rows.
"""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from thumbturn.domain.clock import SystemClock, seconds

revision = "0020"
down_revision = "0019"

_DAY = seconds(86_400)
#: Of each table, the column whose UUIDv7 say when, and µs that a partition spans.
_TABLES = (("attempts", "id", 30 * _DAY), ("events", "event_id", 7 * _DAY))
#: What must stay unique everywhere has to name the column that partitions are made by.
_KEYS = {"attempts": "id", "events": "workspace_id, sequence, event_id"}


#: How often both tables are asked for, and for how long each. Between two times all others go on. Both
#: together are less than the second after which PostgreSQL throws out whoever it finds in a circle.
_TIMES, _PATIENCE = 20, "400ms"
_ASIDE = 0.5
_LOCK_NOT_AVAILABLE, _DEADLOCK = "55P03", "40P01"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _have_to_itself()
        for table, column, period in _TABLES:
            _divide(table, column, period)


def _have_to_itself() -> None:
    """Lock both tables, or neither: a process of before may hold one of them while it waits for the other."""
    connection = op.get_bind()
    for left in reversed(range(_TIMES)):
        try:
            with connection.begin_nested():
                op.execute(f"set local lock_timeout = '{_PATIENCE}'")
                op.execute("lock table attempts, events in access exclusive mode")
        except OperationalError as problem:
            if not left or getattr(problem.orig, "sqlstate", None) not in (_LOCK_NOT_AVAILABLE, _DEADLOCK):
                raise
            op.execute(f"select pg_sleep({_ASIDE})")
        else:
            break
    op.execute("set local lock_timeout to default")


def _divide(table: str, column: str, period: int) -> None:
    connection = op.get_bind()
    past, rest, now = f"{table}_past", f"{table}_rest", SystemClock().now()
    is_empty = connection.execute(text(f"select not exists (select from {table})")).scalar()  # noqa: S608 - its own name
    # An empty table's first partition begins now; what is in a full one may be as young as this moment.
    start = now // period * period + (0 if is_empty else period)
    if table == "events":
        op.execute("alter table events drop constraint pk_events")
        op.execute(f"alter table events add constraint pk_events primary key ({_KEYS[table]})")
    indices = connection.execute(
        text(
            "select indexname, indexdef from pg_indexes"
            " where schemaname = current_schema() and tablename = :table"
        ),
        {"table": table},
    ).all()
    op.execute(f"alter table {table} rename to {past}")
    for name, _ in indices:
        op.execute(f"alter index {name} rename to {name}_past")
    op.execute(
        f"create table {table} (like {past} including defaults including constraints)"
        f" partition by range ({column})"
    )
    op.execute(f"alter table {table} add constraint pk_{table} primary key ({_KEYS[table]})")
    for name, definition in indices:
        if name == "uq_events_event_id":
            op.execute(f"alter table {table} add constraint {name} unique ({column})")
        elif name != f"pk_{table}":
            op.execute(definition)
    op.execute(f"create table {rest} partition of {table} default")
    for new in (table, rest):
        _allow_as(past, new)
    # Ids that are no UUIDv7, or of a clock that went wrong. Hardly ever there are any.
    strays = f"from {past} where {column} >= :bound"
    bound: Any = {"bound": _bound(start)}
    if connection.execute(text(f"select 1 {strays} limit 1"), bound).first() is not None:
        moved = f"with moved as (delete {strays} returning *) insert into {table} select * from moved"  # noqa: S608
        connection.execute(text(moved), bound)
    op.execute(
        f"alter table {table} attach partition {past} for values from (minvalue) to ('{_bound(start)}')"
    )


def _allow_as(like: str, new: str) -> None:
    """Give a new table the owner of this one, and let the same roles do the same with it."""
    connection, table = op.get_bind(), {"like": like}
    rights = text(
        "select privilege_type, is_grantable,"
        " case grantee when 0 then 'public' else grantee::regrole::text end"
        " from pg_class, aclexplode(relacl) where oid = to_regclass(:like) and grantee <> relowner"
    )
    for right, may_pass_on, role in connection.execute(rights, table).all():
        option = " with grant option" if may_pass_on else ""
        op.execute(f"grant {right} on {new} to {role}{option}")
    owner = text(
        "select relowner::regrole::text from pg_class"
        " where oid = to_regclass(:like) and relowner <> current_user::regrole"
    )
    for role in connection.execute(owner, table).scalars().all():
        op.execute(f"alter table {new} owner to {role}")


def _bound(moment: int) -> str:
    """What the ids of this moment (µs) and later begin with, or are behind."""
    digits = f"{moment // 1_000:012x}"
    return f"{digits[:8]}-{digits[8:]}"
