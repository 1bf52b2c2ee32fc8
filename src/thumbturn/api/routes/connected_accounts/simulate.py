"""``/connected_accounts/simulate``: what may happen to a virtual account."""

from __future__ import annotations

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import WRITE, Answer, endpoint
from thumbturn.api.routes.connected_accounts import OfAccount
from thumbturn.engine.engine import Engine


@endpoint(methods=WRITE)
async def disconnect(ask: OfAccount, caller: Caller, engine: Engine) -> Answer:
    """Has a virtual account let nobody in any more: its devices are offline. Sandbox workspaces only."""
    await engine.accounts.disconnect(caller.workspace, ask.connected_account_id)
    return {}
