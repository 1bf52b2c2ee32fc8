"""``/thumbturn/keys``: the tokens that open the workspace."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from thumbturn.api.callers import Caller, Callers
from thumbturn.api.endpoint import WRITE, Answer, endpoint
from thumbturn.api.parameters import Parameters
from thumbturn.api.refusals import AccessTokenNeedsPerson, KeyNotFound
from thumbturn.api.wire.key import Key, Kind, key_json
from thumbturn.domain import workspace as domain
from thumbturn.domain.clock import Clock
from thumbturn.domain.keys import mint_api_key, mint_personal_access_token, mint_publishable_key
from thumbturn.domain.refusals import TooManyKeys
from thumbturn.engine.ports import Store

LONGEST_NAME = 255
#: That are not revoked: of one workspace, and access tokens of one person.
MOST_KEYS = 1_000


class KeyCreate(Parameters):
    """A new key."""

    name: Annotated[str, Field(max_length=LONGEST_NAME)] = "key"
    """What to call it, in at most 255 characters."""
    kind: Kind = "api_key"
    """A key of this workspace, a token of the person who asks, good for all of his, or a publishable key."""


class KeyRevoke(Parameters):
    """Which key."""

    key_id: str
    """The key."""


@endpoint({"key": Key, "token": str}, methods=WRITE)
async def create(ask: KeyCreate, caller: Caller, store: Store, clock: Clock) -> Answer:
    """Makes a key. Its token is shown here and never again. There may be 1,000 that are not revoked."""
    if ask.kind == "api_key":
        minted = mint_api_key(caller.workspace, ask.name, clock.now())
    elif ask.kind == "publishable_key":
        minted = mint_publishable_key(caller.workspace, ask.name, clock.now())
    elif caller.key.user_id is None:
        raise AccessTokenNeedsPerson
    else:
        minted = mint_personal_access_token(caller.key.user_id, ask.name, clock.now())
    if not await store.add_key(minted.key, most=MOST_KEYS):
        raise TooManyKeys
    return {"key": key_json(minted.key), "token": minted.token}


@endpoint({"keys": list[Key]})
async def list_(caller: Caller, store: Store) -> Answer:
    """Lists the workspace's keys and the caller's own access tokens, revoked ones too, oldest first."""
    return {"keys": [key_json(key) for key in await _keys_of(caller, store)]}


@endpoint({"key": Key}, methods=WRITE)
async def revoke(ask: KeyRevoke, caller: Caller, store: Store, callers: Callers, clock: Clock) -> Answer:
    """Revokes a key of the workspace or an access token of the caller's own: it opens nothing then."""
    key = None
    if ask.key_id in {each.id for each in await _keys_of(caller, store)}:
        key = await store.revoke_key(caller.workspace.id, ask.key_id, clock.now())
    if key is None:
        raise KeyNotFound
    callers.forget_key(key.id)
    return {"key": key_json(key)}


async def _keys_of(caller: Caller, store: Store) -> list[domain.Key]:
    """A person's tokens open his other workspaces too: they are nobody's business but his."""
    keys = await store.keys(caller.workspace.id)
    return [key for key in keys if key.user_id is None or key.user_id == caller.key.user_id]
