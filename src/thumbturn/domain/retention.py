"""For how long what is over is kept.

The audit trail is no part of it: that is kept for ever, also of attempts that are not kept any more.
"""

from __future__ import annotations

from typing import NamedTuple

from thumbturn.domain.clock import seconds

DAY = seconds(86_400)


class Ages(NamedTuple):
    """For how long each kind is kept after it is over, µs; 0 for ever."""

    #: Attempts, from their end on, with what came to light after it. What is open is kept.
    attempts: int = 0
    #: Events, from when the server learned of them. What an enabled webhook has still to be told is kept.
    events: int = 0
    #: The tries to tell webhooks something.
    deliveries: int = 0
    #: Connect webviews, and thermostat schedules and client sessions that have ended.
    ended: int = 0


def days(amount: float) -> int:
    """This many days, in µs."""
    return seconds(amount * 86_400)
