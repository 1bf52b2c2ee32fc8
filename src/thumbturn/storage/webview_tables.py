"""The table of connect webviews, as the newest migration leaves it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from thumbturn.storage.secret_text import SecretText
from thumbturn.storage.tables import metadata

connect_webviews = Table(
    "connect_webviews",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, ForeignKey("workspaces.id"), nullable=False),
    Column("token", SecretText("connect_webview"), nullable=False),
    Column("wishes", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("custom_metadata", Text, nullable=False),
    Column("customer_key", Text),
    Column("selected_provider", Text),
    Column("signed_in_as", Text),
    Column("wrong_tries", Integer, nullable=False),
    # No foreign key: the account may be deleted since.
    Column("connected_account_id", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("authorized_at", BigInteger),
    Column("hub", SecretText("connect_webview")),
    Index(None, "workspace_id", "created_at", "id"),
    Index("ix_connect_webviews_old", "created_at"),
)
