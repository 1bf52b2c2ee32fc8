"""``/user_identities/unmanaged``: persons whom an access control system knows, and nobody here made."""

from __future__ import annotations

from typing import Literal

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import UPDATE, Answer, endpoint
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Listing, Maybe, Moment
from thumbturn.api.persons import FullName, has_in_it
from thumbturn.api.routes.user_identities import OfIdentity
from thumbturn.api.wire.access import UnmanagedUserIdentity, unmanaged_identity_json
from thumbturn.api.wire.pagination import Pagination
from thumbturn.domain.access import UnmanagedIdentity
from thumbturn.domain.refusals import UserIdentityNotFound
from thumbturn.domain.workspace import KeyKind
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.user_identities import UserIdentities


class UnmanagedList(Listing):
    """Which unmanaged user identities. What is not given does not matter."""

    search: Maybe[str] = None
    """Only with this in their name, address or number, in any letter case."""
    created_before: Maybe[Moment] = None
    """Only older ones."""


class IdentityTakeOver(OfIdentity):
    """An unmanaged user identity that shall be managed."""

    is_managed: Literal[True]
    """True has it managed from now on."""
    user_identity_key: Maybe[FullName] = None
    """Your own word for it, which no other user identity has."""


@endpoint({"user_identity": UnmanagedUserIdentity})
async def get(ask: OfIdentity, caller: Caller, identities: UserIdentities) -> Answer:
    """Returns an unmanaged user identity."""
    found = await identities.access.one(UnmanagedIdentity, caller.workspace.id, ask.user_identity_id)
    users = await identities.users(caller.workspace.id, (found.id,))
    return {"user_identity": unmanaged_identity_json(found, [user.id for user in users])}


@endpoint({"user_identities": list[UnmanagedUserIdentity], "pagination": Pagination})
async def list_(ask: UnmanagedList, caller: Caller, identities: UserIdentities, pages: Pages) -> Answer:
    """Lists unmanaged user identities, oldest first. A client session sees no other than its own."""
    ids = None
    if caller.key.kind is KeyKind.CLIENT_SESSION:
        ids = {await identities.of_session(caller.workspace.id, caller.key.id) or ""}
    found = await identities.access.find(
        UnmanagedIdentity,
        caller.workspace.id,
        Wanted(ids=ids, created_before=ask.created_before),
        after=pages.after,
        limit=ask.most + 1 if ask.search is None else None,
    )
    kept = [each for each in found if ask.search is None or has_in_it(each, ask.search)]
    page, pagination = pages.turn(kept, ask.most, lambda each: (each.created_at, each.id))
    users = await identities.users(caller.workspace.id, [each.id for each in page])
    shown = [
        unmanaged_identity_json(each, [user.id for user in users if user.user_identity_id == each.id])
        for each in page
    ]
    return {"user_identities": shown, "pagination": pagination}


@endpoint(methods=UPDATE)
async def update(ask: IdentityTakeOver, caller: Caller, identities: UserIdentities) -> Answer:
    """Has an unmanaged user identity managed. To a client session there is none but its own."""
    id = ask.user_identity_id
    if caller.key.kind is KeyKind.CLIENT_SESSION:
        own = await identities.of_session(caller.workspace.id, caller.key.id)
        if id != own:
            raise UserIdentityNotFound(data={"user_identity_id": id})
    await identities.found.take_over(caller.workspace.id, id, ask.user_identity_key)
    return {}
