"""How many streams a workspace may have open."""

from __future__ import annotations

import pytest

from tests.fixtures.sse import Reading
from tests.fixtures.wire import Wire
from thumbturn.api.routes import thumbturn as routes


async def test_a_workspace_has_so_many_streams_and_no_more(wire: Wire, monkeypatch: pytest.MonkeyPatch):
    """One stream too many is 429; another workspace still gets one, and so does this one when one ends."""
    monkeypatch.setattr(routes, "MOST_STREAMS", 2)
    open_ones = [await Reading(wire).settle() for _ in range(2)]
    refused = await Reading(wire).settle()
    assert (refused.status, refused.refusal["type"]) == (429, "too_many_streams")
    _, token = await wire.another_workspace()
    other = await Reading(wire, token=token).settle()
    assert other.status == 200
    await open_ones.pop().close()
    open_ones.append(await Reading(wire).settle())
    assert open_ones[-1].status == 200
    for each in (*open_ones, other):
        await each.close()
