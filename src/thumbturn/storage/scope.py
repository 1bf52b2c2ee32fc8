"""Whose rows are read for an engine's own start: everybody's, or those of one cell's workspaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, select

from thumbturn.storage.tables import workspaces

#: Narrows a query to the workspaces in scope, by the column in which it has the workspace.
Scope: TypeAlias = Callable[[Select[Any], ColumnElement[Any]], Select[Any]]


def everywhere(query: Select[Any], workspace_id: ColumnElement[Any]) -> Select[Any]:
    """The query as it is."""
    return query


def in_cell(cell: int) -> Scope:
    """Those of the workspaces of a cell."""
    ours = select(workspaces.c.id).where(workspaces.c.cell == cell)
    return lambda query, workspace_id: query.where(workspace_id.in_(ours))
