"""The body of a request: read within bounds, and decoded to the JSON it holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from pydantic_core import from_json

from thumbturn.api.refusals import InvalidContentType, InvalidInput, PayloadTooLarge

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

#: Methods whose body is what is asked. With others a body is read if it is JSON, else ignored.
_WITH_BODY = frozenset({"POST", "PATCH", "PUT"})


class Disconnected(Exception):
    """The client went away before it had sent its request: there is nobody to answer."""


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], most: int) -> bytes:
    """The whole body. Raises ``PayloadTooLarge`` as soon as it is known to be longer than ``most``."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared[:20]) > most:
        raise PayloadTooLarge
    message = await receive()
    body: bytes = message.get("body", b"")
    chunks, length = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        chunk = message.get("body", b"")
        length += len(chunk)
        if length > most:
            raise PayloadTooLarge
        chunks.append(chunk)
    if message["type"] == "http.disconnect":
        raise Disconnected
    if length > most:
        raise PayloadTooLarge
    return body if len(chunks) == 1 else b"".join(chunks)


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
    try:
        content = from_json(body, allow_inf_nan=False)
    except ValueError as problem:
        raise InvalidInput.whole(f"The body is not valid JSON: {problem}") from None
    # No database stores this character everywhere, so it is stopped where it would come in.
    if b"\\u0000" in body and _contains_nul(content):
        raise InvalidInput.whole("The body contains the character U+0000")
    return content


def _contains_nul(content: Any) -> bool:
    if isinstance(content, str):
        return "\0" in content
    if isinstance(content, dict):
        return any("\0" in key or _contains_nul(value) for key, value in content.items())
    return isinstance(content, list) and any(map(_contains_nul, content))
