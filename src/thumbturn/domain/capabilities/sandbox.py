"""A workspace of virtual things that can be put back to its beginning."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from thumbturn.domain.evidence import Evidence


@runtime_checkable
class Sandbox(Protocol):
    """A sandbox workspace."""

    async def reset(self) -> Evidence:
        """Put every device, account and fault back to how the workspace began."""
