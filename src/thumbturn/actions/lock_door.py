"""``LOCK_DOOR``. Locking twice is locking once, so after a crash it is sent again."""

from __future__ import annotations

from thumbturn.actions.definition import DeviceAsk, Outcome, Run, action
from thumbturn.actions.door import DoorMoved, move_bolt
from thumbturn.domain.capabilities.lock import Lock
from thumbturn.domain.clock import seconds
from thumbturn.domain.policy import AfterCrash, WhenOffline


@action(
    "LOCK_DOOR",
    at="/locks/lock_door",
    needs=Lock,
    result=DoorMoved,
    deadline=seconds(30),
    after_crash=AfterCrash.RESEND,
    when_offline=WhenOffline.FAIL,
    takes_sync=True,
)
async def lock_door(ask: DeviceAsk, lock: Lock, run: Run) -> Outcome:
    """Locks a door."""
    return await move_bolt(run, lock.lock, lock.read_bolt, locked=True)
