"""One webhook's deliveries: what is new, in order, and beside it what failed, when it is due.

Each webhook has a lane of its own, so that none waits for the endpoint of another. In a lane new events
are told one after the other. When there are many of them, some are told at once, but never two of the
same device: whatever the load, a device's events come in their order. An event that failed does not hold
up those behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog

from thumbturn.domain.clock import SECOND
from thumbturn.domain.event import Event, Recorded
from thumbturn.domain.webhook import Delivery, DisabledBecause, Outcome, Try, Webhook
from thumbturn.engine.ports import EventFilter
from thumbturn.engine.webhook_ports import TryFilter
from thumbturn.webhooks.means import Means
from thumbturn.webhooks.schedule import PATIENCE, breath
from thumbturn.webhooks.send import Sender
from thumbturn.webhooks.side_by_side import side_by_side

log = structlog.get_logger(__name__)

#: New events that are looked at together, and how many of them mean that the webhook is behind.
TOGETHER = 64
MANY = 8
#: Requests on their way to one endpoint: of new events while it is behind, and of those that failed.
AT_ONCE = 4
#: Deliveries that are due and looked at together.
_DUE_TOGETHER = 50
#: How often to look for deliveries that somebody else may have put there.
_LOOK_EVERY = 60 * SECOND
_GONE = 410
#: Of an event that is on record nowhere any more.
UNKNOWN_TYPE = "unknown"


class Lane:
    """Delivers to one webhook."""

    def __init__(self, webhook: Webhook, means: Means) -> None:
        self._means = means
        self._clock = means.clock
        #: Every event up to here was begun; those of ``_begun`` have not ended.
        self._reached = webhook.cursor
        self._begun: set[int] = set()
        self._failing_since = webhook.failing_since
        self._failures = 0
        #: When to look for deliveries that are due, and what is done when that comes earlier.
        self._look_at = 0
        self._woken = _future()
        #: Done when a try succeeds.
        self._got_through = _future()
        self._is_over: asyncio.Future[DisabledBecause] = asyncio.get_running_loop().create_future()
        self._is_stopping = False
        self._on_the_way = 0
        #: Done when it was told to stop, and nothing is on its way any more.
        self.is_quiet = _future()
        self.change(webhook)

    def change(self, webhook: Webhook) -> None:
        """The webhook as it is from now on."""
        self.webhook = webhook
        self._sender = Sender(webhook, self._means)

    @property
    def is_failing(self) -> bool:
        """True from a try that failed until one succeeds."""
        return self._failing_since is not None

    def wake(self) -> None:
        """Something may be due now."""
        self._look(0)

    def stop(self) -> None:
        """Begin nothing more."""
        self._is_stopping = True
        self._rest()

    async def run(self) -> DisabledBecause:
        """Deliver until the webhook is to be disabled; answers why."""
        self._look_at = 0  # also after it broke off, when it had been looked at in vain
        work = [asyncio.ensure_future(each) for each in (self._tell_what_is_new(), self._try_again())]
        watched: list[asyncio.Future[Any]] = [*work, self._is_over]
        try:
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            for each in work:
                if each.done():
                    each.result()  # raises what ended it
            return self._is_over.result()
        finally:
            for each in work:
                each.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    # what is new --------------------------------------------------------------------------------

    async def _tell_what_is_new(self) -> None:
        # What was begun before and did not end is begun again.
        self._reached = min(self._begun, default=self._reached + 1) - 1
        self._begun.clear()
        with self._means.feed.follow(self.webhook.workspace_id, self._reached) as follower:
            while True:
                found = await follower.read(limit=TOGETHER)
                if len(found) < MANY:
                    for each in found:
                        await self._tell(each)
                else:
                    await side_by_side(found, self._tell, belongs_to=_device, at_once=AT_ONCE)

    async def _tell(self, recorded: Recorded) -> None:
        self._reached = max(self._reached, recorded.sequence)
        if self.webhook.wants(recorded.event.event_type):
            self._begun.add(recorded.sequence)
            if pause := breath(self._failures):
                await self._clock.wait(self._got_through, pause)
            await self._try(recorded.event, number=1)
            self._begun.discard(recorded.sequence)
        self._means.record.note_cursor(self.webhook.id, min(self._begun, default=self._reached + 1) - 1)

    # what failed --------------------------------------------------------------------------------

    async def _try_again(self) -> None:
        while True:
            while (pause := self._look_at - self._clock.now()) > 0:
                self._woken = _future()
                await self._clock.wait(self._woken, pause)
            await self._means.record.written()
            now = self._clock.now()
            self._look_at = now + _LOOK_EVERY
            found = await self._means.store.webhooks.due(self.webhook.id, limit=_DUE_TOGETHER)
            due = [each for each in found if each.due_at <= now]
            await self._deliver(due)
            if len(due) == _DUE_TOGETHER:
                self._look(0)
            elif len(due) < len(found):
                self._look(found[len(due)].due_at)

    async def _deliver(self, due: Sequence[Delivery]) -> None:
        if not due:
            return
        wanted = EventFilter(event_ids=[each.event_id for each in due])
        found = await self._means.store.events(self.webhook.workspace_id, wanted, limit=len(due))
        tries = {each.event_id: each.tries for each in due}

        async def again(event: Event) -> None:
            await self._try(event, number=tries[event.event_id] + 1, was_waiting=True)

        await side_by_side(found, again, belongs_to=lambda event: event.device_id, at_once=AT_ONCE)
        known = {event.event_id for event in found}
        for delivery in due:
            if delivery.event_id not in known:
                await self._give_up(delivery)

    async def _give_up(self, delivery: Delivery) -> None:
        """Its event is on record no more, so that there is nothing to tell: that is the end of it."""
        wanted = TryFilter(event_id=delivery.event_id)
        before = await self._means.store.webhooks.tries(self.webhook.id, wanted, limit=1)
        now = self._clock.now()
        made = Try(
            self.webhook.id,
            delivery.event_id,
            before[0].event_type if before else UNKNOWN_TYPE,
            delivery.sequence,
            delivery.tries + 1,
            now,
            0.0,
            None,
            "the event is not on record any more",
            Outcome.GIVEN_UP,
            None,
            was_waiting=True,
        )
        log.warning("event_is_gone", webhook_id=self.webhook.id, event_id=delivery.event_id)
        self._means.record.note(made)
        self._means.meters.tried(made.outcome, 0)

    def _look(self, at: int) -> None:
        if at < self._look_at:
            self._look_at = at
            if not self._woken.done():
                self._woken.set_result(None)

    # one try ------------------------------------------------------------------------------------

    async def _try(self, event: Event, *, number: int, was_waiting: bool = False) -> None:
        if self._means.record.is_full:
            await self._means.record.written()
        await self._means.pace.turn()
        if self._is_stopping or self._is_over.done():
            await _future()  # until it is cancelled
        self._on_the_way += 1
        try:
            made = await self._send(event, number, was_waiting=was_waiting)
        finally:
            self._on_the_way -= 1
            self._rest()
        self._means.record.note(made)
        self._means.meters.tried(made.outcome, self._clock.now() - event.created_at)
        if made.outcome is Outcome.DELIVERED:
            self._succeeds()
        else:
            self._fails(made)

    async def _send(self, event: Event, number: int, *, was_waiting: bool) -> Try:
        webhook_id, at = self.webhook.id, self._clock.now()
        try:
            status, milliseconds, error = await self._sender.send(event)
        except Exception:  # supervised: what is wrong with one event holds up no other
            log.exception("delivery_broke", webhook_id=webhook_id, event_id=event.event_id)
            status, milliseconds, error = None, 0.0, "the server could not send it; its log says why"
        outcome, next_at = Outcome.DELIVERED, None
        if error is not None:
            now = self._clock.now()
            next_at = self._means.schedule.next_try(webhook_id, event.event_id, number, now)
            outcome = Outcome.GIVEN_UP if next_at is None else Outcome.FAILED
        return Try(
            webhook_id,
            event.event_id,
            event.event_type,
            event.sequence,
            number,
            at,
            milliseconds,
            status,
            error,
            outcome,
            next_at,
            was_waiting,
        )

    def _succeeds(self) -> None:
        self._failures = 0
        if not self._got_through.done():
            self._got_through.set_result(None)
        if self._failing_since is not None:
            self._failing_since = None
            self._means.record.note_failing(self.webhook.id, None)

    def _fails(self, made: Try) -> None:
        now = self._clock.now()
        self._failures += 1
        if self._got_through.done():
            self._got_through = _future()
        if self._failing_since is None:
            self._failing_since = now
            self._means.record.note_failing(self.webhook.id, now)
        if made.next_at is not None:
            self._look(made.next_at)
        if self._is_over.done():
            return
        if made.status == _GONE:
            self._is_over.set_result(DisabledBecause.GONE)
        elif now - self._failing_since >= PATIENCE:
            self._is_over.set_result(DisabledBecause.FAILING)

    def _rest(self) -> None:
        if self._is_stopping and not self._on_the_way and not self.is_quiet.done():
            self.is_quiet.set_result(None)


def _device(recorded: Recorded) -> str | None:
    return recorded.event.device_id


def _future() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()
