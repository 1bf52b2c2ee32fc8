"""What the record of a real run is worth: whatever is taken from it, or put into it, breaks a promise."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.crash.callers import Callers
from tests.crash.outside import sends
from tests.crash.rounds import Rounds
from tests.crash.site import Site
from tests.fixtures.receiver import Receiver
from tests.simulation.history import History
from tests.simulation.promises import CHECKS, Promises
from thumbturn.domain.attempt import Mark, Phase


async def _short_run(site, receiver):
    rounds = Rounds(site, receiver, "short", workspaces=1)
    await rounds.prepare()
    async with Callers([site.first.endpoint], rounds.places, "short", each=3) as callers:
        assert await callers.are_answered(20)
        await asyncio.sleep(0.5)
        await callers.finish(20)
    await rounds.settle()
    return await rounds.record(rounds.places[0])


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """Of a run in which nothing went wrong."""
    site, receiver = Site(tmp_path_factory.mktemp("site")), Receiver()
    try:
        site.start()
        yield asyncio.run(_short_run(site, receiver))
    finally:
        site.stop()
        receiver.close()


def broken(record):
    """The names of the promises that do not hold."""
    return {word.partition(":")[0] for word in Promises(record).broken()}


def unlocked(record):
    """A door that was unlocked, and told of."""
    return next(
        each
        for each in record.attempts.values()
        if each.action_type == "UNLOCK_DOOR" and each.phase is Phase.SUCCEEDED and record.sent[each.id]
    )


def act_of(record, attempt):
    """The act that it was."""
    [sent] = record.sent[attempt.id]
    return next(act for act in record.acts if act["at"] == sent.at and act["device_id"] == attempt.device_id)


def with_acts(record, acts):
    """The same run, had the devices done this."""
    history = History()
    others = [entry for entry in record.history.entries if entry.what != "sent"]
    history.entries = [*others, *sends(record.attempts.values(), acts, [])]
    return replace(record, acts=acts, history=history)


def with_attempt(record, attempt):
    """The same run, had this been on record."""
    return replace(record, attempts={**record.attempts, attempt.id: attempt})


def told(record):
    """One whose end somebody was told of."""
    return record.attempts[record.history.of("told")[0].how["attempt_id"]]


def without_attempt(record):
    """An attempt that was answered is not there."""
    lost = record.history.of("answered")[0].how["attempt_id"]
    return replace(record, attempts={id: each for id, each in record.attempts.items() if id != lost})


def changed_end(record):
    """What somebody was told has another end now."""
    return with_attempt(record, told(record)._replace(phase=Phase.FAILED, failure=("cancelled", "")))


def without_event(record):
    """An event is not there."""
    return replace(record, events=record.events[:5] + record.events[6:])


def doubled_event(record):
    """A fact is told twice."""
    return replace(record, events=[*record.events, record.events[-1]])


def sent_again(record):
    """A door is unlocked a second time."""
    act = act_of(record, unlocked(record))
    return with_acts(record, [*record.acts, act | {"at": act["at"] + 1}])


def sent_before_it_was_on_record(record):
    """A door moves before anybody has asked for it."""
    act = act_of(record, unlocked(record))
    return with_acts(record, [act | {"at": act["at"] - 3_000_000_000}, *record.acts])


def sent_too_late(record):
    """A door moves after the time in which it was wanted."""
    late, act = unlocked(record), act_of(record, unlocked(record))
    return with_attempt(record, late._replace(deadline_at=act["at"]))


def said_that_it_had_not_acted(record):
    """A door that moved is said not to have."""
    why = ("device_offline", "")
    return with_attempt(record, unlocked(record)._replace(phase=Phase.FAILED, failure=why))


def success_without_an_act(record):
    """A door is said to be open that nobody moved."""
    attempt = unlocked(record)
    acts = [act for act in record.acts if act["device_id"] != attempt.device_id]
    return replace(with_acts(record, acts), stood={**record.stood, attempt.device_id: True})


def two_at_a_time(record):
    """A command is at a door while another is."""
    attempt = unlocked(record)
    at = record.sent[attempt.id][0].at
    other = attempt._replace(
        id="another", marks=(Mark("sent", at - 1), Mark("settled", at + 1)), settled_at=attempt.settled_at
    )
    return with_acts(with_attempt(record, other._replace(action_type="LOCK_DOOR")), record.acts)


def two_answers(record):
    """A key was given a second attempt."""
    entry = record.history.of("answered")[0]
    other = next(id for id in record.attempts if id != entry.how["attempt_id"])
    history = History()
    again = entry._replace(how={**entry.how, "attempt_id": other})
    history.entries = [*record.history.entries, again]
    return replace(record, history=history)


def refused_and_done(record):
    """Somebody was told that nothing was done."""
    attempt = unlocked(record)
    answered = [
        entry
        for entry in record.history.entries
        if entry.what != "answered" or entry.how["name"] != attempt.asked_by.actor
    ]
    history = History()
    refused = answered[0]._replace(what="refused", how={"name": attempt.asked_by.actor, "why": "unavailable"})
    history.entries = [*answered, refused]
    return replace(record, history=history)


def never_ended(record):
    """An attempt is open for ever."""
    return with_attempt(record, unlocked(record)._replace(phase=Phase.SENT, settled_at=None))


def unaudited(record):
    """The trail lacks an attempt."""
    return replace(record, audited=record.audited[1:])


def webhook_lost(record):
    """An event did not come."""
    return replace(record, received=record.received - {record.events[-1].event_id})


def code_lost(record):
    """A lock knows a code that nobody may have."""
    door = next(iter(record.holds))
    ours = "0190ab5e-3f0c-7d6e-8a53-1f2e3d4c5b6a"
    return replace(record, holds={**record.holds, door: {ours: "0000"}})


def unconfirmed(record):
    """A success says that it stands on more than it does."""
    attempt = unlocked(record)
    return with_attempt(record, attempt._replace(result={"was_confirmed_by_device": False}))


def nobody_answered(record):
    """Somebody with a key still waits."""
    return replace(record, unanswered=["a key"])


def answered_500(record):
    """The server did not know what to say."""
    history = History()
    last = record.history.entries[-1]
    history.entries = [*record.history.entries, last._replace(what="uncaught", how={"status": 500})]
    return replace(record, history=history)


def turned_twice(record):
    """A lock's record says otherwise than the last event."""
    attempt = unlocked(record)
    last = next(
        event
        for event in reversed(record.events)
        if event.device_id == attempt.device_id and event.event_type in {"lock.locked", "lock.unlocked"}
    )
    device = record.devices[attempt.device_id]
    stands = {**device.state, "locked": last.event_type == "lock.unlocked"}
    other = replace(device, state=stands)
    return replace(record, devices={**record.devices, device.id: other})


