"""On PostgreSQL attempts and events lie in partitions by time, so that old ones go as a whole.

Revision 0020. The rows that there are stay where they are: their tables become the first partitions.
"""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import text

from thumbturn.domain.clock import SystemClock, seconds

revision = "0020"
down_revision = "0019"

_DAY = seconds(86_400)
#: Of each table, the column whose UUIDv7 say when, and µs that a partition spans.
_TABLES = (("attempts", "id", 30 * _DAY), ("events", "event_id", 7 * _DAY))
#: What must stay unique everywhere has to name the column that partitions are made by.
_KEYS = {"attempts": "id", "events": "workspace_id, sequence, event_id"}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, column, period in _TABLES:
            _divide(table, column, period)


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
    # Ids that are no UUIDv7, or of a clock that went wrong. Hardly ever there are any.
    strays = f"from {past} where {column} >= :bound"
    bound: Any = {"bound": _bound(start)}
    if connection.execute(text(f"select 1 {strays} limit 1"), bound).first() is not None:
        moved = f"with moved as (delete {strays} returning *) insert into {table} select * from moved"  # noqa: S608
        connection.execute(text(moved), bound)
    op.execute(
        f"alter table {table} attach partition {past} for values from (minvalue) to ('{_bound(start)}')"
    )


def _bound(moment: int) -> str:
    """What the ids of this moment (µs) and later begin with, or are behind."""
    digits = f"{moment // 1_000:012x}"
    return f"{digits[:8]}-{digits[8:]}"
