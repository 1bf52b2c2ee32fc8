"""Who may go where: user identities, and what an access control system (ACS) knows of users and entrances.

A **user identity** is a person, whatever systems he is a user of. An **ACS** has entrances, users, access
groups and credentials. A user gets through an entrance that he was granted himself, or that one of his access
groups opens. A credential opens the entrances of its user, or those of them that it was made for.

All of these are ``Thing``s: they are kept alike (``storage/access.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from thumbturn.domain.event import Event
from thumbturn.domain.ids import new_id

AccessMethod = Literal["code", "card", "mobile_key", "cloud_key"]


class Thing(Protocol):
    """What all that is kept here has."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def workspace_id(self) -> str:
        """Whose it is."""

    @property
    def created_at(self) -> int:
        """Since when, µs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserIdentity:
    """A person."""

    id: str
    workspace_id: str
    created_at: int
    #: The workspace's own word for him, which no other has.
    user_identity_key: str | None = None
    full_name: str | None = None
    email_address: str | None = None
    phone_number: str | None = None
    #: The devices that he was granted.
    device_ids: tuple[str, ...] = ()

    @property
    def display_name(self) -> str:
        """What to show for him."""
        return (
            self.full_name or self.email_address or self.phone_number or self.user_identity_key or "Unnamed"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmanagedIdentity(UserIdentity):
    """A person who was found as a user of a system: nobody here made him, and he goes with that."""

    acs_system_id: str
    connected_account_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcsSystem:
    """An access control system."""

    id: str
    workspace_id: str
    created_at: int
    connected_account_id: str
    name: str
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcsEntrance:
    """An entrance: a door in a system."""

    id: str
    workspace_id: str
    created_at: int
    acs_system_id: str
    connected_account_id: str
    name: str
    #: The lock at it, which is a device.
    device_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcsAccessGroup:
    """An access group: its users get through its entrances."""

    id: str
    workspace_id: str
    created_at: int
    acs_system_id: str
    connected_account_id: str
    name: str
    acs_entrance_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AcsUser:
    """A user of a system."""

    id: str
    workspace_id: str
    created_at: int
    acs_system_id: str
    connected_account_id: str
    full_name: str
    email_address: str | None = None
    phone_number: str | None = None
    #: From when until when he gets through, µs; ``None`` is without end.
    starts_at: int | None = None
    ends_at: int | None = None
    is_suspended: bool = False
    user_identity_id: str | None = None
    acs_access_group_ids: tuple[str, ...] = ()
    #: The entrances that he was granted himself.
    acs_entrance_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AcsCredential:
    """What a user shows or enters at an entrance."""

    id: str
    workspace_id: str
    created_at: int
    acs_system_id: str
    connected_account_id: str
    access_method: AccessMethod
    acs_user_id: str | None = None
    #: The digits, sealed.
    code: str | None = None
    #: What tells the digits from others of the system.
    code_key: str | None = None
    #: The card that it is on.
    card_number: str | None = None
    #: µs.
    starts_at: int | None = None
    ends_at: int | None = None
    #: The entrances that it was made for; ``None`` is all that its user gets through.
    acs_entrance_ids: tuple[str, ...] | None = None
    issued_at: int | None = None
    #: The attempt that put it on its card, or gave it to its user, last.
    carded_by: str | None = None
    #: The method of an access grant that it was made for. It opens its entrances by that grant alone.
    access_method_id: str | None = None
    #: When it was last changed what a card has to say of it, µs: a card that was written before is behind.
    changed_at: int | None = None

    @property
    def is_behind(self) -> bool:
        """True if its card says something else than it shall."""
        is_written = self.issued_at is not None and self.access_method == "card"
        return is_written and self.changed_at is not None and self.changed_at > (self.issued_at or 0)


class Entry(NamedTuple):
    """Somebody who is let in by what he holds: the lock, the entrance, and who he is."""

    device_id: str
    acs_system_id: str
    acs_entrance_id: str
    acs_user_id: str
    user_identity_id: str | None


def is_on(starts_at: int | None, ends_at: int | None, at: int) -> bool:
    """True from the start until the end, where there are any."""
    return (starts_at is None or starts_at <= at) and (ends_at is None or at < ends_at)


def entrances_of(user: AcsUser, groups: Iterable[AcsAccessGroup]) -> frozenset[str]:
    """The entrances that a user gets through, while he is not suspended and his time has come."""
    opened = {
        entrance
        for group in groups
        if group.id in user.acs_access_group_ids
        for entrance in group.acs_entrance_ids
    }
    return frozenset(opened.union(user.acs_entrance_ids))


def opened_by(credential: AcsCredential, its_users: frozenset[str]) -> frozenset[str]:
    """The entrances that a credential opens, of those that its user gets through; one that an access grant
    made opens those of the grant.
    """
    if credential.access_method_id is not None:
        return frozenset(credential.acs_entrance_ids or ())
    if credential.acs_entrance_ids is None:
        return its_users
    return its_users.intersection(credential.acs_entrance_ids)


def system_errors(of_account: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is wrong with a system whose account has these errors, in the wire's own shape."""
    return [
        {name: value for name, value in error.items() if name != "is_connected_account_error"}
        for error in of_account
    ]


def told_of_system(
    word: str, system: AcsSystem, at: int, of_account: Sequence[Mapping[str, Any]] = ()
) -> Event:
    """The event ``acs_system.<word>`` of a system whose account has these errors."""
    payload: dict[str, Any] = {"acs_system_id": system.id}
    if of_account:
        payload |= {
            "acs_system_errors": system_errors(of_account),
            "acs_system_warnings": [],
            "connected_account_errors": [*of_account],
            "connected_account_warnings": [],
        }
    return _event(f"acs_system.{word}", system, at, payload)


def told_of_arrival(thing: Thing, at: int) -> Event:
    """The event that a system, or an entrance of one, came with an account."""
    if isinstance(thing, AcsSystem):
        return told_of_system("added", thing, at)
    return told("acs_entrance.added", thing, at)


def told(kind: str, of: Any, at: int) -> Event:
    """The event that something became of a thing of a system: ``acs_user.created`` and its like."""
    noun = kind.partition(".")[0]
    return _event(kind, of, at, {"acs_system_id": of.acs_system_id, f"{noun}_id": of.id})


def _event(kind: str, of: Any, at: int, payload: Mapping[str, Any]) -> Event:
    return Event(
        event_id=new_id(),
        event_type=kind,
        workspace_id=of.workspace_id,
        occurred_at=at,
        created_at=at,
        connected_account_id=of.connected_account_id,
        payload=payload,
    )
