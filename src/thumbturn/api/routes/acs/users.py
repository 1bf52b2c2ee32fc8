"""``/acs/users``: the users of access control systems."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import DELETE, REPLACE, UPDATE, WRITE, Answer, endpoint
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Listing, Maybe, Moment, Parameters
from thumbturn.api.persons import Email, FullName, Phone, UserOrIdentity, UserSomewhere
from thumbturn.api.placed import entrances_json
from thumbturn.api.wire.access import AcsEntrance, AcsUser, user_json
from thumbturn.api.wire.pagination import Pagination
from thumbturn.domain import access as domain
from thumbturn.engine.access import Whom
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.acs_users import AcsUsers
from thumbturn.engine.ports import Store


class NewSchedule(Parameters):
    """From when until when somebody gets through."""

    starts_at: Maybe[Moment] = None
    """From when; at once if it is not given."""
    ends_at: Moment | None = None
    """Until when; without end if it is null."""


class Schedule(Parameters):
    """From when until when somebody gets through."""

    starts_at: Moment
    """From when."""
    ends_at: Moment
    """Until when."""


class Known(Parameters):
    """What is known of a user."""

    email: Maybe[Email] = None
    """His e-mail address: the older way to give it."""
    email_address: Maybe[Email] = None
    """His e-mail address."""
    phone_number: Maybe[Phone] = None
    """His phone number."""

    def given(self) -> dict[str, Any]:
        """What is given of it."""
        email = self.email_address or self.email
        given = {"email_address": email, "phone_number": self.phone_number}
        return {name: value for name, value in given.items() if value is not None}


class UserCreate(Known):
    """A new user."""

    acs_system_id: str
    """The system that he shall be a user of."""
    full_name: Annotated[str, Field(max_length=255)]
    """His name."""
    user_identity_id: Maybe[str] = None
    """The user identity whose user he is."""
    acs_access_group_ids: list[str] = []  # noqa: RUF012 - pydantic copies it
    """The access groups that he shall be in."""
    access_schedule: Maybe[NewSchedule] = None
    """From when until when he gets through; at any time if it is not given."""


class UserUpdate(Known, UserSomewhere):
    """What shall change of a user. What is not given stays."""

    full_name: Maybe[FullName] = None
    """His name."""
    access_schedule: Schedule | None = None
    """From when until when he gets through."""
    hid_acs_system_id: Maybe[str] = None
    """What only HID's systems have; ignored."""


class UserList(Listing):
    """Which users. What is not given does not matter."""

    acs_system_id: Maybe[str] = None
    """Only those of this system."""
    user_identity_id: Maybe[str] = None
    """Only those of this user identity."""
    user_identity_email_address: Maybe[str] = None
    """Only those whose user identity has this e-mail address."""
    user_identity_phone_number: Maybe[str] = None
    """Only those whose user identity has this phone number."""
    search: Maybe[Annotated[str, Field(min_length=1)]] = None
    """Only with this in their name, address or number, in any letter case."""
    created_before: Maybe[Moment] = None
    """Only older ones."""


class UserAndGroup(Parameters):
    """A user and an access group."""

    acs_user_id: str
    """The ACS user."""
    acs_access_group_id: str
    """The access group."""


class MemberAndGroup(UserOrIdentity):
    """A user and an access group that he is in."""

    acs_access_group_id: str
    """The access group."""


@endpoint({"acs_user": AcsUser}, methods=WRITE)
async def create(ask: UserCreate, caller: Caller, users: AcsUsers) -> Answer:
    """Makes a user of an access control system."""
    known = {"full_name": ask.full_name, "user_identity_id": ask.user_identity_id, **ask.given()}
    if ask.access_schedule is not None:
        known |= {"starts_at": ask.access_schedule.starts_at, "ends_at": ask.access_schedule.ends_at}
    made = await users.create(caller.workspace.id, ask.acs_system_id, known, ask.acs_access_group_ids)
    return {"acs_user": user_json(made)}


@endpoint({"acs_user": AcsUser})
async def get(ask: UserSomewhere, caller: Caller, users: AcsUsers) -> Answer:
    """Returns a user of an access control system."""
    return {"acs_user": user_json(await users.access.user(caller.workspace.id, ask.whom))}


