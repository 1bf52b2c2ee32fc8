"""The stream of a client session: the events and attempts of its devices, for as long as it is good."""

from __future__ import annotations

import pytest

from tests.fixtures.sessions import OTHER, Guest, guest, own_account, second_account
from tests.fixtures.sse import Reading, SseParser, tell, unlock
from tests.fixtures.wire import Wire
from thumbturn.api.callers import ASKED_AGAIN_AFTER
from thumbturn.api.following import TELL_PLACE_AFTER
from thumbturn.api.routes.thumbturn import MOST_STREAMS_OF_A_SESSION
from thumbturn.domain.clock import SECOND, to_wire

ENDED = [{"type": "unauthorized", "message": "The key does not open this workspace any more."}]


@pytest.fixture
async def held(wire: Wire) -> Guest:
    """Somebody who reaches the front door, which has an account of its own."""
    return await guest(wire, await second_account(wire, "Front Door"))


async def told_to_all(wire: Wire) -> list[tuple[int, str, str | None]]:
    """Every event of the workspace: its place, type and account."""
    events = (await wire.call("/events/list", since="2000-01-01T00:00:00Z"))["events"]
    return [
        (place, each["event_type"], each.get("connected_account_id")) for place, each in enumerate(events, 1)
    ]


async def test_stream_tells_what_is_within_reach(wire: Wire, held: Guest):
    """Of two doors a session hears the one that it reaches, its events and its attempts, and nothing more."""
    reading = await Reading(wire, token=held.token).settle()
    mine = await unlock(wire, "Front Door")
    await unlock(wire, "Back Door")
    made = await wire.call("/client_sessions/create")
    await wire.call("/client_sessions/delete", client_session_id=made["client_session"]["client_session_id"])
    await tell(wire, 3)
    await reading.settle()
    expected = [(place, type) for place, type, account in await told_to_all(wire) if account == OTHER]
    assert reading.told == expected
    assert len(expected) == 2
    moved = {each["action_attempt"]["action_attempt_id"] for each in reading.of("action_attempt")}
    assert moved == {mine}
    await reading.close()


async def test_filters_do_not_reach_further(wire: Wire, held: Guest):
    """Naming another's door shows nothing, and another's attempt is unknown."""
    attempt_id = await unlock(wire, "Back Door")
    door = await wire.door("Back Door")
    reading = await Reading(wire, f"device_id={door}&last_event_id=0", token=held.token).settle()
    await unlock(wire, "Back Door")
    await reading.settle()
    assert [frame.type for frame in reading.frames] == ["ready"]
    await reading.close()
    for id in (attempt_id, "nobody's"):
        refused = Reading(wire, f"action_attempt_id={id}", token=held.token)
        await refused.ended()
        assert (refused.status, refused.refusal["type"]) == (404, "action_attempt_not_found")
    mine = await unlock(wire, "Front Door")
    reading = await Reading(wire, f"action_attempt_id={mine}", token=held.token).settle()
    assert [each["action_attempt"]["status"] for each in reading.of("action_attempt")] == ["success"]
    await reading.close()


async def test_resuming_at_every_possible_cut(wire: Wire, held: Guest):
    """Cut after any byte and resumed with the last id that counts, each of its events came exactly once."""
    first = await Reading(wire, "last_event_id=0", token=held.token).settle()
    for name in ("Back Door", "Front Door", "Back Door", "Front Door"):
        await unlock(wire, name)
    await tell(wire, 2, connected_account_id=OTHER)
    await first.settle()
    await first.close()
    whole, recorded = first.told, first.received
    assert whole == [(place, type) for place, type, account in await told_to_all(wire) if account == OTHER]
    assert len(whole) == 5
    for cut in range(len(recorded) + 1):
        parser = SseParser()
        seen = [(int(each.last_event_id), each.type) for each in parser.feed(recorded[:cut])]
        seen = [each for each in seen if each[1] not in {"ready", "action_attempt"}]
        again = Reading(wire, "last_event_id=0", token=held.token, last_event_id=parser.last_event_id or None)
        await again.settle()
        assert seen + again.told == whole, f"cut after {cut} bytes"
        await again.close()


