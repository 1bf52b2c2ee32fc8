"""``/thumbturn/workspaces``: what a workspace may choose beyond the contract."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any, Literal

from typing_extensions import TypedDict

from thumbturn.api.callers import Caller, Callers
from thumbturn.api.endpoint import UPDATE, Answer, endpoint
from thumbturn.api.parameters import Maybe, Parameters
from thumbturn.api.refusals import InvalidInput
from thumbturn.domain.announcing import EVERY_ACTION
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Store

Grade = Literal["radio_ack", "device_accepted", "state_report", "independent_sensor"]


class Choices(TypedDict):
    """What a workspace chose."""

    workspace_id: str
    required_evidence: str
    announced_action_types: list[str]


class WorkspaceUpdate(Parameters):
    """What the workspace chooses. What is not given stays."""

    required_evidence: Maybe[Grade] = None
    """The least evidence that makes a success of a door command; with less it is ``outcome_unknown``."""
    announced_action_types: Maybe[list[str]] = None
    """The types of attempts whose ends are told as events, beyond the four of which all are; ``*`` is all of
    them, also those that come later.
    """


@endpoint({"workspace": Choices})
async def get(caller: Caller) -> Answer:
    """Returns what the workspace chose beyond the contract."""
    return {"workspace": _choices_json(caller.workspace)}


@endpoint(methods=UPDATE)
async def update(
    ask: WorkspaceUpdate, caller: Caller, store: Store, callers: Callers, engine: Engine
) -> Answer:
    """Chooses how much evidence makes a success of a door command here, and the ends of what are told."""
    chosen: dict[str, Any] = {}
    if ask.required_evidence is not None:
        chosen["required_evidence"] = Evidence[ask.required_evidence.upper()]
    if ask.announced_action_types is not None:
        chosen["announced_action_types"] = _known(ask.announced_action_types, engine.announcing.action_types)
    changed = replace(caller.workspace, **chosen)
    await store.update_workspace(changed)
    engine.announcing.follow(changed)
    callers.forget_workspace(changed.id)
    return {}


def _known(types: Iterable[str], action_types: Collection[str]) -> frozenset[str]:
    for type in types:
        if type != EVERY_ACTION and type not in action_types:
            problem = f"There is no action type '{type}'"
            raise InvalidInput.of("announced_action_types", problem)
    return frozenset(types)


def _choices_json(workspace: Workspace) -> Choices:
    return {
        "workspace_id": workspace.id,
        "required_evidence": workspace.required_evidence.word,
        "announced_action_types": sorted(workspace.announced_action_types),
    }
