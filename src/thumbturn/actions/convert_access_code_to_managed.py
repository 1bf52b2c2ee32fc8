"""``CONVERT_ACCESS_CODE_TO_MANAGED``: a code that somebody set at its lock is looked after from now on."""

from __future__ import annotations

from thumbturn.actions.definition import Outcome, Run, action
from thumbturn.actions.programming import CodeAsk, is_at
from thumbturn.domain.access_code import CONVERT
from thumbturn.domain.capabilities.access_codes import CodeMemory, ProgrammableLock
from thumbturn.domain.clock import seconds
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import AccessCodeGone, OutcomeUnknown
from thumbturn.domain.policy import AfterCrash, WhenOffline


@action(
    CONVERT,
    at="/access_codes/unmanaged/convert_to_managed",
    has_own_endpoint=True,
    needs=CodeMemory,
    deadline=seconds(60),
    after_crash=AfterCrash.RESEND,
    when_offline=WhenOffline.WAIT,
)
async def convert_access_code_to_managed(ask: CodeAsk, lock: ProgrammableLock, run: Run) -> Outcome:
    """Takes over a code that somebody set at its lock."""
    code = await lock.code(ask.access_code_id)
    if code is None:
        raise AccessCodeGone
    try:
        holds = await lock.memory.fetch_codes()
        if holds is None:
            raise OutcomeUnknown.because("It did not say what it holds.")
        if not is_at(code, holds):
            raise AccessCodeGone.because("Its lock does not hold it any more.")
    except Failure as failure:
        lock.failed(code, failure)
        raise
    lock.converted(code)
    return Outcome({}, Evidence.STATE_REPORT)
