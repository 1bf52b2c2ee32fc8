"""Who asks: from the headers of a request to a key and, where the endpoint needs one, a workspace.

A token is found by its SHA-256, so that neither the database nor the time of a look-up says
anything about tokens that exist. What was found is remembered for a few seconds; revoking a key
or changing a workspace forgets it at once in this process, and within those seconds in others.
"""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass
from functools import partial

from thumbturn.api.refusals import Unauthorized, WorkspaceNotFound
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.keys import hash_token
from thumbturn.domain.workspace import Key, KeyKind, Workspace
from thumbturn.engine.ports import Store

REMEMBERED_FOR = seconds(5)
_MOST_REMEMBERED = 10_000
#: Bytes of headers: space around a token, and what an API key ignores, must not fill the memory.
_LONGEST_REMEMBERED = 1_000

#: The headers that say who asks, as they came: in memory only, and for as long as they are remembered.
Entry = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Bearer:
    """Somebody with a valid token."""

    key: Key


@dataclass(frozen=True, slots=True)
class Caller(Bearer):
    """Somebody with a valid token, in a workspace that it opens."""

    workspace: Workspace


@dataclass(frozen=True, slots=True)
class Person(Bearer):
    """Somebody with a personal access token, in no workspace."""

    user_id: str


class Callers:
    """Finds out who asks."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[Entry, tuple[int, Bearer]] = {}
        # When a key that is much used has to be looked up again, one look-up serves all who ask meanwhile.
        self._looking_up: dict[Entry, asyncio.Future[Bearer]] = {}

    async def identify(self, authorization: bytes, workspace_header: bytes) -> Bearer:
        """The bearer of the token: a ``Caller`` where it opens a workspace, else a ``Person``.

        Raises ``Unauthorized`` for a missing or unknown token, ``WorkspaceNotFound`` for a
        workspace header that the token does not open.
        """
        entry = (authorization, workspace_header)
        known = self._known.get(entry)
        if known is not None and known[0] > self._clock.now():
            return known[1]
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer" or not token:
            raise Unauthorized
        look_up = self._looking_up.get(entry)
        if look_up is None:
            hashed = hash_token(token.strip().decode("latin-1"))
            look_up = asyncio.ensure_future(self._look_up(hashed, workspace_header.decode("latin-1")))
            self._looking_up[entry] = look_up
            look_up.add_done_callback(partial(self._remember, entry))
        return await asyncio.shield(look_up)

    async def still_opens(self, caller: Caller) -> bool:
        """True while the caller's key opens his workspace: for who was let in a while ago."""
        try:
            await self._look_up(caller.key.token_hash, caller.workspace.id)
        except (Unauthorized, WorkspaceNotFound):
            return False
        return True

    def forget_key(self, key: Key) -> None:
        """Ask the store again about this key."""
        self._forget({entry for entry, (_, bearer) in self._known.items() if bearer.key.id == key.id})

    def forget_workspace(self, workspace_id: str) -> None:
        """Ask the store again about this workspace."""
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
            self._known[entry] = (self._clock.now() + REMEMBERED_FOR, look_up.result())

    async def _look_up(self, hashed: str, wanted_workspace: str) -> Bearer:
        key = await self._store.key(hashed)
        if key is None or key.revoked_at is not None or not hmac.compare_digest(key.token_hash, hashed):
            raise Unauthorized("API Key not found")
        if key.kind is KeyKind.API_KEY:
            workspace = await self._store.workspace(key.workspace_id or "")
            if workspace is None:
                raise WorkspaceNotFound
            return Caller(key, workspace)
        user_id = key.user_id or ""
        if not wanted_workspace:
            return Person(key, user_id)
        for workspace in await self._store.workspaces_of_user(user_id):
            if workspace.id == wanted_workspace:
                return Caller(key, workspace)
        raise WorkspaceNotFound
