"""The endpoints below ``/_fake``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import field_validator, model_validator

from thumbturn.api.call import Call
from thumbturn.api.callers import Callers
from thumbturn.api.endpoint import UPDATE, WRITE, Answer, Endpoint, endpoint
from thumbturn.api.fake.database import Database
from thumbturn.api.fake.world import FakeWorld
from thumbturn.api.parameters import Maybe, Parameters
from thumbturn.api.refusals import WorkspaceNotFound
from thumbturn.api.table import tabulate


class AttemptError(Parameters):
    """Why an attempt shall have failed."""

    type: str
    """The error's type, whatever it is."""
    message: str
    """What it says to people."""


class AttemptUpdate(Parameters):
    """What an attempt shall be."""

    action_attempt_id: str
    """The attempt."""
    status: Literal["pending", "success", "error"]
    """What it shall be."""
    result: Any = None
    """The result of a success; an empty one if there is none."""
    error: Maybe[AttemptError] = None
    """The error of an attempt that shall have failed."""

    @model_validator(mode="after")
    def _says_why(self) -> AttemptUpdate:
        if self.status == "error" and self.error is None:
            raise ValueError("error is required with the status 'error'")
        return self

    @field_validator("result")
    @classmethod
    def _can_be_sent(cls, result: Any) -> Any:
        """A number that JSON has no word for, as ``1e999`` is read, could be told to nobody."""
        try:
            json.dumps(result, allow_nan=False)
        except (ValueError, RecursionError):
            raise ValueError("result holds what JSON cannot say") from None
        return result


class OutageBegin(Parameters):
    """What shall be down."""

    workspace_id: str
    """The workspace that it is down for."""
    routes: list[str]
    """The paths that are down; none ends the outage."""


class WebviewComplete(Parameters):
    """The webview on whose page somebody signs in."""

    connect_webview_id: str
    """The webview."""


@endpoint(at="/_fake/default_seed", is_public=True)
async def default_seed(fake: FakeWorld) -> Answer:
    """Returns what the seed calls everything in this world. It is there already: nothing is seeded."""
    return fake.facts.seed


@endpoint(at="/_fake/update_action_attempt", methods=UPDATE, is_public=True)
async def update_action_attempt(ask: AttemptUpdate, fake: FakeWorld) -> Answer:
    """Has an attempt be what a test wants, also if it has ended. Its timeline says so."""
    result = ask.result if isinstance(ask.result, Mapping) else {}
    failure = None if ask.error is None else (ask.error.type, ask.error.message)
    await fake.overrule(
        ask.action_attempt_id,
        ask.status,
        result=result if ask.status == "success" else None,
        failure=failure if ask.status == "error" else None,
    )
    return {}


@endpoint(at="/_fake/simulate_workspace_outage", methods=WRITE, is_public=True)
async def simulate_workspace_outage(ask: OutageBegin, fake: FakeWorld) -> Answer:
    """Has paths answer nothing but 503 to a workspace's callers, until it is asked with others, or none."""
    if ask.workspace_id not in {workspace.id for workspace in await fake.workspaces()}:
        raise WorkspaceNotFound(status=404)
    fake.outages.begin(ask.workspace_id, ask.routes)
    return {}


@endpoint(at="/_fake/complete_connect_webview", methods=WRITE, is_public=True)
async def complete_connect_webview(ask: WebviewComplete, fake: FakeWorld, callers: Callers) -> Answer:
    """Has somebody sign in on the page of a connect webview."""
    for session_id in await fake.connect(ask.connect_webview_id):
        callers.forget_key(session_id)
    return {}


@endpoint(at="/_fake/database", methods=("GET",), is_public=True)
async def database(fake: FakeWorld, call: Call, rows: Database) -> Answer:
    """Returns what is on record, without PINs and without tokens that are not known to everybody."""
    return await rows.state(await fake.workspaces(), call.origin)


def fake_endpoints() -> dict[str, Endpoint]:
    """The endpoints of this module, by path."""
    return tabulate(each for each in globals().values() if isinstance(each, Endpoint))
