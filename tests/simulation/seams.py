"""The seams of the server at which a run breaks it: its database, and the air between it and its devices.

The server dies at a seam as by ``kill -9``: nothing of it runs after that, and what was not on the disk or
at a device by then never will be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, Protocol

from tests.simulation.scenario import Trouble
from thumbturn.domain.about import ATTEMPT
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import MILLISECOND, SECOND
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.drivers.virtual.driver import VirtualDriver
from thumbturn.engine.run import Run

#: How long a commit and a read take.
COMMIT = 3 * MILLISECOND / SECOND
READ = MILLISECOND / SECOND

#: Parts of the store that are stores themselves.
PARTS = frozenset(
    {"webhooks", "client_sessions", "accounts", "webviews", "schedules", "access_codes", "access", "secrets"}
)
#: What asks the database nothing.
PLAIN = frozenset({"writing", "on_events"})
#: What changes nothing.
READS = frozenset(
    {
        "announcing_workspaces", "arrivals", "arrived", "attempt", "attempts", "backlog", "batch", "check",
        "device", "devices", "due", "enabled", "event", "events", "events_after", "every_account",
        "every_device", "find", "first_answer", "get", "has_workspaces", "key", "keys",
        "last_sequence", "listed", "next_due", "not_over", "of_device", "of_workspace",
        "open_attempts", "open_count", "progress", "search_attempts", "timeline", "trail", "tries",
        "workspace", "workspaces_of_user",
    }
)  # fmt: skip


class Crash(KeyboardInterrupt):
    """The server dies now. No kind of ``except`` in it may see that, and its event loop stops at once."""


class DiskError(Exception):
    """What a database may say that nobody expects."""


class Life(Protocol):
    """One life of the server, from its start to its death."""

    #: Nothing of it reaches anything any more.
    is_dead: bool

    def passes(self, seam: str) -> Trouble | None:
        """Something passes here; what goes wrong with it."""

    def on_record(self, attempt: Attempt) -> Mapping[str, Any]:
        """How an attempt stands on disk, and what else is in flight in its lane."""

    def stand_still(self, seconds: float) -> None:
        """It gets no time of the processor for so long, from its next turn on."""

    def note(self, what: str, **how: Any) -> None:
        """Put it into the history."""


class Disk:
    """The store as one life of the server has it: operations wait for their commit, in their order.

    What waits together is committed together, all or nothing, as the real writer does.
    """

    def __init__(self, memory: Any, life: Life, writer: _Writer | None = None) -> None:
        self._memory = memory
        self._life = life
        self._writer = writer or _Writer(life)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._memory, name)
        if name in PARTS:
            part = Disk(found, self._life, self._writer)
            setattr(self, name, part)
            return part
        if not callable(found) or name in PLAIN:
            return found
        if name in READS:
            return partial(self._read, found)
        return partial(self._writer.submit, name, found)

    async def _read(self, read: Callable[..., Awaitable[Any]], *args: Any, **how: Any) -> Any:
        await _unless_dead(self._life)
        trouble = self._life.passes("read")
        await asyncio.sleep(READ + (trouble.time / SECOND if trouble and trouble.kind == "slow" else 0))
        if trouble and trouble.kind == "refused":
            raise StorageUnavailable
        return await read(*args, **how)


class _Waiting:
    """An operation that waits for its commit, and then for its answer."""

    def __init__(self, name: str, write: Callable[[], Awaitable[Any]]) -> None:
        self.name = name
        self.write = write
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.value: Any = None
        self.problem: Exception | None = None

    async def perform(self, kind: str) -> None:
        if kind in {"refused", "broken"}:
            self.problem = StorageUnavailable() if kind == "refused" else DiskError(self.name)
            return
        try:
            self.value = await self.write()
        except Exception as problem:  # noqa: BLE001 - whatever it is, its caller gets it
            self.problem = problem
        else:
            self.problem = StorageUnavailable() if kind == "answer lost" else None

    def tell(self) -> None:
        if self.answer.done():
            return
        if self.problem is None:
            self.answer.set_result(self.value)
        else:
            self.answer.set_exception(self.problem)


class _Writer:
    """Commits in waves."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    def submit(
        self, name: str, write: Callable[..., Awaitable[Any]], *args: Any, **how: Any
    ) -> asyncio.Future[Any]:
        waiting = _Waiting(name, partial(write, *args, **how))
        if self._life.is_dead:
            return waiting.answer
        self._waiting.append(waiting)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        return waiting.answer

    async def _run(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # what the loop has before it belongs to the same wave
            wave, self._waiting = self._waiting, []
            troubles = [self._life.passes("write") for _ in wave]
            kinds = [trouble.kind if trouble else "" for trouble in troubles]
            slow = [trouble.time / SECOND for trouble in troubles if trouble and trouble.kind == "slow"]
            await asyncio.sleep(COMMIT + max(slow, default=0))
            if "crash before" in kinds:
                raise Crash
            for waiting, kind in zip(wave, kinds, strict=True):
                await waiting.perform(kind)
            if "crash after" in kinds:
                raise Crash
            for trouble in troubles:
                if trouble and trouble.kind == "paused after":
                    self._life.stand_still(trouble.time / SECOND)
                    await asyncio.sleep(0)  # it is another turn, in which they are told of the commit
            for waiting in wave:
                waiting.tell()


class Radio(VirtualDriver):
    """The virtual devices, behind air that loses, delays and doubles what they say."""

    def __init__(self, life: Life, *args: Any) -> None:
        super().__init__(*args)
        self._life = life

    async def start(self, observe: Callable[[Observation], None]) -> None:
        await super().start(partial(self._hear, observe))

    def offer(self, device: Device, capability: type[Any]) -> Any:
        thing = super().offer(device, capability)
        return None if thing is None else _Commanded(thing, device.id, self._life)

    def _hear(self, observe: Callable[[Observation], None], seen: Observation) -> None:
        trouble = self._life.passes("report")
        kind = trouble.kind if trouble else ""
        if kind == "lost":
            return

        def arrive() -> None:
            self._life.note("heard", device_id=seen.device_id, **_said(seen))
            observe(seen)

        if trouble and kind == "late":
            asyncio.get_running_loop().call_later(trouble.time / SECOND, arrive)
            return
        arrive()
        if kind == "twice":
            arrive()


class _Commanded:
    """A device's capability, with a note of each command that is sent to it."""

    def __init__(self, thing: Any, device_id: str, life: Life) -> None:
        self._thing = thing
        self._device_id = device_id
        self._life = life

    def __getattr__(self, verb: str) -> Any:
        found = getattr(self._thing, verb)
        if not iscoroutinefunction(found):
            return found
        return partial(self._ask if verb.startswith(("read", "fetch")) else self._send, verb, found)

    async def _ask(self, verb: str, read: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        seen = await read(*args)
        if isinstance(seen, Observation):
            self._life.note("heard", device_id=self._device_id, by=verb, **_said(seen))
        elif seen is not None:
            holds = {"places": sorted(seen), "evidence": int(Evidence.STATE_REPORT)}
            self._life.note("heard", device_id=self._device_id, by=verb, **holds)
        return seen

    async def _send(self, verb: str, command: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        run = ATTEMPT.get()
        await _unless_dead(self._life)
        assert isinstance(run, Run), "a device was commanded by no attempt"
        trouble = self._life.passes("send")
        kind = trouble.kind if trouble else ""
        if kind == "crash before":
            raise Crash
        about = {"device_id": self._device_id, "verb": verb, "attempt_id": run.attempt.id}
        self._life.note("sent", **about, **self._life.on_record(run.attempt))
        try:
            reply = await command(*args)
        except Failure as failure:
            self._life.note("failed", **about, why=failure.type)
            raise
        self._life.note("replied", **about, evidence=int(reply))
        if kind == "crash after":
            raise Crash
        return reply


async def _unless_dead(life: Life) -> None:
    """What is left of a dead server waits for ever."""
    if life.is_dead:
        await asyncio.get_running_loop().create_future()


def _said(seen: Observation) -> Mapping[str, Any]:
    return {"changes": dict(seen.changes), "evidence": int(seen.evidence), "method": seen.method}
