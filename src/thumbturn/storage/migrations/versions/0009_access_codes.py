"""Access codes, and the key that their PINs are sealed with.

Revision 0009.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "data_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_data_keys"),
    )
    op.create_table(
        "access_codes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("connected_account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("pin", sa.Text(), nullable=False),
        sa.Column("pin_key", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("is_managed", sa.Boolean(), nullable=False),
        sa.Column("is_backup", sa.Boolean(), nullable=False),
        sa.Column("common_code_key", sa.Text()),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_access_codes"),
        sa.UniqueConstraint("device_id", "pin_key", name="uq_access_codes_device_id"),
        sqlite_with_rowid=False,
    )
    for name, columns in (
        ("ix_access_codes_of_workspace", ["workspace_id", "is_managed", "created_at", "id"]),
        ("ix_access_codes_of_device", ["device_id", "is_managed", "created_at", "id"]),
        ("ix_access_codes_in_common", ["workspace_id", "common_code_key"]),
    ):
        op.create_index(name, "access_codes", columns)
    has_due = sa.text("due_at is not null")
    op.create_index(
        "ix_access_codes_due",
        "access_codes",
        ["due_at", "device_id"],
        sqlite_where=has_due,
        postgresql_where=has_due,
    )
