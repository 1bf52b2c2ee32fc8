"""User identities, and the things of access control systems.

Revision 0012.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "access_things",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("acs_system_id", sa.Text()),
        sa.Column("connected_account_id", sa.Text()),
        sa.Column("holder_id", sa.Text()),
        sa.Column("key", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_access_things"),
    )
    op.create_index(
        "ix_access_things_in_order", "access_things", ["workspace_id", "kind", "created_at", "id"]
    )
    op.create_index("ix_access_things_of_holder", "access_things", ["workspace_id", "kind", "holder_id"])
    op.create_index("ix_access_things_by_key", "access_things", ["workspace_id", "kind", "key"])
    op.add_column("client_sessions", sa.Column("user_identity_id", sa.Text()))