@endpoint({"acs_users": list[AcsUser], "pagination": Pagination})
async def list_(ask: UserList, caller: Caller, users: AcsUsers, pages: Pages) -> Answer:
    """Lists users of access control systems, oldest first."""
    system, holders = ask.acs_system_id, await _identities(ask, caller, users)
    wanted = Wanted(
        acs_system_ids=None if system is None else (system,),
        holder_ids=holders,
        created_before=ask.created_before,
        reach=caller.reach,
    )
    # What is searched for is looked for here: the two databases know letter cases differently.
    limit = ask.most + 1 if ask.search is None else None
    found = await users.access.find(
        domain.AcsUser, caller.workspace.id, wanted, after=pages.after, limit=limit
    )
    kept = [each for each in found if ask.search is None or _has(each, ask.search)]
    page, pagination = pages.turn(kept, ask.most, lambda each: (each.created_at, each.id))
    return {"acs_users": [user_json(each) for each in page], "pagination": pagination}


@endpoint({"acs_entrances": list[AcsEntrance]})
async def list_accessible_entrances(
    ask: UserSomewhere, caller: Caller, users: AcsUsers, store: Store
) -> Answer:
    """Lists the entrances that a user gets through."""
    user = await users.access.user(caller.workspace.id, ask.whom, caller.reach)
    wanted = Wanted(ids=await users.access.reached_by(user), reach=caller.reach)
    found = await users.access.find(domain.AcsEntrance, caller.workspace.id, wanted)
    return {"acs_entrances": await entrances_json(found, caller, store)}


@endpoint(methods=UPDATE)
async def update(ask: UserUpdate, caller: Caller, users: AcsUsers) -> Answer:
    """Changes what is given of a user."""
    given = ask.given()
    if ask.full_name is not None:
        given["full_name"] = ask.full_name
    if "access_schedule" in ask.model_fields_set:
        schedule = ask.access_schedule
        given["starts_at"] = None if schedule is None else schedule.starts_at
        given["ends_at"] = None if schedule is None else schedule.ends_at
    await users.change(caller.workspace.id, ask.whom, given)
    return {}


@endpoint(methods=DELETE)
async def delete(ask: UserSomewhere, caller: Caller, users: AcsUsers) -> Answer:
    """Deletes a user with his credentials."""
    await users.delete(caller.workspace.id, ask.whom)
    return {}


@endpoint(methods=WRITE)
async def suspend(ask: UserSomewhere, caller: Caller, users: AcsUsers) -> Answer:
    """Lets a user through nowhere, until he is unsuspended."""
    await users.suspend(caller.workspace.id, ask.whom, is_suspended=True)
    return {}


@endpoint(methods=WRITE)
async def unsuspend(ask: UserSomewhere, caller: Caller, users: AcsUsers) -> Answer:
    """Lets a user through again where he got through before."""
    await users.suspend(caller.workspace.id, ask.whom, is_suspended=False)
    return {}


@endpoint(methods=WRITE)
async def revoke_access_to_all_entrances(ask: UserSomewhere, caller: Caller, users: AcsUsers) -> Answer:
    """Lets a user through no entrance any more, and takes him out of his access groups."""
    await users.revoke_all_entrances(caller.workspace.id, ask.whom)
    return {}


@endpoint(methods=REPLACE)
async def add_to_access_group(ask: UserAndGroup, caller: Caller, users: AcsUsers) -> Answer:
    """Puts a user into an access group."""
    await users.add_to_group(caller.workspace.id, Whom(ask.acs_user_id), ask.acs_access_group_id)
    return {}


@endpoint(methods=DELETE)
async def remove_from_access_group(ask: MemberAndGroup, caller: Caller, users: AcsUsers) -> Answer:
    """Takes a user out of an access group."""
    await users.remove_from_group(caller.workspace.id, ask.whom, ask.acs_access_group_id)
    return {}


async def _identities(ask: UserList, caller: Caller, users: AcsUsers) -> list[str] | None:
    """The ids of the user identities whose users are wanted; ``None`` for any."""
    email, phone = ask.user_identity_email_address, ask.user_identity_phone_number
    if email is None and phone is None:
        return None if ask.user_identity_id is None else [ask.user_identity_id]
    ids = None if ask.user_identity_id is None else (ask.user_identity_id,)
    found = await users.access.find(domain.UserIdentity, caller.workspace.id, Wanted(ids=ids))
    return [
        each.id
        for each in found
        if email in (None, each.email_address) and phone in (None, each.phone_number)
    ]


def _has(user: domain.AcsUser, search: str) -> bool:
    known = (user.full_name, user.email_address, user.phone_number)
    return any(search.casefold() in text.casefold() for text in known if text is not None)
