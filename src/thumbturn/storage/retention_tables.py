"""The table of what is left of attempts that are kept no more, as the newest migration leaves it."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from thumbturn.storage.tables import metadata

#: What the audit trail says of an attempt, in canonical form (``audit.py``), once the attempt is gone.
audit_texts = Table(
    "audit_texts",
    metadata,
    Column("attempt_id", Text, primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)
