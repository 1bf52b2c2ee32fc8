"""The two actions that press a virtual lock's keypad, for sandboxes.

What the keypad then does with a code is the lock's affair: a known code moves the bolt, an
unknown one is refused at the door, and the events say which. Either way the code was entered.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from thumbturn.actions.definition import DeviceAsk, Outcome, Run, action
from thumbturn.domain.capabilities.lock import Keypad
from thumbturn.domain.clock import seconds
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import OutcomeUnknown
from thumbturn.domain.policy import AfterCrash, WhenOffline


class KeypadCodeAsk(DeviceAsk):
    """A code at a keypad."""

    code: Annotated[str, Field(repr=False)]
    """The digits to enter. Kept in memory only."""


@action(
    "SIMULATE_KEYPAD_CODE_ENTRY",
    at="/locks/simulate/keypad_code_entry",
    needs=Keypad,
    deadline=seconds(30),
    after_crash=AfterCrash.FAIL,
    when_offline=WhenOffline.FAIL,
    sandbox_only=True,
    secrets=frozenset({"code"}),
)
async def simulate_keypad_code_entry(ask: KeypadCodeAsk, keypad: Keypad, run: Run) -> Outcome:
    """Enters a code at the keypad of a virtual lock."""
    return _pressed(await keypad.enter_code(ask.code))


@action(
    "SIMULATE_MANUAL_LOCK_VIA_KEYPAD",
    at="/locks/simulate/manual_lock_via_keypad",
    needs=Keypad,
    deadline=seconds(30),
    after_crash=AfterCrash.RESEND,
    when_offline=WhenOffline.FAIL,
    sandbox_only=True,
)
async def simulate_manual_lock_via_keypad(ask: DeviceAsk, keypad: Keypad, run: Run) -> Outcome:
    """Presses the lock key at the keypad of a virtual lock."""
    return _pressed(await keypad.press_lock())


def _pressed(evidence: Evidence) -> Outcome:
    if evidence is Evidence.NONE:
        raise OutcomeUnknown
    return Outcome({}, evidence)
