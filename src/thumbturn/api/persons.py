"""What persons are described by, and named by, in requests."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from thumbturn.api.parameters import Maybe, Parameters
from thumbturn.domain.access import UserIdentity
from thumbturn.engine.access import Whom

#: What is between the spaces of a phone number, or nothing of it.
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def _email(text: str) -> str:
    if _EMAIL.fullmatch(text) is None:
        raise ValueError("Invalid email")
    return text


Email = Annotated[str, Field(max_length=320, json_schema_extra={"format": "email"}), AfterValidator(_email)]
FullName = Annotated[str, Field(min_length=1, max_length=255)]
Phone = Annotated[str, Field(max_length=50)]


class Described(Parameters):
    """What is known of a user identity."""

    user_identity_key: FullName | None = None
    """Your own word for him, which no other user identity has."""
    full_name: FullName | None = None
    """His name."""
    email_address: Email | None = None
    """His e-mail address."""
    phone_number: Phone | None = None
    """His phone number."""

    def given(self) -> dict[str, Any]:
        """What is given of it."""
        return {name: getattr(self, name) for name in Described.model_fields if name in self.model_fields_set}


class UserOrIdentity(Parameters):
    """A user of an access control system, by his own id or by that of his user identity."""

    acs_user_id: Maybe[str] = None
    """The ACS user."""
    user_identity_id: Maybe[str] = None
    """Or his user identity."""

    @property
    def whom(self) -> Whom:
        """Who is meant."""
        return Whom(self.acs_user_id, self.user_identity_id, getattr(self, "acs_system_id", None))

    @model_validator(mode="after")
    def _one_of_them(self) -> UserOrIdentity:
        if self.acs_user_id is None and self.user_identity_id is None:
            raise ValueError("Either 'acs_user_id' or 'user_identity_id' is required")
        return self


class UserSomewhere(UserOrIdentity):
    """A user of an access control system."""

    acs_system_id: Maybe[str] = None
    """Where his user identity has users in several systems, the one that is meant."""


def has_in_it(identity: UserIdentity, search: str) -> bool:
    """Whether this is in what is known of an identity, in any letter case."""
    known = (
        identity.full_name,
        identity.email_address,
        identity.phone_number,
        identity.user_identity_key,
    )
    return any(search.casefold() in text.casefold() for text in known if text is not None)
