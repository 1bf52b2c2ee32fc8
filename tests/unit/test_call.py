"""What an endpoint sees of its request, and what it may add to the reply."""

from __future__ import annotations

from typing import Any

import httpx

from thumbturn.api.call import Call
from thumbturn.api.endpoint import endpoint
from thumbturn.api.server import Api
from thumbturn.api.surroundings import ApiSettings, Surroundings
from thumbturn.engine.cells import Cell, OneCell


async def repeats(call: Call) -> Any:
    """Says what it was told in a header."""
    call.add_reply_header("x-said", call.header(b"x-say") or "nothing")
    return {"path": call.path, "request_id": call.request_id}


class Mute:
    """An engine of which nothing is asked."""

    meters = records = None


async def test_an_endpoint_sees_its_request_and_adds_headers_to_the_reply():
    """The call carries path, request id and headers; a header it is given goes out with the answer."""
    table = {"/repeats": endpoint(at="/repeats", is_public=True)(repeats)}
    nothing: Any = None
    cell = Cell(
        number=0,
        engine=Mute(),  # type: ignore[arg-type]
        acs_users=nothing,
        acs_credentials=nothing,
        connect_webviews=nothing,
    )
    surroundings = Surroundings(
        cells=OneCell(cell, "p1"),
        store=nothing,
        webhooks=nothing,
        clock=nothing,
        feed=nothing,
        client_sessions=nothing,
        user_identities=nothing,
        phones=nothing,
        pins=nothing,
        settings=ApiSettings(),
    )
    transport = httpx.ASGITransport(Api(surroundings, table, {}))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        told = await client.get("/repeats", headers={"X-Say": "Grüße".encode()})
        silent = await client.get("/repeats")
    assert told.json()["path"] == "/repeats"
    assert told.json()["request_id"] == told.headers["seam-request-id"]
    assert dict(told.headers.raw)[b"x-said"] == "Grüße".encode()
    assert silent.headers["x-said"] == "nothing"
