"""What ``/spaces`` is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from thumbturn.api.parameters import Listing, Maybe, Parameters

#: What can be asked for of what there is in spaces.
Part = Literal["spaces", "devices", "acs_entrances", "connected_accounts", "acs_systems", "access_methods"]
PARTS: tuple[Part, ...] = get_args(Part)

Word = Annotated[str, Field(max_length=500)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")]


class OfSpace(Parameters):
    """One space."""

    space_id: str
    """The space."""


class SpaceGet(Parameters):
    """Which space."""

    space_id: Maybe[str] = None
    """The space."""
    space_key: Maybe[str] = None
    """Or its key."""

    @model_validator(mode="after")
    def _one_of_them(self) -> SpaceGet:
        if self.space_id is None and self.space_key is None:
            raise ValueError("Either 'space_id' or 'space_key' is required")
        return self


class CustomerData(Parameters):
    """What guests are told of a space. What is null is forgotten."""

    address: Word | None = None
    """Its address."""
    default_checkin_time: TimeOfDay | None = None
    """From when on they may come: HH:MM or HH:MM:SS."""
    default_checkout_time: TimeOfDay | None = None
    """Until when they have to leave, likewise."""
    time_zone: Word | None = None
    """The zone of these times."""

    def given(self) -> dict[str, str | None]:
        """What is given of it."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}


class SpaceCreate(Parameters):
    """A new space."""

    name: Word
    """Its name."""
    space_key: Maybe[Word] = None
    """Your own word for it, which no other space has."""
    customer_key: Maybe[Annotated[str, Field(min_length=1, max_length=500)]] = None
    """Whose customer's it is: your own word for the customer."""
    customer_data: Maybe[CustomerData] = None
    """What guests are told of it."""
    device_ids: Maybe[list[str]] = None
    """The devices in it."""
    acs_entrance_ids: Maybe[list[str]] = None
    """The entrances in it."""
    connected_account_ids: Maybe[list[str]] = None
    """The accounts in it."""


class SpaceUpdate(SpaceGet):
    """What shall change of a space. What is not given stays."""

    space_key: Maybe[Word] = None
    """Its new key; or, without a space_id, the key of the space to change."""
    name: Maybe[Word] = None
    """Its name."""
    customer_data: Maybe[CustomerData] = None
    """What guests are told of it. What is not given of this stays, too."""
    device_ids: Maybe[list[str]] = None
    """All devices that shall be in it."""
    acs_entrance_ids: Maybe[list[str]] = None
    """All entrances that shall be in it."""
    parent_space_id: Maybe[str] = None
    """The space that it shall be in."""
    parent_space_key: Maybe[str] = None
    """Or the key of that."""


class SpaceList(Listing):
    """Which spaces. What is not given does not matter."""

    space_key: Maybe[str] = None
    """Only the one with this key."""
    customer_key: Maybe[str] = None
    """Only those of this customer."""
    connected_account_id: Maybe[str] = None
    """Only those that this account is in."""
    parent_space_id: Maybe[str] = None
    """Only those in this space."""
    parent_space_key: Maybe[str] = None
    """Only those in the space with this key."""
    search: Maybe[Annotated[str, Field(min_length=1)]] = None
    """Only with this in their name or key, in any letter case."""


class WhatIsThere(Parameters):
    """Of which spaces what is wanted."""

    space_ids: Maybe[list[str]] = None
    """These spaces."""
    space_keys: Maybe[list[str]] = None
    """And those with these keys."""
    include: Maybe[list[Part]] = None
    """Only these parts of the answer; otherwise all."""
    exclude: Maybe[list[Part]] = None
    """All but these parts."""

    @model_validator(mode="after")
    def _some_spaces(self) -> WhatIsThere:
        if self.space_ids is None and self.space_keys is None:
            raise ValueError("Either 'space_ids' or 'space_keys' is required")
        return self

    @property
    def parts(self) -> list[Part]:
        """The parts that are wanted."""
        wanted: Sequence[Part] = PARTS if self.include is None else self.include
        return [part for part in PARTS if part in wanted and part not in (self.exclude or ())]


class SpaceAndDevices(OfSpace):
    """A space and devices."""

    device_ids: list[str]
    """The devices."""


class SpaceAndSomeDevices(OfSpace):
    """A space and at least one device."""

    device_ids: Annotated[list[str], Field(min_length=1)]
    """The devices."""


class SpaceAndEntrances(OfSpace):
    """A space and entrances."""

    acs_entrance_ids: list[str]
    """The entrances."""


class SpaceAndSomeEntrances(OfSpace):
    """A space and at least one entrance."""

    acs_entrance_ids: Annotated[list[str], Field(min_length=1)]
    """The entrances."""


class SpaceAndAccount(OfSpace):
    """A space and an account."""

    connected_account_id: str
    """The account."""
