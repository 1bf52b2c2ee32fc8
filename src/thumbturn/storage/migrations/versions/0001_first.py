"""Everything that the first version remembers.

Revision 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "workspaces",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_sandbox", sa.Boolean(), nullable=False),
        sa.Column("company_name", sa.Text(), nullable=False),
        sa.Column("connect_partner_name", sa.Text()),
        sa.Column("organization_id", sa.Text()),
        sa.Column("is_suspended", sa.Boolean(), nullable=False),
        sa.Column("is_publishable_key_auth_enabled", sa.Boolean(), nullable=False),
        sa.Column("connect_webview_customization", sa.Text(), nullable=False),
        sa.Column("required_evidence", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("event_sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
    )
    op.create_table(
        "memberships",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_memberships_workspace_id"),
        sa.PrimaryKeyConstraint("user_id", "workspace_id", name="pk_memberships"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_memberships_workspace_id", "memberships", ["workspace_id"])
    op.create_table(
        "keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text()),
        sa.Column("user_id", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_keys_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
        sa.UniqueConstraint("token_hash", name="uq_keys_token_hash"),
    )
    op.create_index("ix_keys_user_id", "keys", ["user_id"])
    op.create_index("ix_keys_workspace_id", "keys", ["workspace_id"])
    op.create_table(
        "connected_accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("driver", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("custom_metadata", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_connected_accounts_workspace_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_connected_accounts"),
    )
    op.create_index("ix_connected_accounts_workspace_id", "connected_accounts", ["workspace_id"])
    op.create_table(
        "devices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("connected_account_id", sa.Text(), nullable=False),
        sa.Column("driver", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("device_type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("nickname", sa.Text()),
        sa.Column("capabilities", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("custom_metadata", sa.Text(), nullable=False),
        sa.Column("is_managed", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("manufacturer", sa.Text()),
        sa.ForeignKeyConstraint(
            ["connected_account_id"], ["connected_accounts.id"], name="fk_devices_connected_account_id"
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_devices_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_devices_connected_account_id", "devices", ["connected_account_id"])
    op.create_index("ix_devices_workspace_id_created_at_id", "devices", ["workspace_id", "created_at", "id"])
    op.create_table(
        "attempts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("action_type", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text()),
        sa.Column("connected_account_id", sa.Text()),
        sa.Column("ask", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at", sa.BigInteger(), nullable=False),
        sa.Column("required_evidence", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text()),
        sa.Column("failure_type", sa.Text()),
        sa.Column("failure_message", sa.Text()),
        sa.Column("settled_at", sa.BigInteger()),
        sa.Column("marks", sa.Text(), nullable=False),
        _filed(),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sqlite_with_rowid=False,
    )
    _partial(
        "ix_attempts_of_device", "attempts", ["workspace_id", "device_id", "accepted_at", "id"], "filed = 1"
    )
    _partial("ix_attempts_unfiled", "attempts", ["accepted_at", "id"], "filed = 0")
    op.create_index("ix_attempts_of_workspace", "attempts", ["workspace_id", "accepted_at", "id"])
    _partial(
        "ix_attempts_open", "attempts", ["accepted_at", "id"], "phase in ('queued', 'sent', 'confirming')"
    )
    op.create_table(
        "late_marks",
        sa.Column(
            "n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_late_marks"),
    )
    op.create_index("ix_late_marks_attempt_id", "late_marks", ["attempt_id"])
    op.create_table(
        "events",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.Text()),
        sa.Column("connected_account_id", sa.Text()),
        sa.Column("action_attempt_id", sa.Text()),
        sa.Column("payload", sa.Text(), nullable=False),
        _filed(),
        sa.PrimaryKeyConstraint("workspace_id", "sequence", name="pk_events"),
        sa.UniqueConstraint("event_id", name="uq_events_event_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_events_by_time", "events", ["workspace_id", "created_at", "sequence"])
    _partial("ix_events_of_device", "events", ["device_id", "sequence"], "filed = 1")
    _partial("ix_events_unfiled", "events", ["workspace_id", "sequence"], "filed = 0")


def _filed() -> sa.Column[int]:
    """SQLite files rows by device later and many at a time; PostgreSQL at once."""
    at_once = "0" if op.get_bind().dialect.name == "sqlite" else "1"
    return sa.Column("filed", sa.Integer(), nullable=False, server_default=at_once)


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
