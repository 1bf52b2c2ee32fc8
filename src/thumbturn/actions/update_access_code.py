"""``UPDATE_ACCESS_CODE``: a code that its lock holds otherwise than it shall."""

from __future__ import annotations

from thumbturn.actions.definition import Outcome, Run, action
from thumbturn.actions.programming import CodeAsk, Programmed, make_so, recover
from thumbturn.domain.access_code import UPDATE
from thumbturn.domain.capabilities.access_codes import CodeMemory, ProgrammableLock
from thumbturn.domain.clock import seconds
from thumbturn.domain.policy import AfterCrash, WhenOffline


@action(
    UPDATE,
    at="/access_codes/update",
    has_own_endpoint=True,
    needs=CodeMemory,
    result=Programmed,
    deadline=seconds(60),
    after_crash=AfterCrash.RECONCILE,
    when_offline=WhenOffline.WAIT,
    recover=recover,
)
async def update_access_code(ask: CodeAsk, lock: ProgrammableLock, run: Run) -> Outcome:
    """Has a lock hold a code as it is now."""
    return await make_so(ask, lock, run)
