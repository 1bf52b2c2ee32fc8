"""``/thumbturn/attempts``: the whole story of an attempt, finding the one that is wanted, cancelling."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Annotated, Literal

from pydantic import Field

from thumbturn.api.asking import asker_of
from thumbturn.api.batches import BatchBegin, begin_batch
from thumbturn.api.call import Call
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import WRITE, Answer, endpoint
from thumbturn.api.once import Once
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Listing, Maybe, Moment
from thumbturn.api.routes.action_attempts import AttemptGet
from thumbturn.api.surroundings import ApiSettings
from thumbturn.api.waiting import all_settled
from thumbturn.api.wire.attempt import ActionAttempt, attempt_json
from thumbturn.api.wire.batch import Batch, batch_json
from thumbturn.api.wire.explanation import Explanation, explanation_json
from thumbturn.api.wire.found import FoundAttempt, found_json
from thumbturn.api.wire.pagination import Pagination
from thumbturn.api.wire.timeline import Timeline, timeline_json
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import Clock
from thumbturn.domain.idempotency import KeepAll
from thumbturn.domain.refusals import ActionAttemptNotFound
from thumbturn.engine import ports
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import AttemptFilter, Store

#: Names that some have for a type which is written otherwise.
RENAMED = {"REMOVE_NOISE_THRESHOLD": "DELETE_NOISE_THRESHOLD"}


class AttemptSearch(Listing):
    """Which attempts. What is not given does not matter."""

    status: Maybe[Literal["pending", "success", "error"]] = None
    """Only in this status."""
    action_type: Maybe[str] = None
    """Only of this type."""
    device_id: Maybe[str] = None
    """Only of this device."""
    actor: Maybe[str] = None
    """Only asked for this actor, as the header Thumbturn-Actor named him."""
    error_type: Maybe[str] = None
    """Only those that failed of this cause."""
    since: Maybe[Moment] = None
    """Only those accepted at this moment or later."""
    before: Maybe[Moment] = None
    """Only those accepted before this moment."""
    limit: Annotated[int, Field(gt=0)] = 100
    """How many at most; never more than 10,000 at once."""


@endpoint({"timeline": Timeline})
async def timeline(ask: AttemptGet, caller: Caller, store: Store) -> Answer:
    """Returns every stage of an attempt, to the microsecond, with its evidence."""
    return {"timeline": timeline_json(await _timeline(ask, caller, store))}


@endpoint({"explanation": Explanation})
async def explain(ask: AttemptGet, caller: Caller, store: Store, engine: Engine) -> Answer:
    """Returns who asked for an attempt, what became of it, why, and what to do next."""
    found = await _timeline(ask, caller, store)
    action = engine.actions.get(found.attempt.action_type)
    return {"explanation": explanation_json(engine.begun.standing(found.attempt), found.late, action)}


@endpoint({"attempts": list[FoundAttempt], "pagination": Pagination})
async def search(ask: AttemptSearch, caller: Caller, store: Store, pages: Pages) -> Answer:
    """Finds attempts by what is known of them, newest first."""
    wanted = AttemptFilter(
        status=ask.status,
        action_type=None if ask.action_type is None else RENAMED.get(ask.action_type, ask.action_type),
        device_id=ask.device_id,
        actor=ask.actor,
        cause=ask.error_type,
        since=ask.since,
        before=ask.before,
        reach=caller.reach,
    )
    found = await store.search_attempts(caller.workspace.id, wanted, after=pages.after, limit=ask.most + 1)
    page, pagination = pages.turn(found, ask.most, lambda attempt: (attempt.accepted_at, attempt.id))
    return {"attempts": [found_json(attempt) for attempt in page], "pagination": pagination}


@endpoint({"action_attempt": ActionAttempt}, methods=WRITE)
async def cancel(ask: AttemptGet, caller: Caller, engine: Engine, call: Call) -> Answer:
    """Ends an attempt that was not sent yet: its device does not act. Once it was sent it is too late."""
    by = asker_of(call, caller).in_words()
    attempt = await engine.begun.cancel(caller.workspace.id, ask.action_attempt_id, by, caller.reach)
    return {"action_attempt": attempt_json(attempt)}


@endpoint({"batch": Batch}, methods=WRITE)
async def batch_(
    ask: BatchBegin,
    caller: Caller,
    engine: Engine,
    store: Store,
    settings: ApiSettings,
    clock: Clock,
    call: Call,
    once: Once,
) -> Answer:
    """Begins an attempt for each of up to 500 commands, all of them or none."""

    def begun(*, keep: KeepAll | None = None) -> Awaitable[Sequence[Attempt]]:
        asker, wording = asker_of(call, caller), settings.error_wording
        return begin_batch(ask, caller, asker, engine, clock, wording, keep=keep)

    attempts = await once.attempts(begun, _batch)
    if await all_settled(call, engine, attempts):
        attempts = await store.batch(caller.workspace.id, attempts[0].batch_id or "")
    return _batch(attempts)


def _batch(attempts: Sequence[Attempt]) -> Answer:
    return {"batch": batch_json(attempts[0].batch_id or "", attempts)}


async def _timeline(ask: AttemptGet, caller: Caller, store: Store) -> ports.Timeline:
    found = await store.timeline(caller.workspace.id, ask.action_attempt_id, caller.reach)
    if found is None:
        raise ActionAttemptNotFound(data={"action_attempt_id": ask.action_attempt_id})
    return found
