"""The life of a link to a hub: it is made, stands, is lost, and is made again, for ever.

All drivers have it from here, so that all hubs are treated alike: the first try at once, the next ones
later each time and never in step with those of other hubs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from thumbturn.domain.clock import Clock, seconds

log = structlog.get_logger(__name__)

#: After the first loss, and at most; half of each by chance, so that many do not come back at once.
FIRST_WAIT, LONGEST_WAIT = seconds(0.5), seconds(60)
#: A link that stood so long was a good one: after it the waits begin anew.
GOOD_AFTER = seconds(30)


class LinkLost(Exception):
    """The link is gone, or could not be made. Says why, in words for the log."""


class LinkLife:
    """Holds one link.

    ``session`` makes it, calls what it is given when it stands, and returns or raises when it is lost.
    """

    def __init__(
        self,
        name: str,
        session: Callable[[Callable[[], None]], Awaitable[None]],
        lost: Callable[[], None],
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        """``lost`` is called when it is known not to stand any more, or yet; ``chance`` draws from 0 to 1."""
        self._name = name
        self._session = session
        self._lost = lost
        self._clock = clock
        self._chance = chance
        self._task: asyncio.Task[None] | None = None
        self._stood_since: int | None = None
        self._decided: asyncio.Future[None] | None = None

    @property
    def is_up(self) -> bool:
        """True while it stands."""
        return self._stood_since is not None

    async def stands(self, within: int) -> bool:
        """Whether it stands; while the first try is under way, once that is decided, at most so many µs."""
        if not self.is_up and self._decided is not None and not self._decided.done():
            await self._clock.wait(self._decided, within)
        return self.is_up

    def start(self) -> None:
        """Make it, and keep it."""
        loop = asyncio.get_running_loop()
        self._decided = loop.create_future()
        self._task = loop.create_task(self._live())

    async def stop(self) -> None:
        """Let go of it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._decide()
        self._stood_since = None

    async def _live(self) -> None:
        failures = 0
        while True:
            stood = await self._once(is_news=not failures)
            failures = 0 if stood >= GOOD_AFTER else failures + 1
            wait = min(FIRST_WAIT << min(failures, 20) >> 1, LONGEST_WAIT)
            await self._clock.sleep(round(wait * (0.5 + self._chance() / 2)))

    async def _once(self, *, is_news: bool) -> int:
        """How long it stood this time, µs."""
        why = "closed"
        try:
            await self._session(self._stand)
        except (LinkLost, OSError, TimeoutError) as reason:
            why = str(reason) or type(reason).__name__
        except Exception:  # supervised: whatever a hub says must not end its link for ever
            log.exception("link_broke", hub=self._name)
            why = "broke"
        finally:
            since, self._stood_since = self._stood_since, None
            self._decide()
        if since is None:
            log.info("link_not_made", hub=self._name, why=why)
            if is_news:
                self._lost()
            return 0
        log.warning("link_lost", hub=self._name, why=why)
        self._lost()
        return self._clock.now() - since

    def _stand(self) -> None:
        if self._stood_since is None:
            self._stood_since = self._clock.now()
            self._decide()
            log.info("link_stands", hub=self._name)

    def _decide(self) -> None:
        if self._decided is not None and not self._decided.done():
            self._decided.set_result(None)
