"""Hypothesis mixes everything that may happen to attempts: begun, cancelled, too late, offline, killed."""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.engine import House
from thumbturn.domain.clock import seconds
from thumbturn.domain.policy import WhenOffline
from thumbturn.domain.refusals import TooLateToCancel
from thumbturn.engine.acceptance import Timing

ACTIONS = ("UNLOCK_DOOR", "LOCK_DOOR", "CONFIGURE_AUTO_LOCK")
#: µs. Those that are accepted in one moment are dated one after the other.
TOGETHER = 100
pauses = st.sampled_from([0, 1, seconds(0.1), seconds(0.5), seconds(3), seconds(40)])
timings = st.builds(
    lambda delay, deadline: (delay, deadline),
    st.none() | st.sampled_from([0, seconds(0.3), seconds(2), seconds(30)]),
    st.none() | st.sampled_from([seconds(1), seconds(5), seconds(600)]),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.sampled_from(ACTIONS), timings),
        st.tuples(st.just("cancel"), st.integers(0, 30)),
        st.tuples(st.just("cancel at once"), st.sampled_from(ACTIONS), timings),
        st.tuples(st.just("wait"), pauses),
        st.tuples(st.just("kill")),
        st.tuples(st.just("disconnect")),
        st.tuples(st.just("connect")),
        st.tuples(st.just("slow")),
    ),
    min_size=1,
    max_size=25,
)


class Story:
    """One door, one list of steps, and what was seen on the way."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder / "world.jsonl")
        setting = self.house.actions["CONFIGURE_AUTO_LOCK"]
        self.house.actions["CONFIGURE_AUTO_LOCK"] = replace(setting, when_offline=WhenOffline.WAIT)
        self.house.boot()
        self.begun, self.cancelled, self.ends = [], set(), {}

    async def tell(self, path):
        """Take the steps, then let everything come to its end."""
        await self.house.open()
        self.door = await self.house.device("Back Door")
        for step, *more in path:
            await getattr(self, step.replace(" ", "_"))(*more)
            await self.house.clock.settle()
            self.look()
        await self.connect()
        await self.house.clock.advance(seconds(700))
        self.look()
        await self.house.die()

    async def begin(self, action, timing):
        delay, deadline = timing
        not_before = None if delay is None else self.house.clock.now() + delay
        ask = {"auto_lock_enabled": False} if action == "CONFIGURE_AUTO_LOCK" else {}
        self.begun.append(await self.house.begin(action, self.door, Timing(not_before, deadline), **ask))

    async def cancel(self, number):
        if self.begun:
            attempt = self.begun[number % len(self.begun)]
            try:
                await self.house.engine.begun.cancel("w1", attempt.id, "somebody")
                self.cancelled.add(attempt.id)
            except TooLateToCancel:
                pass

    async def cancel_at_once(self, action, timing):
        await self.begin(action, timing)
        await self.cancel(len(self.begun) - 1)

    async def wait(self, microseconds):
        await self.house.clock.advance(microseconds)

    async def kill(self):
        await self.house.revive()

    async def disconnect(self):
        await self.house.engine.sandbox.disconnect(self.house.workspace, self.door.id)

    async def connect(self):
        await self.house.engine.sandbox.connect(self.house.workspace, self.door.id)

    async def slow(self):
        await self.house.fault(self.door, "slow", times=1, ms=2_000)

    def look(self):
        """Remember every end, and see that none has changed."""
        for attempt in self.begun:
            now = self.house.store._attempts[attempt.id]
            if now.phase.is_final:
                assert self.ends.setdefault(attempt.id, now) == now

    def acts(self):
        """When the bolt was told to move, by the door's own journal."""
        lines = [json.loads(line) for line in self.house.journal.read_text().splitlines()]
        return [
            (line["did"], line["at"])
            for line in lines
            if line["device_id"] == self.door.id and line["did"] in {"unlock", "lock"}
        ]


@settings(max_examples=150, deadline=None)
@given(steps)
def test_whatever_happens_each_attempt_ends_once_and_acts_within_its_time(path):
    """One end each, and for ever; nothing acts before its moment, after its deadline, or when cancelled."""
    with tempfile.TemporaryDirectory() as folder:
        story = Story(Path(folder))
        asyncio.run(story.tell(path))
        ends = [story.ends[attempt.id] for attempt in story.begun]
        for end in ends:
            sent = [mark.at for mark in end.marks if mark.stage in {"sent", "resent"}]
            assert all((end.not_before or 0) <= at < end.deadline_at for at in sent)
            postponed = sum(mark.stage == "postponed" for mark in end.marks)
            assert (end.failure is not None and end.failure[0] == "cancelled") is (end.id in story.cancelled)
            if end.id in story.cancelled:
                assert len(sent) == postponed
        for did, at in story.acts():
            fitting = [
                end
                for end in ends
                if end.action_type == f"{did.upper()}_DOOR"
                and any(mark.stage in {"sent", "resent"} and mark.at <= at + TOGETHER for mark in end.marks)
                and at < end.deadline_at
            ]
            assert fitting, f"the door did {did} at {at}, and nobody had asked"
        told = [
            event.action_attempt_id
            for event in story.house.store._events["w1"]
            if event.event_type.startswith("action_attempt.")
        ]
        announced = [end.id for end in ends if end.action_type != "CONFIGURE_AUTO_LOCK"]
        assert sorted(told) == sorted(announced)
