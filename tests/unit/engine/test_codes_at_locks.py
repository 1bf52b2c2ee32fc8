"""What somebody does at a lock's own keypad is found, and put right, left alone, or taken over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fixtures.codes import DAY, HOUR, ME, NATIVE, PLAIN
from thumbturn.domain.access_code import AccessCode, Slot, status
from thumbturn.domain.clock import seconds
from thumbturn.engine.access_code_ports import CodeFilter
from thumbturn.engine.code_handover import CodeNotSettled
from thumbturn.engine.code_refusals import AccessCodeNotFound
from thumbturn.engine.ports import EventFilter

CHANGED, DELETED = "modified_external_to_seam", "deleted_external_to_seam"


@pytest.mark.parametrize(("pin", "told"), [("9999", CHANGED), (None, DELETED)])
async def test_what_was_changed_at_the_lock_is_put_right(codes, pin, told):
    """A code that somebody changed or deleted there is found by reading the lock, and set again."""
    code_id, _ = await codes.create()
    await codes.touch(code_id, pin)
    assert await codes.at_lock() == {code_id: "4711"}
    assert await codes.status(code_id) == "set"
    assert await codes.told() == ["created", "set_on_device", told, "set_on_device"]
    again = "CREATE_ACCESS_CODE" if pin is None else "UPDATE_ACCESS_CODE"
    assert [type for type, status in await codes.attempts() if status == "success"].count(again) >= 1
    assert not (await codes.all.get("w1", code_id)).facts.errors


@pytest.mark.parametrize("pin", ["9999", None])
async def test_what_may_be_changed_at_the_lock_is_left_alone(codes, pin):
    """With leave to change it there is a warning and no more, until it is changed here."""
    code_id, _ = await codes.create(is_external_modification_allowed=True)
    await codes.touch(code_id, pin)
    await codes.house.clock.advance(HOUR)
    assert await codes.at_lock() == ({} if pin is None else {code_id: pin})
    assert await codes.status(code_id) == ("unset" if pin is None else "set")
    assert list((await codes.all.get("w1", code_id)).facts.warnings) == ["external_modification_in_effect"]
    await codes.all.update("w1", code_id, {"name": "Jane"}, ME)
    await codes.house.clock.settle()
    assert await codes.at_lock() == {code_id: "4711"}
    assert not (await codes.all.get("w1", code_id)).facts.warnings


async def test_a_quarrel_goes_on_ever_more_slowly(codes):
    """Changed again each time it was put right, it is put right after 0, 1, 2, 4 … minutes."""
    code_id, _ = await codes.create()
    waits = []
    for number in range(5):
        await codes.touch(code_id, f"900{number}")
        before = codes.house.clock.now()
        while await codes.at_lock() != {code_id: "4711"}:
            await codes.house.clock.advance(seconds(10))
        waits.append(round((codes.house.clock.now() - before) / seconds(60)))
    assert waits == [0, 1, 2, 4, 8]
    await codes.house.clock.advance(2 * DAY)
    await codes.touch(code_id, "9009")
    assert await codes.at_lock() == {code_id: "4711"}, "a day later it is another quarrel"


async def test_what_was_done_while_the_lock_was_away_is_found(codes):
    """A lock that could not say so says it when it is back."""
    house = codes.house
    code_id, _ = await codes.create()
    device = await house.device(PLAIN)
    await house.engine.sandbox.disconnect(house.workspace, device.id)
    house.driver._things[device.id].touch_code(code_id, None)
    await house.clock.advance(HOUR)
    assert await codes.at_lock() == {}
    await house.engine.sandbox.connect(house.workspace, device.id)
    await house.clock.settle()
    assert await codes.at_lock() == {code_id: "4711"}


async def test_code_that_somebody_set_is_known_and_can_be_taken_over(codes):
    """It is not managed, opens the door, and is looked after once it was converted."""
    house = codes.house
    device = await house.device(PLAIN)
    code = await house.engine.keypads.set_code(house.workspace, device.id, "2468", "Cleaner")
    assert (code.is_managed, code.name, house.pins.open(code.pin)) == (False, "Cleaner", "2468")
    with pytest.raises(AccessCodeNotFound):
        await codes.all.get("w1", code.id)
    assert (await house.run("SIMULATE_KEYPAD_CODE_ENTRY", device, code="2468")).status == "success"
    await codes.all.convert("w1", code.id, ME)
    await house.clock.settle()
    assert await codes.status(code.id) == "set"
    await codes.touch(code.id, None)
    assert list((await codes.at_lock()).values()) == ["2468"]
    assert await codes.told() == [
        "unmanaged.created",
        "unmanaged.converted_to_managed",
        DELETED,
        "set_on_device",
    ]


async def test_code_that_somebody_deleted_again_is_forgotten(codes):
    """One that was never managed is no more when its lock holds it no longer; taking it over fails then."""
    house = codes.house
    device = await house.device(PLAIN)
    code = await house.engine.keypads.set_code(house.workspace, device.id, "2468", "Cleaner")
    attempt = await codes.all.delete("w1", code.id, ME, is_managed=False)
    await house.clock.settle()
    assert (await house.stored(attempt)).status == "success"
    assert await codes.at_lock() == {}
    assert await codes.told() == ["unmanaged.created", "unmanaged.removed"]
    other = await house.engine.keypads.set_code(house.workspace, device.id, "1357", "Cleaner")
    # Behind everybody's back, and not even the lock says so.
    house.driver._things[device.id].codes.put("set_code", other.place, None)
    attempt = await codes.all.convert("w1", other.id, ME)
    await house.clock.settle()
    assert (await house.stored(attempt)).failure[0] == "access_code_gone"
    assert (await codes.told())[-1] == "unmanaged.failed_to_convert_to_managed"


async def test_who_enters_a_code_is_told(codes):
    """The event of the door has the code that opened it; out of its time a code is refused."""
    house = codes.house
    code_id, _ = await codes.create()
    device = await house.device(PLAIN)
    await house.run("SIMULATE_KEYPAD_CODE_ENTRY", device, code="4711")
    await house.clock.advance(seconds(2))
    events = await house.store.events_after("w1", 0, limit=100)
    [unlocked] = [event for _, event in events if event.event_type == "lock.unlocked"]
    assert (unlocked.payload["method"], unlocked.payload["access_code_id"]) == ("keycode", code_id)


async def test_who_is_refused_is_told_with_his_code(codes):
    """A code that the lock knows and that is out of its time is named; of digits that nobody has nothing is
    known, and of no code the digits are told.
    """
    house = codes.house
    now = house.clock.now()
    code_id, _ = await codes.create(
        NATIVE, prefers_native=True, starts_at=now + 2 * HOUR, ends_at=now + 3 * HOUR
    )
    device = await house.device(NATIVE)
    assert code_id in await codes.at_lock(NATIVE)
    for pin in ("4711", "9876"):
        await house.run("SIMULATE_KEYPAD_CODE_ENTRY", device, code=pin)
        await house.clock.advance(seconds(2))
    events = await house.store.events("w1", EventFilter(event_types=["lock.access_denied"]), limit=9)
    said = [(each.payload["reason"]["reason_code"], each.payload.get("access_code_id")) for each in events]
    assert said == [("expired_code", code_id), ("unknown_code", None)]
    assert [event for event in events if "code" in event.payload] == []


async def test_reading_shows_that_a_code_was_set_after_all(codes):
    """Nobody knew whether the lock took it; read for another reason it shows that it did."""
    house = codes.house
    other, _ = await codes.create(pin="1111")
    device = await house.device(PLAIN)
    await house.fault(device, "silent")
    code_id, attempt = await codes.create()
    assert (await house.stored(attempt)).failure[0] == "outcome_unknown"
    assert "failed_to_set_on_device" in (await codes.all.get("w1", code_id)).facts.errors
    house.driver._things[device.id].touch_code(other, "2222")
    await house.engine.sandbox.clear_faults(house.workspace, device.id)
    await house.clock.settle()
    facts = (await codes.all.get("w1", code_id)).facts
    assert (facts.errors, facts.failures, await codes.status(code_id)) == ({}, 0, "set")
    told = await house.store.events("w1", EventFilter(event_types=["access_code.set_on_device"]), limit=99)
    assert [event.payload["access_code_id"] for event in told].count(code_id) == 1


async def test_lock_that_is_full_says_so_and_takes_it_when_there_is_room(codes):
    """The code waits with an error that says why, and is set once another one has gone."""
    house = codes.house
    [device] = await house.engine.sandbox.add_devices(house.workspace, 1, "lock", 0)
    house.driver._things[device.id].codes._most = 1
    first, _ = await codes.all.create("w1", device.id, codes.new("1111"), ME)
    second, attempt = await codes.all.create("w1", device.id, codes.new("2222"), ME)
    await house.clock.settle()
    assert (await house.stored(attempt)).failure[0] == "no_space_for_access_code_on_device"
    code = await codes.all.get("w1", second.id)
    assert list(code.facts.errors) == ["no_space_for_access_code_on_device"]
    await codes.all.delete("w1", first.id, ME)
    await house.clock.advance(seconds(70))
    assert await codes.status(second.id) == "set"


async def test_codes_of_a_lock_are_chosen(codes):
    """By their lock, their name and whether they are managed."""
    jane, _ = await codes.create(pin="1111", name="Jane")
    await codes.create(pin="2222", name="Joe")
    device = await codes.house.device(PLAIN)
    wanted = CodeFilter(device_id=device.id, search="jAN", is_managed=True)
    assert [each.id for each in await codes.all.listed("w1", wanted, limit=10)] == [jane]
    assert await codes.all.listed("w1", CodeFilter(is_managed=False), limit=10) == []
    assert await codes.all.listed("w2", CodeFilter(), limit=10) == []


async def test_code_that_is_handed_over_stays_as_it_is(codes):
    """It is at its lock and not looked after any more, until it is taken back; what is not set is kept."""
    house = codes.house
    hand_over = house.engine.code_handover.hand_over
    code_id, _ = await codes.create()
    attempt = await hand_over("w1", code_id, ME)
    await house.clock.settle()
    assert (await house.stored(attempt)).status == "success"
    assert (await codes.all.get("w1", code_id, is_managed=False)).name is None
    assert await codes.at_lock() == {code_id: "4711"}
    await codes.touch(code_id, None)
    await house.clock.advance(DAY)
    assert await codes.at_lock() == {}, "nobody puts it right"
    assert (await codes.told())[-2:] == ["unmanaged.created", "unmanaged.removed"]
    later, _ = await codes.create(starts_at=house.clock.now() + DAY, ends_at=house.clock.now() + 2 * DAY)
    with pytest.raises(CodeNotSettled):
        await hand_over("w1", later, ME)
    device = await house.device(PLAIN)
    await house.engine.sandbox.disconnect(house.workspace, device.id)
    waits, _ = await codes.create(pin="1111")
    with pytest.raises(CodeNotSettled):
        await hand_over("w1", waits, ME)


async def test_code_that_was_handed_over_is_taken_back(codes):
    """Handed over and converted again it is looked after as before, each told once."""
    code_id, _ = await codes.create()
    await codes.house.engine.code_handover.hand_over("w1", code_id, ME)
    await codes.house.clock.settle()
    await codes.all.convert("w1", code_id, ME)
    await codes.house.clock.settle()
    await codes.touch(code_id, None)
    assert await codes.at_lock() == {code_id: "4711"}
    told = await codes.told()
    assert told[:4] == ["created", "set_on_device", "unmanaged.created", "unmanaged.converted_to_managed"]


@pytest.mark.parametrize(("door", "then"), [(PLAIN, ("set", "ongoing")), (NATIVE, ("unset", "time_bound"))])
async def test_code_that_was_handed_over_lets_in_as_its_lock_has_it(codes, door, then):
    """Beyond its end where the lock does not know of that, and it says so; else until then."""
    clock = codes.house.clock
    code_id, _ = await codes.create(door, starts_at=clock.now(), ends_at=clock.now() + HOUR)
    await codes.house.engine.code_handover.hand_over("w1", code_id, ME)
    await clock.advance(2 * HOUR)
    code = await codes.all.get("w1", code_id, is_managed=False)
    assert (status(code, clock.now()), code.kind) == then
    assert await codes.at_lock(door) == {code_id: "4711"}, "nobody took it from there"
    await codes.all.delete("w1", code_id, ME, is_managed=False)
    await clock.settle()
    assert await codes.at_lock(door) == {}


async def test_code_that_was_handed_over_before_its_start_lets_in_later(codes):
    """Where its lock keeps the time: it waits there for its start."""
    clock = codes.house.clock
    start = clock.now() + DAY
    code_id, _ = await codes.create(NATIVE, starts_at=start, ends_at=start + DAY)
    await codes.house.engine.code_handover.hand_over("w1", code_id, ME)
    found = []
    for moment in (start - HOUR, start + HOUR):
        await clock.advance(moment - clock.now())
        found.append(status(await codes.all.get("w1", code_id, is_managed=False), clock.now()).value)
    assert found == ["unset", "set"]


def test_what_is_shown_of_a_code_that_is_not_managed_is_what_its_lock_has():
    """Times that are on record and not at the lock close no door: an older record may have such."""
    held = Slot(pin="sealed", pin_key="k")
    code = AccessCode(
        id="c1",
        workspace_id="w1",
        device_id="d1",
        connected_account_id="a1",
        name=None,
        pin="sealed",
        pin_key="k",
        place="c1",
        created_at=0,
        changed_at=0,
        is_managed=False,
        starts_at=10,
        ends_at=20,
    )
    assert [status(code.but(held=held), now) for now in (5, 15, 25)] == ["set"] * 3
    timed = replace(held, starts_at=10, ends_at=20)
    assert [status(code.but(held=timed), now) for now in (5, 15, 20)] == ["unset", "set", "unset"]
    assert [status(code, now) for now in (5, 15, 20)] == ["unset", "set", "unset"]


async def test_a_radio_that_took_the_command_is_no_code_in_a_lock(codes):
    """Nobody says that the lock has it: it is being set until the lock itself, or a reading, says so."""
    door = await codes.house.device(PLAIN)
    await codes.house.fault(door, "ack_only")
    code_id, attempt = await codes.create()
    await codes.house.clock.advance(seconds(60))
    assert (await codes.house.stored(attempt)).failure[0] == "outcome_unknown"
    assert await codes.status(code_id) == "setting"
    assert "set_on_device" not in await codes.told()
    await codes.house.engine.sandbox.clear_faults(codes.house.workspace)
    await codes.house.clock.advance(HOUR)
    assert (await codes.status(code_id), await codes.at_lock()) == ("set", {code_id: "4711"})


async def test_a_radio_that_took_the_command_does_not_let_go_of_a_code(codes):
    """A code that its lock may still hold is not forgotten: a former guest would get in."""
    code_id, _ = await codes.create()
    door = await codes.house.device(PLAIN)
    await codes.house.fault(door, "ack_only")
    await codes.all.delete("w1", code_id, ME)
    await codes.house.clock.advance(seconds(60))
    assert await codes.status(code_id) == "removing"
    assert await codes.at_lock() == {code_id: "4711"}
    await codes.house.engine.sandbox.clear_faults(codes.house.workspace)
    await codes.house.clock.advance(HOUR)
    assert (await codes.status(code_id), await codes.at_lock()) == ("gone", {})


@pytest.mark.parametrize("how", ["update", "delete"])
async def test_what_a_silent_lock_did_is_not_taken_for_somebodys_hand(codes, how):
    """It did as it was told and could not say so: a reading finds that out, and no error is left of it."""
    code_id, _ = await codes.create()
    door = await codes.house.device(PLAIN)
    await codes.house.fault(door, "silent")
    if how == "update":
        await codes.all.update("w1", code_id, {"pin": "5822"}, ME)
    else:
        await codes.all.delete("w1", code_id, ME)
    await codes.house.clock.advance(seconds(61))
    assert (await codes.all.get("w1", code_id)).facts.is_uncertain
    await codes.house.engine.sandbox.clear_faults(codes.house.workspace)
    await codes.house.engine.keypads.set_code(codes.house.workspace, door.id, "6420", "somebody")
    await codes.house.clock.advance(seconds(1))
    told = await codes.told()
    assert CHANGED not in told
    assert DELETED not in told
    if how == "delete":
        assert await codes.status(code_id) == "gone"
    else:
        code = await codes.all.get("w1", code_id)
        assert (code.facts.errors, await codes.status(code_id)) == ({}, "set")
