"""What was first answered to calls with an idempotency key.

Revision 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "first_answers",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", sa.Text()),
        sa.Column("body", sa.Text()),
        sa.PrimaryKeyConstraint("scope", name="pk_first_answers"),
    )
    op.create_index("ix_first_answers_begun_at", "first_answers", ["begun_at"])
