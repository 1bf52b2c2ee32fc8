"""The console session of the seed's one person: a JWT that everybody can sign, for his access token here.

This server has no console, and no sessions of one. In the world of Seam's fake tests sign such a token
themselves, with a secret that everybody knows; it opens what the person's access token opens.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from thumbturn.api.body import Receive
from thumbturn.api.fake.outages import Application, Scope, Send
from thumbturn.api.fake.world import FakeFacts
from thumbturn.domain.clock import SECOND, Clock

#: What tests sign it with.
SECRET = b"secret"
_BEARER = b"bearer "
#: A longer token is nobody's session.
_LONGEST = 4_096


class WithConsoleSessions:
    """An ASGI application in front of another, to which such a session is the person's access token."""

    def __init__(self, application: Application, facts: FakeFacts, clock: Clock) -> None:
        self._application = application
        self._clock = clock
        self._person = {"user_id": facts.person_id, "key": facts.seed["john_user_key"]}
        self._access_token = facts.seed["seam_at1_token"].encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = [
                (
                    name,
                    b"Bearer " + self._access_token
                    if name == b"authorization" and self._is_his(value)
                    else value,
                )
                for name, value in scope["headers"]
            ]
        await self._application(scope, receive, send)

    def _is_his(self, authorization: bytes) -> bool:
        if authorization[: len(_BEARER)].lower() != _BEARER or authorization.count(b".") != 2:
            return False
        said = claims(authorization[len(_BEARER) :].strip())
        return said is not None and said.items() >= self._person.items() and not self._is_over(said)

    def _is_over(self, said: dict[str, Any]) -> bool:
        """True from its ``exp`` on, in seconds since 1970 UTC; and if that is no moment at all."""
        if "exp" not in said:
            return False
        ends_at = said["exp"]
        return not isinstance(ends_at, int | float) or not ends_at * SECOND > self._clock.now()


def claims(token: bytes) -> dict[str, Any] | None:
    """What a JWT says that is signed with the secret (HS256); ``None`` for any other."""
    signed, _, signature = token.rpartition(b".")
    head, _, body = signed.partition(b".")
    if len(token) > _LONGEST:
        return None
    expected = hmac.new(SECRET, signed, hashlib.sha256).digest()
    try:
        if _json(head).get("alg") != "HS256" or not hmac.compare_digest(_decoded(signature), expected):
            return None
        return _json(body)
    except (ValueError, RecursionError):
        return None


def _json(part: bytes) -> dict[str, Any]:
    read = json.loads(_decoded(part))
    if not isinstance(read, dict):
        raise ValueError("no object")  # noqa: TRY004 - as all else that can be wrong with it
    return read


def _decoded(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
