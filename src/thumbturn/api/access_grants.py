"""What access grants look like in a request, and how they and their methods are answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from thumbturn.actions.access_methods import access_method_json
from thumbturn.api.parameters import Listing, Maybe, Moment, Parameters
from thumbturn.api.persons import Described
from thumbturn.api.wire.access_grant import AccessGrant, access_grant_json
from thumbturn.domain import access_grant as domain
from thumbturn.domain.new_grant import WantedMethod
from thumbturn.engine.access_grants import AccessGrants

#: The PIN of a grant, which all kinds of keypads take.
Digits = Annotated[str, Field(min_length=4, max_length=9, pattern=r"^[0-9]+$")]
Key = Annotated[str, Field(min_length=1, max_length=255)]
Name = Annotated[str, Field(max_length=255)]
Mode = Literal["code", "card", "mobile_key", "cloud_key"]
#: Doors, and spaces, of one grant.
Doors = Annotated[list[str], Field(max_length=500)]


class OfGrant(Parameters):
    """One access grant."""

    access_grant_id: str
    """The access grant."""


class OfMethod(Parameters):
    """One access method."""

    access_method_id: str
    """The access method."""


class GrantGet(Parameters):
    """Which access grant."""

    access_grant_id: Maybe[str] = None
    """The access grant."""
    access_grant_key: Maybe[str] = None
    """Or its key."""

    @model_validator(mode="after")
    def _one_of_them(self) -> GrantGet:
        if self.access_grant_id is None and self.access_grant_key is None:
            raise ValueError("Either 'access_grant_id' or 'access_grant_key' is required")
        return self


class Requested(Parameters):
    """A way in that is asked for."""

    mode: Mode
    """A PIN for keypads, a card, or a key that is used from here. Mobile keys cannot be made here."""
    code: Maybe[Digits] = None
    """The PIN, of 4 to 9 digits; without it, one that the locks take and that is free at all of them."""
    instant_key_max_use_count: Maybe[Annotated[int, Field(ge=1)]] = None
    """What only mobile keys have."""

    @property
    def wanted(self) -> WantedMethod:
        """The way in."""
        return WantedMethod(mode=self.mode, code=self.code)


class GrantLocation(Parameters):
    """The doors of a grant, in an older form."""

    name: Maybe[str] = None
    """Accepted and ignored: make a space, which has a name."""
    device_ids: Doors = []  # noqa: RUF012 - pydantic copies it
    """Further devices."""
    acs_entrance_ids: Doors = []  # noqa: RUF012 - pydantic copies it
    """Further entrances."""


class GrantCreate(Parameters):
    """A new access grant."""

    user_identity_id: Maybe[str] = None
    """Whose it is."""
    user_identity: Maybe[Described] = None
    """Or what is known of whose it is: a new user identity."""
    device_ids: Doors = []  # noqa: RUF012 - pydantic copies it
    """The devices that it is for."""
    acs_entrance_ids: Doors = []  # noqa: RUF012 - pydantic copies it
    """The entrances that it is for."""
    space_ids: Maybe[Doors] = None
    """The spaces that it is for: whatever is in them, also what comes later."""
    space_keys: Maybe[Annotated[list[Key], Field(max_length=500)]] = None
    """More spaces, by their keys."""
    location_ids: Maybe[Doors] = None
    """More spaces, by the name that they had."""
    location: Maybe[GrantLocation] = None
    """More doors, in an older form."""
    requested_access_methods: Annotated[list[Requested], Field(max_length=100)]
    """The ways in."""
    starts_at: Maybe[Moment] = None
    """From when; at once if it is not given."""
    ends_at: Moment | None = None
    """Until when; without end if it is null or not given."""
    name: Name | None = None
    """What to call it, and its codes at the locks."""
    access_grant_key: Maybe[Key] = None
    """Your own word for it, which no other access grant has."""
    reservation_key: Maybe[Name] = None
    """Your own word for what it belongs to. Several may have the same."""
    customization_profile_id: Maybe[str] = None
    """What only mobile keys have: there is none."""

    @model_validator(mode="after")
    def _whose_and_where(self) -> GrantCreate:
        if self.user_identity_id is None and self.user_identity is None:
            raise ValueError("Either 'user_identity_id' or 'user_identity' is required")
        if not any((self.all_device_ids, self.all_entrance_ids, self.all_space_ids, self.space_keys)):
            raise ValueError(
                "One of 'device_ids', 'acs_entrance_ids', 'space_ids' or 'space_keys' is required"
            )
        return self

    @property
    def all_device_ids(self) -> list[str]:
        """The devices, in either form."""
        return [*self.device_ids, *(self.location.device_ids if self.location is not None else ())]

    @property
    def all_entrance_ids(self) -> list[str]:
        """The entrances, in either form."""
        more = self.location.acs_entrance_ids if self.location is not None else ()
        return [*self.acs_entrance_ids, *more]

    @property
    def all_space_ids(self) -> list[str]:
        """The spaces that are named by their ids, in either form."""
        return [*(self.space_ids or ()), *(self.location_ids or ())]


class GrantUpdate(GrantGet):
    """What shall change of an access grant. What is not given stays."""

    access_grant_key: Maybe[Key] = None
    """Its new key; or, without an access_grant_id, the key of the grant to change."""
    name: Name | None = None
    """What to call it."""
    starts_at: Maybe[Moment] = None
    """From when."""
    ends_at: Moment | None = None
    """Until when; null is without end."""

    def given(self) -> dict[str, Any]:
        """What is given of it."""
        names = {"name", "starts_at", "ends_at"} | (
            set() if self.access_grant_id is None else {"access_grant_key"}
        )
        return {name: getattr(self, name) for name in sorted(names & self.model_fields_set)}


class MethodsRequest(OfGrant):
    """Further ways in of an access grant."""

    requested_access_methods: Annotated[list[Requested], Field(min_length=1, max_length=100)]
    """The ways in."""


class GrantFilter(Listing):
    """Which access grants. What is not given does not matter."""

    acs_entrance_id: Maybe[str] = None
    """Only those that are for this entrance."""
    acs_system_id: Maybe[str] = None
    """Only those that are for an entrance of this system."""
    reservation_key: Maybe[str] = None
    """Only those with this reservation key."""
    user_identity_id: Maybe[str] = None
    """Only those of this user identity."""


class GrantList(GrantFilter):
    """Which access grants. What is not given does not matter."""

    access_grant_ids: Maybe[list[str]] = None
    """Only these."""
    access_grant_key: str | None = None
    """Only the one with this key."""
    access_code_id: Maybe[str] = None
    """Only the one that this access code was made for."""
    device_id: Maybe[str] = None
    """Only those that are for this device."""
    space_id: Maybe[str] = None
    """Only those that are for this space."""
    location_id: Maybe[str] = None
    """The same, by its older name."""
    customer_key: Maybe[str] = None
    """Only those that are for a space of this customer."""


class MethodList(Listing):
    """Which access methods. What is not given does not matter."""

    access_grant_id: Maybe[str] = None
    """Only those of this access grant."""
    access_grant_key: Maybe[Key] = None
    """Only those of the access grant with this key."""
    access_code_id: Maybe[str] = None
    """Only the one that this access code was made for."""
    device_id: Maybe[str] = None
    """Only those that open this device."""
    acs_entrance_id: Maybe[str] = None
    """Only those that open this entrance."""
    space_id: Maybe[str] = None
    """Only those of access grants that are for this space."""


class MethodDelete(Parameters):
    """Which access methods shall be no more."""

    access_method_id: Maybe[str] = None
    """This access method."""
    access_grant_id: Maybe[str] = None
    """Or all of this access grant."""
    reservation_key: Maybe[str] = None
    """Or all of the access grants with this reservation key."""

    @model_validator(mode="after")
    def _one_of_them(self) -> MethodDelete:
        if self.access_method_id is None and self.access_grant_id is None and self.reservation_key is None:
            raise ValueError("One of 'access_method_id', 'access_grant_id' or 'reservation_key' is required")
        return self


async def grants_shown(found: Sequence[domain.AccessGrant], grants: AccessGrants) -> list[AccessGrant]:
    """Grants of one workspace as their caller is shown them."""
    if not found:
        return []
    of: dict[str, list[domain.GrantedMethod]] = {grant.id: [] for grant in found}
    for method in await grants.methods(found[0].workspace_id, list(of)):
        of[method.access_grant_id].append(method)
    return [access_grant_json(grant, of[grant.id], grants.pins) for grant in found]


async def methods_shown(found: Sequence[domain.GrantedMethod], grants: AccessGrants) -> list[Any]:
    """Methods of one workspace as their caller is shown them, but for those that are gone meanwhile."""
    if not found:
        return []
    ids = {method.access_grant_id for method in found}
    of = {grant.id: grant for grant in await grants.with_ids(found[0].workspace_id, ids)}
    now = grants.now()
    return [
        access_method_json(
            method,
            of[method.access_grant_id],
            now,
            None if method.code is None else grants.pins.open(method.code),
        )
        for method in found
        if method.access_grant_id in of
    ]
