"""``CREATE_ACCESS_CODE``: a code that its lock does not hold yet."""

from __future__ import annotations

from thumbturn.actions.definition import Outcome, Run, action
from thumbturn.actions.programming import CodeAsk, Programmed, make_so, recover
from thumbturn.domain.access_code import CREATE
from thumbturn.domain.capabilities.access_codes import CodeMemory, ProgrammableLock
from thumbturn.domain.clock import seconds
from thumbturn.domain.policy import AfterCrash, WhenOffline


@action(
    CREATE,
    at="/access_codes/create",
    has_own_endpoint=True,
    needs=CodeMemory,
    result=Programmed,
    deadline=seconds(60),
    after_crash=AfterCrash.RECONCILE,
    when_offline=WhenOffline.WAIT,
    recover=recover,
)
async def create_access_code(ask: CodeAsk, lock: ProgrammableLock, run: Run) -> Outcome:
    """Programs a code into its lock."""
    return await make_so(ask, lock, run)
