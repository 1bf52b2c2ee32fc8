"""The part of a ``SqlStore`` that is about workspaces and their keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from thumbturn.domain.event import Event
from thumbturn.domain.workspace import Key, Workspace
from thumbturn.engine.ports import Seed
from thumbturn.storage import devices, workspaces
from thumbturn.storage.coalesce import Coalescing
from thumbturn.storage.scope import Scope
from thumbturn.storage.webhook_store import Do

T = TypeVar("T")


class SqlWorkspaces(ABC):
    """Named operations on workspaces and keys; the store lends its ways to act, to write and to read."""

    _read: Do
    _scope: Scope
    #: Asked for by everybody who calls, and by many at once when what is remembered of them is over.
    _keys: Coalescing[Key]
    _members: Coalescing[list[Workspace]]

    @abstractmethod
    async def _write(self, call: Callable[[Connection], T], told: Sequence[Event] = ()) -> T: ...

    @abstractmethod
    async def _act(
        self, call: Callable[[Connection], T], told: Sequence[Event] = (), /, **made: str
    ) -> T: ...

    async def workspace(self, workspace_id: str) -> Workspace | None:
        return await self._read(lambda connection: workspaces.get(connection, workspace_id))

    async def workspaces_of_user(self, user_id: str) -> list[Workspace]:
        return list(await self._members.get(user_id) or ())

    async def add_workspace(
        self,
        workspace: Workspace,
        *,
        user_id: str | None,
        seed: Seed,
        keys: Sequence[Key],
        most: int | None = None,
    ) -> bool:
        return await self._act(
            lambda connection: workspaces.add(connection, workspace, user_id, seed, keys, most),
            workspace_id=workspace.id,
        )

    async def update_workspace(self, workspace: Workspace) -> None:
        await self._act(lambda connection: workspaces.change(connection, workspace))

    async def announcing_workspaces(self) -> list[Workspace]:
        return await self._read(lambda connection: workspaces.announcing(connection, self._scope))

    async def has_workspaces(self) -> bool:
        return await self._read(workspaces.any_there)

    async def reset_workspace(self, workspace_id: str, seed: Seed, told: Sequence[Event]) -> None:
        await self._write(lambda connection: devices.reset(connection, workspace_id, seed, told), told)

    async def key(self, token_hash: str) -> Key | None:
        return await self._keys.get(token_hash)

    async def keys(self, workspace_id: str) -> list[Key]:
        return await self._read(lambda connection: workspaces.keys_of(connection, workspace_id))

    async def add_key(self, key: Key, *, most: int | None = None) -> bool:
        return await self._act(lambda connection: workspaces.add_key(connection, key, most), key_id=key.id)

    async def revoke_key(self, workspace_id: str, key_id: str, at: int) -> Key | None:
        return await self._act(lambda connection: workspaces.revoke(connection, workspace_id, key_id, at))
