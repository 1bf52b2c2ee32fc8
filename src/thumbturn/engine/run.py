"""One attempt while it is open: what it waits for, what it hears, and how it ends.

A ``Run`` is what an action sees of the engine (``actions.definition.Run``). It applies signals to
its attempt in memory, at once, through ``decide``; whoever first brings it to a final phase has
ended it, and everything after that is late. What was decided is then written, in order, by the
ledger: at the end always, in between only while the action really waits, so that the common case
costs two commits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextvars import copy_context
from typing import Any, TypeAlias

from thumbturn.actions.definition import Action, Ask, Perform
from thumbturn.domain.attempt import (
    Acknowledged,
    Attempt,
    Failed,
    Mark,
    Observed,
    Phase,
    Sending,
    Signal,
    decide,
)
from thumbturn.domain.audit import RECORDING
from thumbturn.domain.capabilities.lock import Keypad
from thumbturn.domain.clock import Clock
from thumbturn.domain.device import Device, Observation, absorb
from thumbturn.domain.discretion import discreet
from thumbturn.domain.event import Event
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import Interrupted, OutcomeUnknown
from thumbturn.engine.access_code_ports import CodeFacts
from thumbturn.engine.devices import Devices
from thumbturn.engine.ledger import Ledger
from thumbturn.engine.live import LiveAttempts
from thumbturn.engine.ports import Change, Transition
from thumbturn.engine.storable import storable_text

#: What somebody wants to see, and who is told that it was seen, or can be no more.
_Watch: TypeAlias = tuple[Callable[[Observation], bool], asyncio.Future[None]]


class Run:
    """An open attempt in this process."""

    __slots__ = (
        "_ask",
        "_clock",
        "_codes",
        "_devices",
        "_events",
        "_has_news",
        "_heard",
        "_ledger",
        "_live",
        "_watching",
        "_written",
        "action",
        "attempt",
        "context",
        "ends_by",
        "has_turn",
        "held_for",
        "held_until",
        "is_at_work",
        "is_being_ended",
        "is_durable",
        "may_have_acted",
        "on_end",
        "opening",
        "performance",
        "task",
    )

    def __init__(
        self,
        attempt: Attempt,
        action: Action,
        ask: Ask | None,
        *,
        ledger: Ledger,
        devices: Devices,
        clock: Clock,
        live: LiveAttempts,
    ) -> None:
        """Without an ``ask`` it is what the attempt says of it."""
        self.attempt = attempt
        self.action = action
        self._ask = ask
        #: In which its own task runs: that of the request that asked for it, not that of whoever ended
        #: the attempt before it and so gave it its turn.
        self.context = copy_context()
        if RECORDING.get() is not None:
            # What the attempt does is on record as the attempt, and not as the call that began it.
            self.context.run(RECORDING.set, None)
        self.is_durable = False
        #: True once its lane is its own; it may then be sent as soon as it is durable.
        self.has_turn = False
        self.task: asyncio.Task[None] | None = None
        #: µs. At this moment it is ended, if it has not by then: its deadline, or, once it is sent, the
        #: end of the time that its action gives a device.
        self.ends_by = attempt.deadline_at
        #: Why it stands beside its lane, as a phrase, and until when, if that is known; ``""`` in the lane.
        self.held_for = ""
        self.held_until: int | None = None
        #: True once it is being ended from outside: its lane is then freed from there.
        self.is_being_ended = False
        #: True if it was sent in an earlier life of the server: then even its expiry is unknown.
        self.may_have_acted = False
        #: True from the moment in which its device may be touched.
        self.is_at_work = False
        #: What must be on record before the device is touched; ``None`` if it is already.
        self.opening: Signal | None = Sending() if attempt.phase is Phase.QUEUED else None
        #: What is done then. After a crash it may be something else than the action itself.
        self.performance: Perform = action.perform
        self._ledger = ledger
        self._devices = devices
        self._clock = clock
        self._live = live
        self._written: Phase = attempt.phase
        # Tuples, because an empty one takes no memory, and very many runs only wait for their moment.
        self._heard: tuple[Observation, ...] = ()
        self._watching: tuple[_Watch, ...] = ()
        #: What its device reported and is not on record yet.
        self._has_news = False
        self._events: tuple[Event, ...] = ()
        #: What became of access codes by it, and is not on record yet.
        self._codes: tuple[CodeFacts, ...] = ()
        #: Called when it has ended and its lane is free.
        self.on_end: Callable[[Attempt], None] | None = None

    @property
    def ask(self) -> Ask:
        """What was asked."""
        ask = self._ask
        if ask is None:
            ask = self._ask = self.action.ask.model_construct(**self.attempt.ask)
        return ask

    # what an action may use ---------------------------------------------------------------------

    @property
    def device(self) -> Device:
        """The device as last known, now. Raises ``OutcomeUnknown`` if it is gone."""
        device = self._devices.get(self.attempt.device_id or "")
        if device is None:
            raise OutcomeUnknown.because("It was removed meanwhile.")
        return device

    def time_left(self) -> int:
        """µs until it is ended if it has not by then; never negative."""
        return max(0, self.ends_by - self._clock.now())

    def acknowledged(self, evidence: Evidence, said: str = "") -> None:
        """Put on record that the command was taken, by whom the grade says."""
        self.take(Acknowledged(evidence, self.discreet(said)))

    def observed(self, observation: Observation) -> None:
        """Put on record what an active read of the device brought."""
        self.hear(observation)

    def now(self) -> int:
        """The time, µs."""
        return self._clock.now()

    def holds(self, changes: Mapping[str, Any]) -> None:
        """Put on record what is so of the device because this succeeded, and what no device reports."""
        self._absorb(Observation(self.attempt.device_id or "", self._clock.now(), changes))

    def note(self, codes: Iterable[CodeFacts], events: Iterable[Event]) -> None:
        """Put on record together with its end what became of access codes, and tell of it."""
        self._codes += tuple(codes)
        self._events += tuple(events)

    async def watch(self, wanted: Callable[[Observation], bool], within: int) -> Observation | None:
        """The last wanted observation since the attempt was sent; ``None`` if none can come in time."""
        seen = self._last_heard(wanted)
        if seen is not None or not self.device.online:
            return seen
        self.write_progress()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (wanted, future)
        self._watching += (entry,)
        try:
            await self._clock.wait(future, min(within, self.time_left()))
            # More may have come before this task had its turn.
            return self._last_heard(wanted)
        finally:
            self._watching = tuple([each for each in self._watching if each is not entry])

    # what the engine does with it -----------------------------------------------------------------

    def born_sent(self) -> None:
        """Its lane is free before it is stored, so that it is stored as sent: one write less."""
        self.attempt = self.attempt.moved(Phase.SENT, Mark("sent", self.attempt.accepted_at))
        self._written = Phase.SENT
        self.opening = None

    def queue(self) -> None:
        """Its lane is busy, or it may not enter it yet: it waits for its turn."""
        mark = Mark("queued", self.attempt.accepted_at, note=self.held_for)
        self.attempt = self.attempt.moved(Phase.QUEUED, mark)
        if not self.action.secrets:
            # It is made again of the attempt when its turn comes, as after a restart: a hundred thousand may
            # wait, and it is a fifth of what each of them takes.
            self._ask = None

    def take(self, signal: Signal) -> bool:
        """Apply a signal that does not end the attempt; ``False`` if it came after the end."""
        decision = decide(self.attempt, signal, self._clock.now())
        if decision is None:
            self._ledger.late(self.attempt, signal)
            return False
        before, self.attempt = self.attempt.phase, decision.attempt
        if self._live.watched and self.is_durable and self.attempt.phase is not before:
            self._live.moved(self.attempt)
        return True

    def discreet(self, text: str) -> str:
        """What a device or a driver said, fit to be kept: without the secrets of the ask."""
        text = storable_text(text)
        return discreet(text, self.secrets()) if self.action.secrets else text

    def secrets(self) -> Sequence[str]:
        """The secrets of the ask: PINs."""
        return [str(getattr(self.ask, name, "")) for name in self.action.secrets]

    def ids(self) -> Mapping[str, str]:
        """By what it is found in the log."""
        ids = {"action_attempt_id": self.attempt.id}
        if self.attempt.device_id is not None:
            ids["device_id"] = self.attempt.device_id
        return ids

    def void(self) -> asyncio.Task[None] | None:
        """The store did not say that it was accepted: if it is on record all the same, end it there.

        A connection may break between a commit and its answer. The caller is told that nothing
        was done, so nothing may be done, not after a restart either. The task is done when that is sure.
        """
        said = "It could not be accepted in time. The device has not acted."
        failed = Failed(Interrupted.type, said)
        decision = decide(self.attempt, failed, self._clock.now(), self._ledger.chosen)
        if decision is None:
            return None
        transition = Transition(decision.attempt, self.attempt.phase)
        return self._ledger.soon(Change((transition,), events=decision.events))

    def causes(self, seen: Observation) -> bool:
        """True if what was seen is this run's own doing."""
        if self.attempt.phase is Phase.QUEUED or self.attempt.phase.is_final:
            return False
        if not (self.is_at_work or self.may_have_acted):
            return False  # on record as sent, and still to be sent
        return seen.method == "remote" or self.action.needs is Keypad

    def hear(self, seen: Observation) -> None:
        """Take in a report of the device that this run caused or asked for.

        Its state and events become true together with the attempt's end.
        """
        self._absorb(seen)
        if not self.attempt.phase.is_final:
            self.take(Observed(seen.evidence, self.discreet(seen.said)))
        self.overhear(seen)

    def _last_heard(self, wanted: Callable[[Observation], bool]) -> Observation | None:
        return next((seen for seen in reversed(self._heard) if wanted(seen)), None)

    def _absorb(self, seen: Observation) -> None:
        device = self.device
        absorbed = absorb(device, seen, self._clock.now(), self.attempt)
        if absorbed.device is not device:
            self._devices.put((absorbed.device,))
            self._has_news = True
        self._events += absorbed.events

    def set_to_work(self) -> None:
        """It is sent from now on: what was heard before that proves nothing about it."""
        self.is_at_work = True
        if not self.may_have_acted:
            self._heard = ()

    def overhear(self, seen: Observation) -> None:
        """Show a report to whoever watches. It is on record already, or will be."""
        self._heard += (seen,)
        for wanted, future in self._watching:
            if future.done():
                continue
            if wanted(seen) or seen.changes.get("online") is False:
                future.set_result(None)

    def hand_over(self) -> tuple[tuple[Device, ...], tuple[Event, ...]]:
        """What its device reported and is not on record: whoever takes it must write it, as one."""
        device = self._devices.get(self.attempt.device_id or "") if self._has_news else None
        events, self._has_news, self._events = self._events, False, ()
        return (() if device is None else (device,)), events

    def write_progress(self) -> None:
        """Have the phase written if it moved since it last was; does not wait for it."""
        if self.attempt.phase is not self._written:
            change = Change((Transition(self.attempt, self._written),))
            self._written = self.attempt.phase
            self._ledger.soon(change)

    def settle(self, signal: Signal) -> Coroutine[Any, Any, None]:
        """Apply a signal, at once; durably when what is returned was awaited, which it must be.

        One that ends the attempt does so with all that was heard. A signal that comes after the end is
        kept as late truth.
        """
        decision = decide(self.attempt, signal, self._clock.now(), self._ledger.chosen)
        if decision is None:
            self._ledger.late(self.attempt, signal)
            return _nothing()
        before, written = self.attempt, self._written
        self.attempt = decision.attempt
        devices, events = self.hand_over()
        codes, self._codes = self._codes, ()
        change = Change(
            (Transition(self.attempt, self._written),), devices, (*events, *decision.events), codes
        )
        self._written = self.attempt.phase
        return self._record(signal, change, devices, events, before, written)

    async def _record(
        self,
        signal: Signal,
        change: Change,
        devices: tuple[Device, ...],
        events: tuple[Event, ...],
        before: Attempt,
        written: Phase,
    ) -> None:
        try:
            elsewhere = await self._ledger.move(change, self.ends_by)
        except Exception:
            # It cannot be recorded like this at all. Still open, it is ended at its deadline.
            if self.attempt is change.transitions[0].attempt:
                self.attempt, self._written = before, written
                self._has_news, self._events = bool(devices) or self._has_news, (*events, *self._events)
                self._codes = (*change.codes, *self._codes)
            raise
        if elsewhere is not None:
            decided, self.attempt = change.transitions[0].attempt, elsewhere
            if decided.phase.is_final and elsewhere is not decided:
                # It has another end on record; what really came of it is late truth.
                self._ledger.late(elsewhere, signal)
            if devices or events or change.codes:
                self._ledger.soon(Change(devices=devices, events=events, codes=change.codes))
        if self._live.watched:
            self._live.moved(self.attempt)


async def _nothing() -> None:
    pass
