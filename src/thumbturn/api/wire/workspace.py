"""A workspace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from thumbturn.domain import workspace as domain


class Workspace(TypedDict):
    """The wall around a set of accounts, devices, attempts, events and keys."""

    workspace_id: str
    name: str
    company_name: str
    connect_partner_name: str | None
    connect_webview_customization: Mapping[str, Any]
    is_publishable_key_auth_enabled: bool
    is_sandbox: bool
    is_suspended: bool
    organization_id: str | None


def workspace_json(workspace: domain.Workspace) -> Workspace:
    """The workspace as the wire has it."""
    return {
        "workspace_id": workspace.id,
        "name": workspace.name,
        "company_name": workspace.company_name,
        "connect_partner_name": workspace.connect_partner_name,
        "connect_webview_customization": workspace.connect_webview_customization,
        "is_publishable_key_auth_enabled": workspace.is_publishable_key_auth_enabled,
        "is_sandbox": workspace.is_sandbox,
        "is_suspended": workspace.is_suspended,
        "organization_id": workspace.organization_id,
    }
