"""The table of what is in spaces, as the newest migration leaves it. The spaces are in ``access_things``."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from thumbturn.storage.tables import metadata

space_members = Table(
    "space_members",
    metadata,
    # No foreign keys: a reset replaces devices and entrances, and empties spaces by itself.
    Column("space_id", Text, primary_key=True),
    Column("member_id", Text, primary_key=True),
    Column("workspace_id", Text, nullable=False),
    #: ``device``, ``acs_entrance`` or ``connected_account``.
    Column("kind", Text, nullable=False),
    Index("ix_space_members_around", "workspace_id", "member_id", "space_id"),
    sqlite_with_rowid=False,
)
