"""What the driver ``zigbee2mqtt`` may say of a device: run on the fake, and in the lab on the real one.

Each takes ``linked``: the driver, linked to a hub with two locks (``front_door``, ``back_door``) and a
thermostat (``hall``) that can be reached; ``linked.world`` breaks them and has the devices' own log.
"""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from thumbturn.domain.device import HUB_DISCONNECTED
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, DeviceOffline, DeviceUnreachable

LOCK, POWER = "closuresDoorLock", "genPowerCfg"
CHARGE = "batteryPercentageRemaining"
#: What is on record of a lock's own word of who moved it.
SAID_BY_WHOM = "It says that it was"


async def sent_and_asked(linked, *, locked: bool):
    """What the engine does with a command: it sends it and, if nothing comes back, asks."""
    lock = linked.lock()
    if await (lock.lock() if locked else lock.unlock()) is Evidence.NONE:
        await lock.read_bolt()


async def test_a_command_succeeds_by_the_lock_s_own_report(linked):
    """Both ways: the reply is the lock's word, its report follows or precedes, and it has really moved."""
    for locked in (False, True):
        lock = linked.lock()
        assert await (lock.lock() if locked else lock.unlock()) is Evidence.DEVICE_ACCEPTED
        assert linked.moves()[-1] == (locked, "remote")
        assert linked.seen[-1].evidence is Evidence.STATE_REPORT
        assert linked.seen[-1].said
        assert await linked.did() == [locked]


@pytest.mark.parametrize("first", ["report", "event"])
async def test_a_command_that_leaves_the_bolt_where_it_is_is_confirmed_too(linked, first):
    """A state that stays as it was is no evidence; the lock's own event is, in whatever order they come."""
    await linked.world.order("behave", "front_door", values={"says_event_first": first == "event"})
    assert await linked.lock().lock() is Evidence.DEVICE_ACCEPTED
    assert linked.moves() == [(True, "remote")]


async def test_what_a_hub_remembers_confirms_nothing(linked):
    """A lock is jammed while its battery is reported: the hub repeats the old state, which is no answer."""
    await linked.world.order("fault", "front_door", kind="jam")
    sent = asyncio.create_task(linked.lock().lock())
    await asyncio.sleep(0.05)
    await linked.world.order("set", "front_door", cluster=POWER, values={CHARGE: 100})
    await linked.world.order("report", "front_door", cluster=POWER, names=[CHARGE])
    assert await sent is Evidence.NONE
    await linked.until(lambda: linked.state()["battery_level"] == 0.5)
    assert linked.moves() == []


async def test_an_unreachable_lock_is_not_answered_for_by_its_hub(linked):
    """Asked where its bolt is, it does not answer, though its hub tells its old state at that very moment."""
    await linked.world.order("fault", "front_door", kind="silent")
    read = asyncio.create_task(linked.lock().read_bolt())
    await asyncio.sleep(0.02)
    await linked.world.order("report", "front_door", cluster=POWER, names=[CHARGE])
    assert await read is None


async def test_a_jam_is_silence_and_then_the_bolt_where_it_was(linked):
    """Nothing comes back for the command; asked, the lock says that its bolt is where it was."""
    await linked.world.order("fault", "front_door", kind="jam")
    assert await linked.lock().unlock() is Evidence.NONE
    found = await linked.lock().read_bolt()
    assert found is not None
    assert (found.changes["locked"], found.method) == (True, None)
    assert (await linked.did(), linked.moves()) == ([], [])


async def test_a_reply_without_a_move_is_no_success(linked):
    """The lock takes the command and does not move: the reply reaches nobody, and proves nothing."""
    await linked.world.order("fault", "front_door", kind="ack_only")
    assert await linked.lock().unlock() is Evidence.NONE
    found = await linked.lock().read_bolt()
    assert found is not None
    assert found.changes["locked"] is True


async def test_a_lock_that_tells_nothing_is_asked(linked):
    """It moves and does not say so: the active read finds it, as the command's own doing."""
    await linked.world.order("fault", "front_door", kind="mute")
    assert await linked.lock().unlock() is Evidence.NONE
    found = await linked.lock().read_bolt()
    assert found is not None
    assert (found.changes["locked"], found.method) == (False, "remote")
    assert await linked.did() == [False]


async def test_a_lock_out_of_reach_has_its_own_cause(linked):
    """Its hub says that nothing was delivered, and it does not answer: it has not acted."""
    await linked.world.order("fault", "front_door", kind="unreachable")
    with pytest.raises(DeviceUnreachable):
        await sent_and_asked(linked, locked=False)
    assert await linked.did() == []


