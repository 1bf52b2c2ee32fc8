"""Whatever is done to spaces and to what is in them: who only hears the events knows what is in each."""

from __future__ import annotations

import asyncio
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fixtures.engine import House
from thumbturn.domain.access import AcsEntrance
from thumbturn.domain.space import Members
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.ports import EventFilter

devices = st.sets(st.integers(0, 4), max_size=4)
entrances = st.sets(st.integers(0, 2), max_size=3)
which = st.integers(0, 2)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("create"), devices, entrances),
        st.tuples(st.sampled_from(["put", "take", "change"]), which, devices, entrances),
        st.tuples(st.just("change"), which, st.one_of(st.none(), devices), st.one_of(st.none(), entrances)),
        st.tuples(st.just("delete"), which),
        st.tuples(st.just("forget the account")),
    ),
    min_size=2,
    max_size=15,
)


def test_what_is_heard_is_what_is_so():
    """The last event of each space names what is in it; each tells of a change; its end is told once."""

    @example([("create", {0, 1}, {0}), ("create", {3}, set()), ("forget the account",)])
    @example([("create", {0}, {1}), ("put", 0, {0}, {1}), ("take", 0, {2}, set()), ("delete", 0)])
    @settings(max_examples=100, deadline=None)
    @given(steps)
    def whatever(happening):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(live(Path(folder), happening))

    whatever()


async def live(folder: Path, happening: Any) -> None:
    house = House(folder / "world.jsonl")
    await house.open()
    try:
        known = Known(house)
        await known.look_around()
        for what, *how in happening:
            await known.happen(what, *how)
            await known.is_heard()
    finally:
        await house.die()


class Known:
    """What there is to put in spaces, and the spaces that were made."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.there: list[str] = []
        self.gone: set[str] = set()

    @property
    def spaces(self) -> Any:
        return self.house.engine.spaces

    async def look_around(self) -> None:
        """See what there is, for as long as it is there."""
        store = self.house.store
        self.devices = [each.id for each in await store.every_device() if each.device_type != "acs_encoder"]
        found = await store.access.find(AcsEntrance, "w1", Wanted())
        self.entrances = [each.id for each in found]

    def members(self, devices: Any, entrances: Any) -> Members:
        """These of what is there."""
        here = [self.devices[each] for each in sorted(devices) if each < len(self.devices)]
        doors = [self.entrances[each] for each in sorted(entrances) if each < len(self.entrances)]
        return Members(tuple(here), tuple(doors))

    async def happen(self, what: str, *how: Any) -> None:
        """Something is asked for."""
        if what == "create":
            made = await self.spaces.create("w1", {"name": "Room"}, self.members(*how))
            self.there.append(made.id)
        elif what == "forget the account":
            for account in await self.house.store.every_account():
                await self.house.engine.accounts.delete("w1", account.id)
            await self.look_around()
        elif self.there:
            await self.to_one(what, self.there[how[0] % len(self.there)], *how[1:])

    async def to_one(self, what: str, id: str, devices: Any = None, entrances: Any = None) -> None:
        """Something is asked of a space."""
        if what == "delete":
            await self.spaces.delete("w1", id)
            self.there.remove(id)
            self.gone.add(id)
            return
        members = self.members(devices or (), entrances or ())
        if what == "put":
            await self.spaces.put("w1", id, members)
        elif what == "take":
            await self.spaces.take("w1", id, members)
        else:
            await self.spaces.change(
                "w1",
                id,
                {},
                device_ids=None if devices is None else members.device_ids,
                acs_entrance_ids=None if entrances is None else members.acs_entrance_ids,
            )

    async def is_heard(self) -> None:
        """What was told of each space, from its making on, is what is so."""
        events = await self.house.store.events("w1", EventFilter(), limit=1_000)
        inside = await self.spaces.inside_each("w1", self.there)
        for id in (*self.there, *self.gone):
            told = [event for event in events if event.payload.get("space_id") == id]
            words = [event.event_type.removeprefix("space.") for event in told]
            heard = [(event.payload["device_ids"], event.payload["acs_entrance_ids"]) for event in told]
            changes = len(told) - 2 if id in self.gone else len(told) - 1
            assert words == [
                "created",
                *["device_membership_changed"] * changes,
                *(["deleted"] if id in self.gone else ()),
            ]
            assert all(before != after for before, after in pairwise(heard[: changes + 1]))
            if id in self.gone:
                assert heard[-1] == heard[-2]
                continue
            now = inside.get(id, Members())
            assert heard[-1] == (list(now.device_ids), list(now.acs_entrance_ids))
            assert set(now.device_ids) <= set(self.devices)
