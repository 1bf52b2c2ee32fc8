"""Many processes on one database: who owns which share of the workspaces, and what they pass each other.

Revision 0017.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

#: As ``engine/cells.py`` counts it, so that a version which knows of no cells writes it all the same.
_CELL = "(('x' || substr(md5(id), 1, 2))::bit(8)::integer % 16)::smallint"


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    # On SQLite there is one cell, and one process.
    made = sa.Computed(_CELL, persisted=True) if on_postgresql else None
    usual = None if on_postgresql else "0"
    op.add_column(
        "workspaces",
        sa.Column("cell", sa.SmallInteger, *filter(None, [made]), nullable=False, server_default=usual),
    )
    op.create_index("ix_workspaces_cell", "workspaces", ["cell"])
    op.create_table(
        "processes",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("cell", sa.SmallInteger, primary_key=True),
        sa.Column("owner", sa.Text),
        sa.Column("epoch", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "arrivals",
        sa.Column("attempt_id", sa.Text, primary_key=True),
        sa.Column("cell", sa.SmallInteger, nullable=False),
    )
    op.create_index("ix_arrivals_cell", "arrivals", ["cell"])
    op.create_table(
        "forwarded_calls",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("cell", sa.SmallInteger, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("taken_by", sa.Text),
        sa.Column("taken_at", sa.BigInteger),
        sa.Column("answer", sa.Text),
        # Nobody waits for a call of before the crash of a database.
        prefixes=["UNLOGGED"] if on_postgresql else [],
    )
    op.create_index("ix_forwarded_calls_cell", "forwarded_calls", ["kind", "cell"])
