"""``/client_sessions``: letting somebody see and command the devices of some accounts, and no others."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from thumbturn.api.call import USER_HEADER, Call
from thumbturn.api.callers import Caller, Callers
from thumbturn.api.endpoint import DELETE, REPLACE, UPDATE, WRITE, Answer, endpoint
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import MOST_AT_ONCE, Listing, Maybe, Moment, Parameters
from thumbturn.api.refusals import InvalidInput, InvalidOptions, SessionMustBeEmpty, UserIdentifierKeyNeeded
from thumbturn.api.wire.client_session import ClientSession, client_session_json
from thumbturn.api.wire.pagination import Pagination
from thumbturn.domain.clock import Clock
from thumbturn.domain.refusals import CustomerNotFound, UserIdentityNotFound
from thumbturn.domain.workspace import KeyKind
from thumbturn.engine.client_session_ports import ClientSessionFilter
from thumbturn.engine.client_sessions import ClientSessions, Wanted

#: How long the words may be that somebody else knows a user or a customer by: one of them is indexed.
LONGEST_KEY = 500

_ONE_OF_THEM = "Either 'client_session_id' or 'user_identifier_key' is required"

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_KEY)]


class Access(Parameters):
    """What a session shall reach."""

    connected_account_ids: Maybe[list[str]] = None
    """All devices of these accounts."""
    connect_webview_ids: Maybe[list[str]] = None
    """What comes of these webviews."""
    user_identity_id: Maybe[str] = None
    """The user identity that it is for: the session sees it."""
    user_identity_ids: Maybe[Annotated[list[str], Field(min_length=1, max_length=1)]] = None
    """The older way to give it."""

    def granted(self) -> list[str]:
        """The accounts. Raises the refusal of whatever this server has none of."""
        return self.connected_account_ids or []

    def identity(self) -> str | None:
        """The user identity, by whichever parameter. Raises ``UserIdentityNotFound`` if these differ."""
        given = {self.user_identity_id, *(self.user_identity_ids or ())} - {None}
        if len(given) > 1:
            raise UserIdentityNotFound(data={"user_identity_ids": sorted(filter(None, given))})
        return next(iter(given), None)


class SessionGetOrCreate(Access):
    """A session for a user."""

    user_identifier_key: Maybe[Name] = None
    """Who it is for: your own word for the user, which nobody else can guess."""
    expires_at: Maybe[Moment] = None
    """When it ends; a year from now if it is not given."""


class SessionCreate(SessionGetOrCreate):
    """A new session."""

    customer_key: Maybe[Name] = None
    """Whose customer he is: your own word for the customer."""
    customer_id: Maybe[str] = None
    """The customer. There are none yet."""


class SessionGet(Parameters):
    """Which session. A client session asks for itself, without any of these."""

    client_session_id: Maybe[str] = None
    """The session."""
    user_identifier_key: Maybe[str] = None
    """Or the newest of this user."""


class SessionGrant(Access):
    """Which session, and what more it shall reach."""

    client_session_id: Maybe[str] = None
    """The session."""
    user_identifier_key: Maybe[str] = None
    """Or the newest of this user."""

    @model_validator(mode="after")
    def _one_of_them(self) -> SessionGrant:
        if self.client_session_id is None and self.user_identifier_key is None:
            raise ValueError(_ONE_OF_THEM)
        return self


class SessionList(Listing):
    """Which sessions. What is not given does not matter."""

    client_session_id: Maybe[str] = None
    """Only this one."""
    user_identifier_key: Maybe[str] = None
    """Only those of this user."""
    without_user_identifier_key: Maybe[bool] = None
    """True for those only that have none."""
    connect_webview_id: Maybe[str] = None
    """Only those of this webview."""
    user_identity_id: Maybe[str] = None
    """Only those of this user identity."""
    limit: Annotated[int, Field(gt=0)] = MOST_AT_ONCE
    """How many at most; never more than 10,000 at once."""


class OfSession(Parameters):
    """One session."""

    client_session_id: str
    """The session."""


@endpoint({"client_session": ClientSession}, methods=REPLACE)
async def create(
    ask: SessionCreate, caller: Caller, sessions: ClientSessions, clock: Clock, call: Call
) -> Answer:
    """Makes a client session. If its user has one, POST refuses and PUT returns that, as it is."""
    wanted = _wanted(ask, caller, call, clock)
    if ask.customer_id is not None:
        raise CustomerNotFound(data={"customer_id": ask.customer_id})
    make = sessions.get_or_create if call.method == "PUT" else sessions.create
    return {"client_session": client_session_json(await make(caller.workspace.id, wanted))}


@endpoint({"client_session": ClientSession}, methods=WRITE)
async def get_or_create(
    ask: SessionGetOrCreate, caller: Caller, sessions: ClientSessions, clock: Clock, call: Call
) -> Answer:
    """Returns the client session of a user as it is; if he has none that is good, a new one."""
    wanted = _wanted(ask, caller, call, clock)
    return {"client_session": client_session_json(await sessions.get_or_create(caller.workspace.id, wanted))}


@endpoint({"client_session": ClientSession})
async def get(ask: SessionGet, caller: Caller, sessions: ClientSessions) -> Answer:
    """Returns a client session; to a client session itself."""
    session_id, user = ask.client_session_id, ask.user_identifier_key
    if caller.key.kind is KeyKind.CLIENT_SESSION:
        if session_id is not None or user is not None:
            raise InvalidOptions(
                "A client session gets itself: neither client_session_id nor user_identifier_key can be given"
            )
        session_id = caller.key.id
    elif session_id is None and user is None:
        raise InvalidInput.whole(_ONE_OF_THEM)
    seen = await sessions.get(caller.workspace.id, session_id, user)
    return {"client_session": client_session_json(seen)}


@endpoint({"client_sessions": list[ClientSession], "pagination": Pagination})
async def list_(ask: SessionList, caller: Caller, sessions: ClientSessions, pages: Pages) -> Answer:
    """Lists client sessions, oldest first, also those that have ended."""
    wanted = ClientSessionFilter(
        id=ask.client_session_id,
        user_identifier_key=ask.user_identifier_key,
        user_identity_id=ask.user_identity_id,
        connect_webview_id=ask.connect_webview_id,
        without_user_identifier_key=ask.without_user_identifier_key or False,
    )
    found = await sessions.listed(caller.workspace.id, wanted, after=pages.after, limit=ask.most + 1)
    page, pagination = pages.turn(found, ask.most, lambda session: (session.created_at, session.id))
    shown = [client_session_json(seen) for seen in await sessions.seen(page)]
    return {"client_sessions": shown, "pagination": pagination}


@endpoint({"client_session": ClientSession}, methods=UPDATE)
async def grant_access(
    ask: SessionGrant, caller: Caller, sessions: ClientSessions, callers: Callers
) -> Answer:
    """Lets a client session reach more than before."""
    seen = await sessions.grant(
        caller.workspace.id,
        ask.client_session_id,
        ask.user_identifier_key,
        ask.granted(),
        ask.identity(),
        ask.connect_webview_ids or (),
    )
    callers.forget_key(seen.session.id)
    return {"client_session": client_session_json(seen)}


@endpoint(methods=WRITE)
async def revoke(ask: OfSession, caller: Caller, sessions: ClientSessions, callers: Callers) -> Answer:
    """Ends a client session: its token opens nothing any more. It stays on record."""
    session = await sessions.revoke(caller.workspace.id, ask.client_session_id)
    callers.forget_key(session.id)
    return {}


@endpoint(methods=DELETE)
async def delete(ask: OfSession, caller: Caller, sessions: ClientSessions, callers: Callers) -> Answer:
    """Deletes a client session: its token opens nothing any more, and nothing of it stays on record."""
    session = await sessions.delete(caller.workspace.id, ask.client_session_id)
    callers.forget_key(session.id)
    return {}


def _wanted(ask: SessionGetOrCreate, caller: Caller, call: Call, clock: Clock) -> Wanted:
    """What the new session shall be. Whoever has nothing but a publishable key gets one that reaches
    nothing, for a user that he names.
    """
    user = ask.user_identifier_key
    if caller.key.kind is KeyKind.PUBLISHABLE_KEY:
        user = user or call.header(USER_HEADER)
        if user is None or not user.strip():
            # As the contract has it: 401 from one, 400 from the other.
            raise UserIdentifierKeyNeeded(status=None if isinstance(ask, SessionCreate) else 400)
        if not (ask.model_fields_set <= {"user_identifier_key", "expires_at"}):
            raise SessionMustBeEmpty
    if ask.expires_at is not None and ask.expires_at <= clock.now():
        raise InvalidInput.of("expires_at", "Must be in the future")
    return Wanted(
        user_identifier_key=user,
        customer_key=ask.customer_key if isinstance(ask, SessionCreate) else None,
        connected_account_ids=ask.granted(),
        user_identity_id=ask.identity(),
        connect_webview_ids=ask.connect_webview_ids or (),
        expires_at=ask.expires_at,
    )
