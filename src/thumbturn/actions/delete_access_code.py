"""``DELETE_ACCESS_CODE``: a code that its lock shall hold no longer."""

from __future__ import annotations

from thumbturn.actions.definition import Outcome, Run, action
from thumbturn.actions.programming import CodeAsk, take_out
from thumbturn.domain.access_code import DELETE
from thumbturn.domain.capabilities.access_codes import CodeMemory, ProgrammableLock
from thumbturn.domain.clock import seconds
from thumbturn.domain.policy import AfterCrash, WhenOffline


@action(
    DELETE,
    at="/access_codes/delete",
    has_own_endpoint=True,
    needs=CodeMemory,
    deadline=seconds(60),
    after_crash=AfterCrash.RECONCILE,
    when_offline=WhenOffline.WAIT,
    recover=take_out,
)
async def delete_access_code(ask: CodeAsk, lock: ProgrammableLock, run: Run) -> Outcome:
    """Takes a code out of its lock."""
    return await take_out(ask, lock, run)
