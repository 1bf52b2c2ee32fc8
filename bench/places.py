"""Servers that are started again and again on what they left: their data, their past, their devices."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from bench import database
from bench.fill import fill
from bench.load import load
from bench.options import Options
from bench.postgres import Postgres
from bench.servers import Server, directory, ours

#: Attempts from all over the past that reads ask for, again and again: what is compared is what the tables
#: cost. What the first look at something costs that is not in memory is the disk's affair.
SOME = 2_000
#: Devices whose attempts are listed, and how many each has at least.
LISTED, EACH = 200, 20
#: What is known of a place that is kept.
NOTE = "place.json"
#: Nothing is forgotten.
FOR_EVER = ("--keep-attempts-days", "0", "--keep-events-days", "0")


@dataclass(slots=True)
class Place:
    """A server's data directory, with its database if that is elsewhere."""

    data: Path
    database_url: str | None
    device_ids: list[str]
    #: Attempts that are on record.
    ids: list[str]
    #: How long it took to fill it, seconds.
    took: float = 0.0

    @property
    def records(self) -> database.Where:
        """Where the attempts are."""
        return self.database_url or self.data

    @contextmanager
    def serving(
        self,
        options: Options,
        flags: Sequence[str] = FOR_EVER,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> Iterator[Server]:
        """The server, as long as it is entered."""
        url = self.database_url
        with ours(
            options, self.data, self.device_ids, database_url=url, flags=flags, variables=variables
        ) as server:
            yield server

    def count_since(self, id: str) -> tuple[int, int]:
        """The attempts behind this id, and how many of them succeeded."""
        with database.asking(self.records) as ask:
            behind = (
                f"select {database.PHASE}, count(*) from {database.ATTEMPTS} where {database.ID} >= '{id}'"
            )
            found = dict(ask(f"{behind} group by {database.PHASE}"))
        return sum(found.values()), found.get(database.SUCCEEDED, 0)


@contextmanager
def furnished(options: Options, server: Postgres, on: str, devices: int) -> Iterator[Place]:
    """A place that has devices, and a few attempts on some of them; gone afterwards.

    It is on `sqlite` or on `postgres`.
    """
    with ExitStack() as stack:
        data = stack.enter_context(directory(options))
        url = stack.enter_context(server.database()) if on == "postgres" else None
        yield furnish(options, data, url, devices)


def furnish(options: Options, data: Path, url: str | None, devices: int) -> Place:
    """The same, where it shall be."""
    place = Place(data, url, [], [])
    with place.serving(options) as server:
        server.add_devices(devices)
        place.device_ids = server.device_ids
        # As many to a page as where there is a long past.
        while place.count_since("")[0] < LISTED * EACH:
            load(server, "unlock", server.device_ids[:LISTED], 1)
            database.wait_until_settled(place.records)
        jam = {"device_id": server.device_ids[0], "fault": "jam", "times": 1}
        server.call("/thumbturn/sandbox/inject_fault", jam)
        for device_id in server.device_ids[:10]:
            server.call("/locks/unlock_door", {"device_id": device_id})
            server.call("/locks/lock_door", {"device_id": device_id})
        database.wait_until_settled(place.records)
    place.ids = _from_all_over(place)
    return place


def is_kept(kept_in: Path) -> bool:
    """True if a run before has filled a place here, to the end."""
    return (kept_in / NOTE).exists()


def kept(options: Options, kept_in: Path, url: str | None, count: int, devices: int) -> Place:
    """A place with a long past in a folder, where it may be from a run before."""
    note, data = kept_in / NOTE, kept_in / "data"
    if is_kept(kept_in):
        return Place(data, url, **json.loads(note.read_text()))
    shutil.rmtree(kept_in, ignore_errors=True)
    data.mkdir(parents=True)
    place = furnish(options, data, url, devices)
    place.took = fill(place.records, count)
    place.ids = _from_all_over(place)
    note.write_text(json.dumps({"device_ids": place.device_ids, "ids": place.ids, "took": place.took}))
    return place


def folder_of_today(options: Options) -> Path:
    """Where what was filled today is kept; that of other days and other sizes is removed."""
    name = f"{datetime.now(UTC):%Y%m%d}-{options.past}"
    if options.kept.exists():
        for other in options.kept.iterdir():
            if other.name != name:
                shutil.rmtree(other)
    folder = options.kept / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _from_all_over(place: Place) -> list[str]:
    """Ids from all over the past, without looking at every row of it."""
    with database.asking(place.records) as ask:
        [[oldest, newest]] = ask(f"select min({database.ID}), max({database.ID}) from {database.ATTEMPTS}")
        first, last = _milliseconds(oldest), _milliseconds(newest)
        found = []
        for number in range(SOME):
            at = bound(first + (last - first) * number // SOME)
            query = f"select {database.ID} from {database.ATTEMPTS} where {database.ID} >= '{at}'"
            found += ask(f"{query} order by {database.ID} limit 1")
    # Not in their order: neighbours in the file are no neighbours in what is asked for.
    return [id for (id,) in sorted(found, key=lambda row: row[0][::-1])]


def bound(milliseconds: int) -> str:
    """What is before all ids of this moment and behind all before it."""
    digits = f"{milliseconds:012x}"
    return f"{digits[:8]}-{digits[8:]}"


def _milliseconds(id: str) -> int:
    return int(id[:8] + id[9:13], 16)
