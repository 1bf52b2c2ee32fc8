"""Moving a bolt and finding out whether it moved: what locking and unlocking have in common.

How it is found out is in ``sending.py``. An independent sensor that contradicts the lock makes the
outcome unknown: one of them is wrong.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from thumbturn.actions.definition import Outcome, Result, Run
from thumbturn.actions.sending import ARRIVES_WITHIN, Read, send
from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import LockJammed, OutcomeUnknown

#: How long an independent sensor has to speak after the lock's own report.
SENSOR_WITHIN = seconds(1)


class DoorMoved(Result):
    """What a door command answers."""

    was_confirmed_by_device: bool | None = None
    """True only when the device itself, or a sensor, said so."""


async def move_bolt(
    run: Run, command: Callable[[], Awaitable[Evidence]], read: Read, *, locked: bool
) -> Outcome:
    """Send the command and end with what is known of the bolt.

    Raises ``LockJammed`` when the bolt is known not to have moved, ``OutcomeUnknown`` when it may
    have, and whatever ``Failure`` the command itself raises.
    """

    def telling(seen: Observation) -> bool:
        # The opposite state proves nothing yet: it may be a report that was on its way before. A jam may be
        # over, but then a bolt that arrived is heard of after it.
        return seen.changes.get("locked") is locked or seen.changes.get("jammed") is True

    reply, report = await send(run, command, read, telling)
    return moved(reply) if report is None else await _judge(run, report, locked=locked)


async def ask_bolt(run: Run, read: Read, *, locked: bool) -> Outcome:
    """After a crash: success if the bolt is where it was to go, else ``OutcomeUnknown``. Sends nothing."""

    async def ask() -> Observation:
        report = await read()
        if report is None:
            raise OutcomeUnknown
        run.observed(report)
        return report

    def is_there(seen: Observation) -> bool:
        return seen.changes.get("locked") is locked

    report = await ask()
    if not is_there(report):
        # The command may have reached it just before the crash, and its motor may still be running.
        report = await run.watch(is_there, ARRIVES_WITHIN) or await ask()
    if not is_there(report):
        raise OutcomeUnknown.because(f"Its bolt was found {_word(not locked)} after the server's restart.")
    return moved(report.evidence)


def moved(evidence: Evidence) -> Outcome:
    """The result of a door command on this evidence."""
    return Outcome({"was_confirmed_by_device": evidence.confirms}, evidence)


async def _judge(run: Run, report: Observation, *, locked: bool) -> Outcome:
    if report.changes.get("jammed") is True:
        raise LockJammed
    if report.changes.get("locked") is not locked:
        raise LockJammed.because(f"Its bolt is still {_word(not locked)}.")
    if report.evidence < Evidence.INDEPENDENT_SENSOR and run.device.details.get("has_bolt_sensor"):
        sensor = await run.watch(_from_sensor, SENSOR_WITHIN)
        if sensor is not None:
            if sensor.changes["locked"] is not locked:
                raise OutcomeUnknown.because(
                    f"The lock says {_word(locked)}, the sensor at its bolt says {_word(not locked)}."
                )
            report = sensor
    return moved(report.evidence)


def _from_sensor(seen: Observation) -> bool:
    return seen.evidence is Evidence.INDEPENDENT_SENSOR and isinstance(seen.changes.get("locked"), bool)


def _word(locked: bool) -> str:
    return "locked" if locked else "unlocked"
