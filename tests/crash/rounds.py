"""Rounds of trouble at one site, each with a ``kill -9``, and the promises checked after each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple

import httpx
from svix.webhooks import Webhook

from tests.crash.callers import Callers, Place
from tests.crash.outside import Outside
from tests.crash.site import Site
from tests.crash.troubles import Trouble
from tests.fixtures.receiver import Receiver
from tests.simulation.promises import Promises
from tests.simulation.record import Record

DOORS, LIARS, KEYPADS = 9, 2, 2
#: How each door's motor takes its time, milliseconds.
TRAVELS = (0, 0, 25)
CALLERS_AT_EACH = 3
#: How often the kill comes while something else is wrong.
IN_THE_MIDST = 0.35
#: How often others have to do without one that was killed, before it is started again.
WITHOUT_IT = 0.7
#: How soon calls are answered again when a trouble is over, seconds.
WORKS_ON_WITHIN = 15
ANSWERED_WITHIN = 30
#: The longest deadline of codes, with the pauses between tries.
SETTLED_WITHIN = 60
PUT_RIGHT_WITHIN = 15


class PromiseBroken(AssertionError):
    """Some promises did not hold in a round."""


class Told(NamedTuple):
    """What came of a round, for who reads along."""

    trouble: str
    killed_in_the_midst: bool
    answered: int
    in_vain: int
    attempts: int
    seconds: float

    def __str__(self) -> str:
        midst = ", killed in the midst of it" if self.killed_in_the_midst else ""
        return (
            f"{self.trouble}{midst}: {self.answered} answers, {self.in_vain} in vain,"
            f" {self.attempts} attempts in all, {self.seconds:.1f} s"
        )


class Rounds:
    """A site with people, doors and a webhook in each of its workspaces."""

    def __init__(
        self,
        site: Site,
        receiver: Receiver,
        seed: str,
        workspaces: int,
        travels: Sequence[int] = TRAVELS,
    ) -> None:
        self.site = site
        self.receiver = receiver
        self.seed = seed
        self._travels = travels
        self.outside: Outside
        #: What signs what comes to each webhook.
        self._secrets: dict[str, str] = {}
        self.places = [self._furnish(number) for number in range(workspaces)]
        self._stood: dict[str, dict[str, bool | None]] = {}

    async def prepare(self) -> None:
        """Look at how everything stands before anything is commanded."""
        self.outside = await Outside.of(self.site)
        for place in self.places:
            rows = self.outside.rows(place.workspace_id)
            self._stood[place.workspace_id] = {
                device.id: device.state.get("locked") for device in rows.devices.values()
            }

    async def play(self, number: int, trouble: Trouble | None) -> Told:
        """One round. Raises with the promises that were broken."""
        began, chance = time.monotonic(), Random(f"{self.seed}/{number}")
        site, victim = self.site, chance.choice(self.site.servers)
        in_the_midst = trouble is not None and chance.random() < IN_THE_MIDST
        for place in self.places:
            self.receiver.behave(place.webhook_path, *(["500"] * chance.randrange(3)), "204")
        endpoints = [server.endpoint for server in site.servers]
        async with Callers(endpoints, self.places, f"{self.seed}/{number}", CALLERS_AT_EACH) as callers:
            await asyncio.sleep(chance.uniform(0.2, 0.8))
            if trouble is not None:
                if "clock" in trouble.name:
                    for place in self.places:
                        place.note("clock")
                await asyncio.to_thread(trouble.begin, site, victim, chance)
                await asyncio.sleep(chance.uniform(*trouble.lasts))
                if not in_the_midst:
                    trouble.end(site, victim)
                    assert await callers.are_answered(WORKS_ON_WITHIN), f"{trouble.name} is over: no answers"
                    await asyncio.sleep(chance.uniform(0, 0.4))
            assert victim.process.poll() is None, f"it ended by itself:\n{victim.log.read_text()[-2000:]}"
            victim.kill9()
            if trouble is not None and in_the_midst:
                trouble.end(site, victim)
            self._note_ends()
            if len(site.servers) > 1 and chance.random() < WITHOUT_IT:
                assert await callers.are_answered(WORKS_ON_WITHIN), "one of them is dead: no answers"
            await asyncio.sleep(chance.choice((0, 0, 0.5)))
            await asyncio.to_thread(site.start)
            await callers.finish(ANSWERED_WITHIN)
        self._heal()
        await self.settle()
        name = "killed" if trouble is None else trouble.name
        broken = await self._all_broken()
        if broken:
            raise PromiseBroken(f"round {number} of {self.seed}, {name}: {broken[:6]}")
        attempts = sum(len(self.outside.rows(place.workspace_id).attempts) for place in self.places)
        took = time.monotonic() - began
        return Told(name, in_the_midst, callers.answered, callers.in_vain, attempts, took)

    def check_that_it_proves_something(self, rounds: int) -> None:
        """Raise if there was so little load that nothing could have been broken."""
        told = [entry for place in self.places for entry in place.history.of("final")]
        ends = {entry.how["failure"] and entry.how["failure"][0] for entry in told}
        assert ends >= {None, "outcome_unknown", "cancelled"}, ends
        assert sum(len(place.accepted) for place in self.places) > 10 * rounds

    # the world ----------------------------------------------------------------------------------

    def _furnish(self, number: int) -> Place:
        """A new sandbox with doors and a webhook."""
        server = self.site.first
        token = server.credentials["personal_access_token"]
        name = f"place {number}"
        new = {"name": name, "company_name": name, "is_sandbox": True}
        with server.client(token) as client:
            workspace_id = _ok(client.post("/workspaces/create", json=new))["workspace"]["workspace_id"]
        with server.client(token, workspace_id) as client:
            doors: list[str] = []
            for travel in self._travels:
                more = {"count": DOORS // len(self._travels), "kind": "lock", "travel_milliseconds": travel}
                added = _ok(client.post("/thumbturn/sandbox/add_devices", json=more))
                doors += added["device_ids"]
            more = {"count": KEYPADS, "kind": "lock", "travel_milliseconds": 0}
            keypads = _ok(client.post("/thumbturn/sandbox/add_devices", json=more))["device_ids"]
            path = f"/hook-{number}"
            hook = _ok(client.post("/webhooks/create", json={"url": self.receiver.url(path)}))["webhook"]
        self._secrets[path] = hook["secret"]
        return Place(
            workspace_id=workspace_id,
            headers={"authorization": f"Bearer {token}", "seam-workspace": workspace_id},
            doors=doors,
            liars=doors[:LIARS],
            keypads=keypads,
            webhook_path=path,
        )

    def _heal(self) -> None:
        """Everything at the devices is sound again."""
        for place in self.places:
            with self.site.first.client() as client:
                client.headers.update(place.headers)
                _ok(client.post("/thumbturn/sandbox/clear_faults", json={}))

    # what is looked at --------------------------------------------------------------------------

    def _note_ends(self) -> None:
        for place in self.places:
            self.outside.note_ends(place, self.outside.rows(place.workspace_id))

    async def settle(self) -> None:
        """Wait until everything that was begun has come to its end; what has not is a broken promise."""
        limit = time.monotonic() + SETTLED_WITHIN
        while time.monotonic() < limit and not self._has_ended():
            await asyncio.sleep(0.2)
        # A device may have more to say, and a lock be told of a code once more.
        limit = time.monotonic() + PUT_RIGHT_WITHIN
        while time.monotonic() < limit and await self._all_broken():
            await asyncio.sleep(0.5)
        self._note_ends()

    def _has_ended(self) -> bool:
        for place in self.places:
            if self.outside.is_open(place.workspace_id):
                return False
            if self.outside.event_ids(place.workspace_id) - self._received(place):
                return False
        return True

    def _received(self, place: Place) -> set[str]:
        return set(self.receiver.event_ids(place.webhook_path))

    async def _all_broken(self) -> list[str]:
        records = [await self.record(place) for place in self.places]
        return [word for record in records for word in Promises(record).broken()]

    async def record(self, place: Place) -> Record:
        """All that is known of a workspace now."""
        rows = self.outside.rows(place.workspace_id)
        stood = self._stood[place.workspace_id]
        return await self.outside.record(place, rows, stood, self._received(place))

    def check_signatures(self) -> None:
        """Raise if something came that the server had not signed."""
        for path, secret in self._secrets.items():
            sign = Webhook(secret).sign
            for came in self.receiver.at(path):
                sent_at = datetime.fromtimestamp(int(came.headers["svix-timestamp"]), UTC)
                # Whoever gets it would look at the time, too; here the clock was set by hours.
                signature = sign(came.headers["svix-id"], sent_at, came.body)
                assert signature in came.headers["svix-signature"].split(), came


def _ok(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()
