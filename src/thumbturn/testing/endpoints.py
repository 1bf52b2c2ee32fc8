"""Endpoints that take webhooks' deliveries and answer as a test says, without a network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic_core import from_json

from thumbturn.domain.clock import MILLISECOND, Clock
from thumbturn.webhooks.post import Posted


class Answer(NamedTuple):
    """How an endpoint answers: with a status, or not at all and with an error instead."""

    status: int | None = 200
    error: str | None = None
    #: How long it takes for that, µs.
    after: int = 0


class Received(NamedTuple):
    """A request that an endpoint got."""

    at: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """What it tells."""
        told: dict[str, Any] = from_json(self.body)
        return told


GOOD = Answer()
DOWN = Answer(None, "connection refused")


class FakeEndpoints:
    """All endpoints there are. One that was never spoken of answers 200."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answers: dict[str, list[Answer]] = {}
        #: What each got, by its address, in the order of arrival.
        self.received: dict[str, list[Received]] = defaultdict(list)

    def answer(self, url: str, *answers: Answer) -> None:
        """From now on the endpoint answers so, one after the other; and then always as the last."""
        self._answers[url] = list(answers)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        """Stands where ``Poster.post`` stands."""
        begun = self._clock.now()
        self.received[url].append(Received(begun, dict(headers), body))
        answers = self._answers.get(url, [GOOD])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer.after:
            await self._clock.sleep(answer.after)
        return Posted(answer.status, (self._clock.now() - begun) / MILLISECOND, answer.error)
