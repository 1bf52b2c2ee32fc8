"""What access control needs from outside: a store of its own, as ``ports.py`` has it for the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from thumbturn.domain.access import Thing
from thumbturn.domain.client_session import Reach
from thumbturn.domain.event import Event

T = TypeVar("T", bound=Thing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which things of a kind; ``None`` means any."""

    ids: Collection[str] | None = None
    #: Of these systems.
    acs_system_ids: Collection[str] | None = None
    #: Of these connected accounts.
    connected_account_ids: Collection[str] | None = None
    #: Users and grants of these identities; credentials of these users; methods of these grants.
    holder_ids: Collection[str] | None = None
    #: The identity or the grant with this key; the credentials on this card.
    key: str | None = None
    #: Older than this, µs.
    created_before: int | None = None
    #: What somebody with this reach sees. Identities are of no account.
    reach: Reach = None


class AccessStore(Protocol):
    """The things of access control on record. Raises as ``Store`` does."""

    async def add(self, thing: Thing, told: Sequence[Event] = ()) -> bool:
        """Remember a new thing and tell this; ``False`` (and neither) if another of its kind has its key: of
        identities ``user_identity_key``, of the credentials of one system ``code_key``; or if it is a user
        whose identity has one in his system.
        """

    async def change(
        self,
        kind: type[T],
        workspace_id: str,
        id: str,
        change: Callable[[T], T],
        told: Sequence[Event] = (),
    ) -> T | None:
        """Make another of a thing, and tell this if it is another; what it is then; ``None`` if it is gone.

        What the change raises is raised, and nothing is written. Changes of one thing come one after the
        other. Raises ``KeyIsTaken`` if another of its kind has its new key, or its
        new identity has a user in its system.
        """

    async def remove(self, workspace_id: str, gone: Mapping[str, Event | None]) -> frozenset[str]:
        """Forget the things of these ids, and tell of each that was there; which those were."""

    async def settle(
        self,
        workspace_id: str,
        *,
        new: Sequence[Thing] = (),
        changed: Sequence[Thing] = (),
        gone: Sequence[str] = (),
        needs: Sequence[str] = (),
        as_known: Sequence[Thing] = (),
        told: Sequence[Event] = (),
    ) -> bool:
        """Remember new things, replace changed ones, forget those that are gone, and tell this: all of it,
        or ``False`` and nothing if one that is changed, gone or needed (by its id) is not there, or if one
        is not on record as it is in ``as_known``.

        Whoever calls this is alone in changing these, but for those ``as_known``. Raises ``KeyIsTaken`` as
        ``change`` does.
        """

    async def everywhere(self, kind: type[T]) -> list[tuple[str, str]]:
        """The workspace and the id of everything of a kind. For the engine."""

    async def get(self, kind: type[T], workspace_id: str, id: str, reach: Reach = None) -> T | None:
        """One thing."""

    async def find(
        self,
        kind: type[T],
        workspace_id: str,
        wanted: Wanted,
        *,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> list[T]:
        """Things of a kind in order of (created_at, id), behind ``after``."""


class KeyIsTaken(Exception):
    """Another thing of the kind has this key; or the identity has another user in the system."""
