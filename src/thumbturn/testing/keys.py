"""Keys that are forgotten when the process ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from thumbturn.domain.workspace import Key


class MemoryKeys(dict[str, Key]):
    """What a ``Store`` remembers of keys, by their ids. ``members`` are the workspaces of each user."""

    def __init__(self, members: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self._members = members

    async def key(self, token_hash: str) -> Key | None:
        """The key with this token."""
        return next((key for key in self.values() if key.token_hash == token_hash), None)

    async def of_workspace(self, workspace_id: str) -> list[Key]:
        """The keys that open a workspace, oldest first."""
        found = [key for key in self.values() if self._opens(key, workspace_id)]
        return sorted(found, key=lambda key: (key.created_at, key.id))

    async def add_key(self, key: Key, *, most: int | None = None) -> bool:
        """Remember a key; ``False`` if its owner has so many already."""
        whose = (key.user_id, None if key.user_id else key.workspace_id)
        its_own = [
            each
            for each in self.values()
            if each.revoked_at is None
            and whose == (each.user_id, None if each.user_id else each.workspace_id)
        ]
        if most is not None and len(its_own) >= most:
            return False
        self[key.id] = key
        return True

    async def revoke_key(self, workspace_id: str, key_id: str, at: int) -> Key | None:
        """Let a key open nothing any more; the key, or ``None`` if there is none such."""
        key = self.get(key_id)
        if key is None or not self._opens(key, workspace_id):
            return None
        if key.revoked_at is None:
            key = self[key_id] = replace(key, revoked_at=at)
        return key

    def _opens(self, key: Key, workspace_id: str) -> bool:
        if key.user_id is None:
            return key.workspace_id == workspace_id
        return workspace_id in self._members[key.user_id]
