"""Three processes on one PostgreSQL: killed, stopped, added and taken away, while somebody goes on asking."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.fixtures.server import Caller, LiveServer
from tests.fixtures.several import LEASE, Several

#: Seconds after which a dead process's cells act again: its lease and a margin, and rounds of the others.
ACTS_AGAIN_WITHIN = 10.0
FINAL = ("success", "error")


def three(several: Several) -> list[LiveServer]:
    """Three processes with even shares."""
    servers = [several.add() for _ in range(3)]
    several.until(lambda: sorted(several.shares(*servers)) == [5, 5, 6], 30, "even shares")
    return servers


def ended(caller: Caller, attempt_id: str) -> dict[str, Any] | None:
    """An attempt once it is final."""
    answer = caller.http.post("/action_attempts/get", json={"action_attempt_id": attempt_id})
    if answer.status_code != httpx.codes.OK:
        return None
    attempt: dict[str, Any] = answer.json()["action_attempt"]
    return attempt if attempt["status"] in FINAL else None


class Asking(threading.Thread):
    """Somebody who unlocks one door after the other at one process, and keeps the ids that he was given."""

    def __init__(self, caller: Caller, locks: list[str]) -> None:
        super().__init__()
        self.caller = caller
        self.locks = locks
        self.given: list[tuple[str, str]] = []
        self.refused: Counter[int] = Counter()
        #: What those who were refused were told of when to ask again.
        self.told_when: set[str | None] = set()
        self.is_over = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.is_over.is_set():
            lock = self.locks[number % len(self.locks)]
            number += 1
            try:
                answer = self.caller.http.post("/locks/unlock_door", json={"device_id": lock})
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if answer.status_code == httpx.codes.OK:
                self.given.append((answer.json()["action_attempt"]["action_attempt_id"], lock))
            else:
                self.refused[answer.status_code] += 1
                self.told_when.add(answer.headers.get("retry-after"))
            time.sleep(0.02)


def test_the_devices_of_a_killed_process_act_again(several: Several):
    """Who asks a process that lives hears nothing of the death of the one that owned his devices, but that it
    takes some seconds; what was sent and not confirmed is not sent again.
    """
    servers = three(several)
    me = several.caller(servers[0], "killed")
    dead = several.owner(me)
    asker = several.at(next(each for each in servers if each is not dead), me)
    locks = [lock["device_id"] for lock in asker.locks()]
    asker.call("/thumbturn/sandbox/inject_fault", device_id=locks[0], fault="slow", milliseconds=20_000)
    underway = asker.call("/locks/unlock_door", device_id=locks[0])["action_attempt"]["action_attempt_id"]
    several.until(lambda: locks[0] in several.did("unlock"), 10, "the slow lock was told")
    dead.kill9()
    began = time.monotonic()
    attempt = asker.call("/locks/unlock_door", device_id=locks[-1])["action_attempt"]["action_attempt_id"]
    several.until(lambda: ended(asker, attempt), ACTS_AGAIN_WITHIN + 20, "the new command ended")
    took = time.monotonic() - began
    assert (ended(asker, attempt) or {})["status"] == "success"
    assert took < ACTS_AGAIN_WITHIN
    several.until(lambda: ended(asker, underway), 40, "the command under way was settled")
    did = Counter(several.did("unlock"))
    assert did[locks[0]] == 1
    assert did[locks[-1]] == 1


@pytest.mark.parametrize("at_least", [0, pytest.param(60, marks=pytest.mark.long)])
def test_a_process_that_was_stopped_does_no_harm_when_it_wakes(several: Several, at_least: float):
    """What its owner had not sent when he was stopped is sent by the next, once; the one who wakes, if only
    after a minute, sends and writes nothing, and takes part again.
    """
    servers = three(several)
    me = several.caller(servers[0], "stopped")
    asleep = several.owner(me)
    asker = several.at(next(each for each in servers if each is not asleep), me)
    locks = [lock["device_id"] for lock in asker.locks()]
    before = Counter(several.did("unlock"))
    asleep.process.send_signal(signal.SIGSTOP)
    wakes_at = time.monotonic() + at_least
    given = [
        asker.call("/locks/unlock_door", device_id=lock)["action_attempt"]["action_attempt_id"]
        for lock in locks
    ]
    several.until(lambda: all(ended(asker, each) for each in given), 30, "the next owner ended them all")
    states = {each: ended(asker, each) for each in given}
    time.sleep(max(wakes_at - time.monotonic(), 0))
    asleep.process.send_signal(signal.SIGCONT)
    several.until(lambda: sorted(several.shares(*servers)) == [5, 5, 6], 30, "shares after waking")
    time.sleep(LEASE)
    assert {each: ended(asker, each) for each in given} == states
    assert {state["status"] for state in states.values() if state} == {"success"}
    assert Counter(several.did("unlock")) - before == Counter(locks)


def test_nothing_is_lost_or_doubled_while_processes_come_and_go(several: Several):
    """Under load a second and a third process take their shares and one of them leaves again: every command
    that was accepted ends, in success, and its lock was told exactly once.
    """
    first = several.add()
    callers = [several.caller(first, f"load {number}") for number in range(4)]
    # Quick ones: behind slow ones commands would gather faster than they are sent, until their deadlines.
    quick = {"count": 5, "kind": "lock", "travel_milliseconds": 10}
    asking = [
        Asking(each, each.call("/thumbturn/sandbox/add_devices", **quick)["device_ids"]) for each in callers
    ]
    for each in asking:
        each.start()
    try:
        second, third = several.add(), several.add()
        everybody = (first, second, third)
        several.until(lambda: sorted(several.shares(*everybody)) == [5, 5, 6], 30, "three shares")
        third.stop()
        several.until(lambda: several.shares(first, second) == [8, 8], 30, "two shares")
    finally:
        for each in asking:
            each.is_over.set()
        for each in asking:
            each.join()
    assert min(len(each.given) for each in asking) > 20
    for each in asking:
        several.until(lambda each=each: all(ended(each.caller, id) for id, _ in each.given), 40, "all ended")
        states = [ended(each.caller, id) for id, _ in each.given]
        assert [state["error"] for state in states if state and state["status"] != "success"] == []
    told = Counter(several.did("unlock"))
    assert told == Counter(lock for each in asking for _, lock in each.given)
    assert {status for each in asking for status in each.refused} <= {503}
