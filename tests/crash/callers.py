"""People who command the doors of a workspace without a pause, and note what they are answered."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Self

import aiohttp

from tests.simulation.history import Entry, History
from thumbturn.domain.clock import SystemClock

#: Seconds in which a command is wanted: it is over soon, so that a round is. Of some that were under way in a
#: crash there is time left at the next start, of others there is none.
DEADLINES = (2, 12)
#: A pause of all of them, seconds: it is not about how much a server can do.
BREATH = 0.02
#: How long a call may take. A process that is stopped answers nobody.
PATIENCE = 6
FAULTS = ("refuse", "jam", "slow", "offline", "silent", "ack_only", "dead_mid_way")
#: Nobody has done anything then.
REFUSED = frozenset({400, 404, 409, 429, 503})


@dataclass
class Place:
    """A workspace, with what is commanded in it."""

    workspace_id: str
    headers: dict[str, str]
    doors: Sequence[str]
    #: Doors whose device may lie, and doors whose keypad is used.
    liars: Sequence[str]
    keypads: Sequence[str]
    webhook_path: str
    history: History = field(default_factory=History)
    #: Keys that have no answer yet.
    unanswered: dict[str, None] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)

    def note(self, what: str, **how: Any) -> None:
        """Put it into the history of the workspace."""
        now = SystemClock().now()
        self.history.entries.append(Entry(now, now, 0, what, how))


class Callers:
    """Some people at each place. Who has a key asks until there is an answer."""

    def __init__(self, endpoints: Sequence[str], places: Sequence[Place], seed: str, each: int) -> None:
        self._endpoints = itertools.cycle(endpoints)
        self._places = places
        self._seed = seed
        self._each = each
        self._is_over = False
        self._calling: list[asyncio.Task[None]] = []
        #: How many calls were answered with success; and how many had to be sent again.
        self.answered = 0
        self.in_vain = 0

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        self._kept = aiohttp.ClientSession(timeout=timeout)
        self._fresh = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(force_close=True))
        for number, place in enumerate(self._places):
            for each in range(self._each):
                chance = Random(f"{self._seed}/{number}/{each}")
                name = f"caller-{self._seed}/{number}/{each}"
                self._calling.append(asyncio.ensure_future(self._press(place, chance, name)))
        return self

    async def __aexit__(self, *_: object) -> None:
        for calling in self._calling:
            calling.cancel()
        await asyncio.gather(*self._calling, return_exceptions=True)
        await self._kept.close()
        await self._fresh.close()

    async def finish(self, within: float) -> None:
        """Begin nothing more, and wait for those who have a key to be answered. Raises what broke one."""
        self._is_over = True
        done, _ = await asyncio.wait(self._calling, timeout=within)
        for calling in done:
            calling.result()

    async def are_answered(self, within: float) -> bool:
        """True as soon as some more calls have been answered."""
        enough = self.answered + 10
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self.answered < enough:
                    await asyncio.sleep(0.01)
        return self.answered >= enough

    async def _press(self, place: Place, chance: Random, name: str) -> None:
        ways = (
            (self._command, 40),
            (self._command_with_key, 25),
            (self._batch, 4),
            (self._cancel, 5),
            (self._look, 10),
            (self._fault, 8),
            (self._make_code, 4),
            (self._delete_code, 3),
        )
        for number in itertools.count():
            if self._is_over:
                return
            [(way, _)] = chance.choices(ways, [weight for _, weight in ways])
            await way(place, chance, f"{name}/{number}")
            await asyncio.sleep(BREATH * chance.random() * 2)

    # what they do -------------------------------------------------------------------------------

    async def _command(self, place: Place, chance: Random, name: str) -> None:
        path, ask = _some_command(place, chance)
        wait = {"prefer": "wait=1"} if chance.random() < 0.1 else {}
        status, body = await self._post(place, chance, path, ask, {"thumbturn-actor": name, **wait})
        if status == 200:
            self._note_answer(place, name, body["action_attempt"])
        elif status in REFUSED:
            place.note("refused", name=name, why=body["error"]["type"])

    async def _command_with_key(self, place: Place, chance: Random, name: str) -> None:
        path, ask = _some_command(place, chance)
        calls = 2 if chance.random() < 0.2 else 1
        place.unanswered[name] = None
        tries = [Random(chance.random()) for _ in range(calls)]
        await asyncio.gather(*(self._insist(place, each, path, ask, name) for each in tries))
        place.unanswered.pop(name)

    async def _insist(self, place: Place, chance: Random, path: str, ask: dict[str, Any], name: str) -> None:
        headers = {"thumbturn-actor": name, "idempotency-key": name}
        while True:
            status, body = await self._post(place, chance, path, ask, headers)
            if status == 200:
                self._note_answer(place, name, body["action_attempt"])
                return
            if status in {400, 404, 409}:
                place.note("refused", name=name, why=body["error"]["type"])
                return
            self.in_vain += 1
            await asyncio.sleep(0.05)

    async def _batch(self, place: Place, chance: Random, name: str) -> None:
        commands = [_some_command(place, chance) for _ in range(chance.randint(2, 5))]
        ask = {"commands": [{"path": path, "parameters": parameters} for path, parameters in commands]}
        key = {"idempotency-key": name} if chance.random() < 0.5 else {}
        while True:
            actor = {"thumbturn-actor": f"batch-{name}"}
            status, body = await self._post(place, chance, "/thumbturn/attempts/batch", ask, actor | key)
            if status == 200:
                for number, attempt in enumerate(body["batch"]["action_attempts"]):
                    self._note_answer(place, f"batch-{name}/{number}", attempt)
            if status in {200, 400} or not key:
                return
            await asyncio.sleep(0.05)

    async def _cancel(self, place: Place, chance: Random, name: str) -> None:
        if place.accepted:
            ask = {"action_attempt_id": chance.choice(place.accepted[-8:])}
            await self._post(place, chance, "/thumbturn/attempts/cancel", ask, {})

    async def _look(self, place: Place, chance: Random, name: str) -> None:
        if place.accepted:
            ask = {"action_attempt_id": chance.choice(place.accepted[-200:])}
            status, body = await self._post(place, chance, "/action_attempts/get", ask, {})
            assert status != 404, f"{ask} was answered, and is not there"
            if status == 200:
                _note_end(place, body["action_attempt"])

    async def _fault(self, place: Place, chance: Random, name: str) -> None:
        fault = chance.choice((*FAULTS, "lie"))
        door = chance.choice(place.liars if fault == "lie" else place.doors)
        # It may be in force whatever becomes of the answer.
        place.note("fault", device_id=door, fault=fault)
        ask = {"device_id": door, "fault": fault, "times": 1, "milliseconds": 40}
        await self._post(place, chance, "/thumbturn/sandbox/inject_fault", ask, {})

    async def _make_code(self, place: Place, chance: Random, name: str) -> None:
        ask = {"device_id": chance.choice(place.keypads), "code": f"{chance.randrange(100_000):05d}"}
        status, body = await self._post(
            place, chance, "/access_codes/create", ask, {"idempotency-key": name} if name else {}
        )
        if status == 200:
            code_id = body["access_code"]["access_code_id"]
            place.codes.append(code_id)
            place.note("code made", code_id=code_id)

    async def _delete_code(self, place: Place, chance: Random, name: str) -> None:
        if place.codes:
            code_id = chance.choice(place.codes)
            status, _ = await self._post(
                place, chance, "/access_codes/delete", {"access_code_id": code_id}, {}
            )
            if status == 200:
                place.note("code deleted", code_id=code_id)

    # how they ask -------------------------------------------------------------------------------

    async def _post(
        self, place: Place, chance: Random, path: str, ask: dict[str, Any], more: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """The answer's status and body; 0 if there is none."""
        session = self._fresh if chance.random() < 0.05 else self._kept
        url = next(self._endpoints) + path
        try:
            async with session.post(url, json=ask, headers=place.headers | more) as answer:
                status, body = answer.status, await answer.json()
        except (aiohttp.ClientError, TimeoutError, ssl.SSLError):
            await asyncio.sleep(0.05)
            return 0, {}
        if status == 200:
            self.answered += 1
        elif status == 503:
            await asyncio.sleep(0.02)
        elif status not in REFUSED:
            place.note("uncaught", path=path, ask=ask, status=status, body=body)
        return status, body

    def _note_answer(self, place: Place, name: str, attempt: dict[str, Any]) -> None:
        place.accepted.append(attempt["action_attempt_id"])
        place.note("answered", name=name, attempt_id=attempt["action_attempt_id"])
        _note_end(place, attempt)


def _note_end(place: Place, attempt: dict[str, Any]) -> None:
    if attempt["status"] == "pending":
        return
    error = attempt["error"]
    place.note(
        "told",
        attempt_id=attempt["action_attempt_id"],
        status=attempt["status"],
        result=attempt["result"],
        failure=None if error is None else (error["type"], error["message"]),
    )


def _some_command(place: Place, chance: Random) -> tuple[str, dict[str, Any]]:
    ask: dict[str, Any] = {
        "device_id": chance.choice(place.doors),
        "deadline_seconds": chance.choice(DEADLINES),
    }
    if chance.random() < 0.08:
        later = datetime.now(UTC) + timedelta(seconds=chance.random())
        ask["not_before"] = later.isoformat()
    return chance.choice(("/locks/unlock_door", "/locks/lock_door")), ask
