"""What the audit trail says of attempts outlives them.

Revision 0018.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "audit_texts",
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("attempt_id", name="pk_audit_texts"),
        sqlite_with_rowid=False,
    )
