"""``/thumbturn``: what this server has beyond the contract. Here is whether it can do its work."""

from __future__ import annotations

from collections.abc import Iterator

from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.readiness import Observer
from thumbturn.api.refusals import NotReady
from thumbturn.api.wire.readiness import Readiness


@endpoint({"readiness": Readiness}, methods=("GET",), is_public=True)
async def ready(observer: Observer) -> Answer:
    """Says whether the server can do its work, part by part. Needs no token.

    If a part cannot, the answer is 503 `not_ready`, with the same `readiness` in the error's `data`.
    """
    readiness = await observer.look()
    if not readiness["is_ready"]:
        raise NotReady(" ".join(_complaints(readiness)), data={"readiness": readiness})
    return {"readiness": readiness}


def _complaints(readiness: Readiness) -> Iterator[str]:
    for part in (readiness["database"], readiness["writer"], readiness["backlog"]):
        if part["message"]:
            yield part["message"]
    for driver in readiness["drivers"]:
        if driver["message"]:
            yield f"Driver {driver['driver']}: {driver['message']}"
