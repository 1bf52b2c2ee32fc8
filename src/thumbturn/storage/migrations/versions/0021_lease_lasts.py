"""Each process says for how long its leases last: whoever takes it for dead waits for that.

Revision 0021.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("processes", sa.Column("lease", sa.BigInteger, nullable=False, server_default="5000000"))
