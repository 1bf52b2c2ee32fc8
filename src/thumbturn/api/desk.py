"""Answers the calls that other processes put down for what this one owns (``forwarding.py`` is their side).

Each is answered by the very application that answers this process's own calls: the same checks, the same
idempotency, the same audit trail. What a call that was taken does is done at most once, whoever dies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from thumbturn.api.exchanged import Reply, Request
from thumbturn.api.forwarding import TAKEN_BEFORE, call_word, reply_context, request_context
from thumbturn.domain.clock import SECOND, Clock, seconds
from thumbturn.engine.calls import CallStore, Forwarded
from thumbturn.engine.cells import Cells
from thumbturn.engine.lease_ports import Kind
from thumbturn.engine.notices import About, Notices
from thumbturn.engine.supervised import supervised
from thumbturn.engine.webhook_ports import Seal

Message = MutableMapping[str, Any]
Application = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

#: Leases whose owners are asked.
KINDS: tuple[Kind, ...] = ("engine", "webhooks")
#: Calls that are taken at a time, and that are worked on at a time.
AT_ONCE, MOST = 50, 500
#: Nobody waits for a call for so long.
KEPT_FOR = seconds(180)


class Desk:
    """Where other processes' calls are answered."""

    def __init__(
        self,
        *,
        application: Application,
        store: CallStore,
        notices: Notices,
        seal: Seal,
        cells: Cells,
        clock: Clock,
    ) -> None:
        self._application = application
        self._store = store
        self._notices = notices
        self._seal = seal
        self._cells = cells
        self._clock = clock
        self._is_due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._answering: set[asyncio.Task[None]] = set()
        self._forgotten_at = 0

    def start(self) -> None:
        """Begin to answer."""
        self._notices.hear(About.CALLS, self._heard)
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def stop(self, patience: float) -> None:
        """Take no more, and give those that are being answered some seconds."""
        if self._task is not None:
            self._task.cancel()
        if self._answering:
            _, late = await asyncio.wait(self._answering, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _heard(self, words: frozenset[str] | None) -> None:
        if words is None or not words.isdisjoint(
            call_word(kind, cell) for kind in KINDS for cell in self._mine(kind)
        ):
            self._is_due.set()

    def _mine(self, kind: Kind) -> frozenset[int]:
        """The cells whose calls can be answered here: a cell's engine is asked once it has started."""
        mine = self._cells.mine(kind)
        return mine & {cell.number for cell in self._cells.here()} if kind == "engine" else mine

    async def _work(self) -> None:
        while True:
            await self._is_due.wait()
            self._is_due.clear()
            with supervised("forwarded_calls_wait"):
                for kind in KINDS:
                    await self._take(kind)
                await self._forget()

    async def _take(self, kind: Kind) -> None:
        while mine := self._mine(kind):
            room = min(AT_ONCE, MOST - len(self._answering))
            if room <= 0:
                return  # the next look takes more
            calls = await self._store.take(
                kind, mine, self._cells.process_id, within=TAKEN_BEFORE, limit=room
            )
            for call in calls:
                task = asyncio.get_running_loop().create_task(self._answer(call))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)
            if len(calls) < room:
                return

    async def _answer(self, call: Forwarded) -> None:
        with supervised("forwarded_call_not_answered", call_id=call.id):
            request = Request.read(self._seal.open(call.request, request_context(call.id)))
            reply = await self._reply(request)
            await self._store.answer(call.id, self._seal.seal(reply.written(), reply_context(call.id)))
            self._notices.say(About.ANSWERS, call.asked_by)

    async def _reply(self, request: Request) -> Reply:
        unread: list[Message] = [{"type": "http.request", "body": request.body, "more_body": False}]
        sent: list[Message] = []

        async def receive() -> Message:
            if unread:
                return unread.pop()
            # Its caller does not hang up: who asked for him waits as long as he would.
            await asyncio.get_running_loop().create_future()
            raise AssertionError("nobody answers this")

        async def send(message: Message) -> None:
            sent.append(message)

        await self._application(request.scope(), receive, send)
        head, *rest = sent
        return Reply(head["status"], list(head["headers"]), b"".join(each["body"] for each in rest))

    async def _forget(self) -> None:
        now = self._clock.now()
        if now - self._forgotten_at > 60 * SECOND:
            self._forgotten_at = now
            await self._store.forget(KEPT_FOR)
