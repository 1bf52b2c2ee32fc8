"""The ``SecretStore`` of ``engine/secrets.py`` on a SQL database: the sealed columns of all tables."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select, update

from thumbturn.engine.secrets import KeptSecret
from thumbturn.storage.code_tables import data_keys
from thumbturn.storage.secret_text import secret_columns
from thumbturn.storage.webhook_store import Do
from thumbturn.storage.webview_tables import connect_webviews

#: Of all tables: these are declared apart, and are there once they are named.
_DECLARED_APART = (data_keys, connect_webviews)
_SECRET = tuple(secret_columns(data_keys.metadata))


class SqlSecrets:
    """The sealed secrets of a ``SqlStore``, which lends its ways to write and to read."""

    def __init__(self, write: Do, read: Do) -> None:
        self._write = write
        self._read = read

    async def others(self, beginning: str | None, *, limit: int) -> list[KeptSecret]:
        return await self._read(lambda connection: _others(connection, beginning, limit))

    async def replace(self, renewed: Sequence[tuple[KeptSecret, str]]) -> None:
        await self._write(lambda connection: _replace(connection, renewed))


def _others(connection: Connection, beginning: str | None, limit: int) -> list[KeptSecret]:
    found: list[KeptSecret] = []
    for kind, table, column in _SECRET:
        query = select(table.c.id, column).where(column.is_not(None))
        if beginning is not None:
            query = query.where(func.substr(column, 1, len(beginning)) != beginning)
        rows = connection.execute(query.limit(limit - len(found)))
        found += [KeptSecret(kind, id, column.name, sealed) for id, sealed in rows]
    return found


def _replace(connection: Connection, renewed: Sequence[tuple[KeptSecret, str]]) -> None:
    columns = {(kind, column.name): (table, column) for kind, table, column in _SECRET}
    for old, text in renewed:
        table, column = columns[old.kind, old.field]
        this_one = (table.c.id == old.id, column == old.sealed)
        connection.execute(update(table).where(*this_one).values({column: text}))
