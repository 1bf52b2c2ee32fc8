"""The ceiling: an ASGI app that does nothing but read its input and answer a small JSON object.

It parses the body or the query and answers as many bytes as an action attempt has, so what it reaches
on uvicorn is what HTTP, the event loop and the interpreter leave for any server in one process here.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

Message = MutableMapping[str, Any]

#: As long as a real id, so that the answer has the size of a real one.
ATTEMPT_ID = "0197a4c2-7d1e-7c3a-9b60-5f2e8d41c0aa"


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answer every request with a pending attempt that exists nowhere."""
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    asked = json.loads(body) if body else dict(parse_qsl(scope["query_string"].decode()))
    answer = json.dumps(
        {
            "action_attempt": {
                "action_attempt_id": asked.get("action_attempt_id", ATTEMPT_ID),
                "action_type": "UNLOCK_DOOR",
                "status": "pending",
                "result": None,
                "error": None,
            },
            "ok": True,
        }
    ).encode()
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(answer)).encode()),
                (b"seam-request-id", ATTEMPT_ID.encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": answer})
