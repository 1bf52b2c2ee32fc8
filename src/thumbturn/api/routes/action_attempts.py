"""``/action_attempts``: looking at attempts."""

from __future__ import annotations

from thumbturn.api.call import Call
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Listing, Maybe, Parameters
from thumbturn.api.waiting import settled
from thumbturn.api.wire.attempt import ActionAttempt, attempt_json
from thumbturn.api.wire.pagination import Pagination
from thumbturn.domain.refusals import ActionAttemptNotFound
from thumbturn.engine.ports import Store
from thumbturn.engine.underway import Underway


class AttemptGet(Parameters):
    """Which attempt."""

    action_attempt_id: str
    """The attempt."""


class AttemptList(Listing):
    """Which attempts."""

    action_attempt_ids: Maybe[list[str]] = None
    """Only these."""
    device_id: Maybe[str] = None
    """Only those of this device."""


@endpoint({"action_attempt": ActionAttempt}, waits_for_others=True)
async def get(ask: AttemptGet, caller: Caller, store: Store, underway: Underway, call: Call) -> Answer:
    """Returns an action attempt; with ``Prefer: wait=N``, once it has ended or N seconds are over."""
    id = ask.action_attempt_id
    progress = await store.progress(caller.workspace.id, id, caller.reach)
    if progress is None:
        raise ActionAttemptNotFound(data={"action_attempt_id": id})
    return {"action_attempt": attempt_json(await settled(call, underway, progress))}


@endpoint({"action_attempts": list[ActionAttempt], "pagination": Pagination})
async def list_(ask: AttemptList, caller: Caller, store: Store, pages: Pages) -> Answer:
    """Lists action attempts, oldest first."""
    found = await store.attempts(
        caller.workspace.id,
        ids=ask.action_attempt_ids,
        device_id=ask.device_id,
        after=pages.after,
        limit=ask.most + 1,
    )
    page, pagination = pages.turn(found, ask.most, lambda attempt: (attempt.accepted_at, attempt.id))
    return {"action_attempts": [attempt_json(attempt) for attempt in page], "pagination": pagination}
