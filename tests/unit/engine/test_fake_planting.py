"""How an unused database becomes the world of Seam's fake, also when a start is cut off half-way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.engine import House
from thumbturn.domain.clock import seconds
from thumbturn.engine.client_session_ports import ClientSessionFilter
from thumbturn.engine.ports import DeviceFilter, EventFilter
from thumbturn.engine.webview_ports import WebviewFilter
from thumbturn.sealing import Seal, new_key
from thumbturn.worlds.fake_seam_connect import planting, things
from thumbturn.worlds.fake_seam_connect.facts import HOME


class CutOff(Exception):
    """The process ended here."""


@pytest.fixture
def seal(tmp_path: Path) -> Seal:
    return Seal([new_key(tmp_path)])


async def plant(house: House, seal: Seal) -> None:
    """Plant that world in a house whose virtual world begins as it does."""
    house.driver._beginnings = things
    await planting.plant(house.store, house.engine, seal, house.clock)


async def counts(house: House) -> list[int]:
    """How many workspaces of the person, devices, webviews, sessions and events there are."""
    store = house.store
    return [
        len(await store.workspaces_of_user("john_user_id")),
        len(await store.devices(HOME, DeviceFilter(), limit=99)),
        len(await store.webviews.listed(HOME, WebviewFilter(), limit=99)),
        len(await store.client_sessions.listed(HOME, ClientSessionFilter(), limit=99)),
        len(await store.events(HOME, EventFilter(), limit=99)),
    ]


WHOLE = [1, 5, 1, 1, 1]


async def test_it_is_planted_once(house, seal):
    """A second start finds it whole and changes nothing, whatever became of it meanwhile."""
    await plant(house, seal)
    assert await counts(house) == WHOLE
    session = await house.store.client_sessions.get(HOME, "cst1")
    await house.store.client_sessions.remove(HOME, "cst1", session.deleted(house.clock.now()))
    await plant(house, seal)
    assert await counts(house) == [1, 5, 1, 0, 2]


@pytest.mark.parametrize("step", ["_add_webview", "_add_session"])
async def test_a_start_that_was_cut_off_is_gone_on_with(house, seal, step, monkeypatch):
    """Wherever a start was cut off, the next one makes the world whole, with nothing twice."""

    async def cut_off(*_: object) -> None:
        raise CutOff

    with monkeypatch.context() as patch:
        patch.setattr(planting, step, cut_off)
        with pytest.raises(CutOff):
            await plant(house, seal)
    assert await counts(house) != WHOLE
    await plant(house, seal)
    assert await counts(house) == WHOLE


async def test_its_devices_stand_still(house, seal):
    """Nothing in that world moves by itself: hours later no device has told anything."""
    await plant(house, seal)
    for _ in range(3 * 12):
        await house.clock.advance(seconds(300))
    events = await house.store.events(HOME, EventFilter(), limit=99)
    assert [event.event_id for event in events] == ["event1"]
