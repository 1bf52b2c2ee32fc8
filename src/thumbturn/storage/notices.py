"""The ``Notices`` of ``engine/notices.py`` on PostgreSQL: ``NOTIFY`` after the commit, ``LISTEN``, a poll.

What is said is sent after the commit that it is about, in a transaction of its own: a transaction with a
``NOTIFY`` in it holds a lock of the whole database until it is on the disk, and the waves of all processes
would queue behind each other.

What is said after a silence goes at once. What is said while that is on its way, and for some ms after it,
goes together with the next: each notification wakes every process, and a busy one has always more to say.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import structlog
from sqlalchemy import URL, Connection
from sqlalchemy.exc import SQLAlchemyError

from thumbturn.domain.clock import MILLISECOND, Clock
from thumbturn.domain.errors import Refusal
from thumbturn.engine.notices import LOOK_EVERY, About, Heard
from thumbturn.storage.listener import Listener
from thumbturn.storage.writer import Writer

log = structlog.get_logger(__name__)

CHANNEL = "thumbturn"
#: What PostgreSQL takes in one notification, in bytes, less what it needs itself.
LONGEST = 7_900
#: µs between one notification and the next.
PAUSE = 20 * MILLISECOND
#: Stands for all words of a subject, where they are too many.
_ANYTHING = "*"
_NOTIFY = "select pg_notify(%s, %s)"


class PostgresNotices:
    """Between this process and the others on its database. ``start`` it, and ``close`` it at the end.

    ``writer`` takes the notifications; ``listening`` is the address of the database itself, or ``None`` if
    there is only a pooler: nothing is heard then, and everybody looks once a second.
    """

    def __init__(
        self,
        process_id: str,
        writer: Writer[Callable[[Connection], object]],
        listening: URL | None,
        is_alone: Callable[[], bool],
        clock: Clock,
    ) -> None:
        self._process_id = process_id
        self._writer = writer
        self._listening = listening
        self._is_alone = is_alone
        self._clock = clock
        self._hearing: defaultdict[About, list[Heard]] = defaultdict(list)
        self._unsaid: defaultdict[About, set[str]] = defaultdict(set)
        self._listener: Listener | None = None
        self._looking: asyncio.Task[None] | None = None
        self._saying: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to hear."""
        if self._listening is not None:
            self._listener = Listener(self._listening, CHANNEL, f"{self._process_id};", self.told)
        self._looking = asyncio.get_running_loop().create_task(self._look())

    async def close(self) -> None:
        """Hear and say no more."""
        for task in (self._looking, self._saying):
            if task is not None:
                task.cancel()
        if self._unsaid:
            await self._send()
        if self._listener is not None:
            await self._listener.close()

    @property
    def is_alone(self) -> bool:
        return self._is_alone()

    def say(self, about: About, *words: str) -> None:
        if not words or self._is_alone():
            return
        self._unsaid[about].update(words)
        if self._saying is None or self._saying.done():
            self._saying = asyncio.get_running_loop().create_task(self._say_all())

    def hear(self, about: About, heard: Heard) -> None:
        self._hearing[about].append(heard)

    def told(self, payload: str) -> None:
        """Another process said this."""
        _, _, said = payload.partition(";")
        for part in said.split(";"):
            subject, _, words = part.partition(":")
            with suppress(ValueError):  # of a newer version: the next look finds it
                self._tell(About(subject), None if words == _ANYTHING else frozenset(words.split(",")))

    def _tell(self, about: About, words: frozenset[str] | None) -> None:
        for heard in self._hearing[about]:
            heard(words)

    async def _say_all(self) -> None:
        while self._unsaid:
            await self._send()
            await self._clock.sleep(PAUSE)

    async def _send(self) -> None:
        unsaid, self._unsaid = self._unsaid, defaultdict(set)
        payload = payload_of(self._process_id, unsaid)
        try:
            await self._writer.submit(partial(_notify, payload))
        except (Refusal, SQLAlchemyError) as problem:  # they find it when they look
            log.debug("notice_lost", because=str(problem))

    async def _look(self) -> None:
        while True:
            await self._clock.sleep(LOOK_EVERY)
            if not self._is_alone():
                for about in list(self._hearing):
                    self._tell(about, None)


def _notify(payload: str, connection: Connection) -> None:
    connection.exec_driver_sql(_NOTIFY, (CHANNEL, payload))


def payload_of(speaker: str, said: dict[About, set[str]]) -> str:
    """What is sent: who speaks, and of each subject the words. Of as many as fit; the others are ``*``."""
    parts = {about: ",".join(sorted(words)) for about, words in said.items() if words}
    room = LONGEST - len(speaker) - sum(len(about.value) + 3 for about in parts)
    for about, words in sorted(parts.items(), key=lambda part: len(part[1])):
        room -= len(words.encode())
        if room < 0:
            parts[about] = _ANYTHING
            room += len(words.encode())
    return ";".join([speaker, *(f"{about.value}:{words}" for about, words in parts.items())])
