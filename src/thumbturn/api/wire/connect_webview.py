"""A connect webview, with the address of its page: whoever has that may use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired
from urllib.parse import urlencode

from typing_extensions import TypedDict

from thumbturn.domain import connect_webview as domain
from thumbturn.domain.clock import to_wire
from thumbturn.domain.connected_account import AcceptedCapability
from thumbturn.engine.connect_webviews import Shown

#: Where the page is.
VIEW = "/connect_webviews/view"


class ConnectWebview(TypedDict):
    """A page on which a person connects an account, and what came of it."""

    connect_webview_id: str
    workspace_id: str
    url: str
    status: domain.Status
    login_successful: bool
    selected_provider: str | None
    connected_account_id: str | None
    accepted_providers: list[str]
    any_provider_allowed: bool
    accepted_capabilities: list[AcceptedCapability]
    accepted_devices: list[str]
    any_device_allowed: bool
    automatically_manage_new_devices: bool
    wait_for_device_creation: bool
    device_selection_mode: domain.SelectionMode
    custom_redirect_url: str | None
    custom_redirect_failure_url: str | None
    custom_metadata: Mapping[str, str | bool]
    customer_key: NotRequired[str]
    created_at: str
    authorized_at: str | None


def connect_webview_json(shown: Shown, origin: str) -> ConnectWebview:
    """The webview as the wire has it; its page is at the address under which the caller asked."""
    webview, wishes = shown.webview, shown.webview.wishes
    query = urlencode({"connect_webview_id": webview.id, "auth_token": shown.token})
    json: ConnectWebview = {
        "connect_webview_id": webview.id,
        "workspace_id": webview.workspace_id,
        "url": f"{origin}{VIEW}?{query}",
        "status": webview.status,
        "login_successful": webview.status == "authorized",
        "selected_provider": webview.selected_provider,
        "connected_account_id": webview.connected_account_id,
        "accepted_providers": list(webview.offered),
        "any_provider_allowed": not wishes.accepted_providers,
        "accepted_capabilities": list(wishes.accepted_capabilities),
        "accepted_devices": [],
        "any_device_allowed": True,
        "automatically_manage_new_devices": wishes.manages_new_devices,
        "wait_for_device_creation": wishes.waits_for_devices,
        "device_selection_mode": wishes.selection_mode,
        "custom_redirect_url": wishes.redirect_url,
        "custom_redirect_failure_url": wishes.failure_url,
        "custom_metadata": webview.custom_metadata,
        "created_at": to_wire(webview.created_at),
        "authorized_at": None if webview.authorized_at is None else to_wire(webview.authorized_at),
    }
    if webview.customer_key is not None:
        json["customer_key"] = webview.customer_key
    return json
