"""What one workspace may take of what all webhooks have in common: connections and look-ups of names.

Endpoints that hang hold a connection for as long as a try may take. However many of those a workspace
has, and however often it asks for a test, it must not take the last connection of all the others.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

#: Requests on their way at a time, of all webhooks of a workspace: a quarter of all there may be.
SHARE = 128


class Shares:
    """Gives each workspace its share; who wants more waits for his own."""

    def __init__(self) -> None:
        self._of: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def of(self, workspace_id: str) -> asyncio.Semaphore:
        """The workspace's share: hold it while a request is on its way."""
        share = self._of.get(workspace_id)
        if share is None:
            share = self._of[workspace_id] = asyncio.Semaphore(SHARE)
        return share
