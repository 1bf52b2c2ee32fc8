"""The sealed secrets among what a store in memory remembers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from thumbturn.engine.secrets import KeptSecret
from thumbturn.testing.webhooks import MemoryWebhooks

_FIELDS = ("secret", "previous_secret")


class MemorySecrets:
    """Implements ``engine.secrets.SecretStore``."""

    def __init__(self, webhooks: MemoryWebhooks) -> None:
        self._webhooks = webhooks

    async def others(self, beginning: str | None, *, limit: int) -> list[KeptSecret]:
        found = [
            KeptSecret("webhook", webhook.id, field, getattr(webhook, field))
            for field in _FIELDS
            for webhook in self._webhooks.every()
            if getattr(webhook, field) is not None
        ]
        return [each for each in found if beginning is None or not each.sealed.startswith(beginning)][:limit]

    async def replace(self, renewed: Sequence[tuple[KeptSecret, str]]) -> None:
        for old, text in renewed:
            for webhook in self._webhooks.every():
                if webhook.id == old.id and getattr(webhook, old.field) == old.sealed:
                    changed: Any = {old.field: text}
                    self._webhooks.put(replace(webhook, **changed))
