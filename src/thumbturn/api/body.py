"""The body of a request: read within bounds, and decoded to the JSON it holds."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from pydantic_core import from_json

from thumbturn.api.refusals import InvalidContentType, InvalidInput, PayloadTooLarge

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

#: Methods whose body is what is asked. With others a body is read if it is JSON, else ignored.
_WITH_BODY = frozenset({"POST", "PATCH", "PUT"})

#: U+0000, which not every database can hold, is read as U+FFFD, as HTML does: an id with it is
#: then simply unknown. An even number of backslashes before it would mean the letters themselves.
_ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


class Disconnected(Exception):
    """The client went away before it had sent its request: there is nobody to answer."""


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], most: int) -> bytes:
    """The whole body. Raises ``PayloadTooLarge`` as soon as it is known to be longer than ``most``."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared[:20]) > most:
        raise PayloadTooLarge
    chunks: list[bytes] = []
    length, is_more = 0, True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        length += len(chunk)
        if length > most:
            raise PayloadTooLarge
        chunks.append(chunk)
        is_more = message.get("more_body", False)
    return b"".join(chunks)


def decode_body(method: str, content_type: bytes, body: bytes) -> Any:
    """What the body holds; an empty object if there is none.

    Raises ``InvalidContentType`` for a body that does not say it is JSON, ``InvalidInput`` for one
    that is not.
    """
    if b"application/json" not in content_type.lower():
        if method in _WITH_BODY:
            raise InvalidContentType(
                f'{method} requests must have Content-Type header with "application/json"'
            )
        return {}
    if b"\\u0000" in body:
        body = _ESCAPED_NUL.sub(rb"\1\\ufffd", body)
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as problem:
        raise InvalidInput.whole(f"The body is not valid JSON: {problem}") from None
