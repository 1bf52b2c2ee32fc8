"""One life of the server in a run: started, asked things, stopped or killed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from pydantic_core import to_json

from tests.simulation.scenario import BY_HAND, DOORS, LASTS
from tests.simulation.seams import Crash, Disk, DiskError, Radio
from thumbturn import actions
from thumbturn.api.wire.event import event_json
from thumbturn.domain.asker import Asker
from thumbturn.domain.clock import SECOND
from thumbturn.domain.errors import Failure, Refusal
from thumbturn.domain.idempotency import FirstAnswer, KeyTaken
from thumbturn.domain.webhook import EVERY_TYPE
from thumbturn.domain.workspace import Workspace
from thumbturn.drivers.virtual import seeds
from thumbturn.drivers.virtual.locks import SANDBOX_PIN
from thumbturn.engine import timetable
from thumbturn.engine.acceptance import MAY_BE_ON_RECORD, Timing
from thumbturn.engine.access_codes import NewCode
from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.engine import Engine
from thumbturn.engine.feed import Feed
from thumbturn.engine.meters import WebhookMeters
from thumbturn.engine.pins import Pins
from thumbturn.engine.ports import Seed
from thumbturn.engine.webhooks import Webhooks
from thumbturn.sealing import LENGTH, Seal
from thumbturn.testing.endpoints import DOWN, GOOD, Answer
from thumbturn.webhooks.deliver import Deliveries
from thumbturn.webhooks.means import Means
from thumbturn.webhooks.pace import Pace
from thumbturn.webhooks.record import Record
from thumbturn.webhooks.schedule import Schedule
from thumbturn.webhooks.targets import Targets

if TYPE_CHECKING:
    from tests.simulation.universe import Universe

WORKSPACE = Workspace(id="w1", name="Sandbox", is_sandbox=True)
URL = "https://receiver.test/hook"
ANSWERS = {
    "good": GOOD,
    "down": DOWN,
    "error": Answer(500),
    "slow": Answer(after=4 * SECOND),
    "gone": Answer(None, "timed out", after=15 * SECOND),
}
#: Between two looks whether what was begun has come to its end; and when it must have, whatever the clock
#: was set to.
LOOK_EVERY = 30
COMES_TO_AN_END_WITHIN = 40 * 3_600
#: Longer than the longest pause between two tries, also when the clock was set back meanwhile.
CODES_ARE_RIGHT_WITHIN = 5 * 3_600
#: How soon a caller with a key, and whoever must succeed, tries again.
TRIES_AGAIN_AFTER = 0.4

ASKER = Asker("key", "api_key", None, request_id="somebody")
PINS = Pins(bytes(LENGTH))
SEAL = Seal([bytes(LENGTH)])


@lru_cache(maxsize=1)
def known_actions() -> Any:
    """Every action type."""
    return actions.load()


def doors(now: int) -> tuple[Seed, list[str]]:
    """The things of the workspace, and the ids of its locks."""
    first = seeds.first_things(WORKSPACE.id, now)
    locks = tuple(device for device in first.devices if "lock" in device.capabilities)[:DOORS]
    return Seed(first.accounts, locks), [device.id for device in locks]


class Server:
    """One life of the server."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.clock = universe.clock
        #: For how many seconds it shall be down when it was killed.
        self.down_after_crash = 0.0
        self._calls: set[asyncio.Task[None]] = set()
        self._over: asyncio.Future[float]
        self._is_stopping = False
        _, self._doors = doors(0)

    async def live(self) -> float | None:
        """Run until it is stopped; for how many seconds it shall be down, or ``None`` if all is done."""
        universe = self.universe
        universe.note("start")
        self._over = asyncio.get_running_loop().create_future()
        self._boot()
        try:
            await self.engine.start()
            await self.deliveries.start()
        except (Refusal, DiskError):
            # It ends with a sentence, and whoever looks after it starts it again.
            self.down_after_crash = TRIES_AGAIN_AFTER
            raise Crash from None
        await self._furnish()
        universe.note("ready")
        for how in list(universe.unanswered.values()):
            self._call(self._command, **how)
        while universe.steps:
            if await self._is_over(by=universe.steps[0].at):
                return self._over.result()
            step = universe.steps.pop(0)
            self._call(getattr(self, f"_{step.what}"), **step.how)
        if await self._is_over(by=LASTS):
            return self._over.result()
        await self._come_to_an_end()
        await self._stop(0)
        return None

    def _boot(self) -> None:
        universe = self.universe
        self.store: Any = Disk(universe.kept.begin(), universe)
        self.driver = Radio(universe, self.clock, universe.scenario.seed, universe.journal, PINS)
        self.engine = Engine(
            store=self.store,
            drivers={"virtual": self.driver},
            world=self.driver,
            actions=known_actions(),
            clock=self.clock,
            pins=PINS,
            codes_looked_at_every=3_600 * SECOND,
            credentials=AcsCredentials(self.store.access, SEAL, PINS, self.clock),
            seal=SEAL,
        )
        meters = WebhookMeters()
        means = Means(
            store=self.store,
            feed=Feed(self.store, self.clock),
            clock=self.clock,
            seal=SEAL,
            post=universe.endpoints.post,
            written=lambda event: to_json(event_json(event, PINS)).decode(),
            schedule=Schedule(0.0),
            record=Record(self.store.webhooks, self.clock, meters),
            meters=meters,
            pace=Pace(self.clock, measure=lambda tell: tell(0), used=lambda: 0),
        )
        self.deliveries = Deliveries(means)
        self.webhooks = Webhooks(
            store=self.store, deliverer=self.deliveries, seal=SEAL, targets=Targets(), clock=self.clock
        )

    def let_go(self) -> None:
        """What the system does for a process that has ended: close its files."""
        self.driver._world.journal.close()

    async def _furnish(self) -> None:
        """The workspace with its doors and a webhook, if they are not there yet."""
        if not await self._insist(self.store.has_workspaces):
            seed, _ = doors(self.clock.now())
            await self._insist(
                lambda: self.store.add_workspace(WORKSPACE, user_id=None, seed=seed, keys=[]),
                done_if=self.store.has_workspaces,
            )
            self.engine.moving.move_in(seed.devices)
        if not await self._insist(lambda: self.store.webhooks.of_workspace(WORKSPACE.id)):
            await self._insist(
                lambda: self.webhooks.create(WORKSPACE.id, URL, (EVERY_TYPE,)),
                done_if=lambda: self.store.webhooks.of_workspace(WORKSPACE.id),
            )

    async def _insist(
        self,
        act: Callable[[], Awaitable[Any]],
        done_if: Callable[[], Awaitable[Any]] | None = None,
    ) -> Any:
        """Do it until the database takes it, or has it although it did not say so."""
        while True:
            try:
                return await act()
            except (Refusal, DiskError):
                await asyncio.sleep(TRIES_AGAIN_AFTER)
            if done_if is not None and await self._insist(done_if):
                return None

    async def _is_over(self, by: int) -> bool:
        """True once it was stopped; false at this moment, µs since the beginning of the run."""
        await asyncio.sleep(0)  # whoever was called has begun
        wait = by / SECOND - asyncio.get_running_loop().time()
        if wait > 0:
            await asyncio.wait((self._over,), timeout=wait)
        if self._is_stopping:
            await self._over
        return self._over.done()

    def _call(self, do: Callable[..., Awaitable[None]], **how: Any) -> None:
        task = asyncio.get_running_loop().create_task(self._caught(do, how))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _caught(self, do: Callable[..., Awaitable[None]], how: dict[str, Any]) -> None:
        """Whoever asked is told that it was refused, and that is that."""
        try:
            await do(**how)
        except (Refusal, DiskError) as refusal:
            self.universe.note("refused", why=type(refusal).__name__)

    # what somebody does ---------------------------------------------------------------------------

    async def _command(self, **how: Any) -> None:
        name, key = how["name"], how["key"]
        if "not_before" not in how:
            # Whoever asks again asks for the same: also for the same moment.
            how["not_before"] = self.clock.now() + how["later"] if how["later"] else None
            if key is not None:
                self.universe.unanswered[key] = how
                if how["twice"]:
                    self._call(self._command, **how)
        while True:
            try:
                attempt_id = await self._begin(name, key, how)
            except (Refusal, DiskError) as refusal:
                is_sure = not isinstance(refusal, Refusal) or refusal.message != MAY_BE_ON_RECORD
                self.universe.note("refused", name=name, why=type(refusal).__name__, is_sure=is_sure)
                if key is None or not isinstance(refusal, self.universe.passing):
                    self.universe.unanswered.pop(key or "", None)
                    return
                await asyncio.sleep(TRIES_AGAIN_AFTER)
            else:
                break
        self.universe.answered(name, key, attempt_id)
        if how["waits"]:
            attempt = await self.store.attempt(WORKSPACE.id, attempt_id)
            ended = await self.engine.begun.settled(attempt, how["waits"])
            if ended.phase.is_final:
                self.universe.note(
                    "told",
                    attempt_id=attempt_id,
                    status=ended.status,
                    result=ended.result,
                    failure=ended.failure,
                )

    async def _begin(self, name: str, key: str | None, how: dict[str, Any]) -> str:
        action = self.engine.actions[how["type"]]
        ask = action.ask.model_validate({"device_id": self._doors[how["door"]], **how["ask"]})
        try:
            attempt = await self.engine.begin(
                action,
                ask,
                WORKSPACE,
                Asker("key", "api_key", None, request_id=name),
                timing=Timing(how["not_before"], how["deadline"]),
                keep=None if key is None else lambda new: self._first_answer(key, new.id),
            )
        except KeyTaken:
            first = await self.store.first_answer(key, self.clock.now())
            return str(first.attempt_id)
        return attempt.id

    def _first_answer(self, key: str, attempt_id: str) -> FirstAnswer:
        return FirstAnswer(key, "the same", self.clock.now(), attempt_id, "{}")

    async def _code(
        self, door: int, verb: str, which: int, pin: str | None, frame: tuple[int, int] | None
    ) -> None:
        codes, known, universe = self.engine.access_codes, self.universe.codes, self.universe
        now = self.clock.now()
        times = (None, None) if frame is None else (now + frame[0] * SECOND, now + frame[1] * SECOND)
        new = {"starts_at": times[0], "ends_at": times[1]}
        if verb == "create":
            made, attempt = await codes.create(
                WORKSPACE.id, self._doors[door], NewCode(pin=pin, **new), ASKER
            )
            known.append(made.id)
            universe.note("code made", code_id=made.id)
        elif not known:
            return
        else:
            code_id = known[which % len(known)]
            if verb == "touch":
                with suppress(Failure, KeyError):  # the lock itself says no
                    await self.engine.keypads.change_code(WORKSPACE, code_id, BY_HAND if pin else None)
                return
            if verb == "delete":
                attempt = await codes.delete(WORKSPACE.id, code_id, ASKER)
                universe.note("code deleted", code_id=code_id)
            else:
                attempt = await codes.update(WORKSPACE.id, code_id, {"pin": pin} if pin else new, ASKER)
                universe.note("code changed", code_id=code_id)
        universe.answered(f"of a code {attempt.id}", None, attempt.id)

    async def _cancel(self, which: int) -> None:
        accepted = self.universe.accepted
        if accepted:
            attempt_id = accepted[which % len(accepted)]
            await self.engine.begun.cancel(WORKSPACE.id, attempt_id, "somebody")
            self.universe.note("cancelled", attempt_id=attempt_id)

    async def _fault(self, door: int, fault: str, times: int | None, milliseconds: int) -> None:
        self.universe.note("fault", device_id=self._doors[door], fault=fault)
        await self.engine.sandbox.inject_fault(WORKSPACE, self._doors[door], fault, times, milliseconds)

    async def _heal(self, door: int) -> None:
        await self.engine.sandbox.clear_faults(WORKSPACE, self._doors[door])

    async def _disconnect(self, door: int) -> None:
        await self.engine.sandbox.disconnect(WORKSPACE, self._doors[door])

    async def _connect(self, door: int) -> None:
        await self.engine.sandbox.connect(WORKSPACE, self._doors[door])

    async def _turn(self, door: int, *, is_locked: bool) -> None:
        """Somebody stands at the door and presses keys."""
        thing: Any = self.driver._things.get(self._doors[door])
        if thing is not None:
            with suppress(Failure):
                await (thing.press_lock() if is_locked else thing.enter_code(SANDBOX_PIN))

    async def _endpoint(self, answers: list[str]) -> None:
        self.universe.endpoints.answer(URL, *(ANSWERS[each] for each in answers))

    async def _clock(self, by: int) -> None:
        self.clock.set_by += by
        self.universe.note("clock", by=by)

    async def _stop(self, down: int) -> None:
        if self._is_stopping:
            return
        self._is_stopping = True
        await self.deliveries.stop(1.0)
        await self.engine.stop()
        if not self._over.done():
            self._over.set_result(down / SECOND)

    async def _crash(self, down: int) -> None:
        self.down_after_crash = down / SECOND
        raise Crash

    async def _come_to_an_end(self) -> None:
        """Everything heals, and what was begun ends; callers get answers, and the endpoint its events."""
        universe = self.universe
        universe.is_calm = True
        universe.note("calm")
        universe.endpoints.answer(URL, GOOD)
        await self.engine.sandbox.clear_faults(WORKSPACE)
        for door in self._doors:
            await self.engine.sandbox.connect(WORKSPACE, door)
        for webhook in await self.store.webhooks.of_workspace(WORKSPACE.id):
            await self.webhooks.enable(WORKSPACE.id, webhook.id, skip_missed=False)
        looks = 0
        if universe.kept.codes(WORKSPACE.id):
            # What a lock could not be told is tried again ever more slowly.
            with patch.object(timetable, "LOOK_EVERY", 600 * SECOND):
                await asyncio.sleep(CODES_ARE_RIGHT_WITHIN)
        while universe.has_open_ends() and looks < COMES_TO_AN_END_WITHIN // LOOK_EVERY:
            await asyncio.sleep(LOOK_EVERY)
            looks += 1
        universe.holds = {door: self._held_by(door) for door in self._doors}
        universe.note("end")

    def _held_by(self, door: str) -> dict[str, str]:
        """What the keypad of a door knows: PINs by place."""
        lock: Any = self.driver._things[door]
        return {place: PINS.open(slot.pin) for place, slot in lock.codes._holds.items()}
