"""Finding attempts by what is known of them."""

from __future__ import annotations

import pytest

from thumbturn.domain.clock import seconds, to_wire_exactly


@pytest.fixture
async def past(wire):
    """Four attempts of two doors, asked for by two actors; the third jammed, the last is pending."""
    front, store = await wire.door(), await wire.door("Storage Room")
    ids = []

    async def begin(path, door, actor=None):
        headers = {"thumbturn-actor": actor} if actor else {}
        reply = await wire.ask("POST", path, {"device_id": door}, headers=headers)
        ids.append(reply.json["action_attempt"]["action_attempt_id"])
        await wire.house.clock.advance(seconds(5))

    await begin("/locks/unlock_door", front, "alice")
    await begin("/locks/lock_door", store)
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=front, fault="jam", times=1)
    await begin("/locks/lock_door", front, "bob")
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=store, fault="silent", times=1)
    await begin("/locks/unlock_door", store, "alice")
    return {"front": front, "store": store, "ids": ids}


@pytest.mark.parametrize(
    ("ask", "found"),
    [
        ({}, [3, 2, 1, 0]),
        ({"status": "success"}, [1, 0]),
        ({"status": "error"}, [2]),
        ({"status": "pending"}, [3]),
        ({"action_type": "LOCK_DOOR"}, [2, 1]),
        ({"actor": "alice"}, [3, 0]),
        ({"actor": "alice", "status": "success"}, [0]),
        ({"actor": "nobody"}, []),
        ({"error_type": "lock_jammed"}, [2]),
        ({"error_type": "device_offline"}, []),
        ({"device_id": ""}, []),
        ({"since": "2100-01-01"}, []),
        ({"before": "2100-01-01"}, [3, 2, 1, 0]),
    ],
    ids=str,
)
async def test_each_condition_narrows(wire, past, ask, found):
    """A search gives what fits, newest first; what nothing fits is an empty list."""
    answer = await wire.call("/thumbturn/attempts/search", **ask)
    assert [each["action_attempt_id"] for each in answer["attempts"]] == [past["ids"][n] for n in found]


async def test_a_time_range_is_half_open(wire, past):
    """A range holds its first moment and not its last, so that ranges that meet hold each attempt once."""
    whole = (await wire.call("/thumbturn/attempts/search"))["attempts"]
    middle = whole[1]["asked_at"]
    for bound, expected in (("since", whole[:2]), ("before", whole[2:])):
        answer = await wire.call("/thumbturn/attempts/search", **{bound: middle})
        assert answer["attempts"] == expected


async def test_an_attempt_is_shown_with_what_it_is_chosen_by(wire, past):
    """What is found has the five keys of an attempt, its device, who asked, and when."""
    [found] = (await wire.call("/thumbturn/attempts/search", error_type="lock_jammed"))["attempts"]
    got = await wire.call("/action_attempts/get", action_attempt_id=past["ids"][2])
    assert {key: found[key] for key in got["action_attempt"]} == got["action_attempt"]
    assert found["device_id"] == past["front"]
    assert found["asked_by"]["actor"] == "bob"
    assert found["settled_at"] > found["asked_at"]
    stored = await wire.house.store.attempt("w1", past["ids"][2])
    assert found["asked_at"] == to_wire_exactly(stored.accepted_at)


async def test_pages_lead_to_the_oldest(wire, past):
    """Cursors lead through all that fits; with other conditions a cursor is refused."""
    found, cursor = [], None
    while True:
        answer = await wire.call("/thumbturn/attempts/search", limit=1, page_cursor=cursor)
        found += [each["action_attempt_id"] for each in answer["attempts"]]
        cursor = answer["pagination"]["next_page_cursor"]
        if cursor is None:
            break
        ask = {"limit": 1, "page_cursor": cursor, "status": "error"}
        refused = await wire.ask("POST", "/thumbturn/attempts/search", ask)
        assert (refused.status, refused.error["type"]) == (400, "mismatched_page_parameters")
    assert found == past["ids"][::-1]


@pytest.mark.parametrize("ask", [{"status": "done"}, {"limit": 0}, {"since": "yesterday"}, {"actor": None}])
async def test_nonsense_is_refused(wire, ask):
    """A status there is none of, a page of nothing, no moment and null are refused."""
    refused = await wire.ask("POST", "/thumbturn/attempts/search", ask)
    assert (refused.status, refused.error["type"]) == (400, "invalid_input")
