"""What people set about a device, and the schedules of thermostats.

Revision 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("devices", sa.Column("settings", sa.Text(), nullable=False, server_default="{}"))
    op.create_table(
        "thermostat_schedules",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("climate_preset_key", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("is_override_allowed", sa.Boolean(), nullable=False),
        sa.Column("max_override_period_minutes", sa.Integer()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("is_over", sa.Boolean(), nullable=False),
        sa.Column("errors", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_thermostat_schedules"),
        sa.UniqueConstraint("device_id", "starts_at", name="uq_thermostat_schedules_device_id"),
    )
