"""What the API says of itself: a document for programs, and a page for people."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from types import MappingProxyType

from thumbturn.api.reply import JSON


def descriptions() -> Mapping[str, tuple[bytes, Callable[[], Awaitable[bytes]]]]:
    """The content type of each description, and what answers its body, by its path.

    They follow from the code alone, and writing them takes some tenths of a second. So a process does it
    once, when somebody first asks for one, and beside the loop: no door waits for it.
    """
    return MappingProxyType(
        {"/openapi.json": (JSON, _document), "/docs": (b"text/html; charset=utf-8", _page)}
    )


async def _document() -> bytes:
    return (await asyncio.to_thread(_written))[0]


async def _page() -> bytes:
    return (await asyncio.to_thread(_written))[1]


@cache
def _written() -> tuple[bytes, bytes]:
    """The document and the page."""
    # Not needed by a server that nobody asks for them.
    from pydantic_core import to_json

    from thumbturn.api.docs_page import docs_page
    from thumbturn.api.openapi import openapi
    from thumbturn.api.table import endpoints

    described = openapi(endpoints())
    return to_json(described), docs_page(described)
