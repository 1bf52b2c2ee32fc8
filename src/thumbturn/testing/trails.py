"""The audit trail of a store that forgets: every act is in the chain at once."""

from __future__ import annotations

from collections import defaultdict

from thumbturn.domain.audit import Act
from thumbturn.domain.chain import Head, Sealed, canonical, seal
from thumbturn.engine.ports import Trail


class MemoryTrails:
    """The chains of all workspaces."""

    def __init__(self) -> None:
        self._entries: dict[str, list[Sealed]] = defaultdict(list)

    def add(self, act: Act) -> None:
        """Put an act at the end of its workspace's chain."""
        number, before = self._head(act.workspace_id)
        entry = act.entry()
        sealed = Sealed(number + 1, seal(before, canonical(entry)), entry)
        self._entries[act.workspace_id].append(sealed)

    def has(self, act: Act) -> bool:
        """True if this very act is in its workspace's chain."""
        return act.entry() in [each.entry for each in self._entries.get(act.workspace_id, ())]

    def part(self, workspace_id: str, after: int, limit: int) -> Trail:
        """The entries behind number ``after``."""
        entries = self._entries.get(workspace_id, [])
        return Trail(tuple(entries[after : after + limit]), self._head(workspace_id), 0)

    def _head(self, workspace_id: str) -> Head:
        entries = self._entries.get(workspace_id)
        return Head(entries[-1].number, entries[-1].seal) if entries else Head()
