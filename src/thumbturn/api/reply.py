"""What goes back: the envelope of a refusal, and the headers of every answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import to_json

from thumbturn.api.call import Header
from thumbturn.api.headers import SENT_BY_PAGES, SHOWN_TO_PAGES
from thumbturn.api.refusals import InvalidInput
from thumbturn.domain.errors import Refusal

JSON = b"application/json"
EVENT_STREAM = b"text/event-stream"
#: Seconds after which to ask again, when a refusal asks for patience and does not say how long.
PATIENCE = "1"

_ALLOWED_HEADERS = (
    b"authorization, content-type, seam-workspace, seam-client-session-token, client-session-token, "
    b"seam-publishable-key, seam-sdk-name, seam-sdk-version, seam-lts-version, "
) + SENT_BY_PAGES
#: What a browser lets its page read.
_EXPOSED: Header = (b"access-control-expose-headers", SHOWN_TO_PAGES)
_ANY_ORIGIN: list[Header] = [
    (b"access-control-allow-origin", b"*"),
    _EXPOSED,
]
#: What a browser is told before it asks from another origin.
PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-methods", b"GET,POST,PUT,PATCH,DELETE,OPTIONS"),
    (b"access-control-allow-headers", _ALLOWED_HEADERS),
    (b"access-control-max-age", b"600"),
)


def answer_body(answer: Mapping[str, Any]) -> bytes:
    """The body of a good answer."""
    return to_json({**answer, "ok": True})


def failure_body(refusal: Refusal | None, request_id: str) -> tuple[int, bytes, tuple[Header, ...]]:
    """Status, body and extra headers of a refusal; of a bug of ours, which shows nothing, for ``None``."""
    if refusal is None:
        status, headers = 500, {}
        error: dict[str, Any] = {
            "type": "internal_server_error",
            "message": "Something went wrong in the server. Its log has the details under this request id.",
        }
    else:
        # In one spelling, so that nothing is said twice.
        status, headers = refusal.status, {name.lower(): value for name, value in refusal.headers.items()}
        error = {"type": refusal.type, "message": refusal.message}
        if refusal.data is not None:
            error["data"] = refusal.data
        if isinstance(refusal, InvalidInput):
            error["validation_errors"] = refusal.validation_errors
        if status == 503:
            headers.setdefault("retry-after", PATIENCE)
    error["request_id"] = request_id
    more = tuple((name.encode(), value.encode()) for name, value in headers.items())
    return status, to_json({"error": error, "ok": False}), more


def headers_of(
    request_id: str, kind: bytes, length: int | None, origin: bytes | None, more: Iterable[Header]
) -> list[Header]:
    """The headers of an answer, of ``None`` bytes if nobody knows. The request id is on every one of them."""
    return [
        (b"content-type", kind),
        *([(b"content-length", b"%d" % length)] if length is not None else ()),
        (b"seam-request-id", request_id.encode()),
        *(_ANY_ORIGIN if origin is None else _one_origin(origin)),
        *more,
    ]


def _one_origin(origin: bytes) -> list[Header]:
    # A browser that sends credentials does not accept ``*``. What is echoed must be a plain header.
    if not (origin.isascii() and origin.decode("ascii").isprintable()):
        return _ANY_ORIGIN
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        _EXPOSED,
        (b"vary", b"origin"),
    ]
