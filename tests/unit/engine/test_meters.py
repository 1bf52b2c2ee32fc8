"""What is counted while attempts run, and what a census finds."""

from __future__ import annotations

from thumbturn.domain.attempt import Phase
from thumbturn.domain.clock import MILLISECOND, seconds
from thumbturn.engine.acceptance import Timing
from thumbturn.engine.meters import Histogram, WriterMeters


def test_a_histogram_puts_each_number_into_its_bucket():
    """The upper end of a bucket belongs to it; what is above all ends has a bucket of its own."""
    histogram = Histogram((10, 20))
    for number in (0, 10, 11, 20, 21, 1_000):
        histogram.add(number)
    assert (histogram.counts, histogram.total) == ([2, 2, 2], 1_062)


def test_a_clock_that_was_put_back_takes_nothing_away():
    """A time below zero counts as zero: a sum never falls."""
    histogram = Histogram((10,))
    histogram.add(-5)
    assert (histogram.counts, histogram.total) == ([1, 0], 0)


def test_the_writer_is_down_until_a_transaction_is_made_again():
    """Only an unreachable database makes the writer down; what merely loses its guard does not."""
    meters = WriterMeters()
    meters.rolled_back(is_unreachable=False)
    assert not meters.is_down
    meters.rolled_back(is_unreachable=True)
    assert meters.is_down
    meters.committed(3, 700)
    assert (meters.is_down, meters.failed, meters.size.total, meters.commit.total) == (False, 2, 3, 700)


async def test_each_end_is_counted_once_by_its_cause(house):
    """Successes and failures are counted by action type and cause, when their end is durable."""
    lock = await house.lock()
    before = dict(house.engine.meters.by_type["UNLOCK_DOOR"].causes) if house.engine.meters.by_type else {}
    await house.run("UNLOCK_DOOR", lock)
    await house.fault(lock, "jam", times=1)
    await house.run("LOCK_DOOR", lock)
    by_type = house.engine.meters.by_type
    assert before == {}
    assert by_type["UNLOCK_DOOR"].causes == {None: 1}
    assert by_type["LOCK_DOOR"].causes == {"lock_jammed": 1}
    assert sum(by_type["LOCK_DOOR"].whole.counts) == 1


async def test_stages_are_timed_from_acceptance_through_sending_to_the_end(house):
    """A command that waits for the one before it shows its waiting and its work apart."""
    lock = await house.lock(travel=400)
    await house.begin("UNLOCK_DOOR", lock)
    await house.clock.advance(100 * MILLISECOND)
    await house.begin("LOCK_DOOR", lock)
    await house.clock.advance(seconds(2))
    first, second = (house.engine.meters.by_type[each] for each in ("UNLOCK_DOOR", "LOCK_DOOR"))
    assert (first.to_sent.total, first.to_end.total) == (0, 400 * MILLISECOND)
    assert (second.to_sent.total, second.to_end.total) == (300 * MILLISECOND, 400 * MILLISECOND)
    assert second.whole.total == 700 * MILLISECOND


async def test_a_command_for_later_is_timed_from_its_moment(house):
    """The hour until it might be sent is nobody's delay: neither in the stages nor in the oldest's age."""
    lock = await house.lock(travel=400)
    moment = house.clock.now() + seconds(3_600)
    for_later = await house.begin("UNLOCK_DOOR", lock, Timing(not_before=moment))
    await house.clock.advance(MILLISECOND)
    await house.begin("UNLOCK_DOOR", lock, Timing(not_before=house.clock.now() - seconds(30)))
    await house.clock.advance(seconds(10))
    at_once = house.engine.meters.by_type.pop("UNLOCK_DOOR")
    assert (at_once.to_sent.total, at_once.whole.total) == (0, 400 * MILLISECOND)
    await house.clock.advance(seconds(3_590) + 300 * MILLISECOND)
    assert house.engine.census().oldest_since == moment
    await house.clock.advance(seconds(5))
    later = house.engine.meters.by_type["UNLOCK_DOOR"]
    [waited] = [mark.at for mark in (await house.stored(for_later)).marks if mark.stage == "sent"]
    assert later.to_sent.total == waited - moment <= 250 * MILLISECOND
    assert later.whole.total == later.to_sent.total + 400 * MILLISECOND


