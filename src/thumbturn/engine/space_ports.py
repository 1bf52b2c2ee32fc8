"""What spaces need from outside: a store of what is in them.

The spaces themselves are things of access control (``access_ports.py``), and are found there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from thumbturn.domain.event import Event
from thumbturn.domain.space import Members, Space


class SpaceStore(Protocol):
    """Which devices, entrances and accounts are in which spaces. Raises as ``Store`` does.

    What is told comes without the space (``told_of_space``): only here is it known what is in it then.
    """

    async def add(self, space: Space, inside: Members, told: Event) -> bool:
        """Remember a new space with what is in it, and tell this; ``False`` (and neither) if another has its
        key. Raises ``NotInWorkspace``, and ``SpaceNotFound`` if its parent is not there.
        """

    async def change(
        self,
        workspace_id: str,
        space_id: str,
        change: Callable[[Space], Space],
        named: Members,
        refill: Callable[[Members], Members],
        told: Event,
    ) -> Space | None:
        """Make another of a space, and of what is in it; what it is then; ``None`` if it is gone.

        It is told if devices or entrances came or went. Changes of one space come one after the other.
        What ``change`` raises is raised. Raises ``KeyIsTaken``, ``NotInWorkspace`` if not all that is
        ``named`` is the workspace's (what is put in must be among that), and for another parent what
        ``check_parent`` raises: of changes at the same time too, none makes a space be in itself.
        """

    async def remove(self, workspace_id: str, space_id: str, told: Event) -> bool:
        """Forget a space, and tell this; ``False`` if there is none such. What is in it stays, and so do the
        spaces in it.
        """

    async def inside(self, workspace_id: str, space_ids: Collection[str]) -> Mapping[str, Members]:
        """What is in each of these spaces; one that nothing is in is left out."""

    async def around(self, workspace_id: str, member_ids: Collection[str]) -> Mapping[str, list[str]]:
        """The spaces, in order of their ids, that each of these devices, entrances or accounts is in; who is
        in none is left out.
        """


class NotInWorkspace(Exception):
    """These are to be put in a space, or taken out, and the workspace has no such things."""

    def __init__(self, missing: Members) -> None:
        super().__init__(missing)
        self.missing = missing
