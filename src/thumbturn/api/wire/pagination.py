"""Where the next page of a list is."""

from __future__ import annotations

from typing_extensions import TypedDict


class Pagination(TypedDict):
    """Where the next page is. Ask on with the same parameters and ``page_cursor``."""

    has_next_page: bool
    next_page_cursor: str | None
    next_page_url: str | None
