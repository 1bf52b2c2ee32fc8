"""Client sessions.

Revision 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "client_sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("user_identifier_key", sa.Text()),
        sa.Column("customer_key", sa.Text()),
        sa.Column("connected_account_ids", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_client_sessions_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_client_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_client_sessions_token_hash"),
    )
    op.create_index(
        "ix_client_sessions_workspace_id_created_at_id",
        "client_sessions",
        ["workspace_id", "created_at", "id"],
    )
    op.create_index(
        "ix_client_sessions_of_user",
        "client_sessions",
        ["workspace_id", "user_identifier_key", "created_at", "id"],
    )
