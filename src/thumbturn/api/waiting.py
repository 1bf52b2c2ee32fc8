"""How long a caller waits for the end of an attempt: the header ``Prefer``, and the flag ``sync``.

``Prefer: wait=N`` (RFC 7240) asks for an answer when the attempt has ended or N seconds are over,
whichever is first; ``respond-async`` asks for one at once. The contract's flag ``sync`` waits as long
as anybody may. Where both are given, the header decides: it says how long.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from thumbturn.api.call import Call
from thumbturn.domain.attempt import Attempt, Progress
from thumbturn.domain.clock import SECOND
from thumbturn.engine.underway import Underway

A = TypeVar("A", Attempt, Progress)

#: Seconds. Who asks for more gets this; programs and proxies on the way give up soon after.
LONGEST_WAIT = 60
#: A longer header is nobody's preference.
_LONGEST_HEADER = 1_000
#: One preference of a list; a comma in a quoted string parts nothing.
_PREFERENCE = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*")+')


async def settled(call: Call, underway: Underway, attempt: A, *, sync: bool = False) -> A | Attempt:
    """The attempt as its caller wants it: as it is, or once it has ended or his time is over.

    Raises ``Disconnected`` when he hangs up meanwhile.
    """
    wait = time_to_wait(call, sync=sync)
    if not wait or attempt.phase.is_final:
        return attempt
    return await call.unless_gone(underway.begun.settled(attempt, wait))


async def all_settled(call: Call, underway: Underway, attempts: Sequence[Attempt]) -> bool:
    """Wait as the caller wants to until all of them have ended; false if he did not want to wait.

    Raises ``Disconnected`` when he hangs up meanwhile.
    """
    wait = time_to_wait(call)
    if wait:
        await call.unless_gone(underway.begun.all_settled(attempts, wait))
    return wait > 0


def time_to_wait(call: Call, *, sync: bool = False) -> int:
    """How long he waits, µs. Tells him with the answer that his preference was applied, if he has one."""
    given = call.list_header(b"prefer")
    wanted = None if given is None else preferred(given)
    if wanted is None:
        return LONGEST_WAIT * SECOND if sync else 0
    seconds, applied = wanted
    call.add_reply_header("preference-applied", applied)
    return seconds * SECOND


def waits(call: Call, *, sync: bool = False) -> bool:
    """True if the caller waits at all. Tells him nothing."""
    given = call.list_header(b"prefer")
    wanted = None if given is None else preferred(given)
    return sync if wanted is None else wanted[0] > 0


def preferred(header: str) -> tuple[int, str] | None:
    """How many seconds to wait, and the preference that says so; ``None`` for nothing understandable.

    As the RFC has it, what cannot be understood is as good as absent, and of a preference that is
    given twice the first counts.
    """
    given: dict[str, str] = {}
    for each in _PREFERENCE.findall(header) if len(header) <= _LONGEST_HEADER else ():
        name, _, value = each.partition(";")[0].partition("=")
        given.setdefault(name.strip().lower(), value.strip().strip('"'))
    if "respond-async" in given:
        return 0, "respond-async"
    wait = given.get("wait", "")
    if not (wait.isascii() and wait.isdigit()):
        return None
    seconds = min(int(wait), LONGEST_WAIT)
    return seconds, f"wait={seconds}"
