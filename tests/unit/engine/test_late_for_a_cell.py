"""A command whose engine lost its cell while it was being stored."""

from __future__ import annotations

import asyncio

import pytest

from thumbturn.domain.refusals import Fenced


async def test_who_came_too_late_for_a_cell_is_told_at_once(house, monkeypatch):
    """Nothing of it is on record then, so nothing is made void: it can be accepted elsewhere."""
    written = []

    async def too_late(_attempt):
        raise Fenced

    async def write(change):
        written.append(change)
        raise Fenced

    door = await house.lock()
    monkeypatch.setattr(house.store, "accept", too_late)
    monkeypatch.setattr(house.store, "apply", write)
    accepting = asyncio.ensure_future(house.run("UNLOCK_DOOR", door))
    await house.clock.settle()
    assert accepting.done()
    with pytest.raises(Fenced):
        accepting.result()
    assert written == []
