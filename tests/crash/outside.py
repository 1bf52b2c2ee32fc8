"""The record of a real run, made from outside: from its database, its devices' journal and its webhooks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from tests.crash.callers import Place
from tests.crash.site import Site
from tests.simulation.history import Entry, History
from tests.simulation.record import Record, lines_of
from thumbturn.domain.attempt import Attempt, Phase
from thumbturn.domain.clock import MILLISECOND, SECOND, SystemClock
from thumbturn.engine.access_code_ports import CodeFilter
from thumbturn.engine.pins import Pins, open_pins
from thumbturn.engine.secrets import open_seal
from thumbturn.storage.open import open_store
from thumbturn.storage.rows import attempt_of, device_of, event_of
from thumbturn.storage.tables import IS_OPEN, attempts, audit_entries, audit_waiting, devices, events

HOUR = 3_600 * SECOND
ALL = 1_000_000
#: How long before it is set back the last acceptance may have been.
VAGUE = SECOND // 4
#: The timers of an event loop count milliseconds.
TOO_EARLY = 3 * MILLISECOND
#: The commands in the journal, and which attempts may send them.
PROGRAMS = frozenset({"CREATE_ACCESS_CODE", "UPDATE_ACCESS_CODE", "DELETE_ACCESS_CODE", "SYNC_ACCESS_CODES"})
SENT_BY = {
    "unlock": frozenset({"UNLOCK_DOOR"}),
    "lock": frozenset({"LOCK_DOOR"}),
    "set_code": PROGRAMS,
    "clear_code": PROGRAMS,
}
#: What of the promises nobody outside can judge.
UNSEEN = {
    "only_the_owner_sends": "a device does not write down which process told it",
    "success_is_evidence": "what a device reports to the server is heard by nobody else",
}


class Rows(NamedTuple):
    """What a database has of a workspace."""

    attempts: dict[str, Attempt]
    events: list[Any]
    devices: dict[str, Any]
    audited: list[str]


@dataclass
class Outside:
    """Whoever looks at a site from outside."""

    site: Site
    pins: Pins

    @classmethod
    async def of(cls, site: Site) -> Outside:
        """Once its first process has started."""
        store = open_store(site.url)
        try:
            seal = await open_seal(store.secrets, site.key, site.first.data)
            return cls(site, await open_pins(store.access_codes, seal))
        finally:
            await store.close()

    def rows(self, workspace_id: str) -> Rows:
        """What is on record of a workspace."""
        engine = sa.create_engine(self.site.url, poolclass=sa.NullPool)
        with engine.connect() as connection:

            def read(table: sa.Table, *order: Any) -> Sequence[Any]:
                question = sa.select(table).where(table.c.workspace_id == workspace_id)
                return connection.execute(question.order_by(*order)).all()

            found = [attempt_of(row) for row in read(attempts, attempts.c.accepted_at, attempts.c.id)]
            # In one statement: from the one table they go to the other at any moment.
            trails = [
                sa.select(table.c.attempt_id).where(
                    table.c.workspace_id == workspace_id, table.c.attempt_id.is_not(None)
                )
                for table in (audit_entries, audit_waiting)
            ]
            audited = list(connection.execute(sa.union_all(*trails)).scalars())
            return Rows(
                {attempt.id: attempt for attempt in found},
                [event_of(row) for row in read(events, events.c.sequence)],
                {device.id: device for device in map(device_of, read(devices))},
                audited,
            )

    def is_open(self, workspace_id: str) -> bool:
        """Whether some attempt of a workspace has not ended. Cheap: it is asked again and again."""
        question = sa.select(attempts.c.id).where(attempts.c.workspace_id == workspace_id, IS_OPEN)
        return self._first_column(question.limit(1)) != []

    def event_ids(self, workspace_id: str) -> set[str]:
        """All events of a workspace. Cheap, too."""
        return set(
            self._first_column(sa.select(events.c.event_id).where(events.c.workspace_id == workspace_id))
        )

    def _first_column(self, question: sa.Select[Any]) -> Sequence[Any]:
        engine = sa.create_engine(self.site.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return connection.execute(question).scalars().all()

    def note_ends(self, place: Place, rows: Rows) -> None:
        """What has ended now stays as it is."""
        for attempt in rows.attempts.values():
            if attempt.phase.is_final:
                how = {"status": attempt.status, "result": attempt.result, "failure": attempt.failure}
                place.note("final", attempt_id=attempt.id, **how)

    async def record(
        self, place: Place, rows: Rows, stood: Mapping[str, bool | None], received: Iterable[str]
    ) -> Record:
        """All that is known of a workspace now."""
        acts = [act for act in self.acts() if act["device_id"] in rows.devices]
        history = History()
        history.entries = [
            *place.history.entries,
            *sends(rows.attempts.values(), acts, self.site.clock.set_back_at),
        ]
        codes = await self._codes(place)
        return Record(
            history=history,
            attempts=rows.attempts,
            events=rows.events,
            devices=rows.devices,
            codes={code.id: code for code in codes},
            audited=rows.audited,
            acts=acts,
            stood=stood,
            holds={door: self._holds(acts, door) for door in place.keypads},
            received=frozenset(received),
            unanswered=list(place.unanswered),
            ended_at=self.site.clock.now(),
            open_pin=self.pins.open,
            too_early=TOO_EARLY,
            unseen=UNSEEN,
        )

    def acts(self) -> list[dict[str, Any]]:
        """All that devices did, in order."""
        return [act for journal in self.site.journals() for act in lines_of(journal)]

    async def _codes(self, place: Place) -> Sequence[Any]:
        store = open_store(self.site.url)
        try:
            return await store.access_codes.listed(place.workspace_id, CodeFilter(), limit=ALL)
        finally:
            await store.close()

    def _holds(self, acts: Iterable[Mapping[str, Any]], door: str) -> dict[str, str]:
        """What the keypad of a door knows: PINs by place."""
        holds: dict[str, str] = {}
        for act in acts:
            for fact, slot in act.get("now", {}).items():
                if act["device_id"] == door and fact.startswith("code:"):
                    place = fact.removeprefix("code:")
                    holds.pop(place, None)
                    if slot is not None:
                        holds[place] = self.pins.open(slot["pin"])
        return holds


class Sending(NamedTuple):
    """When an attempt was with its device, in true time, as far as its timeline tells."""

    attempt: Attempt
    sent_at: int
    ended_at: float
    #: The server's clock had been set back. Acceptances are told in their order all the same, so that all
    #: seem to be of the moment at which it was, until that hour comes again.
    is_vague: bool

    def holds(self, at: int) -> bool:
        """Whether it was with its device then, for all that is known."""
        return self.sent_at <= at <= self.ended_at


def sends(
    known: Iterable[Attempt], acts: Iterable[Mapping[str, Any]], set_back_at: Sequence[int]
) -> list[Entry]:
    """Which command each act of a device was, as far as the attempts' timelines tell.

    ``set_back_at`` are the moments at which the server's clock was set back, in true time.
    """
    lanes: dict[str | None, list[Sending]] = defaultdict(list)
    for attempt in known:
        ended_at = float("inf") if attempt.settled_at is None else true(attempt.settled_at)
        for mark in attempt.marks:
            if mark.stage in {"sent", "resent"}:
                sent_at = true(mark.at)
                is_vague = any(abs(sent_at - moment) < VAGUE for moment in set_back_at)
                lanes[attempt.device_id].append(Sending(attempt, sent_at, ended_at, is_vague))
    found = []
    for act in acts:
        if act["did"] not in SENT_BY:
            continue
        at, lane = true(act["at"]), lanes[act["device_id"]]
        cause = _cause([each for each in lane if each.attempt.action_type in SENT_BY[act["did"]]], at)
        how = {
            "device_id": act["device_id"],
            "verb": act["did"],
            "attempt_id": "what nobody had asked for" if cause is None else cause.attempt.id,
            "phase": _phase(cause, at),
            "beside": [] if cause is None else sorted(_beside(cause, lane, at)),
        }
        found.append(Entry(act["at"], at, 0, "sent", how))
    return found


def _cause(fitting: Sequence[Sending], at: int) -> Sending | None:
    """The commands of a lane do not overlap: the one that was there then, or else the last before."""
    if there := [each for each in fitting if each.holds(at)]:
        # Of some that seem to have been there since the clock was set, the first to end was the first.
        return min(there, key=lambda each: each.ended_at)
    return max((each for each in fitting if each.sent_at <= at), key=lambda each: each.sent_at, default=None)


def _beside(cause: Sending, lane: Iterable[Sending], at: int) -> set[str]:
    there = {each.attempt.id for each in lane if each.holds(at) and not each.is_vague}
    return there - {cause.attempt.id}


def _phase(cause: Sending | None, at: int) -> Phase | None:
    if cause is None:
        return None
    return Phase.SENT if at <= cause.ended_at else cause.attempt.phase


def true(at: int) -> int:
    """A time of the server's clock as it would be, had that never been set by hours."""
    return at + HOUR * round((SystemClock().now() - at) / HOUR)
