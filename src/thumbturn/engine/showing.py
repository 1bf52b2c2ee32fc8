"""Shows attempts as they move to whoever looks on in any process, wherever their engine runs.

Who looks on at a workspace says so to the others, now and then; the process that runs its engine tells them
which attempts moved, and they read those from the record. As ever, this is for people who watch: who must
miss nothing follows the events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from thumbturn.domain.clock import Clock, seconds
from thumbturn.engine.cells import Cells
from thumbturn.engine.engine import Engine
from thumbturn.engine.live import LiveAttempts, Moved, Watcher
from thumbturn.engine.notices import LOOK_EVERY, About, Notices
from thumbturn.engine.ports import Store
from thumbturn.engine.ring import Wakes
from thumbturn.engine.supervised import supervised

#: For so long a process is told of a workspace after it said that somebody looks at it.
TOLD_FOR = seconds(3)
#: Moves that are told at a time; of more it is said that some are missing.
_AT_ONCE = 50


class LiveEverywhere(LiveAttempts):
    """Where this process shows the attempts of all workspaces. It says when somebody begins to look."""

    def __init__(self) -> None:
        super().__init__()
        #: Set when a workspace is looked at that nobody looked at before.
        self.has_begun = asyncio.Event()

    def watch(self, workspace_id: str, wake: Wakes) -> Watcher:
        if workspace_id not in self.watched:
            self.has_begun.set()
        return super().watch(workspace_id, wake)


class Showing:
    """Brings the moves of attempts to where they are looked at."""

    def __init__(
        self, *, live: LiveEverywhere, cells: Cells, notices: Notices, store: Store, clock: Clock
    ) -> None:
        self._live = live
        self._cells = cells
        self._notices = notices
        self._store = store
        self._clock = clock
        #: By workspace, until when others are told of it.
        self._asked: dict[str, int] = {}
        self._relays: dict[str, tuple[Engine, asyncio.Task[None]]] = {}
        self._heard_of: asyncio.Queue[list[str]] = asyncio.Queue(100)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to show."""
        self._notices.hear(About.WATCHED, self._others_watch)
        self._notices.hear(About.MOVES, self._others_moved)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(each) for each in (self._keep_up(), self._read_moves())]

    def stop(self) -> None:
        """Show no more."""
        for task in (*self._tasks, *(task for _, task in self._relays.values())):
            task.cancel()

    # what moves here ----------------------------------------------------------------------------

    async def _keep_up(self) -> None:
        """Say what is looked at here, and look at the engines that run here for whoever wants to see."""
        while True:
            self._live.has_begun.clear()
            self._notices.say(About.WATCHED, *self._live.watched)
            self._look_at_engines()
            beginning = asyncio.ensure_future(self._live.has_begun.wait())
            await self._clock.wait(beginning, LOOK_EVERY)
            beginning.cancel()

    def _others_watch(self, workspaces: frozenset[str] | None) -> None:
        if workspaces:
            until = self._clock.now() + TOLD_FOR
            self._asked.update(dict.fromkeys(workspaces, until))
            self._look_at_engines()

    def _look_at_engines(self) -> None:
        now = self._clock.now()
        self._asked = {each: until for each, until in self._asked.items() if until > now}
        wanted = {
            each: engine
            for each in self._asked.keys() | self._live.watched.keys()
            if (engine := self._cells.engine_of(each)) is not None
        }
        for workspace_id, (engine, task) in list(self._relays.items()):
            if wanted.get(workspace_id) is not engine:
                task.cancel()
                del self._relays[workspace_id]
        for workspace_id, engine in wanted.items():
            if workspace_id not in self._relays:
                task = asyncio.get_running_loop().create_task(self._relay(workspace_id, engine))
                self._relays[workspace_id] = engine, task

    async def _relay(self, workspace_id: str, engine: Engine) -> None:
        wake = asyncio.Event()
        with engine.live.watch(workspace_id, wake) as watcher:
            while True:
                await wake.wait()
                wake.clear()
                moved, is_missing = watcher.ready(_AT_ONCE)
                if len(moved) == _AT_ONCE:
                    wake.set()
                if ring := self._live.watched.get(workspace_id):
                    ring.add(moved)
                if moved and workspace_id in self._asked and not is_missing:
                    self._notices.say(About.MOVES, *(_word(each) for each in moved))

    # what moves elsewhere -----------------------------------------------------------------------

    def _others_moved(self, words: frozenset[str] | None) -> None:
        if words and self._live.watched and not self._heard_of.full():
            wanted = [word for word in words if word.partition("/")[0] in self._live.watched]
            self._heard_of.put_nowait(wanted)

    async def _read_moves(self) -> None:
        while True:
            words = await self._heard_of.get()
            with supervised("moves_not_shown"):
                await self._show(words)

    async def _show(self, words: Iterable[str]) -> None:
        moves = sorted((word.split("/") for word in words), key=lambda move: int(move[3]))
        found = await asyncio.gather(*(self._store.attempt(move[0], move[1]) for move in moves))
        for (workspace_id, _, stage, at), attempt in zip(moves, found, strict=True):
            ring = self._live.watched.get(workspace_id)
            if ring is not None and attempt is not None:
                ring.add([Moved(attempt, stage, int(at))])


def _word(moved: Moved) -> str:
    return f"{moved.attempt.workspace_id}/{moved.attempt.id}/{moved.stage}/{moved.at}"
