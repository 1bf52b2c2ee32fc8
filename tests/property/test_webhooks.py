"""Whatever endpoints answer and whenever the process dies: no event is forgotten."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.fixtures.stores import furnish
from tests.fixtures.webhooks import URL, Hooks
from thumbturn.domain.clock import MILLISECOND, SECOND, seconds
from thumbturn.domain.webhook import Outcome
from thumbturn.engine import feed
from thumbturn.testing.endpoints import DOWN, GOOD, Answer

HOUR = seconds(3_600)
TRIES = 8

ANSWERS = st.sampled_from(
    [
        GOOD,
        DOWN,
        Answer(500),
        Answer(302),
        Answer(410),
        Answer(after=3 * SECOND),
        Answer(None, "timed out", after=15 * SECOND),
    ]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), st.integers(1, 3)),
        st.tuples(st.just("flood"), st.integers(60, 140)),
        st.tuples(st.just("answer"), st.lists(ANSWERS, min_size=1, max_size=4)),
        st.tuples(
            st.just("pass"),
            st.sampled_from(
                [MILLISECOND, 120 * MILLISECOND, 6 * SECOND, 400 * SECOND, HOUR, 11 * HOUR, 40 * HOUR]
            ),
        ),
        st.tuples(st.just("crash"), st.none()),
        st.tuples(st.just("stop"), st.none()),
        st.tuples(st.just("resend"), st.none()),
        st.tuples(st.just("die_in_a_flood"), st.lists(ANSWERS, min_size=1, max_size=6)),
        st.tuples(st.just("despair"), st.none()),
    ),
    max_size=25,
)


class Story:
    """What happened to one webhook, and what its endpoint saw of it."""

    def __init__(self) -> None:
        self.hooks = Hooks(jitter=0.1)
        self.told: list[str] = []

    async def run(self, steps: list[tuple[str, Any]]) -> None:
        await furnish(self.hooks.store)
        await self.hooks.boot()
        self.webhook = await self.hooks.create()
        for name, value in steps:
            await getattr(self, f"_{name}")(value)
        await self._end()
        await self.hooks.die()

    async def _tell(self, count: int) -> None:
        for number in range(count):
            [new] = await self.hooks.store_event(device_id=f"w1_lock_{number % 3 + 1}")
            self.told.append(new.event_id)

    async def _flood(self, count: int) -> None:
        await self._tell(count)

    async def _answer(self, answers: list[Answer]) -> None:
        self.hooks.endpoints.answer(URL, *answers)

    async def _pass(self, time: int) -> None:
        await self.hooks.clock.advance(time)

    async def _crash(self, _: None) -> None:
        await self.hooks.die()
        await self.hooks.boot()

    async def _stop(self, _: None) -> None:
        await self.hooks.deliveries.stop(0.0)
        await self.hooks.boot()

    async def _resend(self, _: None) -> None:
        stands = await self.hooks.stored(self.webhook)
        if stands.is_enabled:
            again = await self.hooks.webhooks.told_since(stands, 0)
            await self.hooks.webhooks.send_again(stands, again)

    async def _die_in_a_flood(self, answers: list[Answer]) -> None:
        """Much is on its way, some of it is written down, and some of it will never be."""
        await self._answer([*answers, GOOD])
        await self._flood(80)
        await self._pass(150 * MILLISECOND)
        await self._crash(None)

    async def _despair(self, _: None) -> None:
        """Nothing is taken for so long that something must be given up."""
        await self._answer([DOWN])
        await self._tell(1)
        await self._pass(40 * HOUR)

    async def _end(self) -> None:
        """The endpoint is good from now on, somebody enables the webhook if need be, and all tries come."""
        self.hooks.endpoints.answer(URL, GOOD)
        for _ in range(2):
            await self.hooks.clock.advance(SECOND)
            await self.hooks.webhooks.enable("w1", self.webhook.id, skip_missed=False)
        await self.hooks.clock.advance(12 * HOUR)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_no_event_is_forgotten(steps):
    """Each event is delivered, or given up after as many tries as there are, whatever happens on the way."""
    story = Story()
    with patch.object(feed, "LOOK_EVERY", HOUR):
        asyncio.run(story.run(steps))
        tries = asyncio.run(story.hooks.tries(story.webhook))
    received = Counter(story.hooks.received())
    delivered = {each.event_id for each in tries if each.outcome is Outcome.DELIVERED}
    given_up = {each.event_id for each in tries if each.outcome is Outcome.GIVEN_UP} - delivered
    lost = [id for id in story.told if id not in delivered | given_up]
    assert lost == []
    assert [id for id in given_up if received[id] < TRIES] == []
    assert set(story.told) <= set(received)
    event(f"given up: {bool(given_up)}")
    event(f"more than once: {max(received.values(), default=0) > 1}")
