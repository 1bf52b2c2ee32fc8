"""The driver ``zwave_js`` and a hub that sets a lock's mode by itself: which report confirms what."""

from __future__ import annotations

import pytest

from tests.contract.zwave_honesty import why
from tests.fixtures.zwave_home import PLAIN, FakeHome
from thumbturn.domain.evidence import Evidence


@pytest.fixture
async def home():
    """A home whose hub is a fake."""
    it = FakeHome()
    await it.open()
    yield it
    await it.close()


@pytest.mark.parametrize("travel", [10, 300, 650])
async def test_a_quick_jam_behind_an_optimistic_hub_is_no_success(home: FakeHome, travel: int):
    """The values of a lock's own report say nothing of the mode that its hub had set before it."""
    home.hub.is_optimistic = True
    home.hub.nodes[4].travel = travel
    await home.fault(PLAIN, "jam")
    assert why(await home.run("UNLOCK_DOOR", PLAIN)) == "lock_jammed"
    assert await home.told("lock.unlocked") == []
    assert home.device(PLAIN).state["locked"] is True


@pytest.mark.parametrize("before", [0.02, 0.5])
async def test_a_report_before_what_a_hub_sets_by_itself_confirms_nothing(home: FakeHome, before: float):
    """A report of its door that comes right before the hub's own value is about the bolt as it was then."""
    node = home.hub.nodes[4]
    await home.fault(PLAIN, "silent")
    node.travel = 3_600_000
    await home.begin("UNLOCK_DOOR", PLAIN)
    await home.pass_time(0.1)
    home.hub._report(node)
    await home.pass_time(before)
    home.hub.update(4, 98, "currentMode", 0)
    await home.pass_time(1.5)
    assert await home.told("lock.unlocked") == []
    assert home.device(PLAIN).state["locked"] is True


async def test_a_report_of_a_bolt_that_is_nowhere_confirms_nothing(home: FakeHome):
    """A report whose mode is unknown is no success, whatever its hub had set before."""
    home.hub.is_optimistic = True
    node = home.hub.nodes[4]
    await home.fault(PLAIN, "silent")
    node.travel = 3_600_000
    await home.begin("UNLOCK_DOOR", PLAIN)
    for after in (0.02, 0.3):
        await home.pass_time(after)
        home.hub.update(4, 98, "insideHandlesCanOpenDoor", [True] * 4)
        home.hub.update(4, 98, "currentMode", 254)
        home.hub.update(4, 98, "boltStatus", "locked")
    await home.pass_time(1.5)
    assert await home.told("lock.unlocked") == []
    assert home.device(PLAIN).state["locked"] is True


@pytest.mark.parametrize("order", [("boltStatus", "currentMode"), ("currentMode", "boltStatus")])
async def test_a_report_is_the_lock_s_word_in_any_order(home: FakeHome, order: tuple[str, str]):
    """A mode that comes with other values is the lock's own, whichever its hub says first."""
    home.hub.is_optimistic = True
    await home.fault(PLAIN, "silent")
    home.hub.nodes[4].travel = 3_600_000
    attempt = await home.begin("UNLOCK_DOOR", PLAIN)
    await home.pass_time(0.3)
    for name in order:
        home.hub.update(4, 98, name, {"currentMode": 0, "boltStatus": "unlocked"}[name])
    await home.pass_time(0.1)
    ended = await home.store.attempt("home", attempt.id)
    assert (why(ended), ended.evidence) == (None, Evidence.STATE_REPORT)
