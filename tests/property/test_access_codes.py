"""Whatever is asked of codes, and whatever happens to their lock: code, lock, attempts and events agree.

Days pass in milliseconds. The model is one line: what the caller last said of a code. The engine, its store,
the virtual lock and its faults are the real ones.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fixtures.codes import DAY, HOUR, ME, NATIVE, PLAIN, Codes
from tests.fixtures.engine import House
from thumbturn.domain.access_code import AHEAD, NATIVE_AHEAD
from thumbturn.domain.clock import seconds
from thumbturn.engine import code_keeper, timetable
from thumbturn.engine.access_codes import NewCode
from thumbturn.engine.code_refusals import AccessCodeIsOver, AccessCodeNotFound, DuplicateAccessCode

#: Attached to the lock: every event about a code of it carries that.
MINE = {"at": "the door"}
PINS = ("1234567", "2345678", "3456789")
#: Longer than the longest pause between two tries, and all that a sound lock takes.
LONG_ENOUGH = seconds(2 * 3_600 + 200)

times = st.one_of(st.none(), st.tuples(st.integers(0, 100), st.integers(1, 30)))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.sampled_from(PINS), times),
        st.tuples(st.just("update"), st.integers(0, 3), st.one_of(st.sampled_from(PINS), times)),
        st.tuples(st.just("delete"), st.integers(0, 3)),
        st.tuples(st.just("touch"), st.integers(0, 3), st.one_of(st.none(), st.just("9999999"))),
        st.tuples(st.sampled_from(["offline", "refuse", "silent", "dead_mid_way", "slow"])),
        st.tuples(st.sampled_from(["sound", "crash"])),
        st.tuples(st.just("pass"), st.integers(1, 40)),
    ),
    min_size=2,
    max_size=12,
)


@dataclass
class Said:
    """What the caller last said of a code."""

    pin: str
    starts_at: int | None
    ends_at: int | None
    is_deleted: bool = False


def test_code_lock_attempts_and_events_agree(monkeypatch):
    """Once the lock is sound for long enough it holds what was said, and everything told of it is so."""
    for module in (timetable, code_keeper):
        monkeypatch.setattr(module, "LOOK_EVERY", 1_000 * DAY)

    # One attempt is at work in the lock while another that was queued behind it is cancelled.
    @example(PLAIN, (38, 1), [("slow",), ("update", 0, None), ("delete", 0)])
    @example(PLAIN, None, [("silent",), ("create", PINS[1], None), ("touch", 0, None)])
    @settings(max_examples=30, deadline=None)
    @given(st.sampled_from([PLAIN, NATIVE]), times, steps)
    def whatever(door, first, happening):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(live(Path(folder), door, [("create", PINS[0], first), *happening]))

    whatever()


async def live(folder: Path, door: str, happening: Any) -> None:
    house = House(folder / "world.jsonl")
    await house.open()
    try:
        story = Story(house, door)
        lock = await house.device(door)
        await house.engine.change_device("w1", lock.id, lambda known: replace(known, custom_metadata=MINE))
        for what, *how in happening:
            await story.happen(what, *how)
            await story.is_consistent()
        await story.happen("sound")
        await house.clock.advance(LONG_ENOUGH)
        await story.is_as_said()
        await story.is_consistent()
        await house.clock.advance(200 * HOUR)
        await story.is_as_said()
        await story.ended_well()
    finally:
        await house.die()


class Story:
    """A lock with codes, and what was said of them."""

    def __init__(self, house: House, door: str) -> None:
        self.house = house
        self.door = door
        self.ahead = NATIVE_AHEAD if door == NATIVE else AHEAD
        self.said: dict[str, Said] = {}

    @property
    def all(self) -> Any:
        return self.house.engine.access_codes

    def moments(self, given: Any) -> dict[str, int | None]:
        """A time frame in hours from now, or none."""
        if given is None:
            return {"starts_at": None, "ends_at": None}
        starts_at = self.house.clock.now() + given[0] * HOUR
        return {"starts_at": starts_at, "ends_at": starts_at + given[1] * HOUR}

    def chosen(self, number: int) -> str | None:
        """One of the codes, if there is any."""
        ids = [id for id, said in self.said.items() if not said.is_deleted]
        return ids[number % len(ids)] if ids else None

    async def happen(self, what: str, *how: Any) -> None:
        """Something is asked for, or happens."""
        device = await self.house.device(self.door)
        sandbox, workspace = self.house.engine.sandbox, self.house.workspace
        if what == "create":
            times = self.moments(how[1])
            try:
                code, _ = await self.all.create("w1", device.id, NewCode(pin=how[0][:4], **times), ME)
            except DuplicateAccessCode:
                return
            self.said[code.id] = Said(how[0][:4], **times)
        elif what in ("update", "delete", "touch"):
            await self.to_one(what, *how)
        elif what == "sound":
            await sandbox.clear_faults(workspace)
        elif what == "crash":
            await self.house.revive()
        elif what == "pass":
            await self.house.clock.advance(how[0] * HOUR)
        else:
            await sandbox.inject_fault(workspace, device.id, what, milliseconds=2_000)
        await self.house.clock.settle()

    async def to_one(self, what: str, number: int, *how: Any) -> None:
        """Something is asked for of one of the codes, or happens to it at its lock."""
        code_id = self.chosen(number)
        if code_id is None:
            return
        try:
            if what == "delete":
                await self.all.delete("w1", code_id, ME)
                self.said[code_id].is_deleted = True
            elif what == "touch":
                self.touch(code_id, how[0])
            elif isinstance(how[0], str):
                await self.all.update("w1", code_id, {"pin": how[0][:4]}, ME)
                self.said[code_id].pin = how[0][:4]
            else:
                times = self.moments(how[0])
                await self.all.update("w1", code_id, times, ME)
                self.said[code_id] = Said(self.said[code_id].pin, **times)
        except (AccessCodeNotFound, AccessCodeIsOver, DuplicateAccessCode):
            return

    def touch(self, code_id: str, pin: str | None) -> None:
        """Somebody does it at the lock, whether or not that can say so."""
        [lock] = [
            self.house.driver._things[device.id]
            for device in self.house.engine._devices.of_workspace("w1")
            if device.name == self.door
        ]
        if code_id in lock.codes.said() and code_id in lock.codes._holds:
            lock.touch_code(code_id, None if pin is None else pin[:4])

    async def is_as_said(self) -> None:
        """The lock holds what was said, the codes say so, and nothing is wrong."""
        now = self.house.clock.now()
        wanted = {
            id: said.pin
            for id, said in self.said.items()
            if not said.is_deleted
            and (said.ends_at is None or now < said.ends_at)
            and (said.starts_at is None or said.starts_at - self.ahead <= now)
        }
        codes = Codes(self.house)
        assert await codes.at_lock(self.door) == wanted
        for id, said in self.said.items():
            status = await codes.status(id)
            if said.is_deleted or (said.ends_at is not None and said.ends_at <= now):
                assert status == "gone"
            elif id not in wanted or (self.door == NATIVE and said.starts_at and now < said.starts_at):
                assert status == "unset"
            else:
                assert status == "set"
                facts = (await self.all.get("w1", id)).facts
                assert (dict(facts.errors), dict(facts.warnings)) == ({}, {})

    async def is_consistent(self) -> None:
        """What was told of a code and what its attempts say is what is on record of it, at any moment."""
        events = await self.house.store.events_after("w1", 0, limit=10_000)
        of_codes = [event for _, event in events if event.event_type.startswith("access_code.")]
        assert {str(event.payload.get("device_custom_metadata")) for event in of_codes} <= {str(MINE)}
        for id in self.said:
            told = [
                event.event_type.removeprefix("access_code.")
                for _, event in events
                if event.payload.get("access_code_id") == id
            ]
            assert told.count("created") == 1
            code = await self.house.store.access_codes.get(id)
            assert told.count("deleted") == (code is None)
            if code is None:
                assert told[-1] == "deleted"
                continue
            changes = [each for each in told if each in _USABLE]
            if code.facts.is_told_set:
                assert changes[-1] == "set_on_device"
            else:
                assert not changes or changes[-1] != "set_on_device" or code.changed_at > 0
        for _, event in events:
            if event.event_type == "access_code.set_on_device" and event.action_attempt_id is not None:
                attempt = await self.house.store.attempt("w1", event.action_attempt_id)
                assert (attempt.status, attempt.action_type) in {
                    ("success", "CREATE_ACCESS_CODE"),
                    ("success", "UPDATE_ACCESS_CODE"),
                }

    async def ended_well(self) -> None:
        """No attempt is open that nobody waits for."""
        for run in self.house.engine._dispatch.open.values():
            assert run.attempt.not_before is not None


_USABLE = {"set_on_device", "removed_from_device", "deleted_external_to_seam", "modified_external_to_seam"}
