"""``/connected_accounts``: looking at what devices are reached through, changing it, and letting go of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field, model_validator

from thumbturn.api.callers import Caller, Callers
from thumbturn.api.endpoint import DELETE, UPDATE, WRITE, Answer, endpoint
from thumbturn.api.listing import reach_of_user
from thumbturn.api.metadata import MetadataChange, merged
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import MOST_AT_ONCE, Listing, Maybe, Parameters
from thumbturn.api.placed import accounts_in
from thumbturn.api.wire.connected_account import ConnectedAccount, connected_account_json
from thumbturn.api.wire.pagination import Pagination
from thumbturn.domain import connected_account as domain
from thumbturn.engine.account_ports import AccountFilter
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Store


class OfAccount(Parameters):
    """One account."""

    connected_account_id: str
    """The account."""


class AccountGet(Parameters):
    """Which account."""

    connected_account_id: Maybe[str] = None
    """The account."""
    email: Maybe[str] = None
    """Or the mail address that somebody signed in to it with."""

    @model_validator(mode="after")
    def _one_of_them(self) -> AccountGet:
        if self.connected_account_id is None and self.email is None:
            raise ValueError("Either 'connected_account_id' or 'email' is required")
        return self


class AccountList(Listing):
    """Which accounts. What is not given does not matter."""

    customer_key: Maybe[str] = None
    """Only those of this customer."""
    search: Maybe[Annotated[str, Field(min_length=1)]] = None
    """Only with this in their name, in who signed in, or in their id; in any letter case."""
    custom_metadata_has: Maybe[dict[str, str | bool]] = None
    """Only with these values in their custom metadata."""
    user_identifier_key: Maybe[str] = None
    """Only those that the client session of this user reaches."""
    space_id: Maybe[str] = None
    """Only those in this space."""
    limit: Annotated[int, Field(gt=0)] = MOST_AT_ONCE
    """How many at most; never more than 10,000 at once."""


class AccountUpdate(OfAccount):
    """What shall change of an account. What is not given stays."""

    display_name: Maybe[Annotated[str, Field(min_length=1, max_length=255)]] = None
    """The name to show."""
    accepted_capabilities: Maybe[list[domain.AcceptedCapability]] = None
    """What kinds of devices are taken from it when somebody signs in to it again."""
    automatically_manage_new_devices: Maybe[bool] = None
    """Whether devices that are found on it later are managed at once."""
    custom_metadata: Maybe[MetadataChange] = None
    """Values to set, by their keys; null erases a key. At most 50 keys of 500 characters remain."""
    customer_key: Maybe[Annotated[str, Field(min_length=1, max_length=500)]] = None
    """Whose customer's it is: your own word for the customer."""


class AccountDelete(OfAccount):
    """Which account."""

    sync: bool = False
    """Accepted: the account is gone when this is answered, in any case."""


@endpoint({"connected_account": ConnectedAccount})
async def get(ask: AccountGet, caller: Caller, engine: Engine) -> Answer:
    """Returns a connected account; one of those that the caller reaches."""
    workspace_id, reach = caller.workspace.id, caller.reach
    if ask.connected_account_id is not None:
        account = await engine.accounts.get(workspace_id, ask.connected_account_id, reach)
    else:
        account = await engine.accounts.with_email(workspace_id, ask.email or "", reach)
    return {"connected_account": connected_account_json(account)}


@endpoint({"connected_accounts": list[ConnectedAccount], "pagination": Pagination})
async def list_(ask: AccountList, caller: Caller, engine: Engine, store: Store, pages: Pages) -> Answer:
    """Lists connected accounts, oldest first."""
    wanted = AccountFilter(
        account_ids=None if ask.space_id is None else await accounts_in(ask.space_id, caller, store),
        customer_key=ask.customer_key,
        search=ask.search,
        custom_metadata_has=ask.custom_metadata_has,
        reach=await reach_of_user(ask.user_identifier_key, caller, store),
    )
    found = await engine.accounts.listed(caller.workspace.id, wanted, after=pages.after, limit=ask.most + 1)
    page, pagination = pages.turn(found, ask.most, lambda account: (account.created_at, account.id))
    return {
        "connected_accounts": [connected_account_json(account) for account in page],
        "pagination": pagination,
    }


@endpoint({"connected_account": ConnectedAccount}, methods=UPDATE)
async def update(ask: AccountUpdate, caller: Caller, engine: Engine) -> Answer:
    """Changes a connected account's name or metadata, or what becomes of devices that are new on it."""

    def change(account: domain.ConnectedAccount) -> domain.ConnectedAccount:
        metadata = account.custom_metadata
        if ask.custom_metadata is not None:
            metadata = merged(metadata, ask.custom_metadata)
        capabilities, manages = ask.accepted_capabilities, ask.automatically_manage_new_devices
        return replace(
            account,
            name=ask.display_name or account.name,
            custom_metadata=metadata,
            customer_key=ask.customer_key or account.customer_key,
            accepted_capabilities=(
                account.accepted_capabilities if capabilities is None else tuple(dict.fromkeys(capabilities))
            ),
            manages_new_devices=account.manages_new_devices if manages is None else manages,
        )

    account = await engine.accounts.change(caller.workspace.id, ask.connected_account_id, change)
    return {"connected_account": connected_account_json(account)}


@endpoint(methods=DELETE)
async def delete(ask: AccountDelete, caller: Caller, engine: Engine, callers: Callers) -> Answer:
    """Forgets a connected account and its devices. Nothing changes at the devices themselves."""
    await engine.accounts.delete(caller.workspace.id, ask.connected_account_id)
    # No client session reaches it any more.
    callers.forget_workspace(caller.workspace.id)
    return {}


@endpoint(methods=WRITE)
async def sync(ask: OfAccount, caller: Caller, engine: Engine) -> Answer:
    """Has the devices of a connected account report how they are now."""
    await engine.accounts.sync(caller.workspace.id, ask.connected_account_id)
    return {}
