"""Who asks: from the headers of a request to a key and, where the endpoint needs one, a workspace.

A token is found by its SHA-256, so that neither the database nor the time of a look-up says
anything about tokens that exist. What was found is remembered for a few seconds; revoking a key
or changing a workspace forgets it at once in this process, and in others as soon as they hear of it: within
a second, also if they hear nothing.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from thumbturn.api.refusals import (
    ClientSessionExpired,
    ClientSessionRevoked,
    InvalidClientSessionToken,
    InvalidPublishableKey,
    Unauthorized,
    WorkspaceNotFound,
)
from thumbturn.domain.client_session import ClientSession, Reach
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.errors import Refusal
from thumbturn.domain.keys import CLIENT_SESSION_TOKEN, hash_token
from thumbturn.domain.refusals import ClientSessionNotFound
from thumbturn.domain.workspace import Key, KeyKind, Workspace
from thumbturn.engine.notices import About, Notices
from thumbturn.engine.ports import Store

REMEMBERED_FOR = seconds(5)
#: Where another process may revoke what was found: a notice of that may be lost.
REMEMBERED_AMONG_OTHERS = seconds(0.9)
#: How often it is asked whether the key is still good of somebody who was let in for long.
ASKED_AGAIN_AFTER = seconds(3)
_MOST_REMEMBERED = 10_000
#: Bytes of headers: space around a token, and what an API key ignores, must not fill the memory.
_LONGEST_REMEMBERED = 1_000

#: What says who asks, and the workspace's header, as they came: in memory only, and for as long as they
#: are remembered.
Entry = tuple[bytes, bytes]

_SESSION_HEADERS = (b"seam-client-session-token", b"client-session-token")
_PUBLISHABLE_HEADER = b"seam-publishable-key"
_BEARER, _PUBLISHABLE = b"bearer", b"publishable"


@dataclass(frozen=True, slots=True)
class Bearer:
    """Somebody with a valid token."""

    key: Key


@dataclass(frozen=True, slots=True)
class Caller(Bearer):
    """Somebody with a valid token, in a workspace that it opens."""

    workspace: Workspace
    #: What he sees of it.
    reach: Reach = None
    #: When his token ends, µs, if it does by itself.
    ends_at: int | None = None


@dataclass(frozen=True, slots=True)
class Person(Bearer):
    """Somebody with a personal access token, in no workspace."""

    user_id: str


def shown_in(headers: Mapping[bytes, bytes]) -> Entry:
    """What a request shows, as an ``Authorization`` header would, and the workspace that it names.

    The header of a client session counts before any other; a publishable key only where there is no
    other. Raises ``InvalidClientSessionToken``.
    """
    for name in _SESSION_HEADERS:
        if name in headers:
            token = headers[name].strip()
            if not token.startswith(CLIENT_SESSION_TOKEN.encode()):
                raise InvalidClientSessionToken
            return b"Bearer " + token, b""
    authorization = headers.get(b"authorization")
    if authorization is not None:
        return authorization, headers.get(b"seam-workspace", b"")
    key = headers.get(_PUBLISHABLE_HEADER)
    return (b"", b"") if key is None else (b"Publishable " + key, b"")


class Callers:
    """Finds out who asks."""

    def __init__(self, store: Store, clock: Clock, notices: Notices) -> None:
        self._store = store
        self._notices = notices
        notices.hear(About.KEYS, self._key_changed)
        notices.hear(About.WORKSPACES, self._workspace_changed)
        self._clock = clock
        self._known: dict[Entry, tuple[int, Bearer]] = {}
        # When a key that is much used has to be looked up again, one look-up serves all who ask meanwhile.
        self._looking_up: dict[Entry, asyncio.Future[Bearer]] = {}
        self._watching: dict[str, set[asyncio.Event]] = {}

    async def identify(self, authorization: bytes, workspace_header: bytes) -> Bearer:
        """The bearer of the token: a ``Caller`` where it opens a workspace, else a ``Person``.

        Raises ``Unauthorized`` for a missing or unknown token, ``WorkspaceNotFound`` for a
        workspace header that the token does not open; ``ClientSessionNotFound``,
        ``ClientSessionRevoked``, ``ClientSessionExpired`` and ``InvalidPublishableKey``.
        """
        entry = (authorization, workspace_header)
        known = self._known.get(entry)
        if known is not None and known[0] > self._clock.now():
            return known[1]
        scheme, _, token = authorization.partition(b" ")
        scheme, token = scheme.lower(), token.strip()
        if scheme not in {_BEARER, _PUBLISHABLE} or not token:
            raise Unauthorized
        look_up = self._looking_up.get(entry)
        if look_up is None:
            look_up = asyncio.ensure_future(
                self._look_up(scheme, token.decode("latin-1"), workspace_header.decode("latin-1"))
            )
            self._looking_up[entry] = look_up
            look_up.add_done_callback(partial(self._remember, entry))
        return await asyncio.shield(look_up)

    @property
    def asked_again_after(self) -> int:
        """µs after which somebody who was let in is asked about anew: a notice may have been lost."""
        return ASKED_AGAIN_AFTER if self._notices.is_alone else REMEMBERED_AMONG_OTHERS

    async def again(self, caller: Caller) -> Caller | None:
        """The caller as he is now, for who was let in a while ago; ``None`` if he would not be any more."""
        hashed = caller.key.token_hash
        try:
            if caller.key.kind is KeyKind.CLIENT_SESSION:
                return await self._with_session(hashed)
            found = await self._with_key(hashed, caller.workspace.id)
        except Refusal as refusal:
            if refusal.status != Unauthorized.status:
                raise
            return None
        return found if isinstance(found, Caller) else None

    @contextmanager
    def watch(self, key_id: str) -> Iterator[asyncio.Event]:
        """Inside the block, what is set when something about this key or client session has changed here."""
        changed = asyncio.Event()
        watching = self._watching.setdefault(key_id, set())
        watching.add(changed)
        try:
            yield changed
        finally:
            watching.discard(changed)
            if not watching:
                self._watching.pop(key_id, None)

    def watchers(self, key_id: str) -> int:
        """How many watch this key or client session."""
        return len(self._watching.get(key_id, ()))

    def forget_key(self, key_id: str) -> None:
        """Ask the store again about this key or client session, here and in other processes."""
        self._notices.say(About.KEYS, key_id)
        self._forget_key(key_id)

    def _key_changed(self, keys: frozenset[str] | None) -> None:
        for key_id in keys or ():
            self._forget_key(key_id)

    def _forget_key(self, key_id: str) -> None:
        for changed in self._watching.get(key_id, ()):
            changed.set()
        self._forget({entry for entry, (_, bearer) in self._known.items() if bearer.key.id == key_id})

    def forget_workspace(self, workspace_id: str) -> None:
        """Ask the store again about this workspace, here and in other processes."""
        self._notices.say(About.WORKSPACES, workspace_id)
        self._forget_workspace(workspace_id)

    def _workspace_changed(self, workspaces: frozenset[str] | None) -> None:
        for workspace_id in workspaces or ():
            self._forget_workspace(workspace_id)

    def _forget_workspace(self, workspace_id: str) -> None:
        self._forget(
            {
                entry
                for entry, (_, bearer) in self._known.items()
                if isinstance(bearer, Caller) and bearer.workspace.id == workspace_id
            }
        )

    def _forget(self, entries: set[Entry]) -> None:
        # What was read before a revocation must not be remembered after it.
        self._looking_up.clear()
        for entry in entries:
            del self._known[entry]

    def _remember(self, entry: Entry, look_up: asyncio.Future[Bearer]) -> None:
        if self._looking_up.get(entry) is not look_up:
            return
        del self._looking_up[entry]
        if not look_up.cancelled() and look_up.exception() is None:
            if sum(map(len, entry)) > _LONGEST_REMEMBERED:
                return
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            bearer = look_up.result()
            until = self._clock.now() + (
                REMEMBERED_FOR if self._notices.is_alone else REMEMBERED_AMONG_OTHERS
            )
            if isinstance(bearer, Caller) and bearer.ends_at is not None:
                until = min(until, bearer.ends_at)
            self._known[entry] = (until, bearer)

    async def _look_up(self, scheme: bytes, token: str, wanted_workspace: str) -> Bearer:
        hashed = hash_token(token)
        if scheme == _PUBLISHABLE:
            return await self._with_publishable_key(hashed)
        if token.startswith(CLIENT_SESSION_TOKEN):
            return await self._with_session(hashed)
        return await self._with_key(hashed, wanted_workspace)

    async def _with_key(self, hashed: str, wanted_workspace: str) -> Bearer:
        key = await self._good_key(hashed)
        if key is None or key.kind is KeyKind.PUBLISHABLE_KEY:
            raise Unauthorized("API Key not found")
        if key.kind is KeyKind.API_KEY:
            return Caller(key, await self._workspace(key))
        user_id = key.user_id or ""
        if not wanted_workspace:
            return Person(key, user_id)
        for workspace in await self._store.workspaces_of_user(user_id):
            if workspace.id == wanted_workspace:
                return Caller(key, workspace)
        raise WorkspaceNotFound

    async def _with_session(self, hashed: str) -> Caller:
        session = await self._store.client_sessions.with_token(hashed)
        if session is None or not hmac.compare_digest(session.token_hash, hashed):
            raise ClientSessionNotFound("No client session has this token", status=Unauthorized.status)
        self._require_good(session)
        key = session.key()
        return Caller(key, await self._workspace(key), session.reach, session.ends_at)

    async def _with_publishable_key(self, hashed: str) -> Caller:
        key = await self._good_key(hashed)
        if key is None or key.kind is not KeyKind.PUBLISHABLE_KEY:
            raise InvalidPublishableKey
        workspace = await self._workspace(key)
        if not workspace.is_publishable_key_auth_enabled:
            raise InvalidPublishableKey(
                "This workspace does not take publishable keys: an API key can allow them at "
                "/workspaces/update, with is_publishable_key_auth_enabled"
            )
        # It is in everybody's hands, so it reaches nothing.
        return Caller(key, workspace, frozenset())

    async def _good_key(self, hashed: str) -> Key | None:
        key = await self._store.key(hashed)
        if key is None or key.revoked_at is not None or not hmac.compare_digest(key.token_hash, hashed):
            return None
        return key

    async def _workspace(self, key: Key) -> Workspace:
        workspace = await self._store.workspace(key.workspace_id or "")
        if workspace is None:
            raise WorkspaceNotFound
        return workspace

    def _require_good(self, session: ClientSession) -> None:
        if session.is_good(self._clock.now()):
            return
        # Whatever came first ended it.
        if session.revoked_at is not None and session.revoked_at <= session.expires_at:
            raise ClientSessionRevoked
        raise ClientSessionExpired
