"""Of what attempts a workspace wants to be told the end, beyond those of which all are.

Revision 0015.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    column = sa.Column("announced_action_types", sa.Text(), nullable=False, server_default="[]")
    op.add_column("workspaces", column)