async def test_a_lost_acknowledgement_is_no_failure(linked):
    """The hub says that nothing was delivered, and the lock has moved: the lock is believed."""
    await linked.world.order("fault", "front_door", kind="ack_lost")
    assert await linked.lock().unlock() is Evidence.DEVICE_ACCEPTED
    assert await linked.did() == [False]
    await linked.world.order("heal")
    # What is said of it late is not taken for the fate of the next commands.
    await sent_and_asked(linked, locked=True)
    await linked.world.order("fault", "front_door", kind="mute")
    await linked.lock().unlock()
    await asyncio.sleep(linked.world.gives_up_after)
    found = await linked.lock().read_bolt()
    assert found is not None
    assert found.changes["locked"] is False


async def test_silence_is_no_outcome(linked):
    """A lock that answers neither the command nor the question: nobody knows."""
    await linked.world.order("fault", "front_door", kind="silent")
    assert await linked.lock().unlock() is Evidence.NONE
    began = linked.clock.now()
    for _ in range(2):
        # A hub whose question failed says so, and says it of the next one too: its log tells no line twice.
        assert await linked.lock().read_bolt() is None
    assert linked.clock.now() - began < 5_000_000
    assert linked.moves() == []


async def test_no_outcome_contradicts_the_lock(linked):
    """Commands with faults by chance: what was said to be done was, what was said not to be was not."""
    chance = Random(4)
    for number in range(linked.world.rounds):
        name = chance.choice(("front_door", "back_door"))
        fault = chance.choice(
            (None, None, None, "jam", "refuse", "ack_only", "mute", "unreachable", "silent")
        )
        locked = chance.random() < 0.5
        await linked.world.order("fault", name, kind=fault)
        lock = linked.lock(name)
        await linked.did(name)
        said, found = Evidence.NONE, None
        try:
            said = await (lock.lock() if locked else lock.unlock())
            found = await lock.read_bolt()
        except (DeviceUnreachable, CommandRefused):
            assert await linked.did(name) == [], (number, fault)
        truth = (await linked.world.order("look", name))["attributes"][LOCK]["lockState"] == 1
        assert said is Evidence.NONE or truth is locked, (number, fault)
        assert found is None or found.changes["locked"] is truth, (number, fault)
        await linked.world.order("fault", name, kind=None)


async def test_privacy_mode_is_named(linked):
    """A lock whose privacy mode is on does not move and says so when it is asked: it refused."""
    await linked.world.order("set", "front_door", cluster=LOCK, values={"operatingMode": 2})
    try:
        assert await linked.lock().unlock() is Evidence.NONE
        with pytest.raises(CommandRefused, match="privacy mode"):
            await linked.lock().read_bolt()
        assert await linked.did() == []
    finally:
        await linked.world.order("set", "front_door", cluster=LOCK, values={"operatingMode": 0})


async def test_a_dead_lock_holds_up_no_other(linked):
    """While one lock's command waits for an answer that does not come, another lock's is carried out."""
    await linked.world.order("fault", "front_door", kind="silent")
    dead = asyncio.create_task(linked.lock("front_door").unlock())
    await asyncio.sleep(0.01)
    began = linked.clock.now()
    assert await linked.lock("back_door").unlock() is Evidence.DEVICE_ACCEPTED
    assert linked.clock.now() - began < 500_000
    assert not dead.done()
    await dead


@pytest.mark.parametrize("says_event_first", [False, True], ids=["report first", "event first"])
@pytest.mark.parametrize(
    ("locked", "source", "code", "method"),
    [
        (False, 0, None, "keycode"),
        (False, 2, 14, "manual"),
        (True, 2, 10, "automatic"),
        (True, 0, 7, "manual"),
    ],
    ids=["code", "hand", "auto-lock", "one touch"],
)  # fmt: skip
async def test_what_happens_at_the_lock_is_told_once_and_by_whom(
    linked, locked, source, code, method, says_event_first
):
    """In whatever order state and event come, one fact is told, with the right method."""
    before = not locked
    await (linked.lock().lock() if before else linked.lock().unlock())
    # Of the command it says both: where it is, and by whom.
    await linked.until(lambda: any(SAID_BY_WHOM in each.said for each in linked.seen))
    linked.seen.clear()
    await linked.world.order("behave", "front_door", values={"says_event_first": says_event_first})
    await linked.world.order("turn", "front_door", locked=locked, source=source, user=3, code=code)
    await linked.until(linked.moves)
    await asyncio.sleep(0.5)
    assert linked.moves() == [(locked, method)]


async def test_a_move_that_nobody_is_named_for_is_told_as_such(linked):
    """A lock that reports its bolt and no event: it moved, and it is not known how."""
    await linked.world.order("set", "front_door", cluster=LOCK, values={"lockState": 2})
    await linked.world.order("report", "front_door", cluster=LOCK, names=["lockState"])
    await linked.until(linked.moves)
    assert linked.moves() == [(False, None)]


