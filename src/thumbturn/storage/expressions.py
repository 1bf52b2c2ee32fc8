"""The few expressions that the two databases write differently."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic_core import to_json
from sqlalchemy import JSON, ColumnElement, Dialect, Text, bindparam, cast, false, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from thumbturn.domain.client_session import Reach


def one_of(column: ColumnElement[Any], values: Iterable[str], dialect: Dialect) -> ColumnElement[bool]:
    """The column is one of any number of values, which take a single parameter."""
    parameter = many(values, dialect)
    if dialect.name == "sqlite":
        listed = func.json_each(bindparam(None, parameter, type_=Text)).table_valued("value")
        return column.in_(select(listed.c.value))
    # Written as an operator: of two functions ``==`` may ask the second one first, and PostgreSQL takes
    # ``any`` on the right only.
    return column.bool_op("=")(func.any(bindparam(None, parameter, type_=ARRAY(Text))))


def within(account: ColumnElement[Any], reach: Reach, dialect: Dialect) -> tuple[ColumnElement[bool], ...]:
    """The condition that somebody with this reach sees what is of this account; none if he sees all."""
    return () if reach is None else (one_of(account, reach, dialect),)


def unled(column: ColumnElement[str], value: str) -> ColumnElement[bool]:
    """The column has this value, in words that no database thinks of an index at.

    An expression is no indexed column; and this one may be true of a null as far as PostgreSQL sees, so that
    it does not think of an index without nulls either.
    """
    return func.coalesce(column, "") == value if value else false()


def many(values: Iterable[str], dialect: Dialect) -> Any:
    """The values as the one parameter that ``one_of`` takes; those that no database can hold are left out."""
    held = [value for value in values if can_be_stored(value)]
    return to_json(held).decode() if dialect.name == "sqlite" else held


def can_be_stored(text: str) -> bool:
    """False for text that is not Unicode (half a surrogate pair) or holds a NUL."""
    if text.isascii():
        return "\0" not in text
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def member(column: ColumnElement[Any], key: str, dialect: Dialect) -> ColumnElement[str]:
    """The text of a member of the JSON object in a text column; the key is a plain word."""
    if dialect.name == "sqlite":
        return func.json_extract(column, f"$.{key}", type_=Text)
    return func.json_extract_path_text(cast(column, JSON), key, type_=Text)
