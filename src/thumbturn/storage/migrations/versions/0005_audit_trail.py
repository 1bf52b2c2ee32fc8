"""The audit trail: a chain of entries for each workspace.

Revision 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("workspaces", sa.Column("audit_count", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("workspaces", sa.Column("audit_seal", sa.Text(), server_default="0" * 64, nullable=False))
    op.create_table(
        "audit_waiting",
        sa.Column("n", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text()),
        sa.Column("body", sa.Text()),
        sa.PrimaryKeyConstraint("n", name="pk_audit_waiting"),
    )
    op.create_table(
        "audit_entries",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt_id", sa.Text()),
        sa.Column("body", sa.Text()),
        sa.Column("seal", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "number", name="pk_audit_entries"),
        sqlite_with_rowid=False,
    )
