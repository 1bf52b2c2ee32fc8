"""Delivers to every webhook that is enabled: begins their lanes, watches over them, ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

import structlog

from thumbturn.domain.clock import seconds
from thumbturn.domain.errors import Refusal
from thumbturn.domain.event import Event
from thumbturn.domain.ids import new_id
from thumbturn.domain.webhook import WEBHOOK_DISABLED, DisabledBecause, Outcome, Try, Webhook
from thumbturn.engine.webhook_ports import Delivering
from thumbturn.webhooks.lane import Lane
from thumbturn.webhooks.means import Means
from thumbturn.webhooks.schedule import rest
from thumbturn.webhooks.send import Sender

log = structlog.get_logger(__name__)

#: A lane that worked for so long has not broken off again and again.
_WORKS_WELL = seconds(60)


class Deliveries:
    """Implements ``engine.webhook_ports.Deliverer``."""

    def __init__(self, means: Means, *, is_mine: Callable[[Webhook], bool] = lambda _: True) -> None:
        """``is_mine`` says which webhooks of those on record are delivered to."""
        self._means = means
        self._is_mine = is_mine
        self._clock = means.clock
        self._lanes: dict[str, Lane] = {}
        self._tasks: dict[Lane, asyncio.Task[None]] = {}

    # its own life -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Go on with every webhook where it stopped."""
        for webhook in await self._means.store.webhooks.enabled():
            if self._is_mine(webhook):
                self.follow(webhook)

    async def stop(self, patience: float) -> None:
        """Begin nothing more, give what is on its way some seconds, and write down what came of it.

        What does not end in that time is sent again by the next start.
        """
        tasks = list(self._tasks.values())
        quiet = [lane.is_quiet for lane in self._tasks]
        for lane in self._tasks:
            lane.stop()
        if quiet:
            await asyncio.wait(quiet, timeout=patience)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._means.record.close(patience)

    # webhooks -----------------------------------------------------------------------------------

    def follow(self, webhook: Webhook) -> None:
        lane = self._lanes.get(webhook.id)
        if lane is not None:
            lane.change(webhook)
        elif webhook.is_enabled:
            lane = self._lanes[webhook.id] = Lane(webhook, self._means)
            task = self._tasks[lane] = asyncio.get_running_loop().create_task(self._watch_over(lane))
            task.add_done_callback(lambda _: self._tasks.pop(lane))

    def delivering(self) -> Delivering:
        failing = sum(lane.is_failing for lane in self._lanes.values())
        return Delivering(len(self._lanes), failing, self._means.meters)

    async def forget(self, webhook_id: str) -> None:
        lane = self._lanes.pop(webhook_id, None)
        if lane is not None:
            task = self._tasks[lane]
            task.cancel()
            await asyncio.wait((task,))

    def wake(self, webhook_id: str) -> None:
        lane = self._lanes.get(webhook_id)
        if lane is not None:
            lane.wake()

    async def written(self) -> None:
        await self._means.record.written()

    async def test(self, webhook: Webhook, event: Event) -> Try:
        at = self._clock.now()
        status, milliseconds, error = await Sender(webhook, self._means).send(event)
        return Try(
            webhook.id,
            event.event_id,
            event.event_type,
            0,
            1,
            at,
            milliseconds,
            status,
            error,
            Outcome.DELIVERED if error is None else Outcome.GIVEN_UP,
            None,
        )

    # inside -------------------------------------------------------------------------------------

    async def _watch_over(self, lane: Lane) -> None:
        failures = 0
        while True:
            began = self._clock.now()
            try:
                if self._means.prepare is not None:
                    await self._means.prepare()
                because = await lane.run()
                break
            except Refusal as refusal:
                log.warning("webhook_waits", webhook_id=lane.webhook.id, because=refusal.message)
            except Exception:  # supervised: it goes on where it was
                log.exception("webhook_broke", webhook_id=lane.webhook.id)
            self._means.meters.interruptions += 1
            failures = failures + 1 if self._clock.now() - began < _WORKS_WELL else 1
            await self._clock.sleep(rest(failures))
        await self._disable(lane.webhook, because)
        if self._lanes.get(lane.webhook.id) is lane:
            del self._lanes[lane.webhook.id]

    async def _disable(self, webhook: Webhook, because: DisabledBecause) -> None:
        now = self._clock.now()
        event = Event(
            event_id=new_id(),
            event_type=WEBHOOK_DISABLED,
            workspace_id=webhook.workspace_id,
            occurred_at=now,
            created_at=now,
            payload={"webhook_id": webhook.id, "disabled_because": because.value},
        )
        await self._means.record.written()
        for failures in count(1):
            try:
                await self._means.store.webhooks.disable(webhook.id, now, because, event)
            except Refusal as refusal:
                log.warning("webhook_is_disabled_again", webhook_id=webhook.id, because=refusal.message)
            except Exception:  # supervised: or nobody would do it before the next start
                log.exception("webhook_is_disabled_again", webhook_id=webhook.id)
            else:
                log.info("webhook_disabled", webhook_id=webhook.id, because=because.value)
                return
            self._means.meters.interruptions += 1
            await self._clock.sleep(rest(failures))
