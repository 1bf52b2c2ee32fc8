"""Whether the server can do its work, part by part. No part's words hold an id or a name of a workspace."""

from __future__ import annotations

from typing_extensions import TypedDict


class Part(TypedDict):
    """A part of the server; ``message`` says what is wrong with it, and is empty if nothing is."""

    is_ready: bool
    message: str


class WriterPart(Part):
    """What makes things durable. It is ready while less than its limit waits and its last commit was made."""

    waiting_operations: int
    waiting_limit: int


class DriverPart(Part):
    """A driver. It is ready unless it holds links and none of them stands."""

    driver: str
    devices: int
    devices_online: int
    links: int
    links_up: int


class BacklogPart(Part):
    """The open attempts, and what was decided and could not be put on record yet.

    They are in order while none is open long after its deadline, and nothing waits for its record.
    """

    open_attempts: int
    oldest_open_seconds: float
    unrecorded: int


class OwnershipPart(Part):
    """What this process owns of the cells that the processes on its database share.

    It is ready while the others hear that it lives. On SQLite there is one cell, and one process.
    """

    cells: int
    engine_cells: int
    webhooks_cells: int
    has_upkeep: bool
    processes: int


class Readiness(TypedDict):
    """``is_ready`` is true when every part is."""

    is_ready: bool
    database: Part
    writer: WriterPart
    drivers: list[DriverPart]
    backlog: BacklogPart
    webhooks: Part
    ownership: OwnershipPart
