"""Who asked for an attempt, and what attempts are searched by.

Revision 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("attempts", sa.Column("asked_by", sa.Text()))
    op.add_column("attempts", sa.Column("request_id", sa.Text()))
    op.add_column("attempts", sa.Column("actor", sa.Text()))
    _partial("ix_attempts_failed", ["workspace_id", "accepted_at", "id"], "failure_type is not null")
    _partial(
        "ix_attempts_of_cause",
        ["workspace_id", "failure_type", "accepted_at", "id"],
        "failure_type is not null",
    )
    _partial("ix_attempts_of_actor", ["workspace_id", "actor", "accepted_at", "id"], "actor is not null")
    _partial("ix_attempts_of_type", ["workspace_id", "action_type", "accepted_at", "id"], "filed = 1")


def _partial(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "attempts", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
