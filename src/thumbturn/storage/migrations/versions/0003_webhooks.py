"""Webhooks, what they have still to be told, and every try to tell them.

Revision 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("event_types", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("previous_secret", sa.Text()),
        sa.Column("previous_secret_until", sa.BigInteger()),
        sa.Column("begins_after", sa.BigInteger(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("failing_since", sa.BigInteger()),
        sa.Column("disabled_at", sa.BigInteger()),
        sa.Column("disabled_because", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("tries_made", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_webhooks_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_index(
        "ix_webhooks_workspace_id_created_at_id", "webhooks", ["workspace_id", "created_at", "id"]
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("webhook_id", "sequence", name="pk_webhook_deliveries"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_webhook_deliveries_due", "webhook_deliveries", ["webhook_id", "due_at", "sequence"])
    op.create_table(
        "webhook_tries",
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("milliseconds", sa.Float(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("error", sa.Text()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("next_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("webhook_id", "place", name="pk_webhook_tries"),
        sqlite_with_rowid=False,
    )
