"""What is seen of deliveries: how many, how late, and the trace that they belong to."""

from __future__ import annotations

from tests.fixtures.webhooks import URL, Hooks
from thumbturn.domain.clock import SECOND, seconds
from thumbturn.testing.endpoints import DOWN, GOOD, Answer


async def test_deliveries_are_counted_with_their_lag(hooks: Hooks):
    """What was taken counts as delivered, and how late: from the event until the endpoint had it."""
    await hooks.create()
    hooks.endpoints.answer(URL, Answer(after=3 * SECOND))
    await hooks.tell()
    await hooks.clock.advance(seconds(4))
    meters = hooks.webhooks.delivering().meters
    assert meters.tries == {"delivered": 1}
    assert sum(meters.lag.counts) == 1
    assert 3 * SECOND <= meters.lag.total < 4 * SECOND


async def test_failures_are_counted_and_shown_until_one_succeeds(hooks: Hooks):
    """A try that fails counts as failed, its webhook as failing; the lag is that of the try that is taken."""
    await hooks.create()
    hooks.endpoints.answer(URL, DOWN, GOOD)
    await hooks.tell()
    webhooks, failing, meters = hooks.webhooks.delivering()
    assert (webhooks, failing, meters.tries, sum(meters.lag.counts)) == (1, 1, {"failed": 1}, 0)
    await hooks.clock.advance(seconds(6))
    webhooks, failing, meters = hooks.webhooks.delivering()
    assert (webhooks, failing, meters.tries) == (1, 0, {"failed": 1, "delivered": 1})
    assert meters.lag.total >= 5 * SECOND


async def test_the_last_try_is_given_up(hooks: Hooks):
    """After the last try of the schedule there is one that was given up, beside those that failed."""
    await hooks.create()
    hooks.endpoints.answer(URL, DOWN)
    await hooks.tell()
    await hooks.clock.advance(seconds(40 * 3_600))
    assert hooks.webhooks.delivering().meters.tries == {"failed": 7, "given_up": 1}


async def test_a_delivery_carries_the_trace_of_its_attempt(hooks: Hooks):
    """An event of an attempt goes out with the attempt's traceparent, any other with none."""
    await hooks.create()
    hooks.traceparents["a1"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for attempt_id in ("a1", "a2", None):
        await hooks.tell(action_attempt_id=attempt_id)
    told = [each.headers.get("traceparent") for each in hooks.endpoints.received[URL]]
    assert told == [hooks.traceparents["a1"], None, None]
