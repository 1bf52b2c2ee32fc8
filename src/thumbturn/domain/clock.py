"""The time, as microseconds since 1970 UTC, and the only way to wait for it.

Everything that needs the time takes a ``Clock``, so that a test (or a simulation) can own it.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

#: Microseconds in a second: all times and durations inside are integers in this unit.
SECOND = 1_000_000
MILLISECOND = 1_000

#: Only Linux has a clock that goes on in suspension.
_ALWAYS = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
_LAST_SECOND = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)


class Clock(Protocol):
    """Tells the time and waits for it."""

    def now(self) -> int:
        """The wall time in µs since 1970 UTC."""

    async def sleep(self, microseconds: int) -> None:
        """Return after this long; at once if it is zero or less."""

    async def wait(self, future: asyncio.Future[Any], microseconds: int) -> bool:
        """True as soon as the future is done, False when this long has passed first.

        The future is never cancelled and its exception is not raised here.
        """


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        return time.time_ns() // 1_000

    async def sleep(self, microseconds: int) -> None:
        await asyncio.sleep(max(0, microseconds) / SECOND)

    async def wait(self, future: asyncio.Future[Any], microseconds: int) -> bool:
        if not future.done() and microseconds > 0:
            await asyncio.wait((future,), timeout=microseconds / SECOND)
        return future.done()


def stopwatch() -> int:
    """µs since some moment in the past: for how long our own work takes, whatever a ``Clock`` says."""
    return time.perf_counter_ns() // 1_000


def uptime() -> int:
    """µs since the machine was started. No clock step changes it, and it goes on while this process is
    stopped or the machine is suspended: for what must be over when it is over, whoever slept meanwhile.
    """
    return time.clock_gettime_ns(_ALWAYS) // 1_000


def thread_time() -> int:
    """µs of the processor that this thread has used."""
    return time.thread_time_ns() // 1_000


def seconds(amount: float) -> int:
    """This many seconds, in µs."""
    return round(amount * SECOND)


def to_wire(moment: int) -> str:
    """The moment as the wire writes it: ISO 8601, UTC, milliseconds, ``Z``.

    A moment before the year 1 or after the year 9999 is written as the first or the last that there is.
    """
    whole, rest = divmod(moment, SECOND)
    return f"{_iso_second(whole)}.{rest // 1_000:03d}Z"


def to_wire_exactly(moment: int) -> str:
    """As ``to_wire``, to the microsecond."""
    whole, rest = divmod(moment, SECOND)
    return f"{_iso_second(whole)}.{rest:06d}Z"


def from_datetime(moment: datetime) -> int:
    """The moment of an aware datetime, in µs since 1970 UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


_seconds_seen: dict[int, str] = {}


def _iso_second(second: int) -> str:
    # Formatting a date costs more than the rest of a small reply; neighbours in time share it.
    text = _seconds_seen.get(second)
    if text is None:
        if len(_seconds_seen) > 4_096:
            _seconds_seen.clear()
        written = min(max(second, _FIRST_SECOND), _LAST_SECOND)
        # Not strftime: it writes the year 1 with one digit.
        text = (_EPOCH + timedelta(seconds=written)).isoformat()[:19]
        _seconds_seen[second] = text
    return text
