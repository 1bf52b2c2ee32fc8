"""The tables, as the newest migration leaves them.

Times are µs since 1970 UTC. JSON is kept as text: the hot path writes it once and never lets the
database look inside. Indices follow the questions that are asked; every one of them is paid for by
each accepted attempt, so there are few.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    FetchedValue,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
    true,
)

from thumbturn.domain.chain import NOTHING
from thumbturn.storage.secret_text import SecretText

#: The schema's newest revision in ``migrations/versions``.
HEAD = "0021"

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("is_sandbox", Boolean, nullable=False),
    Column("company_name", Text, nullable=False),
    Column("connect_partner_name", Text),
    Column("organization_id", Text),
    Column("is_suspended", Boolean, nullable=False),
    Column("is_publishable_key_auth_enabled", Boolean, nullable=False),
    Column("connect_webview_customization", Text, nullable=False),
    Column("required_evidence", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # The number of its newest event: whoever raises it owns the numbers until the commit.
    Column("event_sequence", BigInteger, nullable=False, server_default="0"),
    # The newest entry of its audit trail: its number and its seal.
    Column("audit_count", BigInteger, nullable=False, server_default="0"),
    Column("audit_seal", Text, nullable=False, server_default=NOTHING),
    Column("announced_action_types", Text, nullable=False, server_default="[]"),
    # Given by the database, from its id (``cell_tables.py``): on SQLite always 0.
    Column("cell", SmallInteger, nullable=False, server_default=FetchedValue(), index=True),
)

memberships = Table(
    "memberships",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("workspace_id", Text, ForeignKey("workspaces.id"), primary_key=True, index=True),
    sqlite_with_rowid=False,
)

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("workspace_id", Text, ForeignKey("workspaces.id"), index=True),
    Column("user_id", Text, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    UniqueConstraint("token_hash"),
)

connected_accounts = Table(
    "connected_accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, ForeignKey("workspaces.id"), nullable=False),
    Column("driver", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("custom_metadata", Text, nullable=False),
    Column("customer_key", Text),
    Column("accepted_capabilities", Text, nullable=False, server_default="[]"),
    Column("manages_new_devices", Boolean, nullable=False, server_default=true()),
    Column("user_identifier", Text, nullable=False, server_default="{}"),
    Column("disconnected_at", BigInteger),
    Column("hub", SecretText("connected_account")),
    Column("hub_id", Text),
    Index(None, "workspace_id", "created_at", "id"),
)

devices = Table(
    "devices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, ForeignKey("workspaces.id"), nullable=False),
    Column("connected_account_id", Text, ForeignKey("connected_accounts.id"), nullable=False, index=True),
    Column("driver", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("device_type", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("nickname", Text),
    Column("capabilities", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("custom_metadata", Text, nullable=False),
    Column("is_managed", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # Copied from ``details``, to be found by.
    Column("manufacturer", Text),
    Column("settings", Text, nullable=False, server_default="{}"),
    Index(None, "workspace_id", "created_at", "id"),
    sqlite_with_rowid=False,
)

thermostat_schedules = Table(
    "thermostat_schedules",
    metadata,
    # No foreign key: a reset replaces devices, and removes their schedules by itself.
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("name", Text),
    Column("climate_preset_key", Text, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("is_override_allowed", Boolean, nullable=False),
    Column("max_override_period_minutes", Integer),
    Column("created_at", BigInteger, nullable=False),
    Column("is_over", Boolean, nullable=False),
    Column("errors", Text, nullable=False),
    UniqueConstraint("device_id", "starts_at"),
    Index("ix_thermostat_schedules_over", "is_over", "ends_at"),
)

#: What access control knows (``access.py``). What is not asked for by a column of its own is in the facts.
access_things = Table(
    "access_things",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("acs_system_id", Text),
    Column("connected_account_id", Text),
    Column("holder_id", Text),
    Column("key", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("facts", Text, nullable=False),
    Column("secret", SecretText("acs_credential")),
    Index("ix_access_things_in_order", "workspace_id", "kind", "created_at", "id"),
    Index("ix_access_things_of_holder", "workspace_id", "kind", "holder_id"),
    Index("ix_access_things_by_key", "workspace_id", "kind", "key"),
)

#: Whether a row is in the indices by device and by type yet (``filing.py``), in the words of those.
IS_FILED, IS_UNFILED = text("filed = 1"), text("filed = 0")

#: An open attempt, in the very words of the partial index: a bound parameter would hide it.
IS_OPEN = text("phase in ('queued', 'sent', 'confirming')")


#: An attempt that failed, one that names whom it was asked for, and one that was accepted with others,
#: in the words of their indices.
HAS_FAILED, HAS_ACTOR = text("failure_type is not null"), text("actor is not null")
IS_OF_BATCH = text("batch_id is not null")


def _filed() -> Column[int]:
    # Given by the database: 0 on SQLite, 1 on PostgreSQL.
    return Column("filed", Integer, nullable=False, server_default=FetchedValue())


def _when_filed(name: str, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=IS_FILED, postgresql_where=IS_FILED)


def _failed(name: str, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=HAS_FAILED, postgresql_where=HAS_FAILED)


def _unfiled(name: str, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=IS_UNFILED, postgresql_where=IS_UNFILED)


attempts = Table(
    "attempts",
    metadata,
    Column("id", Text, primary_key=True),
    # No foreign keys here and to here: a reset removes devices and accounts, and their attempts
    # stay; and every one would be looked up once more for each attempt.
    Column("workspace_id", Text, nullable=False),
    Column("action_type", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("device_id", Text),
    Column("connected_account_id", Text),
    Column("ask", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("accepted_at", BigInteger, nullable=False),
    Column("deadline_at", BigInteger, nullable=False),
    Column("required_evidence", Integer, nullable=False),
    Column("evidence", Integer, nullable=False),
    Column("result", Text),
    Column("failure_type", Text),
    Column("failure_message", Text),
    Column("settled_at", BigInteger),
    Column("marks", Text, nullable=False),
    Column("asked_by", Text),
    Column("request_id", Text),
    Column("actor", Text),
    Column("not_before", BigInteger),
    Column("batch_id", Text),
    _filed(),
    Index("ix_attempts_open", "accepted_at", "id", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    _when_filed("ix_attempts_of_device", "workspace_id", "device_id", "accepted_at", "id"),
    _unfiled("ix_attempts_unfiled", "accepted_at", "id"),
    Index("ix_attempts_of_workspace", "workspace_id", "accepted_at", "id"),
    # What is searched for. The first two are paid for by failures only, the third by whoever names
    # an actor, the fourth many rows at a time (``filing.py``).
    _failed("ix_attempts_failed", "workspace_id", "accepted_at", "id"),
    _failed("ix_attempts_of_cause", "workspace_id", "failure_type", "accepted_at", "id"),
    Index(
        "ix_attempts_of_actor",
        "workspace_id",
        "actor",
        "accepted_at",
        "id",
        sqlite_where=HAS_ACTOR,
        postgresql_where=HAS_ACTOR,
    ),
    Index(
        "ix_attempts_of_batch",
        "batch_id",
        "accepted_at",
        "id",
        sqlite_where=IS_OF_BATCH,
        postgresql_where=IS_OF_BATCH,
    ),
    _when_filed("ix_attempts_of_type", "workspace_id", "action_type", "accepted_at", "id"),
    sqlite_with_rowid=False,
)

late_marks = Table(
    "late_marks",
    metadata,
    Column("n", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("attempt_id", Text, nullable=False, index=True),
    Column("stage", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("evidence", Integer, nullable=False),
    Column("note", Text, nullable=False),
)

first_answers = Table(
    "first_answers",
    metadata,
    # No foreign key to the attempt: it would be looked up once more for each.
    Column("scope", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("begun_at", BigInteger, nullable=False, index=True),
    Column("attempt_id", Text),
    Column("body", Text),
)

events = Table(
    "events",
    metadata,
    Column("workspace_id", Text, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("device_id", Text),
    Column("connected_account_id", Text),
    Column("action_attempt_id", Text),
    Column("payload", Text, nullable=False),
    _filed(),
    UniqueConstraint("event_id"),
    _when_filed("ix_events_of_device", "device_id", "sequence"),
    _unfiled("ix_events_unfiled", "workspace_id", "sequence"),
    Index("ix_events_by_time", "workspace_id", "created_at", "sequence"),
    sqlite_with_rowid=False,
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, ForeignKey("workspaces.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("event_types", Text, nullable=False),
    Column("secret", SecretText("webhook"), nullable=False),
    Column("previous_secret", SecretText("webhook")),
    Column("previous_secret_until", BigInteger),
    Column("begins_after", BigInteger, nullable=False),
    Column("cursor", BigInteger, nullable=False),
    Column("failing_since", BigInteger),
    Column("disabled_at", BigInteger),
    Column("disabled_because", Text),
    Column("created_at", BigInteger, nullable=False),
    # The place of its newest try: whoever raises it owns the places until the commit.
    Column("tries_made", BigInteger, nullable=False, server_default="0"),
    Index(None, "workspace_id", "created_at", "id"),
)

# What is delivered at once is in none of these rows: only what failed, and what was asked for again.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("webhook_id", Text, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Index("ix_webhook_deliveries_due", "webhook_id", "due_at", "sequence"),
    sqlite_with_rowid=False,
)

webhook_tries = Table(
    "webhook_tries",
    metadata,
    Column("webhook_id", Text, primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("milliseconds", Float, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Column("outcome", Text, nullable=False),
    Column("next_at", BigInteger),
    sqlite_with_rowid=False,
)

client_sessions = Table(
    "client_sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, ForeignKey("workspaces.id"), nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("token", SecretText("client_session"), nullable=False),
    Column("user_identifier_key", Text),
    Column("customer_key", Text),
    Column("connected_account_ids", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("user_identity_id", Text),
    Column("connect_webview_ids", Text, nullable=False, server_default="[]"),
    UniqueConstraint("token_hash"),
    Index(None, "workspace_id", "created_at", "id"),
    Index("ix_client_sessions_of_user", "workspace_id", "user_identifier_key", "created_at", "id"),
    Index("ix_client_sessions_expired", "expires_at"),
    Index("ix_client_sessions_revoked", "revoked_at"),
)

#: What was done and is not in the chain yet, in order of commit: an attempt by its id, or a text.
audit_waiting = Table(
    "audit_waiting",
    metadata,
    Column("n", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("workspace_id", Text, nullable=False),
    Column("attempt_id", Text),
    Column("body", Text),
)

#: The chains. The text of an attempt's entry is read from the attempt.
audit_entries = Table(
    "audit_entries",
    metadata,
    Column("workspace_id", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("attempt_id", Text),
    Column("body", Text),
    Column("seal", Text, nullable=False),
    sqlite_with_rowid=False,
)
