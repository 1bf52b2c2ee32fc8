"""``UNLOCK_DOOR``. Never sent twice: after a crash the bolt is read, and nothing else."""

from __future__ import annotations

from thumbturn.actions.definition import Ask, DeviceAsk, Known, Outcome, Run, action, way
from thumbturn.actions.door import DoorMoved, ask_bolt, move_bolt
from thumbturn.domain.capabilities.lock import Lock
from thumbturn.domain.clock import seconds
from thumbturn.domain.policy import AfterCrash, WhenOffline


class EntranceUnlock(Ask):
    """An entrance that shall be unlocked, and the credential that allows it."""

    acs_credential_id: str
    """A cloud key whose user gets through there."""
    acs_entrance_id: str
    """The entrance."""


class MethodUnlock(Ask):
    """An entrance that shall be unlocked, and the access method that allows it."""

    access_method_id: str
    """One whose mode is ``cloud_key``, of a grant that is for this entrance."""
    acs_entrance_id: str
    """The entrance."""


class EntryAsk(DeviceAsk):
    """A door that shall be unlocked for somebody: its event names him, and the entrance."""

    acs_system_id: str
    acs_entrance_id: str
    acs_user_id: str
    user_identity_id: str | None


async def find_out(ask: DeviceAsk, lock: Lock, run: Run) -> Outcome:
    """Whether the door stands unlocked now."""
    return await ask_bolt(run, lock.read_bolt, locked=False)


@action(
    "UNLOCK_DOOR",
    at="/locks/unlock_door",
    needs=Lock,
    result=DoorMoved,
    deadline=seconds(30),
    after_crash=AfterCrash.ASK_DEVICE,
    when_offline=WhenOffline.FAIL,
    recover=find_out,
    takes_sync=True,
)
async def unlock_door(ask: DeviceAsk, lock: Lock, run: Run) -> Outcome:
    """Unlocks a door."""
    return await move_bolt(run, lock.unlock, lock.read_bolt, locked=False)


@way("UNLOCK_DOOR", at="/acs/entrances/unlock")
async def unlock_entrance(ask: EntranceUnlock, known: Known) -> DeviceAsk:
    """Unlocks the door at an entrance, by a cloud key that opens it."""
    entry = await known.entry_at_entrance(ask.acs_credential_id, ask.acs_entrance_id)
    return EntryAsk(**entry._asdict())


@way("UNLOCK_DOOR", at="/access_methods/unlock_door")
async def unlock_by_method(ask: MethodUnlock, known: Known) -> DeviceAsk:
    """Unlocks the door at an entrance, by the cloud key of an access grant."""
    entry = await known.entry_by_method(ask.access_method_id, ask.acs_entrance_id)
    return EntryAsk(**entry._asdict())
