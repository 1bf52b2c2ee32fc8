"""How many attempts a workspace may have open."""

from __future__ import annotations

import pytest

from tests.fixtures.wire import Wire
from thumbturn.domain.clock import SECOND, seconds, to_wire
from thumbturn.engine import begun


async def test_a_workspace_has_so_many_open_attempts_and_no_more(wire: Wire, monkeypatch: pytest.MonkeyPatch):
    """One too many is 429 and no attempt; what ends makes room, and other workspaces have their own."""
    monkeypatch.setattr(begun, "MOST_OPEN", 2)
    later = to_wire(wire.house.clock.now() + 3_600 * SECOND)
    ask = {"device_id": await wire.door(), "not_before": later}
    ids = [
        (await wire.call("/locks/lock_door", **ask))["action_attempt"]["action_attempt_id"] for _ in range(2)
    ]
    refused = await wire.ask("POST", "/locks/lock_door", ask)
    assert (refused.status, refused.error["type"]) == (429, "too_many_open_attempts")
    assert len((await wire.call("/thumbturn/attempts/search"))["attempts"]) == 2
    _, token = await wire.another_workspace()
    [door, *_] = (await wire.ask("POST", "/locks/list", {}, token=token)).json["locks"]
    theirs = {"device_id": door["device_id"]}
    assert (await wire.ask("POST", "/locks/lock_door", theirs, token=token)).status == 200
    await wire.call("/thumbturn/attempts/cancel", action_attempt_id=ids[0])
    await wire.house.clock.advance(seconds(1))
    await wire.call("/locks/lock_door", **ask)
