"""The type of columns that hold sealed secrets: they are found by it when keys are changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Column, MetaData, Table, Text, TypeDecorator


class SecretText(TypeDecorator[str]):
    """A sealed text; to the database and on its way there a text like any other.

    ``of`` is what it is sealed for (``engine.secrets.sealed_for``), with the id of its row.
    """

    impl = Text
    cache_ok = True

    def __init__(self, of: str) -> None:
        super().__init__()
        self.of = of


class SecretColumn(NamedTuple):
    """A column with secrets."""

    #: Of what.
    kind: str
    table: Table
    column: Column[str]


def secret_columns(metadata: MetaData) -> Iterator[SecretColumn]:
    """Every column with secrets. Raises ``TypeError`` for one whose rows have no id to be found by."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, SecretText):
                if [each.name for each in table.primary_key] != ["id"]:
                    raise TypeError(f"{table.name}.{column.name} is secret, and {table.name} has no id")
                yield SecretColumn(column.type.of, table, column)
