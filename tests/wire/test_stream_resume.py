"""Coming back to the stream: behind the last id, without loss or repeat, wherever the connection was cut."""

from __future__ import annotations

import pytest

from tests.fixtures.sse import Reading, SseParser, tell, unlock
from tests.fixtures.wire import Wire
from thumbturn.api.following import TELL_PLACE_AFTER
from thumbturn.engine.ports import EventFilter
from thumbturn.engine.ring import SIZE


async def test_resuming(wire: Wire):
    """From the last id on: what is behind it comes at once, then what happens, each once."""
    await tell(wire, 5)
    reading = await Reading(wire, last_event_id="2").settle()
    assert [frame.last_event_id for frame in reading.frames] == ["2", "3", "4", "5"]
    await tell(wire, 2)
    await reading.settle()
    assert [place for place, _ in reading.told] == [3, 4, 5, 6, 7]
    await reading.close()


@pytest.mark.parametrize(
    ("query", "header", "first"),
    [("last_event_id=0", None, 1), ("last_event_id=0", "4", 5), ("last_event_id=3", "", 4)],
)
async def test_where_the_id_may_stand(wire: Wire, query: str, header: str | None, first: int):
    """The query serves clients that cannot set the header; the header, which browsers send anew, wins."""
    await tell(wire, 5)
    reading = await Reading(wire, query, last_event_id=header).settle()
    assert [place for place, _ in reading.told] == list(range(first, 6))
    await reading.close()


async def test_resuming_at_every_possible_cut(wire: Wire):
    """Cut after any byte and resumed with the last id that counts, every event has come exactly once."""
    first = await Reading(wire, "last_event_id=0").settle()
    for name in ("Front Door", "Back Door"):
        await unlock(wire, name)
    await tell(wire, 3)
    await first.settle()
    await first.close()
    whole, recorded = first.told, first.received
    assert [place for place, _ in whole] == list(range(1, len(whole) + 1))
    assert len(whole) == 7
    for cut in range(len(recorded) + 1):
        parser = SseParser()
        seen = [(int(each.last_event_id), each.type) for each in parser.feed(recorded[:cut])]
        seen = [each for each in seen if each[1] not in {"ready", "action_attempt"}]
        again = await Reading(wire, "last_event_id=0", last_event_id=parser.last_event_id or None).settle()
        assert seen + again.told == whole, f"cut after {cut} bytes"
        await again.close()


@pytest.mark.parametrize("wanted", ["device.connected", "device.disconnected"])
async def test_resuming_with_a_filter(wire: Wire, wanted: str):
    """However often a reader of one type is cut, after each event, he gets each of that type once."""
    for _ in range(6):
        await tell(wire, 2, "device.connected")
        await tell(wire, 1, "device.disconnected")
    seen: list[int] = []
    last_event_id = "0"
    while True:
        reading = await Reading(wire, f"event_type={wanted}", last_event_id=last_event_id).settle()
        await reading.close()
        if not reading.told:
            break
        seen.append(reading.told[0][0])
        last_event_id = str(reading.told[0][0])
    stored = await wire.house.store.events("w1", EventFilter(event_types=[wanted]), limit=99)
    assert seen == [event.sequence for event in stored]


async def test_a_far_resume(wire: Wire):
    """Somebody who was away for thousands of events gets all of them, and then what happens."""
    await tell(wire, 4 * SIZE)
    reading = await Reading(wire, last_event_id="7").settle()
    await tell(wire)
    await reading.settle()
    assert [place for place, _ in reading.told] == list(range(8, 4 * SIZE + 2))
    await reading.close()


async def test_unwanted_events_move_the_place(wire: Wire):
    """Who wants few of many events is told his place now and then, and need not search them all again."""
    reading = await Reading(wire, "event_type=lock.unlocked").settle()
    await tell(wire, TELL_PLACE_AFTER + 50)
    await reading.settle()
    assert reading.frames[1:] == []
    assert int(reading.parser.last_event_id) >= TELL_PLACE_AFTER
    before = reading.received
    await tell(wire, 50)
    await reading.settle()
    assert reading.received == before, "not for each of them"
    await unlock(wire)
    assert [place for place, _ in reading.told] == [TELL_PLACE_AFTER + 101]
    await reading.close()
