"""``/thumbturn/attempts/batch``: looking at attempts that were accepted together."""

from __future__ import annotations

from thumbturn.api.call import Call
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.parameters import Parameters
from thumbturn.api.waiting import all_settled
from thumbturn.api.wire.batch import Batch, batch_json
from thumbturn.domain.refusals import BatchNotFound
from thumbturn.engine.ports import Store
from thumbturn.engine.underway import Underway


class BatchGet(Parameters):
    """Which batch."""

    batch_id: str
    """The batch."""


@endpoint({"batch": Batch}, waits_for_others=True)
async def get(ask: BatchGet, caller: Caller, underway: Underway, store: Store, call: Call) -> Answer:
    """Returns a batch with each of its attempts; with ``Prefer: wait=N``, once all of them have ended."""
    attempts = await store.batch(caller.workspace.id, ask.batch_id, caller.reach)
    if not attempts:
        raise BatchNotFound(data={"batch_id": ask.batch_id})
    if await all_settled(call, underway, attempts):
        attempts = await store.batch(caller.workspace.id, ask.batch_id, caller.reach)
    return {"batch": batch_json(ask.batch_id, attempts)}
