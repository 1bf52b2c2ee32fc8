"""Looking names up with the machine's own resolver, without one that hangs holding up anybody else.

The C library's look-up blocks its thread, for half a minute if a name server is silent. So each runs in
a thread of its own (not in the loop's few, which others need too), callers of the same name share one,
and no thread is waited for when the server ends.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

#: Look-ups that run at a time; others wait their turn. More than the names that hang of one workspace, whose
#: look-ups go on for a while after nobody waits for them any more (``shares.py``).
AT_A_TIME = 384

_Question = tuple[str, int]
#: What was found, or why nothing was.
_Answer = Sequence[str] | OSError


class LookUps:
    """A resolver: call it with a name and a port for all of the name's addresses."""

    def __init__(self, at_a_time: int = AT_A_TIME) -> None:
        self._free = at_a_time
        self._asked: dict[_Question, asyncio.Future[_Answer]] = {}
        self._waiting: deque[_Question] = deque()

    async def __call__(self, name: str, port: int) -> Sequence[str]:
        """The addresses, best first. Raises ``OSError`` if the name cannot be found."""
        question = (name, port)
        future = self._asked.get(question)
        if future is None:
            future = self._asked[question] = asyncio.get_running_loop().create_future()
            self._waiting.append(question)
            self._begin()
        # Whoever gives up waiting must not take the answer away from the others.
        answer = await asyncio.shield(future)
        if isinstance(answer, OSError):
            raise answer
        return answer

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting and self._free:
            self._free -= 1
            question = self._waiting.popleft()
            threading.Thread(target=self._look_up, args=(loop, question), name="look-up", daemon=True).start()

    def _look_up(self, loop: asyncio.AbstractEventLoop, question: _Question) -> None:
        name, port = question
        answer: _Answer
        try:
            found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
            answer = [str(address[0]) for *_, address in found]
        except OSError as problem:
            answer = problem
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._end, question, answer)

    def _end(self, question: _Question, answer: _Answer) -> None:
        self._free += 1
        self._asked.pop(question).set_result(answer)
        self._begin()
