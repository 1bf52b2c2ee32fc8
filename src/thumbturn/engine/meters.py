"""What is counted while the server runs: plain numbers, written in passing and read when somebody asks.

Nothing here knows how numbers are shown. A meter costs its owner a few hundred nanoseconds, so that it
may stand on the path of every attempt; each has one writer, and a reader that looks in between sees at
worst a number that is one behind another.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import MILLISECOND, SECOND
from thumbturn.domain.webhook import Outcome

#: µs. From a virtual device at the next table to a lock that sleeps until somebody turns the knob.
STAGE_BOUNDS = tuple(
    round(each * SECOND)
    for each in (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600, 3600)
)
#: µs. From a disk with a battery to one that is dying.
COMMIT_BOUNDS = tuple(
    round(each * MILLISECOND) for each in (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000)
)
#: µs. From at once to the last try of all.
LAG_BOUNDS = tuple(
    round(each * SECOND) for each in (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600, 36_000)
)
#: Operations in a wave.
WAVE_BOUNDS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Histogram:
    """How often a number was how large."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[int]) -> None:
        #: The upper end of each bucket, which belongs to it; one more bucket has no end.
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        #: The sum of everything that was added.
        self.total = 0

    def add(self, number: int) -> None:
        """Count a number. One below zero, as a clock that was put back makes it, counts as zero."""
        if number < 0:  # noqa: PLR1730 - a call of max() would cost more than all the rest
            number = 0
        self.counts[bisect_left(self.bounds, number)] += 1
        self.total += number


def may_be_sent_from(attempt: Attempt) -> int:
    """The moment from which on an attempt waits for us, µs: its acceptance, or a ``not_before`` after it."""
    not_before, accepted_at = attempt.not_before, attempt.accepted_at
    return accepted_at if not_before is None or not_before < accepted_at else not_before


class EndedAttempts:
    """The attempts of one action type that ended while this process ran."""

    __slots__ = ("causes", "to_end", "to_sent", "whole")

    def __init__(self) -> None:
        #: How many by the type of their failure; under ``None`` those that succeeded.
        self.causes: dict[str | None, int] = {}
        #: µs from when it might be sent until it was sent; none for one that never was.
        self.to_sent = Histogram(STAGE_BOUNDS)
        #: µs from being sent, the first time, until its end; likewise.
        self.to_end = Histogram(STAGE_BOUNDS)
        #: µs from when it might be sent until its end; 0 for one that ended before.
        self.whole = Histogram(STAGE_BOUNDS)


class AttemptMeters:
    """Counts the attempts that end."""

    def __init__(self) -> None:
        self.by_type: dict[str, EndedAttempts] = {}

    def ended(self, attempt: Attempt) -> None:
        """Count an attempt whose end is durable."""
        meters = self.by_type.get(attempt.action_type)
        if meters is None:
            meters = self.by_type[attempt.action_type] = EndedAttempts()
        cause = None if attempt.failure is None else attempt.failure[0]
        causes = meters.causes
        causes[cause] = causes.get(cause, 0) + 1
        since, settled_at = may_be_sent_from(attempt), attempt.settled_at or 0
        meters.whole.add(settled_at - since)
        for stage, at, *_ in attempt.marks:
            if stage == "sent":
                meters.to_sent.add(at - since)
                meters.to_end.add(settled_at - at)
                return


class RecordMeters:
    """Counts what was decided and could not be put on record at once."""

    __slots__ = ("failed", "waiting")

    def __init__(self) -> None:
        #: Tries to put something on record that failed.
        self.failed = 0
        #: What failed and is tried again now.
        self.waiting = 0


class WriterMeters:
    """Counts what a store writes."""

    __slots__ = ("commit", "failed", "is_down", "size")

    def __init__(self) -> None:
        #: Operations that were committed together.
        self.size = Histogram(WAVE_BOUNDS)
        #: µs from a wave's first statement until its commit was durable.
        self.commit = Histogram(COMMIT_BOUNDS)
        #: Transactions that were rolled back, for whatever reason.
        self.failed = 0
        #: True when the database could not be reached by the most recent transaction.
        self.is_down = False

    def committed(self, operations: int, microseconds: int) -> None:
        """Count a transaction that is durable."""
        self.size.add(operations)
        self.commit.add(microseconds)
        self.is_down = False

    def rolled_back(self, *, is_unreachable: bool) -> None:
        """Count a transaction that was not made."""
        self.failed += 1
        self.is_down = is_unreachable


class WebhookMeters:
    """Counts what webhooks are told."""

    __slots__ = ("interruptions", "is_unrecorded", "lag", "tries")

    def __init__(self) -> None:
        #: How often something else than an endpoint broke off deliveries, or the record of them.
        self.interruptions = 0
        #: True while what became of tries cannot be put on record.
        self.is_unrecorded = False
        #: How many tries ended with each outcome.
        self.tries: dict[str, int] = {}
        #: µs from the moment the server learned of an event until an endpoint had taken it.
        self.lag = Histogram(LAG_BOUNDS)

    def tried(self, outcome: Outcome, lag: int) -> None:
        """Count a try that ended so long after its event was learned of, µs."""
        self.tries[outcome.value] = self.tries.get(outcome.value, 0) + 1
        if outcome is Outcome.DELIVERED:
            self.lag.add(lag)
