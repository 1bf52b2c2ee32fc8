"""``/thumbturn/workspaces``: what a workspace may choose beyond the contract."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from thumbturn.api.callers import Caller, Callers
from thumbturn.api.endpoint import UPDATE, Answer, endpoint
from thumbturn.api.parameters import Parameters
from thumbturn.domain.evidence import Evidence
from thumbturn.engine.ports import Store


class WorkspaceUpdate(Parameters):
    """What the workspace chooses."""

    required_evidence: Literal["radio_ack", "device_accepted", "state_report", "independent_sensor"]
    """The least evidence that makes a success of a door command; with less it is ``outcome_unknown``."""


@endpoint(methods=UPDATE)
async def update(ask: WorkspaceUpdate, caller: Caller, store: Store, callers: Callers) -> Answer:
    """Chooses how much evidence makes a success of locking and unlocking here."""
    grade = Evidence[ask.required_evidence.upper()]
    await store.update_workspace(replace(caller.workspace, required_evidence=grade))
    callers.forget_workspace(caller.workspace.id)
    return {}
