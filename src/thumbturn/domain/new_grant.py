"""What is asked of a new access grant, or of one that is there, and what of that cannot be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thumbturn.domain.access import AccessMethod as Mode
from thumbturn.domain.access_grant import RequestedMethod
from thumbturn.domain.access_refusals import AccessMethodNotSupported, CodeOfNoCode, InvalidAccessTimes

#: Ways in of one grant.
MOST_REQUESTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedMethod:
    """A way in that is asked for."""

    mode: Mode
    #: The digits that it shall have.
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGrant:
    """What a new grant shall be."""

    #: Whose, or how the new identity is that it is for.
    user_identity_id: str | None = None
    user_identity: Mapping[str, Any] | None = None
    starts_at: int | None = None
    ends_at: int | None = None
    name: str | None = None
    access_grant_key: str | None = None
    reservation_key: str | None = None
    device_ids: Sequence[str] = ()
    acs_entrance_ids: Sequence[str] = ()
    space_ids: Sequence[str] = ()
    requested: Sequence[WantedMethod] = ()


def requested_methods(
    wanted: Sequence[WantedMethod], now: int, seal: Callable[[str], str], *, already: int = 0
) -> tuple[RequestedMethod, ...]:
    """These ways in, with their digits sealed, for a grant that has so many already.

    Raises ``AccessMethodNotSupported``, ``CodeOfNoCode``.
    """
    if already + len(wanted) > MOST_REQUESTED:
        raise AccessMethodNotSupported(f"A grant has at most {MOST_REQUESTED} ways in")
    for each in wanted:
        if each.mode == "mobile_key":
            raise AccessMethodNotSupported
        if each.code is not None and each.mode != "code":
            raise CodeOfNoCode("Only access methods whose mode is code have a code")
    return tuple(
        RequestedMethod(mode=each.mode, created_at=now, code=None if each.code is None else seal(each.code))
        for each in wanted
    )


def check_times(starts_at: int, ends_at: int | None, now: int) -> None:
    """Return if a grant may have these times. Raises ``InvalidAccessTimes``."""
    if ends_at is not None and ends_at <= max(starts_at, now):
        raise InvalidAccessTimes("Access must end after it starts, and in the future")