async def test_place_moves_on_among_events_of_others(wire: Wire, held: Guest):
    """Somebody whose events are few is told his place now and then, and need not search all others again."""
    reading = await Reading(wire, token=held.token).settle()
    await tell(wire, TELL_PLACE_AFTER + 50)
    await reading.settle()
    assert reading.told == []
    assert int(reading.parser.last_event_id) >= TELL_PLACE_AFTER
    await tell(wire, connected_account_id=OTHER)
    await reading.settle()
    assert [place for place, _ in reading.told] == [TELL_PLACE_AFTER + 51]
    await reading.close()


@pytest.mark.parametrize("path", ["/client_sessions/revoke", "/client_sessions/delete"])
async def test_stream_ends_with_its_session(wire: Wire, held: Guest, path: str):
    """When the session is revoked or deleted its stream ends at once, with the reason; others go on."""
    other = await guest(wire, OTHER)
    mine = await Reading(wire, token=held.token).settle()
    theirs = await Reading(wire, token=other.token).settle()
    await wire.call(path, client_session_id=held.id)
    await mine.ended()
    assert (mine.of("closed"), mine.is_complete) == (ENDED, True)
    await unlock(wire, "Front Door")
    assert mine.told == []
    assert len(theirs.told) == 2
    await theirs.close()


async def test_stream_ends_when_its_session_expires(wire: Wire):
    """The stream of a session ends at the moment at which the session does."""
    account = await second_account(wire, "Front Door")
    ends_at = wire.house.clock.now() + 10 * SECOND
    held = await guest(wire, account, expires_at=to_wire(ends_at))
    reading = await Reading(wire, token=held.token).settle()
    await wire.house.clock.advance(ends_at - wire.house.clock.now() - 1_000)
    assert not reading.is_complete
    await wire.house.clock.advance(2_000)
    await reading.ended()
    assert reading.of("closed") == ENDED


async def test_stream_ends_when_another_process_revokes(wire: Wire, held: Guest):
    """What another process did to the session is noticed within seconds."""
    reading = await Reading(wire, token=held.token).settle()
    await wire.house.store.client_sessions.revoke("w1", held.id, wire.house.clock.now())
    await reading.settle(ASKED_AGAIN_AFTER)
    await reading.ended()
    assert reading.of("closed") == ENDED


async def test_what_is_granted_is_told_from_then_on(wire: Wire, held: Guest):
    """Once a session is granted more its stream tells of that too, without being opened again."""
    reading = await Reading(wire, token=held.token).settle()
    await unlock(wire, "Back Door")
    assert reading.told == []
    grant = {"client_session_id": held.id, "connected_account_ids": [await own_account(wire)]}
    await wire.call("/client_sessions/grant_access", **grant)
    await reading.settle()
    await unlock(wire, "Back Door")
    await reading.settle()
    assert reading.told == [(3, "action_attempt.unlock_door.succeeded")]
    await reading.close()


async def test_session_has_some_streams_and_no_more(wire: Wire, held: Guest):
    """One stream more than a session may have is refused; others have theirs, and one is freed again."""
    opened = [await Reading(wire, token=held.token).settle() for _ in range(MOST_STREAMS_OF_A_SESSION)]
    refused = Reading(wire, token=held.token)
    await refused.ended()
    assert (refused.status, refused.refusal["type"]) == (429, "too_many_streams")
    other = await guest(wire, OTHER)
    for token in (other.token, wire.api_key):
        opened.append(await Reading(wire, token=token).settle())
        assert opened[-1].status == 200
    await opened.pop(0).close()
    opened.append(await Reading(wire, token=held.token).settle())
    assert opened[-1].status == 200
    for reading in opened:
        await reading.close()
    assert wire.app._callers._watching == {}
