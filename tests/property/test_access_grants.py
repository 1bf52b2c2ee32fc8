"""Whatever is asked of grants, and whatever happens to their doors: grants, methods, codes and events agree.

Days pass in milliseconds. The model is what the caller last said of each grant. The engine, its store, the
virtual locks, the encoder and their faults are the real ones.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fixtures.codes import DAY, HOUR, ME, NATIVE, PLAIN
from tests.fixtures.engine import House
from tests.fixtures.grants import Grants
from thumbturn.domain.access_code import AHEAD, NATIVE_AHEAD
from thumbturn.domain.access_grant import code_id
from thumbturn.domain.access_grant_refusals import AccessGrantIsOver
from thumbturn.domain.access_refusals import InvalidAccessTimes
from thumbturn.domain.clock import seconds
from thumbturn.domain.space import Members
from thumbturn.engine import code_keeper, timetable
from thumbturn.engine.code_refusals import AccessCodeNotFound

LOCKS = (PLAIN, NATIVE)
#: Longer than the longest pause between two tries, and all that a sound lock takes.
LONG_ENOUGH = seconds(2 * 3_600 + 200)

times = st.one_of(st.none(), st.tuples(st.integers(0, 100), st.one_of(st.none(), st.integers(1, 30))))
number = st.integers(0, 2)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.integers(1, 7), st.integers(1, 7), times),
        st.tuples(st.just("change"), number, times),
        st.tuples(st.just("delete"), number),
        st.tuples(st.just("delete a method"), number, number),
        st.tuples(st.just("delete a code"), number, number),
        st.tuples(st.just("encode"), number),
        st.tuples(st.just("put"), number),
        st.tuples(st.just("take"), number),
        st.tuples(st.sampled_from(["offline", "refuse", "silent", "slow"]), number),
        st.tuples(st.sampled_from(["sound", "crash"])),
        st.tuples(st.just("pass"), st.integers(1, 40)),
    ),
    min_size=2,
    max_size=10,
)


@dataclass
class Said:
    """What the caller last said of a grant."""

    modes: list[str]
    locks: list[str]
    doors: list[str]
    is_for_space: bool
    starts_at: int
    ends_at: int | None
    is_deleted: bool = False


def test_grants_methods_doors_and_events_agree(monkeypatch):
    """Once all is sound for long enough, locks and systems hold what was said; what was told is so."""
    for module in (timetable, code_keeper):
        monkeypatch.setattr(module, "LOOK_EVERY", 1_000 * DAY)

    @example([("offline", 0), ("delete", 0), ("crash",)])
    @example([("put", 1), ("crash",), ("take", 1)])
    @example([("refuse", 0), ("delete", 0)])
    @example([("offline", 0), ("delete a method", 0, 0)])
    @example([("change", 0, (0, 2)), ("offline", 0), ("pass", 3)])
    @example([("encode", 0), ("change", 0, (0, 20)), ("encode", 0)])
    @settings(max_examples=25, deadline=None)
    @given(steps)
    def whatever(happening):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(live(Path(folder), [("create", 7, 7, None), *happening]))

    whatever()


async def live(folder: Path, happening: Any) -> None:
    house = House(folder / "world.jsonl")
    await house.open()
    try:
        story = Story(house)
        await story.begin()
        for what, *how in happening:
            await story.happen(what, *how)
            await story.is_consistent()
        await story.happen("sound")
        await house.clock.advance(LONG_ENOUGH)
        await story.is_as_said()
        await story.is_consistent()
        await house.clock.advance(200 * HOUR)
        await story.is_as_said()
        await story.is_consistent()
    finally:
        await house.die()


class Story:
    """Two locks, three entrances and a space, and what was said of grants for them."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.grants = Grants(house)
        self.said: dict[str, Said] = {}
        self.inside: set[str] = set()

    async def begin(self) -> None:
        """Make the space."""
        self.space = await self.house.engine.spaces.create("w1", {"name": "Room"}, Members())
        self.ids = {name: (await self.house.device(name)).id for name in LOCKS}

    def chosen(self, number: int) -> str | None:
        """One of the grants, if there is any."""
        ids = [id for id, said in self.said.items() if not said.is_deleted]
        return ids[number % len(ids)] if ids else None

    def moments(self, given: Any) -> tuple[int, int | None]:
        """Times in hours from now; at once and for ever, if none are given."""
        now = self.house.clock.now()
        if given is None:
            return now, None
        starts_at = now + given[0] * HOUR
        return starts_at, None if given[1] is None else starts_at + given[1] * HOUR

    async def happen(self, what: str, *how: Any) -> None:
        """Something is asked for, or happens."""
        sandbox, workspace = self.house.engine.sandbox, self.house.workspace
        spaces = self.house.engine.spaces
        if what == "create":
            await self.create(*how)
        elif what in ("change", "delete", "delete a method", "delete a code", "encode"):
            await self.to_one(what, *how)
        elif what in ("put", "take"):
            name = LOCKS[how[0] % 2]
            member = Members(device_ids=(self.ids[name],))
            await (spaces.put if what == "put" else spaces.take)("w1", self.space.id, member)
            self.inside = self.inside | {name} if what == "put" else self.inside - {name}
        elif what == "sound":
            await sandbox.clear_faults(workspace)
        elif what == "crash":
            await self.house.revive()
        elif what == "pass":
            await self.house.clock.advance(how[0] * HOUR)
        else:
            device_id = self.ids[LOCKS[how[0] % 2]]
            await sandbox.inject_fault(workspace, device_id, what, milliseconds=2_000)
        await self.house.clock.settle()

    async def create(self, modes: int, where: int, given: Any) -> None:
        """A grant with some of the ways in, for some of the locks, an entrance and the space."""
        starts_at, ends_at = self.moments(given)
        said = Said(
            modes=[mode for bit, mode in enumerate(("code", "card", "cloud_key")) if modes >> bit & 1],
            locks=[LOCKS[0]] if where & 1 else [],
            doors=[NATIVE] if where & 2 else [],
            is_for_space=bool(where & 4),
            starts_at=starts_at,
            ends_at=ends_at,
        )
        grant = await self.grants.create(
            *said.modes,
            locks=tuple(said.locks),
            doors=tuple(said.doors),
            space_ids=[self.space.id] if said.is_for_space else [],
            starts_at=starts_at,
            ends_at=ends_at,
        )
        self.said[grant.id] = said

    async def to_one(self, what: str, number: int, *how: Any) -> None:
        """Something is asked for of one of the grants."""
        id = self.chosen(number)
        if id is None:
            return
        all, said = self.grants.all, self.said[id]
        methods = await all.methods("w1", [id])
        try:
            if what == "delete":
                await all.delete("w1", id)
                said.is_deleted = True
            elif what == "change":
                starts_at, ends_at = self.moments(how[0])
                await all.change("w1", id, {"starts_at": starts_at, "ends_at": ends_at})
                said.starts_at, said.ends_at = starts_at, ends_at
            elif what == "encode":
                for each in methods:
                    if each.mode == "card" and each.credentials and each.removed_at is None:
                        await self.grants.encode(each)
            elif methods:
                method = methods[how[0] % len(methods)]
                if what == "delete a method":
                    await all.delete_methods("w1", [method])
                    said.modes = [mode for mode in said.modes if mode != method.mode]
                else:
                    code = code_id(method.id, self.ids[LOCKS[how[0] % 2]])
                    await self.house.engine.access_codes.delete("w1", code, ME)
        except (AccessGrantIsOver, AccessCodeNotFound, InvalidAccessTimes):
            return

    def is_due(self, said: Said, lock: str) -> bool:
        """True if the lock shall hold a code of the grant by now."""
        now = self.house.clock.now()
        if said.is_deleted or "code" not in said.modes:
            return False
        if lock not in said.locks and not (said.is_for_space and lock in self.inside):
            return False
        if said.ends_at is None:
            return said.starts_at <= now
        ahead = NATIVE_AHEAD if lock == NATIVE else AHEAD
        return said.starts_at - ahead <= now < said.ends_at

    async def is_as_said(self) -> None:
        """Locks and systems hold what was said and nothing else, and nothing is wrong."""
        now, rested_on = self.house.clock.now(), set[str]()
        due: dict[str, list[str]] = {lock: [] for lock in LOCKS}
        for id, said in self.said.items():
            [*there] = await self.grants.all.with_ids("w1", [id])
            assert bool(there) is not said.is_deleted
            methods = await self.grants.all.methods("w1", [id])
            for lock in LOCKS:
                at = [each for each in methods if self.ids[lock] in each.at_device_ids]
                assert len(at) == self.is_due(said, lock)
                due[lock] += [self.grants.pin(each) for each in at]
            for method in methods:
                assert (method.failure, method.delayed_at, method.stuck) == (None, None, {})
                assert method.mode in said.modes
                assert not (method.is_behind and method.mode != "card")
                rested_on |= {*method.credentials.values()} if method.acs_entrance_ids else set()
            if there and (said.ends_at is None or now < said.ends_at):
                keys = [each for each in methods if each.mode == "cloud_key"]
                assert all(each.issued_at is not None for each in keys if each.acs_entrance_ids)
        for lock in LOCKS:
            assert sorted(await self.grants.at_lock(lock)) == sorted(due[lock])
        assert {each.id for each in await self.grants.credentials()} <= rested_on

    async def is_consistent(self) -> None:
        """What was told of grants and methods is what is on record of them, at any moment."""
        events = [event for _, event in await self.house.store.events_after("w1", 0, limit=100_000)]
        await self.is_true_of_locks()
        for id in self.said:
            [*there] = await self.grants.all.with_ids("w1", [id])
            told = [
                event.event_type.removeprefix("access_grant.")
                for event in events
                if event.payload.get("access_grant_id") == id
            ]
            assert (told[0], told.count("created")) == ("created", 1)
            assert told.count("deleted") == (not there)
            doors = [
                event.payload["acs_entrance_id"]
                for event in events
                if _is_about(event, id, "granted_to_door")
            ]
            lost = [event.payload["acs_entrance_id"] for event in events if _is_about(event, id, "door_lost")]
            for door in {*doors, *lost}:
                opens = bool(there) and door in there[0].opened_entrance_ids
                assert doors.count(door) - lost.count(door) == opens
            known = {method.id: method for method in await self.grants.all.methods("w1", [id])}
            made = {
                event.payload["access_method_id"]
                for event in events
                if event.payload.get("access_grant_ids") == [id]
            }
            assert known.keys() <= made
            for method_id in made:
                words = [
                    event.event_type.removeprefix("access_method.")
                    for event in events
                    if event.payload.get("access_method_id") == method_id
                ]
                assert (words[0], words.count("created")) == ("created", 1)
                assert words.count("deleted") == (method_id not in known)
                # Issued and revoked take turns; a card may be reissued in between.
                turns = [word for word in words if word in ("issued", "reissued", "revoked")]
                is_issued = method_id in known and known[method_id].issued_at is not None
                assert (bool(turns) and turns[-1] != "revoked") is is_issued
                assert words.count("issued") <= 1
                assert all(pair != ("revoked", "revoked") for pair in pairwise(turns))

    async def is_true_of_locks(self) -> None:
        """A lock holds no PIN of which nobody knows any more, nor one that is said to be revoked."""
        known = [each for id in self.said for each in await self.grants.all.methods("w1", [id])]
        codes = [each for each in known if each.mode == "code"]
        revoked = {self.grants.pin(each) for each in codes if each.was_issued and each.issued_at is None}
        for lock in LOCKS:
            held = set(await self.grants.at_lock(lock))
            assert held <= {self.grants.pin(each) for each in codes}
            assert held.isdisjoint(revoked)


def _is_about(event: Any, grant_id: str, ending: str) -> bool:
    return event.payload.get("access_grant_id") == grant_id and event.event_type.endswith(ending)
