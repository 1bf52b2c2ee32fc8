"""What workspaces want to be told of the ends of attempts, where whoever ends one finds it without asking."""

from __future__ import annotations

from collections.abc import Collection

from thumbturn.domain.announcing import chosen_among
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.ports import Store


class Announcing:
    """The choices of all workspaces."""

    def __init__(self, store: Store, action_types: Collection[str]) -> None:
        self._store = store
        #: The types that there are.
        self.action_types = action_types
        #: By workspace, its types; only of those that chose any.
        self.chosen: dict[str, frozenset[str]] = {}

    async def start(self) -> None:
        """Know what is on record."""
        for workspace in await self._store.announcing_workspaces():
            self.follow(workspace)

    def follow(self, workspace: Workspace) -> None:
        """From now on go by what this workspace has chosen."""
        types = chosen_among(workspace.announced_action_types, self.action_types)
        if types:
            self.chosen[workspace.id] = types
        else:
            self.chosen.pop(workspace.id, None)
