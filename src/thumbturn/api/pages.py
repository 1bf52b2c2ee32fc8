"""Lists come in pages: where a page begins, where it ends, and where the next one is.

A cursor is opaque. It holds the place of the last item, (created_at, id), and a fingerprint of the
list it belongs to: asked with other parameters, or in another workspace, it is refused.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic_core import from_json, to_json

from thumbturn.api.origin import origin_of
from thumbturn.api.refusals import MismatchedPageParameters
from thumbturn.api.wire.pagination import Pagination

T = TypeVar("T")
Place = tuple[int, str]

_LATEST = 1 << 62


class Pages:
    """The page that a request asks for."""

    def __init__(
        self, path: str, parameters: Mapping[str, Any], workspace_id: str, scheme: str, host: str
    ) -> None:
        cursor = parameters.get("page_cursor")
        self._rest = {
            key: value
            for key, value in sorted(parameters.items())
            if key != "page_cursor" and value is not None
        }
        self._url = f"{origin_of(scheme, host)}{path}"
        whole = to_json([workspace_id, path, self._rest])
        self._fingerprint = hashlib.sha256(whole).hexdigest()[:16]
        #: The item behind which the page begins; ``None`` at the beginning.
        self.after: Place | None = self._read(cursor) if cursor else None

    def turn(
        self, found: Sequence[T], limit: int, place: Callable[[T], Place]
    ) -> tuple[Sequence[T], Pagination]:
        """The items of this page and where the next is, from one item more than the page holds."""
        page = found[:limit]
        if len(found) <= limit:
            return page, {"has_next_page": False, "next_page_cursor": None, "next_page_url": None}
        at, id = place(page[-1])
        cursor = base64.urlsafe_b64encode(to_json([self._fingerprint, at, id])).decode().rstrip("=")
        query = urlencode(_pairs({**self._rest, "page_cursor": cursor}))
        return page, {
            "has_next_page": True,
            "next_page_cursor": cursor,
            "next_page_url": f"{self._url}?{query}",
        }

    def _read(self, cursor: str) -> Place:
        try:
            fingerprint, at, id = from_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        except (ValueError, TypeError):
            raise MismatchedPageParameters("The page_cursor is not one that this server made") from None
        # Whoever makes up a cursor must not reach the database with what it cannot store.
        if not (type(at) is int and abs(at) < _LATEST and isinstance(id, str) and "\0" not in id):
            raise MismatchedPageParameters("The page_cursor is not one that this server made")
        if fingerprint != self._fingerprint:
            raise MismatchedPageParameters
        return at, id


def _pairs(parameters: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """The parameters as the query grammar writes them."""
    pairs: list[tuple[str, str]] = []
    for key, value in parameters.items():
        if isinstance(value, Mapping):
            pairs += _pairs(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            pairs += [(prefix + key, _text(each)) for each in value] or [(prefix + key, "")]
        else:
            pairs.append((prefix + key, _text(value)))
    return pairs


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
