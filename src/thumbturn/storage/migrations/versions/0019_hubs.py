"""Accounts that are hubs: how each is reached, sealed, and what tells it from others.

Revision 0019.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("connected_accounts", sa.Column("hub", sa.Text()))
    op.add_column("connected_accounts", sa.Column("hub_id", sa.Text()))
    op.add_column("connect_webviews", sa.Column("hub", sa.Text()))
