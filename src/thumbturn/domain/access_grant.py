"""Access grants: somebody is let through doors for a time, by the access methods that were asked for.

A **grant** is a wish: who (a user identity), where (devices, entrances, spaces), from when until when, and in
which ways. An **access method** is one such way as it was made: one PIN, one card or one cloud key, with what
it rests on. A PIN rests on an access code at each lock and on a credential in each access control system, a
card and a cloud key rest on a credential of one system.

What these are called follows from the method and the lock, or the system (``code_id``, ``credential_id``).
So nothing has to be remembered before it is made, and making it twice is making it once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from thumbturn.domain.access import AccessMethod as Mode
from thumbturn.domain.ids import named_id


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedMethod:
    """A way in that was asked for."""

    mode: Mode
    created_at: int
    #: The digits that it shall have, sealed.
    code: str | None = None
    #: The methods that were made for it, the oldest first; also those that are gone.
    access_method_ids: tuple[str, ...] = ()
    #: Devices and entrances of methods of it that somebody deleted: it opens these no more.
    denied_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessGrant:
    """Who is let in where, when and how."""

    id: str
    workspace_id: str
    created_at: int
    user_identity_id: str
    #: µs; ``None`` is without end.
    starts_at: int
    ends_at: int | None = None
    name: str | None = None
    #: The workspace's own word for it, which no other has.
    access_grant_key: str | None = None
    reservation_key: str | None = None
    device_ids: tuple[str, ...] = ()
    acs_entrance_ids: tuple[str, ...] = ()
    space_ids: tuple[str, ...] = ()
    requested: tuple[RequestedMethod, ...] = ()
    #: The doors that methods were made for: its own and those of its spaces, when it was last looked at.
    planned_device_ids: tuple[str, ...] = ()
    planned_entrance_ids: tuple[str, ...] = ()
    #: When other devices became its doors than were before, µs.
    doors_changed_at: int | None = None
    #: Devices among them that no method that was asked for can open, and since when there are any, µs.
    missing_device_ids: tuple[str, ...] = ()
    #: Why not all that was asked for could be made.
    problem: str | None = None
    problem_at: int | None = None
    #: Those that take no codes, though a code was asked for.
    codeless_device_ids: tuple[str, ...] = ()
    #: The entrances that it opens, as the workspace was told.
    opened_entrance_ids: tuple[str, ...] = ()
    #: True once the workspace was told that it opens all its doors.
    is_told_all: bool = False
    #: Its times before they were changed, until all that rests on it has the new ones.
    old_starts_at: int | None = None
    old_ends_at: int | None = None
    times_changed_at: int | None = None
    #: When somebody asked for its end, µs.
    removed_at: int | None = None

    @property
    def display_name(self) -> str:
        """What to show for it."""
        return self.name or "Access Grant"

    def is_over(self, now: int) -> bool:
        """True once it lets nobody in any more."""
        return self.removed_at is not None or (self.ends_at is not None and self.ends_at <= now)

    def next_moment(self, now: int) -> int | None:
        """When something follows from its times alone, µs."""
        if self.removed_at is not None:
            return None
        moments = [each for each in (self.starts_at, self.ends_at) if each is not None and each > now]
        return min(moments, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedMethod:
    """An access method: a way in, as it was made."""

    id: str
    workspace_id: str
    created_at: int
    access_grant_id: str
    mode: Mode
    #: The digits, sealed.
    code: str | None = None
    #: The locks that it opens by themselves, and the entrances.
    device_ids: tuple[str, ...] = ()
    acs_entrance_ids: tuple[str, ...] = ()
    #: Locks that it opens no longer, whose code is still to be removed.
    leaving_device_ids: tuple[str, ...] = ()
    #: Since when there is such a lock, µs.
    leaving_at: int | None = None
    #: By their system, the credentials that it rests on.
    credentials: Mapping[str, str] = field(default_factory=dict)
    #: When all that it rests on was in place for the first time, or for a card the last time, µs.
    issued_at: int | None = None
    #: True once it was issued, also if it was revoked since.
    was_issued: bool = False
    #: The locks that its code is at.
    at_device_ids: tuple[str, ...] = ()
    #: The entrances that its credentials open.
    opened_entrance_ids: tuple[str, ...] = ()
    #: True while something that it rests on has other times than its grant.
    is_behind: bool = False
    #: True while a card has to be presented, and the workspace was told so.
    is_encoding_required: bool = False
    #: True if its system has an encoder.
    can_be_encoded: bool = False
    #: Why it is not in place, and since when, µs.
    failure: str | None = None
    failed_at: int | None = None
    #: Since when it has been late, µs.
    delayed_at: int | None = None
    #: Locks that could not be freed of its code: by their id, what they say.
    stuck: Mapping[str, str] = field(default_factory=dict)
    #: Since when there is such a lock, µs.
    stuck_at: int | None = None
    #: When somebody asked for its end, µs.
    removed_at: int | None = None

    def is_wanted(self, grant: AccessGrant, now: int) -> bool:
        """True while there shall be something that it rests on."""
        return self.removed_at is None and not grant.is_over(now)

    def is_removed(self, grant: AccessGrant) -> bool:
        """True once somebody asked for its end, or for that of its grant."""
        return self.removed_at is not None or grant.removed_at is not None

    @property
    def rests_on_devices(self) -> tuple[str, ...]:
        """All locks that may hold a code of it."""
        return tuple(dict.fromkeys([*self.device_ids, *self.leaving_device_ids]))


def code_id(method_id: str, device_id: str) -> str:
    """The id of the access code that a method has at a lock."""
    return named_id(method_id, f"access-code/{device_id}")


def credential_id(method_id: str, acs_system_id: str) -> str:
    """The id of the credential that is made for a method in a system."""
    return named_id(method_id, f"acs-credential/{acs_system_id}")


def code_times(grant: AccessGrant) -> tuple[int | None, int | None]:
    """From when until when its access codes let in: locks know codes with both, or with neither."""
    return (None, None) if grant.ends_at is None else (grant.starts_at, grant.ends_at)


def codes_of(methods: Sequence[GrantedMethod]) -> list[str]:
    """The ids of all access codes that these methods may rest on."""
    return [code_id(method.id, device_id) for method in methods for device_id in method.rests_on_devices]
