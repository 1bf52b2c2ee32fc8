"""How many requests each route answered, with which status, and how long that took."""

from __future__ import annotations

from collections.abc import Iterable

from thumbturn.domain.clock import MILLISECOND
from thumbturn.engine.meters import Histogram

#: Where everything is counted that is no path of ours: what strangers try must not make new series.
ELSEWHERE = "other"
#: µs.
BOUNDS = tuple(
    round(each * MILLISECOND)
    for each in (0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 60_000)
)


class RouteMeters:
    """The requests at one path."""

    __slots__ = ("statuses", "took")

    def __init__(self) -> None:
        #: How many were answered with each status.
        self.statuses: dict[int, int] = {}
        #: µs from the request's headers to its whole answer.
        self.took = Histogram(BOUNDS)


class RequestMeters:
    """Counts requests by path."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.by_path = {path: RouteMeters() for path in (*paths, ELSEWHERE)}

    def answered(self, path: str, status: int, microseconds: int) -> None:
        """Count a request that was answered."""
        meters = self.by_path.get(path) or self.by_path[ELSEWHERE]
        meters.statuses[status] = meters.statuses.get(status, 0) + 1
        meters.took.add(microseconds)
