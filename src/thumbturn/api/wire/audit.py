"""The audit trail on the wire: entries with their places in the chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from thumbturn.domain.chain import Head, Sealed


class AuditHead(TypedDict):
    """The newest entry of a trail: its number, counted from 1, and its seal. Number 0 is before the first."""

    number: int
    seal: str


class AuditEntry(TypedDict):
    """One act. ``entry`` is what the seal is over, ``at`` in it counts microseconds since 1970 UTC.

    It is null where what it tells of is gone or cannot be read: then somebody has been at the database.
    """

    number: int
    seal: str
    entry: Mapping[str, Any] | None


def head_json(head: Head) -> AuditHead:
    """The head as the wire has it."""
    return {"number": head.number, "seal": head.seal}


def entry_json(sealed: Sealed) -> AuditEntry:
    """The entry as the wire has it."""
    return {"number": sealed.number, "seal": sealed.seal, "entry": sealed.entry}
