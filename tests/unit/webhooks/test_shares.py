"""What a workspace may take, so that it takes nothing from the others."""

from __future__ import annotations

import asyncio

import pytest

from tests.fixtures.webhooks import URL, Hooks
from thumbturn.domain.clock import SECOND, seconds
from thumbturn.domain.refusals import TooManyWebhooks
from thumbturn.domain.webhook import EVERY_TYPE, Webhook
from thumbturn.engine import webhooks
from thumbturn.testing.endpoints import Answer
from thumbturn.webhooks import lookups, post
from thumbturn.webhooks.shares import SHARE

ELSEWHERE = "https://elsewhere.test/hook"


async def test_a_workspace_has_its_share_of_the_requests_and_no_more(hooks: Hooks):
    """However many tests a workspace asks for, so many are on their way; the others follow, and all end."""
    webhook = await hooks.create()
    hooks.endpoints.answer(URL, Answer(after=10 * SECOND))
    tests = [asyncio.ensure_future(hooks.webhooks.test(webhook)) for _ in range(SHARE + 5)]
    await hooks.clock.advance(seconds(9))
    assert len(hooks.received()) == SHARE
    other = await hooks.webhooks.create("w2", ELSEWHERE, (EVERY_TYPE,))
    assert (await hooks.webhooks.test(other)).error is None
    await hooks.clock.advance(seconds(12))
    assert [each.result().status for each in tests] == [200] * (SHARE + 5)


async def test_many_that_are_made_at_once_are_not_more_than_there_may_be(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
):
    """A workspace that asks for webhooks all at once gets as many as one after the other."""
    monkeypatch.setattr(webhooks, "MOST_IN_A_WORKSPACE", 3)
    of_workspace = hooks.store.webhooks.of_workspace

    async def in_a_moment(workspace_id: str) -> list[Webhook]:
        found = await of_workspace(workspace_id)
        await asyncio.sleep(0)
        return found

    monkeypatch.setattr(hooks.store.webhooks, "of_workspace", in_a_moment)
    made = await asyncio.gather(*(hooks.create() for _ in range(10)), return_exceptions=True)
    assert [type(each) for each in made] == [Webhook] * 3 + [TooManyWebhooks] * 7


async def test_a_share_is_a_part(hooks: Hooks):
    """Three workspaces that take all they may leave something over for a fourth."""
    assert 3 * SHARE < post.CONNECTIONS
    assert 2 * SHARE < lookups.AT_A_TIME
    assert hooks.means.shares.of("w1") is not hooks.means.shares.of("w2")
