"""Parameters that more than one endpoint takes, and the rules that hold for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError, PydanticKnownError

from thumbturn.actions.definition import Maybe as Maybe  # noqa: PLC0414 - given on
from thumbturn.actions.described import describe_fields
from thumbturn.domain.clock import from_datetime

#: No list answers with more at once, whatever ``limit`` says: one answer must not stop all others.
MOST_AT_ONCE = 10_000


class Parameters(BaseModel):
    """What an endpoint takes. Unknown parameters are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra=describe_fields)


class OfDevice(Parameters):
    """One device."""

    device_id: str
    """The device."""


class Listing(Parameters):
    """A list that comes in pages."""

    limit: Annotated[int, Field(gt=0)] = 500
    """How many at most; never more than 10,000 at once."""
    page_cursor: str | None = None
    """Where to go on: the ``next_page_cursor`` of the page before."""

    @property
    def most(self) -> int:
        """How many the page holds."""
        return min(self.limit, MOST_AT_ONCE)


def _read(given: Any) -> datetime:
    if not isinstance(given, str):
        raise PydanticKnownError("string_type")
    try:
        moment = datetime.fromisoformat(given)
        # A zone may carry the first and the last hours of all years out of what UTC can write.
        return moment if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("invalid_datetime", "Invalid datetime") from None


def _moment(given: Any) -> int:
    moment = _read(given)
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _moment_with_zone(given: Any) -> int:
    moment = _read(given)
    if moment.tzinfo is None:
        raise PydanticCustomError("datetime_without_zone", "A moment without its time zone")
    return from_datetime(moment)


#: A moment in ISO 8601, UTC where it names no zone; inside, µs since 1970 UTC.
Moment = Annotated[int, PlainValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
#: A moment in ISO 8601 that names its zone; inside, µs since 1970 UTC.
MomentWithZone = Annotated[
    int, PlainValidator(_moment_with_zone), WithJsonSchema({"type": "string", "format": "date-time"})
]


def either(one: str | None, many: Sequence[str] | None) -> Sequence[str] | None:
    """What satisfies the singular and the plural form of a parameter, where they are given."""
    if one is None:
        return many
    return [one] if many is None or one in many else []
