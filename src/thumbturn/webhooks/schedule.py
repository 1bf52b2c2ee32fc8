"""When a delivery that failed is tried again, and when a webhook is given up altogether."""

from __future__ import annotations

from thumbturn.domain.clock import SECOND, seconds
from thumbturn.domain.ids import chance

_HOUR = 3_600

#: From each failure to the next try: so there are eight tries in all.
PAUSES = tuple(seconds(each) for each in (5, 300, 1_800, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 10 * _HOUR))

#: A webhook that has answered nothing good for so long is disabled.
PATIENCE = seconds(5 * 24 * _HOUR)

#: Failures in a row after which a webhook is taken to be down.
_TAKEN_TO_BE_DOWN = 5
_LONGEST_BREATH = 30 * SECOND

#: Before something that broke off is taken up again: doubled each time in a row.
_FIRST_REST, _LONGEST_REST = SECOND, 30 * SECOND


class Schedule:
    """The times of tries. ``jitter`` is the share of a pause by which it may be shorter or longer."""

    def __init__(self, jitter: float) -> None:
        self._jitter = jitter

    def next_try(self, webhook_id: str, event_id: str, tries: int, failed_at: int) -> int | None:
        """When to try again after so many tries have failed, the last at this moment, µs.

        ``None`` when that was the last.
        """
        if tries > len(PAUSES):
            return None
        pause = PAUSES[tries - 1]
        # What failed together should not come again together.
        drawn = chance(tries, f"{webhook_id}/{event_id}").uniform(-self._jitter, self._jitter)
        return failed_at + round(pause * (1 + drawn))


def rest(failures: int) -> int:
    """How long to wait when the database, or a bug of ours, broke work off so many times in a row, µs."""
    return min(_FIRST_REST << min(failures - 1, 10), _LONGEST_REST)


def breath(failures: int) -> int:
    """How long to wait with the next new event after so many failures in a row, µs.

    To an endpoint that is down, each new event would be one more failure and eight more tries: so they wait,
    in their order, and only some go ahead to see whether it is up again.
    """
    if failures < _TAKEN_TO_BE_DOWN:
        return 0
    return min(SECOND << min(failures - _TAKEN_TO_BE_DOWN, 10), _LONGEST_BREATH)
