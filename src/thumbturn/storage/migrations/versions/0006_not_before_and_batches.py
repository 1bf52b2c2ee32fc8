"""Attempts that shall not be sent before a moment, and those that were accepted together.

Revision 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("attempts", sa.Column("not_before", sa.BigInteger()))
    op.add_column("attempts", sa.Column("batch_id", sa.Text()))
    of_a_batch = sa.text("batch_id is not null")
    op.create_index(
        "ix_attempts_of_batch",
        "attempts",
        ["batch_id", "accepted_at", "id"],
        sqlite_where=of_a_batch,
        postgresql_where=of_a_batch,
    )
