"""What the processes on one PostgreSQL database say to each other and ask of each other.

None of it must outlive the database, so its transactions do not wait for the disk; they have a writer of
their own, that what is waited for by people is not held up by them, nor they by it.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from thumbturn.domain.clock import Clock
from thumbturn.storage.calls import SqlCalls, at_once
from thumbturn.storage.databases import ABANDONED_AFTER, parse_url, writing_engine
from thumbturn.storage.notices import PostgresNotices
from thumbturn.storage.writer import Writer

log = structlog.get_logger(__name__)

#: So much may wait to be said or asked.
_MOST = 5_000


class Correspondence:
    """This process's part in it. ``start`` it on the event loop, and ``close`` it at the end."""

    def __init__(
        self,
        url: str,
        process_id: str,
        *,
        listening: str | None,
        is_alone: Callable[[], bool],
        clock: Clock,
    ) -> None:
        """``url`` is the database's; ``listening`` the one that notices are heard at, ``None`` where there is
        none. Raises ``DatabaseUnusable`` for what is no database's.
        """
        heard_at = None if listening is None else parse_url(listening)
        if heard_at is None:
            log.warning("notices_are_not_heard", because="there is a pooler, and no listen_url")
        self._writer: Writer[Callable[[Connection], object]] = Writer(
            writing_engine(parse_url(url), abandoned_after=ABANDONED_AFTER), at_once, bound=_MOST
        )
        self.calls = SqlCalls(self._writer)
        self.notices = PostgresNotices(process_id, self._writer, heard_at, is_alone, clock)

    def start(self) -> None:
        """Begin to hear what others say."""
        self.notices.start()

    async def close(self) -> None:
        """Say what is still to be said, and let go of the database."""
        await self.notices.close()
        await self._writer.close()
