"""Callers who do not give up: each sends its call with the same key until it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import httpx

#: Seconds until the next try while nobody listens.
BREATH = 0.02


@dataclass
class Insistence:
    """What the callers were answered: for each door, which has one key, the attempt."""

    answered: dict[str, str] = field(default_factory=dict)
    tries_in_vain: int = 0
    #: Calls that had been carried out when they were sent again: the server died before it could say so.
    lost: int = 0

    async def press(
        self,
        endpoint: str,
        token: str,
        doors: list[str],
        meanwhile: Callable[[], Awaitable[None]],
        callers: int = 12,
    ) -> None:
        """Unlock doors, each once and with a key of its own, until ``meanwhile`` is over."""
        untouched = iter(doors)
        over = asyncio.Event()
        calling = [
            asyncio.ensure_future(self._call(endpoint, token, untouched, over)) for _ in range(callers)
        ]
        await meanwhile()
        over.set()
        await asyncio.gather(*calling)

    async def _call(self, endpoint: str, token: str, doors: Iterator[str], over: asyncio.Event) -> None:
        headers = {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=endpoint, headers=headers, timeout=20) as client:
            while not over.is_set() and (door := next(doors, None)) is not None:
                first = await self._insist(client, door)
                self.lost += first.headers.get("idempotent-replayed") == "true"
                self.answered[door] = first.json()["action_attempt"]["action_attempt_id"]
                if len(self.answered) % 5 == 0:
                    again = await self._insist(client, door)
                    assert again.content == first.content
                    assert again.headers["idempotent-replayed"] == "true"

    async def _insist(self, client: httpx.AsyncClient, door: str) -> httpx.Response:
        while True:
            try:
                answer = await client.post(
                    "/locks/unlock_door",
                    json={"device_id": door},
                    headers={"idempotency-key": f"unlock-{door}"},
                )
            except httpx.TransportError:
                self.tries_in_vain += 1
                await asyncio.sleep(BREATH)
                continue
            if answer.status_code == 503:
                await asyncio.sleep(BREATH)
                continue
            assert answer.status_code == 200, answer.text
            return answer
