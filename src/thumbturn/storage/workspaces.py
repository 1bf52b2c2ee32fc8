"""Workspaces, their members and their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, or_, select, update

from thumbturn.domain.workspace import Key, Workspace
from thumbturn.engine.ports import Seed
from thumbturn.storage.bulk import insert_rows
from thumbturn.storage.devices import plant
from thumbturn.storage.expressions import one_of
from thumbturn.storage.rows import encode, key_of, key_row, workspace_of, workspace_row
from thumbturn.storage.scope import Scope, everywhere
from thumbturn.storage.tables import keys, memberships, workspaces


def get(connection: Connection, workspace_id: str) -> Workspace | None:
    """One workspace."""
    row = connection.execute(select(workspaces).where(workspaces.c.id == workspace_id)).one_or_none()
    return None if row is None else workspace_of(row)


def of_users(connection: Connection, user_ids: Sequence[str]) -> dict[str, list[Workspace]]:
    """The workspaces of each of these members, oldest first."""
    query = (
        select(memberships.c.user_id, workspaces)
        .join(workspaces)
        .where(one_of(memberships.c.user_id, user_ids, connection.dialect))
        .order_by(workspaces.c.created_at, workspaces.c.id)
    )
    found: dict[str, list[Workspace]] = {}
    for user_id, *row in connection.execute(query):
        found.setdefault(user_id, []).append(workspace_of(row))
    return found


def announcing(connection: Connection, scope: Scope = everywhere) -> list[Workspace]:
    """Those that chose to be told the ends of further types of attempts."""
    chose = workspaces.c.announced_action_types != "[]"
    return [
        workspace_of(row)
        for row in connection.execute(scope(select(workspaces).where(chose), workspaces.c.id))
    ]


def any_there(connection: Connection) -> bool:
    """True when there is a workspace."""
    return connection.execute(select(workspaces.c.id).limit(1)).first() is not None


def add(
    connection: Connection,
    workspace: Workspace,
    user_id: str | None,
    seed: Seed,
    new_keys: Sequence[Key],
    most: int | None,
) -> bool:
    """Insert a workspace with all that it begins with; false if its member has so many already."""
    mine = select(memberships.c.workspace_id).where(memberships.c.user_id == user_id)
    if user_id is not None and _are_there(connection, mine, most):
        return False
    insert_rows(connection, workspaces, [workspace_row(workspace)])
    if user_id is not None:
        insert_rows(connection, memberships, [(user_id, workspace.id)])
    plant(connection, seed)
    insert_rows(connection, keys, [key_row(key) for key in new_keys])
    return True


def change(connection: Connection, workspace: Workspace) -> bool:
    """Store what may change of a workspace; false if there is none such."""
    changed = connection.execute(
        update(workspaces)
        .where(workspaces.c.id == workspace.id)
        .values(
            name=workspace.name,
            company_name=workspace.company_name,
            connect_partner_name=workspace.connect_partner_name,
            organization_id=workspace.organization_id,
            is_suspended=workspace.is_suspended,
            is_publishable_key_auth_enabled=workspace.is_publishable_key_auth_enabled,
            connect_webview_customization=encode(workspace.connect_webview_customization),
            required_evidence=int(workspace.required_evidence),
            announced_action_types=encode(sorted(workspace.announced_action_types)),
        )
    )
    return changed.rowcount > 0


def keys_by_hashes(connection: Connection, token_hashes: Sequence[str]) -> dict[str, Key]:
    """The keys with these hashes."""
    query = select(keys).where(one_of(keys.c.token_hash, token_hashes, connection.dialect))
    found = [key_of(row) for row in connection.execute(query)]
    return {key.token_hash: key for key in found}


def keys_of(connection: Connection, workspace_id: str) -> list[Key]:
    """The keys that open a workspace, oldest first."""
    query = select(keys).where(_opens(workspace_id)).order_by(keys.c.created_at, keys.c.id)
    return [key_of(row) for row in connection.execute(query)]


def add_key(connection: Connection, new: Key, most: int | None) -> bool:
    """Insert a key; false if its workspace, or its person, has so many that are not revoked already."""
    its_own = (
        keys.c.workspace_id == new.workspace_id if new.user_id is None else keys.c.user_id == new.user_id
    )
    if _are_there(connection, select(keys.c.id).where(its_own, keys.c.revoked_at.is_(None)), most):
        return False
    insert_rows(connection, keys, [key_row(new)])
    return True


def revoke(connection: Connection, workspace_id: str, key_id: str, at: int) -> Key | None:
    """Revoke a key that opens the workspace; one that is revoked already keeps its time."""
    wanted = (keys.c.id == key_id, _opens(workspace_id))
    connection.execute(update(keys).where(*wanted, keys.c.revoked_at.is_(None)).values(revoked_at=at))
    row = connection.execute(select(keys).where(*wanted)).one_or_none()
    return None if row is None else key_of(row)


def _are_there(connection: Connection, query: Select[Any], most: int | None) -> bool:
    """True if there are so many rows; never for no number."""
    return most is not None and connection.execute(query.offset(most - 1).limit(1)).first() is not None


def _opens(workspace_id: str) -> ColumnElement[bool]:
    members = select(memberships.c.user_id).where(memberships.c.workspace_id == workspace_id)
    return or_(keys.c.workspace_id == workspace_id, keys.c.user_id.in_(members))
