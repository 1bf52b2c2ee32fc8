"""What forgetting what is over needs from the store.

A sweep goes through all that there is of a kind from its oldest end, a bounded number of rows at a time:
it begins at the place "", and goes on at the place that the bite before answered.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Swept(NamedTuple):
    """What a bite of a sweep did."""

    #: How many were forgotten.
    gone: int
    #: Where the sweep goes on; ``None`` if it is at its end.
    place: str | None


class RetentionStore(Protocol):
    """Forgets what is over. Raises as ``Store`` does; no question of the request path waits for it.

    ``before`` is a moment in µs; ``most`` bounds the rows that a bite takes on.
    """

    async def make_room(self, now: int) -> None:
        """Have the database ready for what will be written; cheap where there is nothing to do."""

    async def forget_attempts(self, before: int, place: str, most: int) -> Swept:
        """Forget attempts that ended before this moment, with their late marks; never one that is open.

        What the audit trail says of them stays in it.
        """

    async def forget_events(self, before: int, place: str, most: int) -> Swept:
        """Forget the first events of workspaces, up to the first that the server learned of at this moment
        or later, or that an enabled webhook has still to be told.
        """

    async def forget_deliveries(self, before: int, place: str, most: int) -> Swept:
        """Forget the first tries of webhooks, up to the first that was made at this moment or later."""

    async def oldest_event(self, workspace_id: str) -> int:
        """The place of the workspace's oldest event that is on record; if there is none, that of the next."""
