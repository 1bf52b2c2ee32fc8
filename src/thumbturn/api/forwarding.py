"""Has a call answered by the process that owns what it is about (docs/many-processes.md).

The call is put down in the database for the owner of its cell, who answers it as one of his own
(``desk.py``), and the answer is taken away from there. Nobody asks twice by himself: a call that was taken is
answered, or it is not known what became of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress

import structlog

from thumbturn.api.exchanged import Reply, Request
from thumbturn.domain.clock import SECOND, Clock, seconds
from thumbturn.domain.errors import Refusal
from thumbturn.domain.ids import new_id
from thumbturn.domain.refusals import AnswerLost, Overloaded, OwnerMissing, StorageUnavailable
from thumbturn.engine.calls import CallStore, Forwarded, Standing
from thumbturn.engine.cells import Cells
from thumbturn.engine.notices import About, Notices
from thumbturn.engine.webhook_ports import Seal

log = structlog.get_logger("thumbturn.api")

#: For so long a call lies there for an owner; whoever takes over from a dead one is there by then.
TAKEN_WITHIN = seconds(10)
#: A call that nobody took for so long is taken by nobody: a caller whose process died asks again, and both
#: would be done. It is more than he waits, for his is another clock than that by which it lies there.
TAKEN_BEFORE = TAKEN_WITHIN + seconds(2)
#: For so long one who took a call may think about it, beyond what its caller himself wants to wait.
ANSWERED_WITHIN = seconds(30)
#: For so long nobody takes a process for dead that took a call and is not known to live: one that has just
#: begun is not known for a round of the claims.
DOUBTED_FOR = seconds(5)
#: Calls of one process that may wait for others at a time.
MOST = 1_000


class _Asked:
    """A call that waits for its answer."""

    def __init__(self, id: str, begun_at: int, until: int) -> None:
        self.id = id
        self.begun_at = begun_at
        #: When it is given up, whoever has it.
        self.until = until
        self.reply: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.is_there = False
        #: Since when its taker is not known to live; ``None`` while he is.
        self.doubted_since: int | None = None

    def fail(self, reason: Refusal) -> None:
        if not self.reply.done():
            self.reply.set_exception(reason)


class Forwarding:
    """Asks other processes."""

    def __init__(self, *, store: CallStore, notices: Notices, seal: Seal, cells: Cells, clock: Clock) -> None:
        self._store = store
        self._notices = notices
        self._seal = seal
        self._cells = cells
        self._clock = clock
        self._asked: dict[str, _Asked] = {}
        self._is_looking = False
        self._looks_again = False
        self._looking: set[asyncio.Task[None]] = set()
        self._taking_back: set[asyncio.Task[None]] = set()
        notices.hear(About.ANSWERS, self._heard)

    async def ask(self, request: Request, kind: str, cell: int, *, patience: int = 0) -> Reply:
        """The reply of the owner of this lease. ``patience`` is how long its caller wants to wait, µs.

        Raises ``OwnerMissing`` when there is none: nothing was done. Raises ``AnswerLost`` when its owner
        took it and did not answer; ``StorageUnavailable`` and ``Overloaded``.
        """
        if len(self._asked) >= MOST:
            raise OwnerMissing("Too many calls wait for other processes. Nothing was done.")
        id, now = new_id(), self._clock.now()
        asked = _Asked(id, now, now + TAKEN_WITHIN + ANSWERED_WITHIN + patience)
        sealed = self._seal.seal(request.written(), request_context(id))
        self._asked[id] = asked
        try:
            await self._put(Forwarded(id, kind, cell, self._cells.process_id, sealed))
            asked.is_there = True
            self._notices.say(About.CALLS, call_word(kind, cell))
            answer = await asked.reply
        except (Overloaded, OwnerMissing):
            raise  # it does not lie there
        except BaseException:
            # Also when its caller hangs up: he may ask again, and both would be done.
            task = asyncio.get_running_loop().create_task(self._take_back(asked))
            self._taking_back.add(task)
            task.add_done_callback(self._taking_back.discard)
            raise
        finally:
            del self._asked[id]
        return Reply.read(self._seal.open(answer, reply_context(id)))

    async def _take_back(self, asked: _Asked) -> None:
        while self._clock.now() - asked.begun_at < TAKEN_BEFORE:
            with suppress(Refusal):
                await self._store.withdraw(asked.id)
                return
            await self._clock.sleep(SECOND)

    async def _put(self, call: Forwarded) -> None:
        try:
            await self._store.put(call)
        except StorageUnavailable as reason:
            # It may lie there all the same, if only the answer to its commit was lost.
            try:
                nothing_was_done = await self._store.withdraw(call.id)
            except Refusal:
                nothing_was_done = False
            if not nothing_was_done:
                raise AnswerLost from reason
            raise

    def _heard(self, processes: frozenset[str] | None) -> None:
        if self._asked and (processes is None or self._cells.process_id in processes):
            self._look()

    def _look(self) -> None:
        # One look at a time, for all who wait.
        if self._is_looking:
            self._looks_again = True
            return
        self._is_looking = True
        task = asyncio.get_running_loop().create_task(self._look_at_all())
        self._looking.add(task)
        task.add_done_callback(self._looked)

    def _looked(self, task: asyncio.Task[None]) -> None:
        self._looking.discard(task)
        self._is_looking = False
        if self._looks_again and self._asked:
            self._looks_again = False
            self._look()

    async def _look_at_all(self) -> None:
        waiting = {id: asked for id, asked in self._asked.items() if asked.is_there}
        if not waiting:
            return
        try:
            standing = await self._store.standing(waiting)
        except Refusal as refusal:
            # The database is away, and with it perhaps the answer: whoever waited long enough is told so.
            log.warning("answers_are_looked_for_again", because=refusal.message)
            self._give_up(waiting.values(), self._clock.now())
            return
        there = {each.id: each for each in standing}
        for id, asked in waiting.items():
            await self._judge(asked, there.get(id))

    async def _judge(self, asked: _Asked, stands: Standing | None) -> None:
        if asked.reply.done():
            return
        now = self._clock.now()
        if stands is None:
            asked.fail(AnswerLost())
        elif stands.answer is not None:
            asked.reply.set_result(stands.answer)
        elif stands.taken_by is None:
            if now - asked.begun_at > TAKEN_WITHIN:
                await self._withdraw(asked)
        elif now > asked.until or self._is_dead(stands.taken_by, asked, now):
            await self._withdraw(asked)

    def _is_dead(self, taker: str, asked: _Asked, now: int) -> bool:
        if self._cells.is_alive(taker):
            asked.doubted_since = None
            return False
        if asked.doubted_since is None:
            asked.doubted_since = now
        return now - asked.doubted_since >= DOUBTED_FOR

    async def _withdraw(self, asked: _Asked) -> None:
        try:
            nothing_was_done = await self._store.withdraw(asked.id)
        except Refusal:
            nothing_was_done = False
        asked.fail(OwnerMissing() if nothing_was_done else AnswerLost())

    def _give_up(self, waiting: Iterable[_Asked], now: int) -> None:
        for asked in waiting:
            if now > asked.until:
                asked.fail(AnswerLost())


def call_word(kind: str, cell: int) -> str:
    """How a notice names the owner who is asked."""
    return f"{kind}/{cell}"


def request_context(id: str) -> str:
    """What a request is sealed for while it lies there."""
    # Not among the secrets on record: it lies there for seconds, and no change of keys finds it.
    return f"forwarded request:{id}"


def reply_context(id: str) -> str:
    """What a reply is sealed for while it lies there."""
    return f"forwarded reply:{id}"