async def test_a_state_that_flickers_is_not_told_as_three_facts(linked):
    """Old, new, old within a moment: nothing has happened."""
    for state in (2, 1):
        await linked.world.order("set", "front_door", cluster=LOCK, values={"lockState": state})
        await linked.world.order("report", "front_door", cluster=LOCK, names=["lockState"])
    await asyncio.sleep(0.7)
    assert linked.moves() == []


async def test_a_wrong_code_is_told(linked):
    """A keypad that lets somebody wait says so once."""
    await linked.world.order("happened", "front_door", code=5, source=0)
    await linked.until(lambda: linked.seen)
    await asyncio.sleep(0.1)
    assert [each.denied for each in linked.seen] == ["unknown_code"]


async def test_a_low_battery_is_told(linked):
    """What the battery reports is what is known of it."""
    await linked.world.order("set", "front_door", cluster=POWER, values={CHARGE: 9})
    await linked.world.order("report", "front_door", cluster=POWER, names=[CHARGE])
    # Zigbee counts half per cents, Zigbee2MQTT whole ones.
    await linked.until(lambda: linked.state()["battery_level"] in {0.045, 0.05})


@pytest.mark.parametrize("at_once", [False, True], ids=["stopped", "killed"])
async def test_after_a_restart_of_the_hub_each_lock_is_read(linked, at_once):
    """While it is away its devices are offline, once each; then what the locks say counts."""
    await linked.world.stop_hub(at_once=at_once)
    await linked.until(lambda: not linked.is_online("front_door") and not linked.is_online("back_door"))
    with pytest.raises(DeviceOffline):
        await linked.lock().unlock()
    gone = [(each.device_id, dict(each.changes)) for each in linked.seen if "online" in each.changes]
    away = {"online": False, "offline_because": HUB_DISCONNECTED}
    locks = [linked.devices[name].id for name in ("front_door", "back_door")]
    assert [each for each in gone if each[0] in locks] == [(id, away) for id in locks]
    linked.seen.clear()
    await linked.world.start_hub()
    await linked.until(lambda: linked.is_online("front_door") and linked.is_online("back_door"), within=60)
    back = [each for each in linked.seen if each.changes.get("online")]
    assert all("locked" in each.changes for each in back if each.device_id in locks)
    assert await linked.lock().unlock() is Evidence.DEVICE_ACCEPTED


async def test_a_lock_that_was_moved_while_the_link_was_away_is_found_so(linked):
    """The hub has heard it and we have not; its own word is what counts, and nothing is told of how."""
    await linked.world.stop_broker()
    await linked.until(lambda: not linked.is_online("front_door"))
    await linked.world.order("turn", "front_door", locked=False, source=2, code=14)
    linked.seen.clear()
    await linked.world.start_broker()
    # The broker has lost what the hub had said of itself, which it does not say again: it is remembered.
    await linked.until(lambda: linked.is_online("front_door"), within=60)
    assert linked.state()["locked"] is False
    await linked.world.stop_hub()
    await linked.world.start_hub()
    await linked.until(lambda: linked.is_online("front_door"), within=60)


async def test_a_lock_that_stays_dead_after_a_restart_is_offline(linked):
    """The hub is back and says that it is there; it does not answer, so it is not. When it does, it is."""
    await linked.world.order("fault", "front_door", kind="unreachable")
    linked.follow()
    await linked.until(lambda: linked.is_online("back_door") and not linked.is_online("front_door"))
    await asyncio.sleep(0.5)
    assert not linked.is_online("front_door")
    await linked.world.order("heal")
    await linked.until(lambda: linked.is_online("front_door"))


async def test_a_device_that_is_renamed_goes_on(linked):
    """Its name follows within seconds; it is commanded by its address, which stays."""
    await linked.world.rename("front_door", "Garden gate/east 'A'")
    try:
        await linked.until(lambda: linked.devices["front_door"].name == "Garden gate/east 'A'")
        assert await linked.lock().unlock() is Evidence.DEVICE_ACCEPTED
        await linked.world.order("fault", "front_door", kind="unreachable")
        with pytest.raises(DeviceUnreachable):
            await sent_and_asked(linked, locked=True)
    finally:
        await linked.world.order("heal")
        await linked.world.rename("front_door", "front_door")
        await linked.until(lambda: linked.devices["front_door"].name == "front_door")


async def test_a_device_that_joins_and_leaves_comes_and_goes(linked):
    """What is added at the hub is there within seconds and can be commanded; what is removed is gone."""
    await linked.world.let_join("side_door")
    await linked.until(lambda: linked.is_online("side_door"), within=30)
    assert await linked.lock("side_door").unlock() is Evidence.DEVICE_ACCEPTED
    await linked.world.remove("side_door")
    await linked.until(lambda: "side_door" not in linked.devices)
