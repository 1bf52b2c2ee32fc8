"""``RESET_SANDBOX_WORKSPACE``: back to the beginning. Doing it twice is doing it once."""

from __future__ import annotations

from thumbturn.actions.definition import Ask, Outcome, Run, action
from thumbturn.domain.capabilities.sandbox import Sandbox
from thumbturn.domain.clock import seconds
from thumbturn.domain.policy import AfterCrash, WhenOffline


@action(
    "RESET_SANDBOX_WORKSPACE",
    at="/workspaces/reset_sandbox",
    needs=Sandbox,
    deadline=seconds(60),
    after_crash=AfterCrash.RESEND,
    when_offline=WhenOffline.FAIL,
    sandbox_only=True,
)
async def reset_sandbox_workspace(ask: Ask, sandbox: Sandbox, run: Run) -> Outcome:
    """Puts a sandbox workspace back to how it began."""
    return Outcome({}, await sandbox.reset())
