"""``/health``: whether the server answers."""

from __future__ import annotations

from thumbturn.api.endpoint import Answer, endpoint


@endpoint(at="/health", methods=("GET",), is_public=True)
async def health() -> Answer:
    """Says that the server is there. Needs no token."""
    return {}
