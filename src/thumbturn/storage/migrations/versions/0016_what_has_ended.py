"""What has ended long ago is found by its moment, to be forgotten.

Revision 0016.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_index("ix_client_sessions_expired", "client_sessions", ["expires_at"])
    op.create_index("ix_client_sessions_revoked", "client_sessions", ["revoked_at"])
    op.create_index("ix_connect_webviews_old", "connect_webviews", ["created_at"])
    op.create_index("ix_thermostat_schedules_over", "thermostat_schedules", ["is_over", "ends_at"])
