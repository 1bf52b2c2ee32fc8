"""A database that refuses what webhooks ask of it, for whatever reason: they go on as soon as it is well."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.fixtures.webhooks import URL, Hooks
from thumbturn.domain.clock import seconds
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.domain.webhook import Outcome
from thumbturn.testing.endpoints import DOWN, Answer

ILLS = (StorageUnavailable(), sqlite3.DatabaseError("database disk image is malformed"))


@pytest.fixture(autouse=True)
def logged():
    """What is logged meanwhile."""
    with capture_logs() as lines:
        yield lines


def is_ill(monkeypatch: pytest.MonkeyPatch, asked: Any, name: str, problem: Exception) -> list[int]:
    """Let one operation of a store fail until the patch is undone; the moments at which it was asked."""
    times: list[int] = []

    async def fail(*_: object, **__: object) -> None:
        times.append(1)
        raise problem

    monkeypatch.setattr(asked, name, fail)
    return times


@pytest.mark.parametrize("problem", ILLS, ids=lambda each: type(each).__name__)
async def test_a_webhook_is_disabled_when_that_can_be_written(hooks: Hooks, monkeypatch, logged, problem):
    """Disabling is tried again until it is on record, less and less often, and told once."""
    webhook = await hooks.create()
    hooks.endpoints.answer(URL, Answer(410))
    tries = is_ill(monkeypatch, hooks.store.webhooks, "disable", problem)
    await hooks.tell()
    await hooks.clock.advance(seconds(121))
    assert 6 <= len(tries) <= 9
    assert hooks.means.meters.interruptions == len(tries)
    assert len([line for line in logged if line["event"] == "webhook_is_disabled_again"]) == len(tries)
    assert (await hooks.stored(webhook)).is_enabled
    monkeypatch.undo()
    await hooks.clock.advance(seconds(31))
    assert not (await hooks.stored(webhook)).is_enabled
    assert [event.event_type for event in await hooks.log()].count("webhook.disabled") == 1
    hooks.endpoints.answer(URL, Answer(200))
    await hooks.webhooks.enable("w1", webhook.id, skip_missed=True)
    [event] = await hooks.tell()
    assert hooks.received()[-1] == event.event_id
    await hooks.webhooks.delete("w1", webhook.id)


async def test_a_lane_that_breaks_off_goes_on(hooks: Hooks, monkeypatch, logged):
    """While due deliveries cannot be read, it is tried again less and less often; then they are made."""
    await hooks.create()
    hooks.endpoints.answer(URL, DOWN, Answer(200))
    tries = is_ill(monkeypatch, hooks.store.webhooks, "due", ILLS[1])
    [event] = await hooks.tell()
    await hooks.clock.advance(seconds(121))
    assert 6 <= len(tries) <= 9
    assert hooks.means.meters.interruptions == len(tries)
    assert len([line for line in logged if line["event"] == "webhook_broke"]) == len(tries)
    monkeypatch.undo()
    await hooks.clock.advance(seconds(31))
    assert hooks.received() == [event.event_id] * 2


async def test_a_record_that_cannot_be_made_shows(hooks: Hooks, monkeypatch):
    """While what became of tries cannot be written, the meters say so, and nothing of it is lost."""
    webhook = await hooks.create()
    is_ill(monkeypatch, hooks.store.webhooks, "record", ILLS[1])
    told = await hooks.tell(3)
    await hooks.clock.advance(seconds(60))
    assert hooks.means.meters.is_unrecorded
    assert await hooks.tries(webhook) == []
    monkeypatch.undo()
    await hooks.clock.advance(seconds(31))
    assert not hooks.means.meters.is_unrecorded
    assert [made.event_id for made in await hooks.tries(webhook)] == [event.event_id for event in told]
    assert hooks.received() == [event.event_id for event in told]


async def test_an_event_that_cannot_be_sent_holds_up_no_other(hooks: Hooks, monkeypatch, logged):
    """What goes wrong here with one event is a failure of that event, with its cause, and no standstill."""
    webhook = await hooks.create()
    written = hooks.means.written

    def break_on_odd(event):
        if event.event_type == "odd":
            raise ZeroDivisionError
        return written(event)

    object.__setattr__(hooks.means, "written", break_on_odd)
    [odd] = await hooks.tell(event_type="odd")
    [sound] = await hooks.tell()
    assert hooks.received() == [sound.event_id]
    first, _ = await hooks.tries(webhook)
    assert (first.event_id, first.outcome, first.status) == (odd.event_id, Outcome.FAILED, None)
    assert first.error == "the server could not send it; its log says why"
    assert "delivery_broke" in [line["event"] for line in logged]
    await hooks.clock.advance(seconds(40 * 3_600))
    assert (await hooks.tries(webhook))[-1].outcome is Outcome.GIVEN_UP
