"""Connect webviews, and the client sessions that reach what comes of them.

Revision 0013.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column(
        "client_sessions",
        sa.Column("connect_webview_ids", sa.Text(), nullable=False, server_default="[]"),
    )
    op.create_table(
        "connect_webviews",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("wishes", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("custom_metadata", sa.Text(), nullable=False),
        sa.Column("customer_key", sa.Text()),
        sa.Column("selected_provider", sa.Text()),
        sa.Column("signed_in_as", sa.Text()),
        sa.Column("wrong_tries", sa.Integer(), nullable=False),
        sa.Column("connected_account_id", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("authorized_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_connect_webviews_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_connect_webviews"),
    )
    op.create_index(
        "ix_connect_webviews_workspace_id_created_at_id",
        "connect_webviews",
        ["workspace_id", "created_at", "id"],
    )
