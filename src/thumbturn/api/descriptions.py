"""What the API says of itself: a document for programs, and a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from pydantic_core import to_json

from thumbturn.api.docs_page import docs_page
from thumbturn.api.openapi import openapi
from thumbturn.api.reply import JSON
from thumbturn.api.table import endpoints


@cache
def descriptions() -> Mapping[str, tuple[bytes, bytes]]:
    """The content type and the body of each description, by its path.

    They follow from the code alone, and writing them takes a tenth of a second: a process does it once.
    """
    described = openapi(endpoints())
    return MappingProxyType(
        {
            "/openapi.json": (JSON, to_json(described)),
            "/docs": (b"text/html; charset=utf-8", docs_page(described)),
        }
    )
