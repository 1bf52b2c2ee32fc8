"""``/acs/credentials``: what users show or enter at entrances."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from thumbturn.actions.acs_credentials import AcsCredential, credential_json
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import DELETE, UPDATE, WRITE, Answer, endpoint
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Listing, Maybe, Moment, Parameters
from thumbturn.api.persons import UserOrIdentity
from thumbturn.api.placed import entrances_json
from thumbturn.api.wire.access import AcsEntrance
from thumbturn.api.wire.pagination import Pagination
from thumbturn.domain import access as domain
from thumbturn.domain.access_refusals import AccessMethodNotSupported
from thumbturn.domain.workspace import KeyKind
from thumbturn.engine.access import Whom
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.ports import Store

Code = Annotated[str, Field(pattern=r"^\d+$", max_length=20)]


class OfCredential(Parameters):
    """One credential."""

    acs_credential_id: str
    """The credential."""


class CredentialAndUser(UserOrIdentity, OfCredential):
    """A credential and a user."""


class VostioMetadata(Parameters):
    """What only Vostio's credentials have."""

    auto_join: Maybe[bool] = None
    join_all_guest_acs_entrances: Maybe[bool] = None
    override_all_guest_acs_entrances: Maybe[bool] = None
    override_guest_acs_entrance_ids: Maybe[list[str]] = None


class HotekMetadata(Parameters):
    """What only Hotek's credentials have."""

    auto_join: Maybe[bool] = None
    override: Maybe[bool] = None


class SaltoSpaceMetadata(Parameters):
    """What only Salto Space's credentials have."""

    assign_new_key: Maybe[bool] = None
    update_current_key: Maybe[bool] = None


class VisionlineMetadata(Parameters):
    """What only Visionline's credentials have."""

    assa_abloy_credential_service_mobile_endpoint_id: Maybe[str] = None
    auto_join: Maybe[bool] = None
    card_format: Maybe[Literal["TLCode", "rfid48"]] = None
    card_function_type: Literal["guest", "staff"] = "guest"
    is_override_key: Maybe[bool] = None
    joiner_acs_credential_ids: Maybe[list[str]] = None
    override: Maybe[bool] = None


class CredentialCreate(Parameters):
    """A new credential. What only some makers' systems have is accepted and ignored."""

    access_method: Literal["code", "card", "mobile_key", "cloud_key"]
    """What it is: digits, a card, or a key that is used from here. Mobile keys cannot be made here."""
    acs_system_id: Maybe[str] = None
    """The system, if it is nobody's yet or its user identity has users in several."""
    acs_user_id: Maybe[str] = None
    """Whose it is."""
    user_identity_id: Maybe[str] = None
    """Or the user identity whose it is."""
    code: Maybe[Code] = None
    """The digits; without them six that no other credential of the system has."""
    starts_at: Maybe[Moment] = None
    """From when; at once if it is not given."""
    ends_at: Maybe[Moment] = None
    """Until when; without end if it is not given."""
    allowed_acs_entrance_ids: list[str] = []  # noqa: RUF012 - pydantic copies it
    """The entrances that it opens, of those that its user gets through; all of them if none is named."""
    is_multi_phone_sync_credential: bool = False
    """What only mobile keys can be."""
    credential_manager_acs_system_id: Maybe[str] = None
    """What only mobile keys have."""
    assa_abloy_vostio_metadata: Maybe[VostioMetadata] = None
    hotek_metadata: Maybe[HotekMetadata] = None
    salto_space_metadata: Maybe[SaltoSpaceMetadata] = None
    visionline_metadata: Maybe[VisionlineMetadata] = None

    @model_validator(mode="after")
    def _of_something(self) -> CredentialCreate:
        if self.acs_user_id is None and self.user_identity_id is None and self.acs_system_id is None:
            raise ValueError("One of 'acs_user_id', 'user_identity_id' or 'acs_system_id' is required")
        return self


class CredentialUpdate(OfCredential):
    """What shall change of a credential. What is not given stays."""

    code: Maybe[Code] = None
    """Its digits."""
    ends_at: Maybe[Moment] = None
    """Until when. A card that was encoded before does not know until it is encoded again."""


class CredentialList(Listing):
    """Which credentials. What is not given does not matter."""

    acs_system_id: Maybe[str] = None
    """Only those of this system."""
    acs_user_id: Maybe[str] = None
    """Only those of this user."""
    user_identity_id: Maybe[str] = None
    """Only those of this user identity."""
    is_multi_phone_sync_credential: Maybe[bool] = None
    """True for what only mobile keys can be: there is none."""
    created_before: Maybe[Moment] = None
    """Only older ones."""
    search: Maybe[Annotated[str, Field(min_length=1)]] = None
    """Only with this in what they are called or in the number of their card, in any letter case."""


