"""What access codes look like in a request, and how they are answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from thumbturn.api.callers import Caller
from thumbturn.api.granted import codes_of_grants
from thumbturn.api.listing import reach_of_user
from thumbturn.api.parameters import Listing, Maybe, Moment, OfDevice, Parameters
from thumbturn.api.placed import accounts_of
from thumbturn.api.wire.access_code import (
    AccessCode,
    UnmanagedAccessCode,
    access_code_json,
    unmanaged_json,
)
from thumbturn.domain import access_code as domain
from thumbturn.domain.clock import Clock
from thumbturn.domain.pin import LONGEST_PIN
from thumbturn.domain.refusals import DeviceTypeNotSupported
from thumbturn.engine.access_code_ports import CodeFilter
from thumbturn.engine.access_codes import NewCode
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Store
from thumbturn.engine.several_codes import MOST_TOGETHER, WhenNotShared

Pin = Annotated[str, Field(min_length=4, max_length=LONGEST_PIN, pattern=r"^[0-9]+$")]
Name = Annotated[str, Field(max_length=255)]
Rounding = Literal["1hour", "1day", "1h", "1d"]


class OfCode(Parameters):
    """One code."""

    access_code_id: str
    """The code."""


class CodeGet(Parameters):
    """Which code: by its id, or by its lock and its PIN."""

    access_code_id: Maybe[str] = None
    """The code."""
    device_id: Maybe[str] = None
    """Or its lock."""
    code: Maybe[str] = None
    """And its PIN there."""

    @model_validator(mode="after")
    def _one_of_both(self) -> CodeGet:
        if self.access_code_id is None and (self.device_id is None or self.code is None):
            raise ValueError("Either 'access_code_id' or both 'device_id' and 'code' are required")
        return self


class CodeList(Listing):
    """Which codes. What is not given does not matter."""

    limit: Annotated[int, Field(gt=0)] = 55_000
    """How many at most; never more than 10,000 at once."""
    device_id: Maybe[str] = None
    """Only of this lock."""
    access_code_ids: Maybe[list[str]] = None
    """Only these."""
    search: Maybe[Annotated[str, Field(min_length=1)]] = None
    """Only with this in their name, in any letter case."""
    access_grant_id: Maybe[str] = None
    """Only of this access grant."""
    access_grant_key: Maybe[str] = None
    """Only of the access grant with this key."""
    access_method_id: Maybe[str] = None
    """Only of this access method."""
    customer_key: Maybe[str] = None
    """Only of this customer."""
    user_identifier_key: Maybe[str] = None
    """Only of this user."""

    async def wanted(self, caller: Caller, engine: Engine, store: Store) -> CodeFilter:
        """The managed codes that are asked for."""
        ids = self.access_code_ids
        granted = (self.access_grant_id, self.access_grant_key, self.access_method_id)
        if granted != (None, None, None):
            of_grants = await codes_of_grants(caller.workspace.id, engine.access_grants, *granted)
            ids = [id for id in of_grants if ids is None or id in ids]
        reach = await reach_of_user(self.user_identifier_key, caller, store)
        accounts = await accounts_of(self.customer_key, None, caller, store)
        if accounts is not None:
            reach = frozenset(accounts) if reach is None else reach.intersection(accounts)
        return CodeFilter(
            ids=ids,
            device_id=self.device_id,
            search=self.search,
            is_managed=True,
            reach=reach,
        )


class CodeWish(Parameters):
    """What a code shall be."""

    name: Maybe[Name] = None
    """What to call it."""
    code: Maybe[Pin] = None
    """Its PIN, of 4 to 12 digits."""
    starts_at: Maybe[Moment] = None
    """From when it lets in; with an end."""
    ends_at: Maybe[Moment] = None
    """Until when."""
    preferred_code_length: Maybe[int] = None
    """Of how many digits it shall be, if its PIN is not given."""
    prefer_native_scheduling: Maybe[bool] = None
    """Whether a lock that can keep the time itself shall; it does, if it is not given."""
    use_backup_access_code_pool: Maybe[bool] = None
    """Whether a backup shall stand ready for it."""
    is_external_modification_allowed: Maybe[bool] = None
    """Whether somebody may change it at the lock."""
    allow_external_modification: Maybe[bool] = None
    """The same, by its older name."""
    attempt_for_offline_device: bool = True
    """False refuses it while the lock is offline; else it waits for the lock."""

    @property
    def may_be_modified(self) -> bool | None:
        """Whether somebody may change it at the lock, under either name."""
        given = self.is_external_modification_allowed
        return self.allow_external_modification if given is None else given


class OneLockWish(CodeWish):
    """What a code of one lock shall be."""

    is_one_time_use: Maybe[bool] = None
    """Whether it lets in only once. No lock of this server can do that yet."""
    is_offline_access_code: Maybe[bool] = None
    """Whether the lock finds out about it without being told. No lock of this server can do that yet."""
    use_offline_access_code: Maybe[bool] = None
    """The same, by its older name."""
    max_time_rounding: Maybe[Rounding] = None
    """How much its times may be rounded. They never are."""
    sync: Annotated[bool, Field(description="Answer only when the attempt has ended.")] = False

    def check(self) -> None:
        """Raise ``DeviceTypeNotSupported`` for what no lock can do."""
        if self.is_one_time_use:
            raise DeviceTypeNotSupported("This lock has no codes that let in only once.")
        if self.is_offline_access_code or self.use_offline_access_code:
            raise DeviceTypeNotSupported("This lock has no offline codes.")


class CodeCreate(OneLockWish, OfDevice):
    """A new code."""

    common_code_key: Maybe[Annotated[str, Field(max_length=255)]] = None
    """Kept and shown: what it has in common with others."""


def new_code(ask: CodeWish, **more: Any) -> NewCode:
    """The code that is asked for."""
    return NewCode(
        pin=ask.code,
        preferred_length=ask.preferred_code_length,
        name=ask.name,
        starts_at=ask.starts_at,
        ends_at=ask.ends_at,
        is_external_modification_allowed=bool(ask.may_be_modified),
        prefers_native=ask.prefer_native_scheduling,
        uses_backup_pool=bool(ask.use_backup_access_code_pool),
        waits_for_offline=ask.attempt_for_offline_device,
        **more,
    )


class CodeUpdate(OneLockWish, OfCode):
    """What shall change of a code. What is not given stays."""

    device_id: Maybe[str] = None
    """Its lock, which must be the one that it has."""
    type: Maybe[Literal["ongoing", "time_bound"]] = None
    """``ongoing`` takes its times from it."""
    is_managed: Maybe[bool] = None
    """False hands it over: it stays at its lock as it is, and is not looked after any more. Nothing else is
    changed then.
    """

    def changes(self) -> dict[str, Any]:
        """What is given, by the names of a code's fields."""
        names = {"name": "name", "code": "pin", "starts_at": "starts_at", "ends_at": "ends_at"}
        changes = {
            field: getattr(self, name) for name, field in names.items() if name in self.model_fields_set
        }
        if self.type == "ongoing":
            changes |= {"starts_at": None, "ends_at": None}
        if self.may_be_modified is not None:
            changes["is_external_modification_allowed"] = self.may_be_modified
        if self.use_backup_access_code_pool is not None:
            changes["uses_backup_pool"] = self.use_backup_access_code_pool
        if self.prefer_native_scheduling is not None:
            changes["prefers_native"] = self.prefer_native_scheduling
        return changes


