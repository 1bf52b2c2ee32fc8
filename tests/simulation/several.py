"""Two processes on one record, in virtual time: each with a loop of its own, which may stand still.

The loops take turns: always the one runs on to which something happens next. One that is paused, as by
SIGSTOP, gets no turn until its pause is over, while the time goes on for it as for everybody.
"""

from __future__ import annotations

import asyncio
import math
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.simulation.history import Entry
from tests.simulation.kept import Kept
from tests.simulation.member import Member
from tests.simulation.record import Record
from tests.simulation.scenario import LASTS, Scenario, Step
from tests.simulation.seams import Crash
from tests.simulation.server import WORKSPACE, doors
from tests.simulation.universe import Universe, bury, complain
from tests.simulation.virtual_time import VirtualLoop
from thumbturn.domain.clock import SECOND
from thumbturn.engine.lease_ports import Kind
from thumbturn.testing.clock import NEW_YEAR_2025
from thumbturn.testing.leases import MemoryLeases

SLOTS = 2
#: When one is down for whom somebody asks, he tries the other; when both are, he tries again so much later.
TRIES_AGAIN_AFTER = 0.4
#: Seconds after which a process that crashed is started again, at least.
STARTED_AGAIN_AFTER = 0.2
#: Seconds after everything is sound within which everything has to come to its end, and between two looks.
ENDS_WITHIN, LOOK_EVERY = 600, 10
#: Whom nobody has to own the cell for: it is asked of whoever is there.
FOR_OWNER = frozenset({"fault", "heal", "disconnect", "connect", "cancel", "heal_all"})


class LeasesOnRecord(MemoryLeases):
    """The leases, as the run itself may look at them."""

    def owner_of(self, kind: Kind, cell: int) -> str | None:
        """Who owns a cell, on record."""
        lease = self._leases.get((kind, cell))
        return None if lease is None else lease.owner