@endpoint({"acs_credential": AcsCredential}, methods=WRITE)
async def create(ask: CredentialCreate, caller: Caller, credentials: AcsCredentials) -> Answer:
    """Makes a credential. A code and a cloud key are issued at once, a card when it is encoded."""
    if ask.is_multi_phone_sync_credential or ask.credential_manager_acs_system_id is not None:
        raise AccessMethodNotSupported
    made = await credentials.create(
        caller.workspace.id,
        ask.access_method,
        whom=Whom(ask.acs_user_id, ask.user_identity_id, ask.acs_system_id),
        code=ask.code,
        starts_at=ask.starts_at,
        ends_at=ask.ends_at,
        entrance_ids=ask.allowed_acs_entrance_ids or None,
    )
    return {"acs_credential": credential_json(made, credentials.code_of(made))}


@endpoint({"acs_credential": AcsCredential})
async def get(ask: OfCredential, caller: Caller, credentials: AcsCredentials) -> Answer:
    """Returns a credential."""
    found = await credentials.access.one(domain.AcsCredential, caller.workspace.id, ask.acs_credential_id)
    return {"acs_credential": credential_json(found, credentials.code_of(found))}


@endpoint({"acs_credentials": list[AcsCredential], "pagination": Pagination})
async def list_(ask: CredentialList, caller: Caller, credentials: AcsCredentials, pages: Pages) -> Answer:
    """Lists credentials, oldest first. A client session is shown no codes."""
    access, workspace_id = credentials.access, caller.workspace.id
    holders = None if ask.acs_user_id is None else {ask.acs_user_id}
    if ask.user_identity_id is not None:
        users = Wanted(holder_ids=(ask.user_identity_id,), reach=caller.reach)
        theirs = {user.id for user in await access.find(domain.AcsUser, workspace_id, users)}
        holders = theirs if holders is None else holders & theirs
    system = ask.acs_system_id
    wanted = Wanted(
        acs_system_ids=None if system is None else (system,),
        holder_ids=holders,
        created_before=ask.created_before,
        reach=caller.reach,
    )
    # What is searched for is looked for here: the two databases know letter cases differently.
    limit = ask.most + 1 if ask.search is None else None
    found = []
    if not ask.is_multi_phone_sync_credential:
        found = await access.find(domain.AcsCredential, workspace_id, wanted, after=pages.after, limit=limit)
    is_key = caller.key.kind is not KeyKind.CLIENT_SESSION
    kept = [each for each in found if ask.search is None or _has(each, ask.search)]
    page, pagination = pages.turn(kept, ask.most, lambda each: (each.created_at, each.id))
    shown = [credential_json(each, credentials.code_of(each) if is_key else None) for each in page]
    return {"acs_credentials": shown, "pagination": pagination}


@endpoint({"acs_entrances": list[AcsEntrance]})
async def list_accessible_entrances(
    ask: OfCredential, caller: Caller, credentials: AcsCredentials, store: Store
) -> Answer:
    """Lists the entrances that a credential opens."""
    access, workspace_id = credentials.access, caller.workspace.id
    credential = await access.one(domain.AcsCredential, workspace_id, ask.acs_credential_id)
    wanted = Wanted(ids=await access.opened_by(credential))
    found = await access.find(domain.AcsEntrance, workspace_id, wanted)
    return {"acs_entrances": await entrances_json(found, caller, store)}


@endpoint({"acs_credential": AcsCredential}, methods=UPDATE)
async def update(ask: CredentialUpdate, caller: Caller, credentials: AcsCredentials) -> Answer:
    """Changes the code or the end of a credential."""
    changed = await credentials.change(
        caller.workspace.id, ask.acs_credential_id, code=ask.code, ends_at=ask.ends_at
    )
    return {"acs_credential": credential_json(changed, credentials.code_of(changed))}


@endpoint({"acs_credential": AcsCredential}, methods=UPDATE)
async def assign(ask: CredentialAndUser, caller: Caller, credentials: AcsCredentials) -> Answer:
    """Gives a credential to a user of its system."""
    changed = await credentials.assign(caller.workspace.id, ask.acs_credential_id, ask.whom)
    return {"acs_credential": credential_json(changed, credentials.code_of(changed))}


@endpoint({"acs_credential": AcsCredential}, methods=UPDATE)
async def unassign(ask: CredentialAndUser, caller: Caller, credentials: AcsCredentials) -> Answer:
    """Takes a credential from its user."""
    changed = await credentials.unassign(caller.workspace.id, ask.acs_credential_id, ask.whom)
    return {"acs_credential": credential_json(changed, credentials.code_of(changed))}


@endpoint(methods=DELETE)
async def delete(ask: OfCredential, caller: Caller, credentials: AcsCredentials) -> Answer:
    """Deletes a credential: it opens nothing any more."""
    await credentials.delete(caller.workspace.id, ask.acs_credential_id)
    return {}


def _has(credential: domain.AcsCredential, search: str) -> bool:
    name = credential_json(credential)["display_name"]
    return any(search.casefold() in text.casefold() for text in (name, credential.card_number or ""))
