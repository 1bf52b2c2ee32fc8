"""``/thumbturn/attempts``: the whole story of an attempt."""

from __future__ import annotations

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.routes.action_attempts import AttemptGet
from thumbturn.api.wire.timeline import Timeline, timeline_json
from thumbturn.domain.refusals import ActionAttemptNotFound
from thumbturn.engine.ports import Store


@endpoint({"timeline": Timeline})
async def timeline(ask: AttemptGet, caller: Caller, store: Store) -> Answer:
    """Returns every stage of an attempt, to the microsecond, with its evidence."""
    found = await store.timeline(caller.workspace.id, ask.action_attempt_id)
    if found is None:
        raise ActionAttemptNotFound(data={"action_attempt_id": ask.action_attempt_id})
    return {"timeline": timeline_json(found)}