async def test_what_is_cancelled_before_its_moment_took_no_time(house):
    """A command for later that is cancelled counts with zero, not with less."""
    lock = await house.lock()
    begun = await house.begin("UNLOCK_DOOR", lock, Timing(not_before=house.clock.now() + seconds(3_600)))
    await house.engine.begun.cancel("w1", begun.id, "me")
    meters = house.engine.meters.by_type["UNLOCK_DOOR"]
    assert (meters.whole.total, sum(meters.whole.counts)) == (0, 1)


async def test_what_was_never_sent_has_no_time_of_sending(house):
    """An attempt that expires in its lane is timed as a whole and in no stage."""
    lock = await house.lock()
    await house.fault(lock, "slow", ms=60_000)
    await house.begin("UNLOCK_DOOR", lock)
    await house.begin("LOCK_DOOR", lock)
    await house.clock.advance(seconds(31))
    meters = house.engine.meters.by_type["LOCK_DOOR"]
    assert meters.causes == {"action_attempt_expired": 1}
    assert (sum(meters.to_sent.counts), sum(meters.to_end.counts), sum(meters.whole.counts)) == (0, 0, 1)


async def test_an_attempt_that_a_restart_ends_is_counted_too(house):
    """What a new process can only end is counted there, by its cause."""
    lock = await house.lock()
    await house.fault(lock, "slow", ms=20_000)
    await house.begin("SIMULATE_KEYPAD_CODE_ENTRY", lock, code="1234")
    await house.clock.settle()
    await house.revive()
    assert house.engine.meters.by_type["SIMULATE_KEYPAD_CODE_ENTRY"].causes == {"outcome_unknown": 1}


async def test_a_census_counts_what_is_open_now(house):
    """Open attempts by phase, the oldest, its deadline, busy and waiting lanes, and devices by driver."""
    lock, other = await house.lock(), await house.lock()
    nothing = house.engine.census()
    assert (sum(nothing.open.values()), nothing.oldest_since, nothing.earliest_deadline_at) == (
        0,
        None,
        None,
    )
    began = house.clock.now()
    for each in (lock, other):
        await house.fault(each, "slow", ms=5_000)
    await house.begin("UNLOCK_DOOR", lock)
    await house.clock.advance(seconds(1))
    await house.begin("LOCK_DOOR", lock)
    await house.begin("UNLOCK_DOOR", other)
    census = house.engine.census()
    assert census.open[Phase.QUEUED] == 1
    assert census.open[Phase.SENT] + census.open[Phase.CONFIRMING] == 2
    assert (census.oldest_since, census.earliest_deadline_at) == (began, began + seconds(30))
    assert (census.lanes_busy, census.lanes_waiting) == (2, 1)
    await house.clock.advance(seconds(20))
    after = house.engine.census()
    assert (sum(after.open.values()), after.lanes_busy, after.lanes_waiting) == (0, 0, 0)


async def test_a_census_knows_each_driver(house):
    """A driver's devices are counted with those that are online, and its links with those that stand."""
    before = house.engine.census().drivers["virtual"]
    lock = await house.lock()
    await house.engine.sandbox.disconnect(house.workspace, lock.id)
    after = house.engine.census().drivers["virtual"]
    assert after.devices == before.devices + 1
    assert after.devices_online == before.devices_online
    assert (after.links, after.links_up) == (1, 1)
    await house.driver.stop()
    assert house.engine.census().drivers["virtual"].links_up == 0


async def test_the_engine_says_when_it_runs(house):
    """It runs from the end of its start until it is asked to stop."""
    assert house.engine.is_running
    await house.engine.stop(0)
    assert not house.engine.is_running
