"""Making a lock hold what it shall: what all actions on one code have in common.

What is to be done is not in the ask. It is looked up when it is done, so that what was changed meanwhile
counts, and doing it twice is doing it once. Success is what the lock itself says that it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thumbturn.actions.definition import DeviceAsk, Outcome, Result, Run
from thumbturn.domain.access_code import AccessCode, Slot, wanted
from thumbturn.domain.capabilities.access_codes import CodeMemory, ProgrammableLock
from thumbturn.domain.clock import seconds
from thumbturn.domain.device_troubles import fullness
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import AccessCodeGone, CommandRefused, NoSpaceOnDevice, OutcomeUnknown

#: A lock that does not hold yet what it was told gets so long before it is asked again.
ASKED_AGAIN_AFTER = seconds(3)


class CodeAsk(DeviceAsk):
    """An ask that is about one code. What it shall be is on record, and no part of what is asked."""

    access_code_id: str
    """The code."""


class Programmed(Result):
    """What programming a code answers."""

    access_code: Mapping[str, Any]
    """The code as it was then, without its PIN."""


async def make_so(ask: CodeAsk, lock: ProgrammableLock, run: Run) -> Outcome:
    """Have the lock hold what it shall hold of the code now.

    Raises ``AccessCodeGone`` if the code was deleted meanwhile, and what its lock raises.
    """
    code = await lock.code(ask.access_code_id)
    if code is None:
        raise AccessCodeGone
    if not code.is_managed:
        return await _leave_alone(code, lock)
    slot = wanted(code, run.now())
    try:
        evidence = await _have(lock.memory, code.place, slot, run)
    except Failure as failure:
        if isinstance(failure, NoSpaceOnDevice):
            counted(int(run.device.details.get("max_active_codes_supported", 0)), run)
        lock.failed(code, failure)
        raise
    return Outcome({"access_code": lock.programmed(code, slot)}, evidence)


async def recover(ask: CodeAsk, lock: ProgrammableLock, run: Run) -> Outcome:
    """After a crash: look at what the lock holds, and only if it is not what it shall be, make it so."""
    code = await lock.code(ask.access_code_id)
    holds = None if code is None else await lock.memory.read_codes()
    if code is not None and holds is not None:
        slot = wanted(code, run.now())
        if _is_so(holds, code.place, slot):
            return Outcome({"access_code": lock.programmed(code, slot)}, Evidence.STATE_REPORT)
    return await make_so(ask, lock, run)


async def _leave_alone(code: AccessCode, lock: ProgrammableLock) -> Outcome:
    """It was handed over: see that it is there, and leave it as it is."""
    holds = await lock.memory.fetch_codes()
    if holds is None:
        raise OutcomeUnknown
    if not is_at(code, holds):
        raise AccessCodeGone
    return Outcome({"access_code": lock.programmed(code, holds[code.place])}, Evidence.STATE_REPORT)


async def take_out(ask: CodeAsk, lock: ProgrammableLock, run: Run) -> Outcome:
    """Have the lock hold nothing of the code. One that is gone already was certainly not at the lock."""
    code = await lock.code(ask.access_code_id)
    try:
        evidence = await _have(lock.memory, ask.access_code_id if code is None else code.place, None, run)
    except Failure as failure:
        if code is not None:
            lock.failed(code, failure)
        raise
    if code is not None:
        lock.programmed(code, None)
    return Outcome({}, evidence)


async def _have(memory: CodeMemory, place: str, slot: Slot | None, run: Run) -> Evidence:
    """Have a place hold this, and find out whether it does. Raises a ``Failure`` if not."""
    reply = await (memory.clear_code(place) if slot is None else memory.set_code(place, slot))
    if reply > Evidence.NONE:
        run.acknowledged(reply)
    holds = await _read(memory, run)
    if holds is not None and not _is_so(holds, place, slot):
        await run.watch(_nothing, ASKED_AGAIN_AFTER)
        holds = await _read(memory, run)
        if holds is not None and not _is_so(holds, place, slot):
            raise CommandRefused.because("Its memory holds something else than it was told to.")
    if holds is not None:
        return Evidence.STATE_REPORT
    if not (reply.confirms and run.device.online):
        # A radio's word is no code in a lock, and none that is gone from it: a guest would stand before the
        # door, or a former one get in.
        raise OutcomeUnknown
    return reply


async def _read(memory: CodeMemory, run: Run) -> Mapping[str, Slot] | None:
    holds = await memory.read_codes() if run.device.online else None
    if holds is not None:
        counted(len(holds), run)
    return holds


def counted(codes_held: int, run: Run) -> None:
    """Put on record whether a lock that holds so many codes is full."""
    news = fullness(run.device, codes_held, run.now())
    if news:
        run.holds(news)


def _is_so(holds: Mapping[str, Slot], place: str, slot: Slot | None) -> bool:
    there = holds.get(place)
    return there is None if slot is None else there is not None and there.is_like(slot)


def _nothing(_: Any) -> bool:
    return False


def is_at(code: AccessCode, holds: Mapping[str, Slot]) -> bool:
    """True if the lock holds the code's PIN where it belongs."""
    there = holds.get(code.place)
    return there is not None and there.pin_key == code.pin_key
