"""``SYNC_ACCESS_CODES``: what a lock really holds, against what is on record. Changes nothing at the lock."""

from __future__ import annotations

from thumbturn.actions.definition import DeviceAsk, Outcome, Run, action
from thumbturn.actions.programming import counted
from thumbturn.domain.access_code import SYNC
from thumbturn.domain.capabilities.access_codes import CodeMemory, ProgrammableLock
from thumbturn.domain.clock import seconds
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import OutcomeUnknown
from thumbturn.domain.policy import AfterCrash, WhenOffline


@action(
    SYNC,
    at="/thumbturn/access_codes/sync",
    needs=CodeMemory,
    deadline=seconds(60),
    after_crash=AfterCrash.RESEND,
    when_offline=WhenOffline.WAIT,
    takes_sync=True,
)
async def sync_access_codes(ask: DeviceAsk, lock: ProgrammableLock, run: Run) -> Outcome:
    """Reads a lock's codes, and finds out what somebody changed at the lock."""
    # Before it is read: what is touched from now on is found by the next one.
    touched_at = run.device.state.get("codes_touched_at", 0)
    holds = await lock.memory.fetch_codes()
    if holds is None:
        raise OutcomeUnknown.because("It did not say what it holds.")
    counted(len(holds), run)
    lock.compare(await lock.codes(), holds)
    run.holds({"codes_seen_at": touched_at})
    return Outcome({}, Evidence.STATE_REPORT)
