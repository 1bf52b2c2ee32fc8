"""``/workspaces``: looking at workspaces, making and changing them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from thumbturn.api.callers import Bearer, Caller, Callers, Person
from thumbturn.api.endpoint import UPDATE, WRITE, Answer, endpoint
from thumbturn.api.parameters import Maybe, Parameters
from thumbturn.api.wire import workspace as wire
from thumbturn.api.wire.workspace import workspace_json
from thumbturn.domain.clock import Clock
from thumbturn.domain.ids import new_id
from thumbturn.domain.refusals import OwnerMissing
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.cells import Cells
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Store

#: To find an id of one's own cell, of some dozen: it is found long before.
_TRIES = 1_000

LogoShape = Literal["circle", "square"]


class Customization(Parameters):
    """How connect webviews of the workspace look. Null goes back to the default."""

    logo_shape: LogoShape | None = None
    primary_button_color: str | None = None
    primary_button_text_color: str | None = None
    success_message: str | None = None


class WorkspaceCreate(Parameters):
    """A new workspace."""

    name: str
    """What to call it."""
    company_name: Maybe[str] = None
    """Whose it is; the workspace's name if it is not given."""
    connect_partner_name: str | None = None
    """The older word for ``company_name``."""
    is_sandbox: bool = False
    """True for one with virtual devices, which begins with a few of them."""
    organization_id: Maybe[str] = None
    """The organization it belongs to."""
    connect_webview_customization: Maybe[Customization] = None
    """How its connect webviews look."""
    webview_logo_shape: Maybe[LogoShape] = None
    """The older place of ``logo_shape``."""
    webview_primary_button_color: Maybe[str] = None
    """The older place of ``primary_button_color``."""
    webview_primary_button_text_color: Maybe[str] = None
    """The older place of ``primary_button_text_color``."""
    webview_success_message: Maybe[str] = None
    """The older place of ``success_message``."""


class WorkspaceUpdate(Parameters):
    """What shall change of the workspace. What is not given stays."""

    name: Maybe[str] = None
    """What to call it."""
    connect_partner_name: Maybe[str] = None
    """The name that connect webviews show."""
    organization_id: Maybe[str] = None
    """The organization it belongs to."""
    is_publishable_key_auth_enabled: Maybe[bool] = None
    """Whether publishable keys shall work."""
    is_suspended: Maybe[bool] = None
    """Whether it is suspended."""
    connect_webview_customization: Maybe[Customization] = None
    """How its connect webviews look."""


@endpoint({"workspace": wire.Workspace})
async def get(caller: Caller) -> Answer:
    """Returns the workspace of the caller."""
    return {"workspace": workspace_json(caller.workspace)}


@endpoint({"workspaces": list[wire.Workspace]})
async def list_(bearer: Bearer, store: Store) -> Answer:
    """Lists the workspaces that the caller's token opens."""
    user_id = bearer.key.user_id
    if user_id is not None:
        found = await store.workspaces_of_user(user_id)
    else:
        found = [bearer.workspace] if isinstance(bearer, Caller) else []
    return {"workspaces": [workspace_json(each) for each in found]}


@endpoint({"workspace": wire.Workspace}, methods=WRITE)
async def create(ask: WorkspaceCreate, person: Person, engine: Engine, cells: Cells, clock: Clock) -> Answer:
    """Makes a workspace, whose member is the person of the token. Personal access tokens only."""
    older_places = {
        "logo_shape": ask.webview_logo_shape,
        "primary_button_color": ask.webview_primary_button_color,
        "primary_button_text_color": ask.webview_primary_button_text_color,
        "success_message": ask.webview_success_message,
    }
    workspace = Workspace(
        id=_id_for(engine, cells),
        name=ask.name,
        is_sandbox=ask.is_sandbox,
        company_name=ask.company_name or ask.connect_partner_name or ask.name,
        connect_partner_name=ask.connect_partner_name,
        organization_id=ask.organization_id,
        connect_webview_customization=_customized(older_places, ask.connect_webview_customization),
        created_at=clock.now(),
    )
    await engine.add_workspace(workspace, user_id=person.user_id)
    return {"workspace": workspace_json(workspace)}


@endpoint(methods=UPDATE)
async def update(ask: WorkspaceUpdate, caller: Caller, store: Store, callers: Callers) -> Answer:
    """Changes the workspace of the caller."""
    workspace = caller.workspace
    given = ask.model_dump(include=ask.model_fields_set, exclude={"connect_webview_customization"})
    customization = _customized(workspace.connect_webview_customization, ask.connect_webview_customization)
    changed = replace(workspace, **given, connect_webview_customization=customization)
    await store.update_workspace(changed)
    callers.forget_workspace(workspace.id)
    return {}


def _id_for(engine: Engine, cells: Cells) -> str:
    """An id that makes a workspace this engine's, so that its devices are there when this is answered."""
    for _ in range(_TRIES):
        id = new_id()
        if cells.engine_of(id) is engine:
            return id
    raise OwnerMissing  # it lost its cell meanwhile


def _customized(before: Any, wanted: Customization | None) -> dict[str, Any]:
    after = dict(before)
    if wanted is not None:
        after |= wanted.model_dump(include=wanted.model_fields_set)
    return {key: value for key, value in after.items() if value is not None}
