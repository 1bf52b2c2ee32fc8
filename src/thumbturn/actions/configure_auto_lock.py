"""``CONFIGURE_AUTO_LOCK``. Setting the same twice is setting it once."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from thumbturn.actions.definition import DeviceAsk, Outcome, Run, action
from thumbturn.actions.sending import set_to
from thumbturn.domain.capabilities.lock import AutoLock
from thumbturn.domain.clock import seconds
from thumbturn.domain.policy import AfterCrash, WhenOffline


class AutoLockAsk(DeviceAsk):
    """How a lock shall lock itself."""

    auto_lock_enabled: bool
    """Whether it shall lock itself."""
    auto_lock_delay_seconds: Annotated[float | None, Field(ge=1, le=60)] = None
    """How long after it was unlocked, 1 to 60; needed when switching it on."""

    @model_validator(mode="after")
    def _delay_when_enabling(self) -> AutoLockAsk:
        if self.auto_lock_enabled and self.auto_lock_delay_seconds is None:
            raise ValueError("auto_lock_delay_seconds is required when auto_lock_enabled is true")
        return self


@action(
    "CONFIGURE_AUTO_LOCK",
    at="/locks/configure_auto_lock",
    needs=AutoLock,
    deadline=seconds(30),
    after_crash=AfterCrash.RESEND,
    when_offline=WhenOffline.FAIL,
)
async def configure_auto_lock(ask: AutoLockAsk, lock: AutoLock, run: Run) -> Outcome:
    """Switches a lock's automatic locking on or off."""
    wanted: dict[str, Any] = {"auto_lock_enabled": ask.auto_lock_enabled}
    if ask.auto_lock_enabled:
        wanted["auto_lock_delay_seconds"] = ask.auto_lock_delay_seconds
    return await set_to(
        run,
        lambda: lock.set_auto_lock(ask.auto_lock_enabled, ask.auto_lock_delay_seconds),
        lock.read_auto_lock,
        wanted,
    )
