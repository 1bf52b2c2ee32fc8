"""``/access_codes``: the codes of locks. What is asked here is made so at the lock behind the answer."""

from __future__ import annotations

from dataclasses import replace

from thumbturn.api.access_codes import (
    CodeCreate,
    CodeDelete,
    CodeGet,
    CodeList,
    CodesCreate,
    CodesUpdate,
    CodeUpdate,
    Constraints,
    OfCode,
    Shown,
    found,
    new_code,
    shown,
)
from thumbturn.api.asking import asker_of
from thumbturn.api.call import Call
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import DELETE, REPLACE, WRITE, Answer, endpoint
from thumbturn.api.endpoint import UPDATE as PATCH
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import OfDevice
from thumbturn.api.waiting import settled
from thumbturn.api.wire.access_code import AccessCode
from thumbturn.api.wire.attempt import ActionAttempt, attempt_json
from thumbturn.api.wire.pagination import Pagination
from thumbturn.domain.clock import Clock
from thumbturn.domain.pin import REPORTED
from thumbturn.engine.code_refusals import AccessCodeNotFound
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Store

UPDATE = ("POST", "PUT", "PATCH")


@endpoint({"access_code": AccessCode, "action_attempt": ActionAttempt}, methods=WRITE, waits_for_others=True)
async def create(ask: CodeCreate, caller: Caller, engine: Engine, clock: Clock, call: Call) -> Answer:
    """Creates a code. It is on its lock soon, or, if it has a start, ahead of that."""
    ask.check()
    new = new_code(ask, common_code_key=ask.common_code_key)
    code, attempt = await engine.access_codes.create(
        caller.workspace.id, ask.device_id, new, asker_of(call, caller), caller.reach
    )
    ended = await settled(call, engine, attempt, sync=ask.sync)
    if ended is not attempt:
        code = await engine.access_codes.stands(code)
    if ask.use_backup_access_code_pool:
        await engine.backup_pool.use(engine.access_codes.lock(caller.workspace.id, code.device_id))
    [as_shown] = await shown((code,), engine, clock)
    return {"access_code": as_shown, "action_attempt": attempt_json(ended)}


@endpoint({"access_code": AccessCode})
async def get(ask: CodeGet, caller: Caller, engine: Engine, clock: Clock) -> Answer:
    """Returns a code."""
    [as_shown] = await shown((await found(ask, caller, engine, is_managed=True),), engine, clock)
    return {"access_code": as_shown}


@endpoint({"access_codes": list[AccessCode], "pagination": Pagination})
async def list_(
    ask: CodeList, caller: Caller, engine: Engine, store: Store, clock: Clock, pages: Pages
) -> Answer:
    """Lists codes, oldest first."""
    wanted = await ask.wanted(caller, engine, store)
    codes = await engine.access_codes.listed(
        caller.workspace.id, wanted, after=pages.after, limit=ask.most + 1
    )
    page, pagination = pages.turn(codes, ask.most, lambda code: (code.created_at, code.id))
    return {"access_codes": await shown(page, engine, clock), "pagination": pagination}


@endpoint({"action_attempt": ActionAttempt}, methods=UPDATE, waits_for_others=True)
async def update(ask: CodeUpdate, caller: Caller, engine: Engine, call: Call) -> Answer:
    """Changes a code, here at once and then at its lock."""
    ask.check()
    await _at(ask.device_id, ask.access_code_id, caller, engine)
    which = caller.workspace.id, ask.access_code_id
    asker = asker_of(call, caller)
    if ask.is_managed is False:
        attempt = await engine.code_handover.hand_over(*which, asker, caller.reach)
    else:
        attempt = await engine.access_codes.update(*which, ask.changes(), asker, caller.reach)
    if ask.use_backup_access_code_pool and attempt.device_id is not None:
        await engine.backup_pool.use(engine.access_codes.lock(caller.workspace.id, attempt.device_id))
    return {"action_attempt": attempt_json(await settled(call, engine, attempt, sync=ask.sync))}


@endpoint({"action_attempt": ActionAttempt}, methods=DELETE, waits_for_others=True)
async def delete(ask: CodeDelete, caller: Caller, engine: Engine, call: Call) -> Answer:
    """Deletes a code: it is gone when its lock holds it no longer."""
    await _at(ask.device_id, ask.access_code_id, caller, engine)
    attempt = await engine.access_codes.delete(
        caller.workspace.id, ask.access_code_id, asker_of(call, caller), caller.reach
    )
    return {"action_attempt": attempt_json(await settled(call, engine, attempt, sync=ask.sync))}


@endpoint({"generated_code": AccessCode})
async def generate_code(ask: OfDevice, caller: Caller, engine: Engine, clock: Clock) -> Answer:
    """Makes up a code that a lock would take. Nothing is created: create it with this PIN."""
    code = await engine.access_codes.generate(caller.workspace.id, ask.device_id, caller.reach)
    return {"generated_code": Shown(engine, clock).managed(code)}


@endpoint({"access_codes": list[AccessCode]}, methods=REPLACE)
async def create_multiple(
    ask: CodesCreate, caller: Caller, engine: Engine, clock: Clock, call: Call
) -> Answer:
    """Creates a code for each of several locks, all or none, with one PIN if they can share one."""
    codes = await engine.several_codes.create(
        caller.workspace.id,
        ask.device_ids,
        new_code(ask),
        ask.behavior_when_code_cannot_be_shared,
        asker_of(call, caller),
        caller.reach,
    )
    if ask.use_backup_access_code_pool:
        for code in codes:
            await engine.backup_pool.use(engine.access_codes.lock(caller.workspace.id, code.device_id))
    return {"access_codes": await shown(codes, engine, clock)}


@endpoint(methods=PATCH)
async def update_multiple(ask: CodesUpdate, caller: Caller, engine: Engine, call: Call) -> Answer:
    """Changes the codes that share a PIN which was made up for them, all or none."""
    await engine.several_codes.update(
        caller.workspace.id, ask.common_code_key, ask.changes(), asker_of(call, caller), caller.reach
    )
    return {}


@endpoint({"access_code": AccessCode, "backup_access_code": AccessCode}, methods=WRITE)
async def pull_backup_access_code(ask: OfCode, caller: Caller, engine: Engine, clock: Clock) -> Answer:
    """Takes a backup into use for a code with an end; the same one, however often it is asked for.

    The backup is in both keys of the answer: `access_code` is what the SDKs read.
    """
    _, backup = await engine.backup_pool.pull(caller.workspace.id, ask.access_code_id, caller.reach)
    [as_shown] = await shown((backup,), engine, clock)
    return {"access_code": as_shown, "backup_access_code": as_shown}


@endpoint(methods=WRITE)
async def report_device_constraints(ask: Constraints, caller: Caller, engine: Engine) -> Answer:
    """Says how many digits the codes of a lock have, if it takes others than it says itself."""
    workspace_id = caller.workspace.id
    engine.access_codes.lock(workspace_id, ask.device_id, caller.reach)
    await engine.change_device(
        workspace_id,
        ask.device_id,
        lambda device: replace(device, settings={**device.settings, REPORTED: ask.lengths()}),
        caller.reach,
    )
    return {}


async def _at(device_id: str | None, access_code_id: str, caller: Caller, engine: Engine) -> None:
    """Return if the code is the named lock's, or none is named. Raises ``AccessCodeNotFound``."""
    if device_id is None:
        return
    code = await engine.access_codes.get(caller.workspace.id, access_code_id, caller.reach)
    if code.device_id != device_id:
        raise AccessCodeNotFound(data={"access_code_id": access_code_id})
