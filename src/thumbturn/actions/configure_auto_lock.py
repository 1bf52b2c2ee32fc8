"""``CONFIGURE_AUTO_LOCK``. Setting the same twice is setting it once."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from thumbturn.actions.definition import DeviceAsk, Outcome, Run, action
from thumbturn.domain.capabilities.lock import AutoLock
from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, OutcomeUnknown
from thumbturn.domain.policy import AfterCrash, WhenOffline

CONFIRM_WITHIN = seconds(3)


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
    wanted = {"auto_lock_enabled": ask.auto_lock_enabled}
    if ask.auto_lock_enabled:
        wanted["auto_lock_delay_seconds"] = ask.auto_lock_delay_seconds  # type: ignore[assignment]

    def about_auto_lock(seen: Observation) -> bool:
        return "auto_lock_enabled" in seen.changes

    reply = await lock.set_auto_lock(ask.auto_lock_enabled, ask.auto_lock_delay_seconds)
    if reply > Evidence.NONE:
        run.acknowledged(reply)
    report = await run.watch(about_auto_lock, CONFIRM_WITHIN)
    if report is None and run.device.online:
        report = await lock.read_auto_lock()
        if report is not None:
            run.observed(report)
    if report is None:
        if reply is Evidence.NONE or not run.device.online:
            raise OutcomeUnknown
        return Outcome({}, reply)
    if any(report.changes.get(key) != value for key, value in wanted.items()):
        raise CommandRefused.because("It reports a different setting from the one that was asked for.")
    return Outcome({}, report.evidence)
