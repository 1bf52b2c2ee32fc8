"""What is known of connected accounts beyond their name.

Revision 0011.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0008"


def upgrade() -> None:
    for column in (
        sa.Column("customer_key", sa.Text()),
        sa.Column("accepted_capabilities", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("manages_new_devices", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("user_identifier", sa.Text(), nullable=False, server_default="{}"),
        sa.Column("disconnected_at", sa.BigInteger()),
    ):
        op.add_column("connected_accounts", column)
    op.create_index(
        "ix_connected_accounts_workspace_id_created_at_id",
        "connected_accounts",
        ["workspace_id", "created_at", "id"],
    )
    op.drop_index("ix_connected_accounts_workspace_id", "connected_accounts")
