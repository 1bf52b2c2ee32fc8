"""One run: everything that outlives the server, which dies and comes back among it, in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.simulation.history import Entry, History
from tests.simulation.kept import Kept
from tests.simulation.record import Record, lines_of
from tests.simulation.scenario import Scenario, Trouble
from tests.simulation.seams import Crash, DiskError, Life
from tests.simulation.server import PINS, URL, WORKSPACE, Server, doors
from tests.simulation.virtual_time import Stuck, VirtualClock, VirtualLoop
from thumbturn.domain.attempt import Attempt, Phase
from thumbturn.domain.clock import SECOND, seconds
from thumbturn.domain.refusals import Overloaded, StorageUnavailable
from thumbturn.engine import feed
from thumbturn.testing.endpoints import FakeEndpoints

#: A task may begin another when it is cancelled, and that one too.
BURIED_WITHIN = 10


class Universe:
    """Disk, devices, endpoints, callers, and what is known of the run."""

    #: What a caller with a key asks again for.
    passing = (StorageUnavailable, Overloaded, DiskError)

    def __init__(self, scenario: Scenario, folder: Path, kept: Kept) -> None:
        self.scenario = scenario
        self.history = History()
        self.kept = kept
        self.journal = folder / "world.jsonl"
        self.clock = VirtualClock()
        self.endpoints = FakeEndpoints(self.clock)
        seed, _ = doors(0)
        #: How each bolt stands at the beginning.
        self.stood = {device.id: device.state["locked"] for device in seed.devices}
        self.steps = list(scenario.steps)
        #: The ids that callers were given, in order.
        self.accepted: list[str] = []
        #: The ids of the access codes that callers were given, in order; and at the end what each lock holds.
        self.codes: list[str] = []
        self.holds: dict[str, dict[str, str]] = {}
        #: What callers with keys ask for who have no answer yet.
        self.unanswered: dict[str, dict[str, Any]] = {}
        #: Nothing breaks any more.
        self.is_calm = False
        self.lives = 0
        self.is_dead = False
        self._passed: Counter[str] = Counter()
        self._troubles = {(each.seam, each.number): each for each in scenario.troubles}

    def run(self) -> float:
        """Let it all happen; for how many seconds of virtual time it went on."""
        time, is_done = 0.0, False
        # What is looked at every few seconds only in case would be most of what happens.
        with patch.object(feed, "LOOK_EVERY", seconds(120)):
            while not is_done:
                self.lives += 1
                time, is_done = self._live(time)
        return time

    def passes(self, seam: str) -> Trouble | None:
        """Something passes at a seam; what goes wrong with it."""
        number = self._passed[seam]
        self._passed[seam] += 1
        return None if self.is_calm else self._troubles.get((seam, number))

    def stand_still(self, seconds: float) -> None:
        """There is nobody for whom the time could go on: this is for several processes."""
        raise NotImplementedError

    def note(self, what: str, **how: Any) -> None:
        """Put it into the history."""
        if self.is_dead:
            return
        true_at = round(asyncio.get_running_loop().time() * SECOND)
        self.history.entries.append(Entry(self.clock.now(), true_at, self.lives, what, how))

    def on_record(self, attempt: Attempt) -> dict[str, Any]:
        """How an attempt stands on disk, and what else is in flight in its lane."""
        known = self.kept.attempts()
        beside = [
            each.id
            for each in known.values()
            if each.lane == attempt.lane
            and each.id != attempt.id
            and each.phase in {Phase.SENT, Phase.CONFIRMING}
        ]
        stands = known.get(attempt.id)
        return {"phase": None if stands is None else stands.phase, "beside": beside}

    def answered(self, name: str, key: str | None, attempt_id: str) -> None:
        """A caller has the id of his attempt."""
        self.unanswered.pop(key or "", None)
        self.accepted.append(attempt_id)
        self.note("answered", name=name, key=key, attempt_id=attempt_id)

    def record(self) -> Record:
        """What is left, once the run is over."""
        kept = self.kept
        return Record(
            history=self.history,
            attempts=dict(kept.attempts()),
            events=list(kept.events(WORKSPACE.id)),
            devices=dict(kept.devices()),
            codes=dict(kept.codes(WORKSPACE.id)),
            audited=kept.audited(WORKSPACE.id),
            acts=lines_of(self.journal),
            stood=self.stood,
            holds=self.holds,
            received=frozenset(self.received()),
            unanswered=list(self.unanswered),
            ended_at=self.history.of("end")[-1].at,
            open_pin=PINS.open,
        )

    def received(self) -> set[str]:
        """The ids of the events that the endpoint got."""
        return {each.event["event_id"] for each in self.endpoints.received[URL]}

    def has_open_ends(self) -> bool:
        """True while somebody waits for something."""
        return (
            bool(self.unanswered)
            or any(not each.phase.is_final for each in self.kept.attempts().values())
            or len(self.received()) < len(self.kept.events(WORKSPACE.id))
        )

    def _live(self, time: float) -> tuple[float, bool]:
        """One life of the server; when the next one begins, and whether there is nothing left to do."""
        loop = VirtualLoop(time)
        loop.set_exception_handler(partial(complain, self))
        self.is_dead = False
        server = Server(self)
        try:
            down = loop.run_until_complete(server.live())
        except Crash:
            return loop.time() + server.down_after_crash, False
        else:
            return loop.time() + (down or 0.0), down is None
        finally:
            self.is_dead = True
            bury(loop)
            server.let_go()
            self.kept.end()


def complain(life: Life, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What nobody caught is part of the history, and of the promises: there is to be none."""
    if not loop.is_closed() and loop.is_running():
        about = {name: repr(context[name]) for name in ("exception", "task", "future") if name in context}
        life.note("uncaught", message=context.get("message", ""), **about)


def bury(loop: VirtualLoop) -> None:
    """Let go of what a dead server was doing, without letting it do anything."""
    loop.set_exception_handler(lambda *_: None)
    for _ in range(BURIED_WITHIN):
        if tasks := asyncio.all_tasks(loop):
            for task in tasks:
                task.cancel()
            with suppress(Stuck, Crash):
                loop.run_until_complete(asyncio.wait(tasks, timeout=1))
    loop.close()
