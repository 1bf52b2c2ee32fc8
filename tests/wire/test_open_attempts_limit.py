"""How many attempts a workspace may have open."""

from __future__ import annotations

import pytest

from tests.fixtures.wire import Wire
from thumbturn.domain.clock import SECOND, seconds, to_wire
from thumbturn.engine import acceptance


async def test_a_workspace_has_so_many_open_attempts_and_no_more(wire: Wire, monkeypatch: pytest.MonkeyPatch):
    """One too many is 429 and no attempt; what ends makes room, and other workspaces have their own."""
    monkeypatch.setattr(acceptance, "MOST_OPEN", 2)
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


async def test_a_batch_needs_room_for_all_of_its_attempts(wire: Wire, monkeypatch: pytest.MonkeyPatch):
    """One more than there is room for refuses the whole; nothing of it begins."""
    monkeypatch.setattr(acceptance, "MOST_OPEN", 2)
    command = {"path": "/locks/lock_door", "parameters": {"device_id": await wire.door()}}
    refused = await wire.ask("POST", "/thumbturn/attempts/batch", {"commands": [command] * 3})
    assert (refused.status, refused.error["type"]) == (429, "too_many_open_attempts")
    assert (await wire.call("/action_attempts/list"))["action_attempts"] == []
    await wire.call("/thumbturn/attempts/batch", commands=[command] * 2)
