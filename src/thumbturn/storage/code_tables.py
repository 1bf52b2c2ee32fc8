"""The tables of access codes, and of the key that their PINs are sealed with."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, UniqueConstraint, text

from thumbturn.storage.secret_text import SecretText
from thumbturn.storage.tables import metadata

#: Keys that are made once, by what they are for.
data_keys = Table(
    "data_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sealed", SecretText("data_key"), nullable=False),
)

#: A code that must be looked at some time, in the words of its index.
HAS_DUE = text("due_at is not null")

access_codes = Table(
    "access_codes",
    metadata,
    # No foreign key: a reset replaces devices, and removes their codes by itself.
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("connected_account_id", Text, nullable=False),
    Column("name", Text),
    # Sealed with a key of ``data_keys``, and not with the one that may be changed.
    Column("pin", Text, nullable=False),
    Column("pin_key", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("is_managed", Boolean, nullable=False),
    Column("is_backup", Boolean, nullable=False),
    Column("common_code_key", Text),
    # What it shall be beyond that, and what is known of it at its lock.
    Column("wish", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("due_at", BigInteger),
    UniqueConstraint("device_id", "pin_key"),
    Index("ix_access_codes_of_workspace", "workspace_id", "is_managed", "created_at", "id"),
    Index("ix_access_codes_of_device", "device_id", "is_managed", "created_at", "id"),
    Index("ix_access_codes_in_common", "workspace_id", "common_code_key"),
    Index("ix_access_codes_due", "due_at", "device_id", sqlite_where=HAS_DUE, postgresql_where=HAS_DUE),
    sqlite_with_rowid=False,
)