class CodeDelete(OfCode):
    """A code that shall be no more."""

    device_id: Maybe[str] = None
    """Its lock, which must be the one that it has."""
    sync: Annotated[bool, Field(description="Answer only when the attempt has ended.")] = False


class CodesCreate(CodeWish):
    """A new code for each of several locks."""

    device_ids: Annotated[list[str], Field(min_length=1, max_length=MOST_TOGETHER)]
    """The locks, at most 500."""
    behavior_when_code_cannot_be_shared: WhenNotShared = "throw"
    """What to do about locks that cannot have the same PIN: refuse all, or make up one for each of them."""


class CodesUpdate(Parameters):
    """What shall change of codes that share a PIN. What is not given stays."""

    common_code_key: str
    """What they have in common."""
    name: Maybe[Name] = None
    """What to call them."""
    starts_at: Maybe[Moment] = None
    """From when they let in."""
    ends_at: Maybe[Moment] = None
    """Until when."""

    def changes(self) -> dict[str, Any]:
        """What is given, by the names of a code's fields."""
        return self.model_dump(include=self.model_fields_set - {"common_code_key"})


Digits = Annotated[int, Field(ge=4, le=20)]


class Constraints(OfDevice):
    """How many digits the codes of a lock have."""

    supported_code_lengths: Maybe[Annotated[list[Digits], Field(min_length=1)]] = None
    """One of these."""
    min_code_length: Maybe[Digits] = None
    """Or at least so many,"""
    max_code_length: Maybe[Digits] = None
    """and at most so many."""

    @model_validator(mode="after")
    def _something(self) -> Constraints:
        if not self.lengths():
            raise ValueError("Either 'supported_code_lengths' or a range of lengths is required")
        return self

    def lengths(self) -> list[int]:
        """Every length that is meant."""
        if self.supported_code_lengths is not None:
            return sorted(set(self.supported_code_lengths))
        if self.min_code_length is None and self.max_code_length is None:
            return []
        return list(range(self.min_code_length or 4, (self.max_code_length or 20) + 1))


class Shown:
    """Codes as their caller is shown them."""

    def __init__(self, engine: Engine, clock: Clock, backed: frozenset[str] = frozenset()) -> None:
        self._codes = engine.access_codes
        self._now = clock.now()
        #: The locks at which a backup stands ready.
        self._backed = backed

    def managed(self, code: domain.AccessCode) -> AccessCode:
        """A code that is managed here."""
        device, pins = self._codes.device_of(code), self._codes.pins
        can_pull = code.is_time_bound and code.uses_backup_pool and code.pulled_backup_id is None
        has_backup = can_pull and code.device_id in self._backed
        return access_code_json(code, device, pins, self._now, has_backup=has_backup)

    def unmanaged(self, code: domain.AccessCode) -> UnmanagedAccessCode:
        """A code that is not."""
        return unmanaged_json(code, self._codes.device_of(code), self._codes.pins, self._now)


async def shown(codes: Sequence[domain.AccessCode], engine: Engine, clock: Clock) -> list[AccessCode]:
    """Managed codes of one workspace as their caller is shown them."""
    backed = await engine.backup_pool.ready_at(codes[0].workspace_id, codes) if codes else frozenset()
    as_shown = Shown(engine, clock, backed)
    return [as_shown.managed(code) for code in codes]


async def found(ask: CodeGet, caller: Caller, engine: Engine, *, is_managed: bool) -> domain.AccessCode:
    """The code that is asked for. Raises ``AccessCodeNotFound``, ``DeviceNotFound``."""
    if ask.access_code_id is not None:
        return await engine.access_codes.get(
            caller.workspace.id, ask.access_code_id, caller.reach, is_managed=is_managed
        )
    assert ask.device_id is not None  # the validation saw to it
    return await engine.access_codes.with_pin(
        caller.workspace.id, ask.device_id, ask.code or "", caller.reach, is_managed=is_managed
    )
