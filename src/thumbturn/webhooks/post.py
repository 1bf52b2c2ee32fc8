"""Posts to URLs that somebody else chose, and comes back whatever happens there.

The connection goes to an address that was checked (``targets.py``), and is asked for by that address: the
client never sees the name, so it cannot look it up again and be told something else. The name goes only
where it belongs, into the ``Host`` header and into TLS, where the certificate must be good for it.
Connections that wait to be used again are kept by address, too: none is used that the last check did not
allow. A redirect is not followed, for nobody checked where it leads. Nothing of the machine's own goes
along: no cookies, no proxy from the environment, no ``.netrc``.

Decision: docs/adr/0010-webhooks-go-to-checked-addresses-only.md.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
from yarl import URL

from thumbturn.domain.clock import MILLISECOND, Clock, seconds
from thumbturn.domain.refusals import InvalidWebhookUrl
from thumbturn.webhooks.targets import Target, TargetRefused, Targets

#: Seconds for everything: finding, connecting, sending, and the answer.
TIME_OUT = 15.0
#: Seconds for one of several addresses to take the connection.
CONNECT_WITHIN = 5.0
#: Seconds for which a check of a name is good.
CHECKED_FOR = 30
#: Checks that are remembered.
CHECKS = 4_096
#: Seconds that an idle connection is kept: less than the 5 s after which many servers close theirs.
KEPT_FOR = 4.0
#: Connections at a time, in all.
CONNECTIONS = 512
#: Of an answer's body: bytes and seconds before the connection is given up. The status said it all.
READ_AT_MOST = 64 << 10
READ_WITHIN = 1.0


class Posted(NamedTuple):
    """What came of it."""

    #: Of the answer; ``None`` if there was none.
    status: int | None
    milliseconds: float
    #: What went wrong on the way, in a few words that may be shown; ``None`` if there was an answer.
    error: str | None


class _Check(NamedTuple):
    """The addresses that a host had, all of them allowed, and when that was asked. µs."""

    addresses: tuple[str, ...]
    at: int


class Poster:
    """The client. Needs a running loop; ``close`` it.

    ``time_out`` is for all of one post, in seconds. ``tls`` says whose certificates are trusted: without
    it, those that the machine trusts.
    """

    def __init__(
        self,
        targets: Targets,
        clock: Clock,
        *,
        time_out: float = TIME_OUT,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._targets = targets
        self._clock = clock
        self._time_out = time_out
        self._checks: dict[tuple[str, int], _Check] = {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls or True, limit=CONNECTIONS, keepalive_timeout=KEPT_FOR),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "thumbturn"},
            skip_auto_headers=("Accept-Encoding",),
            auto_decompress=False,
            trust_env=False,
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        """Post it. Raises nothing for what the network or the other side does, however odd."""
        began = self._clock.now()
        status, error = None, None
        try:
            async with asyncio.timeout(self._time_out):
                status = await self._post(self._targets.check(url), headers, body)
        except InvalidWebhookUrl as refusal:
            error = f"refused: {refusal.message}"
        except (TargetRefused, aiohttp.ClientError, OSError) as problem:
            error = self._in_words(problem)
        if status is not None and 300 <= status < 400:
            error = "answered with a redirect, which is not followed"
        return Posted(status, (self._clock.now() - began) / MILLISECOND, error)

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def _post(self, target: Target, headers: Mapping[str, str], body: bytes) -> int:
        addresses = await self._checked(target)
        *others, last = addresses
        for address in others:
            try:
                return await self._send(address, target, headers, body, CONNECT_WITHIN)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                # Nothing was sent yet. Whatever comes after that is not tried at another address.
                self._prefer_others(target, address)
        return await self._send(last, target, headers, body, None)

    async def _checked(self, target: Target) -> tuple[str, ...]:
        key = (target.host, target.port)
        known, now = self._checks.get(key), self._clock.now()
        if known is not None and 0 <= now - known.at < seconds(CHECKED_FOR):
            return known.addresses
        addresses = await self._targets.resolve(*key)
        if len(self._checks) >= CHECKS:
            self._checks.clear()
        self._checks[key] = _Check(addresses, now)
        return addresses

    def _prefer_others(self, target: Target, address: str) -> None:
        """While the check is good, do not begin with an address again that did not answer."""
        key = (target.host, target.port)
        known = self._checks.get(key)
        if known is not None and known.addresses[0] == address:
            self._checks[key] = known._replace(addresses=(*known.addresses[1:], address))

    async def _send(
        self, address: str, target: Target, headers: Mapping[str, str], body: bytes, connect: float | None
    ) -> int:
        host = f"[{address}]" if ":" in address else address
        is_tls = target.scheme == "https"
        async with self._session.post(
            # As it is: the client would write some of it differently.
            URL(f"{target.scheme}://{host}:{target.port}{target.path}", encoded=True),
            data=body,
            headers={**headers, "Host": target.authority},
            server_hostname=target.host if is_tls else None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect),
        ) as answer:
            if not answer.content.at_eof():
                await _read_some(answer)
            return answer.status

    def _in_words(self, problem: Exception) -> str:
        if isinstance(problem, TimeoutError):
            return f"no answer within {self._time_out:g} s"
        if isinstance(problem, TargetRefused):
            return str(problem)
        if isinstance(problem, aiohttp.ClientConnectorCertificateError):
            reason = getattr(problem.certificate_error, "verify_message", None)
            return f"its TLS certificate is not accepted: {reason or 'not trusted'}"
        if isinstance(problem, aiohttp.ClientConnectorSSLError):
            return "no TLS connection could be agreed on"
        if isinstance(problem, aiohttp.ClientConnectorError):
            return _CONNECTING.get(problem.os_error.errno or 0, "it could not be connected to")
        if isinstance(problem, socket.gaierror):
            return "the host name cannot be found"
        if isinstance(problem, aiohttp.ClientResponseError | aiohttp.ClientPayloadError):
            return "what it answered is not HTTP"
        return "the connection was closed without an answer"


_CONNECTING = {
    errno.ECONNREFUSED: "the connection was refused",
    errno.EHOSTUNREACH: "the host cannot be reached",
    errno.ENETUNREACH: "the host cannot be reached",
}


async def _read_some(answer: aiohttp.ClientResponse) -> None:
    """Read a short body to its end, so that the connection can be used again; give up a long one."""
    read = 0
    try:
        async with asyncio.timeout(READ_WITHIN):
            while chunk := await answer.content.read(READ_AT_MOST):
                read += len(chunk)
                if read > READ_AT_MOST:
                    answer.close()
                    return
    except (aiohttp.ClientError, OSError):
        answer.close()