class Several(Universe):
    """What outlives every process, and the processes."""

    def __init__(self, scenario: Scenario, folder: Path, kept: Kept) -> None:
        super().__init__(scenario, folder, kept)
        self.leases = LeasesOnRecord()
        self.model: Any = kept.begin()
        self._members: list[Member | None] = [None] * SLOTS
        self._loops: dict[int, VirtualLoop] = {}
        self._lives: dict[int, asyncio.Task[float | None]] = {}
        self._starts: list[float] = [0.0, 0.05]
        self._names: list[str | None] = [None] * SLOTS
        self._begun = 0
        self._is_over = False
        self._now = 0.0

    def run(self) -> float:
        """Let it all happen; for how many seconds of virtual time it went on."""
        furnishing = VirtualLoop()
        seed, _ = doors(NEW_YEAR_2025)
        furnishing.run_until_complete(self.model.add_workspace(WORKSPACE, user_id=None, seed=seed, keys=[]))
        furnishing.close()
        pending = list(self.steps)
        pending += [Step(LASTS, "calm", {}), Step(LASTS + 30 * SECOND, "heal_all", {})]
        looks = [LASTS + at * SECOND for at in range(60, ENDS_WITHIN, LOOK_EVERY)]
        pending += [Step(at, "look", {}) for at in looks]
        while not self._is_over:
            self._now, slot = min((self._next(slot), slot) for slot in range(SLOTS))
            if pending and pending[0].at / SECOND <= self._now:
                step = pending.pop(0)
                self._now = max(step.at / SECOND, 0.0)
                again = self._do(step)
                if again is not None:
                    pending.append(again)
                    pending.sort(key=lambda each: each.at)
            elif pending:
                self._advance(slot)
            else:
                self._is_over = True
        self._end()
        return self._now

    # who is next ----------------------------------------------------------------------------------

    def _next(self, slot: int) -> float:
        """When something happens to the process in this slot."""
        member = self._members[slot]
        if member is None:
            return self._starts[slot]
        loop: Any = self._loops[slot]
        if self._lives[slot].done():
            return self._now
        due = self._now if loop._ready else math.inf
        if loop._scheduled:
            due = min(due, max(loop._scheduled[0]._when, self._now))
        return max(due, member.paused_until)

    def _advance(self, slot: int) -> None:
        member = self._members[slot]
        if member is None:
            self._start(slot)
            return
        loop, life = self._loops[slot], self._lives[slot]
        if life.done():
            self._let_go(slot, life.result() or 0.0)
            return
        loop.catch_up(self._now)
        try:
            _turn(loop)
        except Crash:
            self._let_go(slot, max(member.down_after_crash, STARTED_AGAIN_AFTER))

    def _start(self, slot: int) -> None:
        self._begun += 1
        loop = self._loops[slot] = VirtualLoop(self._now)
        member = self._members[slot] = Member(self, slot, self._begun, self._names[slot])
        loop.set_exception_handler(partial(complain, member))
        self._lives[slot] = loop.create_task(member.live())
        self._names[slot] = member.name

    def _let_go(self, slot: int, down: float) -> None:
        member = self._members[slot]
        assert member is not None
        member.is_dead = True
        bury(self._loops[slot])
        member.let_go()
        self._members[slot] = None
        self._starts[slot] = self._now + (0 if self.is_calm else down)
        for other in self._members:
            if other is not None and hasattr(other, "_looking"):
                for how in list(self.unanswered.values()):
                    self._ask(other, "command", how)

    # what happens ---------------------------------------------------------------------------------

    def _do(self, step: Step) -> Step | None:
        """Have a step done; the same at another time, if nobody is there to do it."""
        if step.what == "calm":
            self.is_calm = True
            for member in self._up():
                member.paused_until = 0.0
            self._starts = [min(at, self._now) for at in self._starts]
            return None
        if step.what == "look":
            self._is_over = not self.has_open_ends()
            return None
        chosen = (step.at // 1_000) % SLOTS
        members = [each for each in self._up() if hasattr(each, "_looking")]
        if step.what == "pause":
            for member in members[:1] if chosen == 0 else members[-1:]:
                member.paused_until = self._now + step.how["for"] / SECOND
                self.history.entries.append(_pause(self, member))
            return None
        if step.what in FOR_OWNER:
            members = [each for each in members if self.leases.owner_of("engine", 0) == each.name]
        members.sort(key=lambda each: each.slot != chosen)
        if not members:
            later = int((self._now + TRIES_AGAIN_AFTER) * SECOND)
            is_late = later > LASTS + (ENDS_WITHIN * SECOND if step.what == "heal_all" else 0)
            return None if is_late else step._replace(at=later)
        self._ask(members[0], step.what, step.how)
        return None

    def _up(self) -> list[Member]:
        return [member for member in self._members if member is not None]

    def _ask(self, member: Member, what: str, how: dict[str, Any]) -> None:
        self._loops[member.slot].call_soon(partial(member.call, what, **how))

    def has_open_ends(self) -> bool:
        """True while somebody waits for something."""
        return bool(self.unanswered) or any(not each.phase.is_final for each in self.kept.attempts().values())

    def record(self) -> Record:
        """What is left, once the run is over."""
        return replace(super().record(), unseen={"every_event_arrives": "it has no webhook"})

    def _end(self) -> None:
        self.history.entries.append(_entry(self, "end", {}))
        for slot in range(SLOTS):
            if self._members[slot] is not None:
                self._let_go(slot, 0.0)


def _turn(loop: Any) -> None:
    """One turn of a loop that is not running."""
    loop._thread_id = threading.get_ident()
    asyncio._set_running_loop(loop)
    try:
        loop._run_once()
    finally:
        loop._thread_id = None
        asyncio._set_running_loop(None)


def _pause(several: Several, member: Member) -> Entry:
    return _entry(several, "paused", {"name": member.name, "until": member.paused_until})


def _entry(several: Several, what: str, how: dict[str, Any]) -> Entry:
    true_at = round(several._now * SECOND)
    return Entry(NEW_YEAR_2025 + several.clock.set_by + true_at, true_at, several.lives, what, how)
