"""Attempts that were accepted by a process which does not run them, on their way to the one that does."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from sqlalchemy import (
    Connection,
    Dialect,
    SmallInteger,
    Text,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from thumbturn.domain.attempt import Attempt
from thumbturn.engine.ports import ARRIVALS_AT_ONCE
from thumbturn.storage.cell_tables import arrivals
from thumbturn.storage.expressions import many, one_of
from thumbturn.storage.rows import attempt_of
from thumbturn.storage.tables import attempts
from thumbturn.storage.together import Asks

#: What waits for a cell, by id and in order of acceptance; ``None`` for what is on record no more.
Arrived = Mapping[str, Attempt | None]


def cells(connection: Connection) -> list[int]:
    """The cells for which something has arrived."""
    return list(connection.execute(select(arrivals.c.cell).distinct()).scalars())


def by_cells(connection: Connection, wanted: Sequence[str]) -> dict[str, Arrived]:
    """Some of what waits for each of these cells, which are numbers as text. With one question, whatever
    their number: most often several are asked for at once.
    """
    found: dict[str, list[tuple[str, Attempt | None]]] = {}
    rows = connection.exec_driver_sql(_by_cells(connection.dialect), (many(wanted, connection.dialect),))
    for cell, id, *row in rows:
        found.setdefault(str(cell), []).append((id, None if row[0] is None else attempt_of(row)))
    return {cell: dict(sorted(waiting, key=_order)) for cell, waiting in found.items()}


def drop(asks: Asks, ids: Collection[str]) -> None:
    """They wait no more: whoever runs them has them."""
    if ids:
        asks.exec_driver_sql(_drop(asks.dialect), (many(ids, asks.dialect),))


def _order(arrival: tuple[str, Attempt | None]) -> tuple[int, str]:
    id, attempt = arrival
    return (0 if attempt is None else attempt.accepted_at), id


@lru_cache(maxsize=8)
def _by_cells(dialect: Dialect) -> str:
    asked = (
        func.unnest(cast(bindparam("cells", type_=ARRAY(Text)), ARRAY(SmallInteger)))
        .table_valued("cell", name="asked")
        .render_derived()
    )
    waiting = (
        select(arrivals.c.attempt_id)
        .where(arrivals.c.cell == asked.c.cell)
        .limit(literal_column(str(ARRIVALS_AT_ONCE)))
        .lateral("waiting")
    )
    query = select(asked.c.cell, waiting.c.attempt_id, attempts).select_from(
        asked.join(waiting, true()).outerjoin(attempts, attempts.c.id == waiting.c.attempt_id)
    )
    return str(query.compile(dialect=dialect))


@lru_cache(maxsize=8)
def _drop(dialect: Dialect) -> str:
    return str(delete(arrivals).where(one_of(arrivals.c.attempt_id, (), dialect)).compile(dialect=dialect))