def code_untold(record):
    """A code that was made was never told of."""
    history = History()
    last = record.history.entries[-1]
    history.entries = [*record.history.entries, last._replace(what="code made", how={"code_id": "a code"})]
    return replace(record, history=history)


BREAKS = {
    without_attempt: "answered_means_kept",
    changed_end: "one_final_state",
    never_ended: "one_final_state",
    without_event: "events_match_facts",
    doubled_event: "events_match_facts",
    sent_again: "no_blind_repeat",
    sent_before_it_was_on_record: "nothing_is_sent_before_it_is_on_record_or_out_of_its_time",
    sent_too_late: "nothing_is_sent_before_it_is_on_record_or_out_of_its_time",
    said_that_it_had_not_acted: "what_says_that_nothing_was_done_is_true",
    success_without_an_act: "a_confirmed_bolt_was_there",
    unconfirmed: "success_says_what_it_stands_on",
    two_at_a_time: "one_command_at_a_time",
    two_answers: "the_same_key_has_the_same_answer",
    refused_and_done: "what_was_refused_is_not_done",
    nobody_answered: "every_caller_with_a_key_is_answered",
    unaudited: "every_attempt_is_audited_once",
    webhook_lost: "every_event_arrives",
    turned_twice: "each_turn_of_a_bolt_is_told_once",
    code_lost: "locks_hold_the_codes_that_they_shall",
    code_untold: "codes_are_kept_and_let_go_of",
    answered_500: "nothing_is_left_uncaught",
}


def test_a_sound_run_breaks_nothing(record):
    """A real server that is left in peace keeps every promise that can be judged from outside."""
    assert Promises(record).broken() == []
    assert len(record.attempts) > 20
    assert record.received


@pytest.mark.parametrize("change", BREAKS, ids=lambda change: change.__name__)
def test_what_is_wrong_is_found(record, change):
    """The promise that is broken on purpose is said to be broken."""
    assert BREAKS[change] in broken(change(record))


def test_every_promise_that_can_be_judged_is_broken_once(record):
    """No check is there for show; what cannot be judged from outside says why."""
    assert set(BREAKS.values()) | record.unseen.keys() == set(CHECKS)
