"""What is in spaces.

Revision 0014.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "space_members",
        sa.Column("space_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("space_id", "member_id", name="pk_space_members"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_space_members_around", "space_members", ["workspace_id", "member_id", "space_id"])
