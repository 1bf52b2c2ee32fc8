"""``/acs/entrances``: the doors of access control systems. Unlocking one is an action."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from thumbturn.actions.acs_credentials import AcsCredential, credential_json
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import WRITE, Answer, endpoint
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Listing, Maybe, Parameters
from thumbturn.api.persons import UserOrIdentity
from thumbturn.api.placed import accounts_of, entrances_in, entrances_json
from thumbturn.api.wire.access import AcsEntrance
from thumbturn.api.wire.pagination import Pagination
from thumbturn.domain import access as domain
from thumbturn.domain.workspace import KeyKind
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.acs_users import AcsUsers
from thumbturn.engine.ports import Store


class OfEntrance(Parameters):
    """One entrance."""

    acs_entrance_id: str
    """The entrance."""


class EntranceAndUser(UserOrIdentity, OfEntrance):
    """An entrance and a user."""


class EntranceList(Listing):
    """Which entrances. What is not given does not matter."""

    acs_entrance_ids: Maybe[list[str]] = None
    """Only these."""
    acs_system_id: Maybe[str] = None
    """Only those of this system."""
    acs_credential_id: Maybe[str] = None
    """Only those that this credential opens."""
    connected_account_id: Maybe[str] = None
    """Only those of this account."""
    customer_key: Maybe[str] = None
    """Only those of accounts of this customer."""
    space_id: Maybe[str] = None
    """Only those in this space."""
    location_id: str | None = None
    """Only those in this location. There are none."""
    search: Maybe[Annotated[str, Field(min_length=1)]] = None
    """Only with this in their name, in any letter case."""
    limit: Annotated[int, Field(gt=0)] = 900
    """How many at most; never more than 10,000 at once."""


class WhoseAccess(OfEntrance):
    """Which credentials."""

    include_if: Maybe[list[Literal["visionline_metadata.is_valid"]]] = None
    """What only Visionline's credentials can be: with it, none is found."""


@endpoint({"acs_entrance": AcsEntrance})
async def get(ask: OfEntrance, caller: Caller, users: AcsUsers, store: Store) -> Answer:
    """Returns an entrance."""
    id, reach = ask.acs_entrance_id, caller.reach
    found = await users.access.one(domain.AcsEntrance, caller.workspace.id, id, reach)
    [shown] = await entrances_json((found,), caller, store)
    return {"acs_entrance": shown}


@endpoint({"acs_entrances": list[AcsEntrance], "pagination": Pagination})
async def list_(ask: EntranceList, caller: Caller, users: AcsUsers, store: Store, pages: Pages) -> Answer:
    """Lists entrances, oldest first."""
    ids = None if ask.acs_entrance_ids is None else set(ask.acs_entrance_ids)
    if ask.acs_credential_id is not None:
        wanted = Wanted(ids=(ask.acs_credential_id,), reach=caller.reach)
        opened: set[str] = set()
        for credential in await users.access.find(domain.AcsCredential, caller.workspace.id, wanted):
            opened |= await users.access.opened_by(credential)
        ids = opened if ids is None else ids & opened
    if ask.space_id is not None:
        inside = await entrances_in(ask.space_id, caller, store)
        ids = set(inside) if ids is None else ids.intersection(inside)
    if ask.location_id is not None:
        ids = set()
    system = ask.acs_system_id
    accounts = await accounts_of(ask.customer_key, ask.connected_account_id, caller, store)
    wanted = Wanted(
        ids=ids,
        acs_system_ids=None if system is None else (system,),
        connected_account_ids=accounts,
        reach=caller.reach,
    )
    # What is searched for is looked for here: the two databases know letter cases differently.
    search = (ask.search or "").casefold()
    found = await users.access.find(
        domain.AcsEntrance,
        caller.workspace.id,
        wanted,
        after=pages.after,
        limit=None if search else ask.most + 1,
    )
    kept = [each for each in found if search in each.name.casefold()]
    page, pagination = pages.turn(kept, ask.most, lambda each: (each.created_at, each.id))
    return {"acs_entrances": await entrances_json(page, caller, store), "pagination": pagination}


@endpoint(methods=WRITE)
async def grant_access(ask: EntranceAndUser, caller: Caller, users: AcsUsers) -> Answer:
    """Lets a user through an entrance."""
    await users.grant_entrance(caller.workspace.id, ask.whom, ask.acs_entrance_id)
    return {}


@endpoint({"acs_credentials": list[AcsCredential]})
async def list_credentials_with_access(
    ask: WhoseAccess, caller: Caller, credentials: AcsCredentials
) -> Answer:
    """Lists the credentials that open an entrance, oldest first. A client session is shown no codes."""
    access, workspace_id = credentials.access, caller.workspace.id
    entrance = await access.one(domain.AcsEntrance, workspace_id, ask.acs_entrance_id, caller.reach)
    wanted = Wanted(acs_system_ids=(entrance.acs_system_id,), reach=caller.reach)
    found = [] if ask.include_if else await access.find(domain.AcsCredential, workspace_id, wanted)
    opening = [each for each in found if entrance.id in await access.opened_by(each)]
    is_key = caller.key.kind is not KeyKind.CLIENT_SESSION
    shown = [credential_json(each, credentials.code_of(each) if is_key else None) for each in opening]
    return {"acs_credentials": shown}
