"""Sending a command and finding out what came of it: what all actions on a device have in common.

The order of questions, strongest answer first that comes in time:

1. Subscribe, then send. The report may arrive before the command's own reply.
2. Wait a few seconds for the device to report by itself (``CONFIRM_WITHIN``).
3. If it does not: ask the device, actively. A device that has not done it yet may be about to: it gets
   some more seconds (``ARRIVES_WITHIN``) to report, and is asked once more.
4. If it does not answer, what is known is what the reply said. A device's own acceptance is
   its word. A radio's acknowledgement is success that nobody confirmed. Nothing at all is not
   success: wait for a late report until the deadline, then say that nobody knows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from thumbturn.actions.definition import Outcome, Run
from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, OutcomeUnknown

#: How long a device has to report by itself before it is asked. With the time of one active read
#: it stays inside the 5 s for which the official Python SDK waits by default.
CONFIRM_WITHIN = seconds(3)
#: How much longer a device may take that was found as it was before. No motor turns for that long.
ARRIVES_WITHIN = seconds(10)

Command = Callable[[], Awaitable[Evidence]]
Read = Callable[[], Awaitable[Observation | None]]


async def send(
    run: Run, command: Command, read: Read, telling: Callable[[Observation], bool]
) -> tuple[Evidence, Observation | None]:
    """What the reply to the command is worth, and the last that the device said of the outcome, if it did.

    What it said may still not be ``telling``: then it was asked twice, and was not as it should be.
    Raises ``OutcomeUnknown`` when nobody knows, and whatever ``Failure`` the command itself raises.
    """
    reply = await command()
    if reply > Evidence.NONE:
        run.acknowledged(reply)

    async def ask() -> Observation | None:
        seen = await read() if run.device.online else None
        if seen is not None:
            run.observed(seen)
        return seen

    report = await run.watch(telling, CONFIRM_WITHIN) or await ask()
    if report is not None and not telling(report):
        report = await run.watch(telling, ARRIVES_WITHIN) or await ask()
        if report is None:
            raise OutcomeUnknown
    if report is None and reply is Evidence.NONE:
        report = await run.watch(telling, run.time_left())
    if report is None and (reply is Evidence.NONE or not run.device.online):
        raise OutcomeUnknown
    return reply, report


async def set_to(run: Run, command: Command, read: Read, wanted: Mapping[str, Any]) -> Outcome:
    """Send a command that sets something, and end with what the device says it is set to.

    Raises ``CommandRefused`` when the device is set to something else, and what ``send`` raises.
    """

    def telling(seen: Observation) -> bool:
        return all(name in seen.changes and seen.changes[name] == value for name, value in wanted.items())

    reply, report = await send(run, command, read, telling)
    if report is None:
        return Outcome({}, reply)
    if not telling(report):
        raise CommandRefused.because("It reports a different setting from the one that was asked for.")
    return Outcome({}, report.evidence)
