"""``/access_codes/unmanaged``: the codes that somebody set at a lock."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from thumbturn.api.access_codes import CodeGet, OfCode, Shown, found
from thumbturn.api.asking import asker_of
from thumbturn.api.call import Call
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import DELETE, UPDATE, Answer, endpoint
from thumbturn.api.listing import reach_of_user
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Listing, Maybe
from thumbturn.api.waiting import settled
from thumbturn.api.wire.access_code import UnmanagedAccessCode
from thumbturn.api.wire.attempt import ActionAttempt, attempt_json
from thumbturn.api.wire.pagination import Pagination
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import Clock
from thumbturn.engine.access_code_ports import CodeFilter
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Store


class UnmanagedList(Listing):
    """Which codes of a lock."""

    device_id: str
    """The lock."""
    limit: Annotated[int, Field(gt=0)] = 300_000
    """How many at most; never more than 10,000 at once."""
    search: Maybe[Annotated[str, Field(min_length=1)]] = None
    """Only with this in their name, in any letter case."""
    user_identifier_key: Maybe[str] = None
    """Only of this user."""


class Conversion(OfCode):
    """A code that shall be looked after from now on."""

    is_external_modification_allowed: Maybe[bool] = None
    """Whether somebody may change it at the lock."""
    allow_external_modification: Maybe[bool] = None
    """The same, by its older name."""
    force: Maybe[bool] = None
    """Accepted; there is nothing that would have to be forced."""

    @property
    def may_be_modified(self) -> bool:
        """Whether somebody may change it at the lock, under either name."""
        return bool(self.is_external_modification_allowed or self.allow_external_modification)


class ConvertToManaged(Conversion):
    """The same, and whether to wait for it."""

    sync: Annotated[bool, Field(description="Answer only when the attempt has ended.")] = False


class UnmanagedUpdate(Conversion):
    """What shall change of a code."""

    is_managed: bool
    """True has it looked after from now on."""


class UnmanagedDelete(OfCode):
    """A code that shall be no more."""

    sync: Annotated[bool, Field(description="Answer only when the attempt has ended.")] = False


@endpoint({"access_code": UnmanagedAccessCode})
async def get(ask: CodeGet, caller: Caller, engine: Engine, clock: Clock) -> Answer:
    """Returns a code that is not managed."""
    code = await found(ask, caller, engine, is_managed=False)
    return {"access_code": Shown(engine, clock).unmanaged(code)}


@endpoint({"access_codes": list[UnmanagedAccessCode], "pagination": Pagination})
async def list_(
    ask: UnmanagedList, caller: Caller, engine: Engine, store: Store, clock: Clock, pages: Pages
) -> Answer:
    """Lists a lock's codes that are not managed, oldest first."""
    engine.access_codes.keypad(caller.workspace.id, ask.device_id, caller.reach)
    reach = await reach_of_user(ask.user_identifier_key, caller, store)
    wanted = CodeFilter(device_id=ask.device_id, search=ask.search, is_managed=False, reach=reach)
    codes = await engine.access_codes.listed(
        caller.workspace.id, wanted, after=pages.after, limit=ask.most + 1
    )
    page, pagination = pages.turn(codes, ask.most, lambda code: (code.created_at, code.id))
    shown = Shown(engine, clock)
    return {"access_codes": [shown.unmanaged(code) for code in page], "pagination": pagination}


@endpoint(methods=UPDATE, waits_for_others=True)
async def convert_to_managed(ask: ConvertToManaged, caller: Caller, engine: Engine, call: Call) -> Answer:
    """Has a code looked after from now on that somebody set at its lock."""
    attempt = await _convert(ask, caller, engine, call)
    await settled(call, engine, attempt, sync=ask.sync or _is_quick(attempt, caller, engine))
    return {}


@endpoint(methods=UPDATE, waits_for_others=True)
async def update(ask: UnmanagedUpdate, caller: Caller, engine: Engine, call: Call) -> Answer:
    """Has a code looked after from now on, if it shall be managed."""
    if ask.is_managed:
        attempt = await _convert(ask, caller, engine, call)
        await settled(call, engine, attempt, sync=_is_quick(attempt, caller, engine))
    else:
        await engine.access_codes.get(caller.workspace.id, ask.access_code_id, caller.reach, is_managed=False)
    return {}


@endpoint({"action_attempt": ActionAttempt}, methods=DELETE, waits_for_others=True)
async def delete(ask: UnmanagedDelete, caller: Caller, engine: Engine, call: Call) -> Answer:
    """Deletes a code at its lock that somebody set there."""
    attempt = await engine.access_codes.delete(
        caller.workspace.id, ask.access_code_id, asker_of(call, caller), caller.reach, is_managed=False
    )
    return {"action_attempt": attempt_json(await settled(call, engine, attempt, sync=ask.sync))}


async def _convert(ask: Conversion, caller: Caller, engine: Engine, call: Call) -> Attempt:
    return await engine.access_codes.convert(
        caller.workspace.id,
        ask.access_code_id,
        asker_of(call, caller),
        caller.reach,
        may_be_modified=ask.may_be_modified,
    )


def _is_quick(attempt: Attempt, caller: Caller, engine: Engine) -> bool:
    """True if its lock can be asked now. The answer says nothing of the attempt: then it shall be true."""
    return engine.access_codes.lock(caller.workspace.id, attempt.device_id or "", caller.reach).online
