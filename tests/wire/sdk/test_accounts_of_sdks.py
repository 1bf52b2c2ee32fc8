"""Connected accounts with the official SDKs, unmodified, against the live server."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from seam import Seam, SeamHttpApiError

from tests.fixtures.javascript import run_script
from tests.fixtures.server import Caller, LiveServer


@pytest.fixture
def seam(caller: Caller, server: LiveServer) -> Iterator[Seam]:
    """The Python SDK, in a sandbox of its own."""
    client = Seam(
        personal_access_token=server.credentials["personal_access_token"],
        workspace_id=caller.workspace_id,
        endpoint=server.endpoint,
        wait_for_action_attempt={"timeout": 5, "polling_interval": 0.05},
    )
    yield client
    client.close()


def test_python_looks_after_an_account(seam):
    """An account is found, changed, synced, disconnected and deleted; its devices go with it."""
    [account] = seam.connected_accounts.list()
    id = account.connected_account_id
    seam.connected_accounts.update(
        connected_account_id=id, display_name="Flat", custom_metadata={"floor": "2"}, customer_key="c1"
    )
    found = seam.connected_accounts.get(connected_account_id=id)
    assert (found.display_name, found.customer_key, found.errors) == ("Flat", "c1", [])
    assert len(seam.connected_accounts.list(custom_metadata_has={"floor": "2"})) == 1
    assert len(seam.devices.list(customer_key="c1")) == len(seam.devices.list()) > 0
    seam.connected_accounts.sync(connected_account_id=id)
    seam.connected_accounts.simulate.disconnect(connected_account_id=id)
    assert [each.error_code for each in seam.connected_accounts.get(connected_account_id=id).errors] == [
        "account_disconnected"
    ]
    assert {device.properties.online for device in seam.devices.list()} == {False}
    seam.connected_accounts.delete(connected_account_id=id)
    assert seam.devices.list() == []
    with pytest.raises(SeamHttpApiError) as gone:
        seam.connected_accounts.get(connected_account_id=id)
    assert gone.value.code == "connected_account_not_found"
    told = [event.event_type for event in seam.events.list(since="2020-01-01T00:00:00Z")]
    assert told.count("connected_account.disconnected") == told.count("connected_account.deleted") == 1


def test_python_has_trouble_with_a_device(seam):
    """A device is lost by its hub and found, and wants to be paid for and is."""
    door = seam.locks.list()[0].device_id
    seam.devices.simulate.disconnect_from_hub(device_id=door)
    assert [each.error_code for each in seam.devices.get(device_id=door).errors] == ["hub_disconnected"]
    seam.devices.simulate.connect_to_hub(device_id=door)
    seam.devices.simulate.paid_subscription(device_id=door, is_expired=True)
    assert [each.error_code for each in seam.devices.get(device_id=door).errors] == ["subscription_required"]
    seam.devices.simulate.paid_subscription(device_id=door, is_expired=False)
    assert seam.locks.unlock_door(device_id=door).status == "success"


def test_javascript_looks_after_an_account(caller):
    """The same with the JavaScript SDK, page by page."""
    assert run_script(caller, "accounts.mjs", "account") == {
        "names": ["Flat"],
        "pages": 1,
        "errors": ["account_disconnected"],
        "online": [False],
        "gone": "connected_account_not_found",
        "devices": 0,
    }


def test_python_hands_a_device_over_and_takes_it_back(seam):
    """An unmanaged device is found among its like, page by page, and can be commanded again when back."""
    door = seam.locks.list()[0].device_id
    seam.devices.update(device_id=door, is_managed=False)
    found = seam.devices.unmanaged.get(device_id=door)
    assert (found.is_managed, found.properties.online) == (False, True)
    pages = seam.create_paginator(seam.devices.unmanaged.list, {"limit": 1})
    assert [each.device_id for each in pages.flatten_to_list()] == [door]
    with pytest.raises(SeamHttpApiError) as refused:
        seam.locks.unlock_door(device_id=door)
    assert refused.value.code == "device_unmanaged"
    seam.devices.unmanaged.update(device_id=door, is_managed=True, custom_metadata={"floor": "2"})
    assert seam.devices.list(custom_metadata_has={"floor": "2"})[0].device_id == door
    assert seam.locks.unlock_door(device_id=door).status == "success"


def test_javascript_hands_a_device_over_and_takes_it_back(caller):
    """The same with the JavaScript SDK."""
    assert run_script(caller, "accounts.mjs", "unmanaged") == {
        "found": [False, 1],
        "refused": "device_unmanaged",
        "status": "success",
    }


def walk_through(url: str) -> None:
    """Connect an account on the page at this address, as a browser without JavaScript would."""
    with httpx.Client(follow_redirects=True) as person:
        for form in (
            {"step": "choose", "provider": "virtual"},
            {"step": "sign_in", "email": "jane@example.com", "password": "1234"},
            {"step": "finish"},
        ):
            assert person.post(url, data=form).status_code == 200


def test_python_has_a_person_connect_an_account(seam):
    """A webview is made, found, walked through and deleted; the account and its devices are there."""
    made = seam.connect_webviews.create(custom_metadata={"flat": "7"}, accepted_capabilities=["lock"])
    assert (made.status, made.login_successful) == ("pending", False)
    walk_through(made.url)
    done = seam.connect_webviews.get(connect_webview_id=made.connect_webview_id)
    assert (done.status, done.selected_provider) == ("authorized", "virtual")
    found = seam.connect_webviews.list(custom_metadata_has={"flat": "7"})
    assert [each.connect_webview_id for each in found] == [made.connect_webview_id]
    account = seam.connected_accounts.get(email="jane@example.com")
    assert account.connected_account_id == done.connected_account_id
    devices = seam.devices.list(connect_webview_id=made.connect_webview_id)
    assert [device.display_name for device in devices] == ["Cottage Door", "Cottage Gate"]
    assert seam.locks.unlock_door(device_id=devices[0].device_id).status == "success"
    seam.connect_webviews.delete(connect_webview_id=made.connect_webview_id)
    assert seam.connect_webviews.list() == []


def test_javascript_has_a_person_connect_an_account(caller):
    """The same with the JavaScript SDK, for a client session of its own."""
    assert run_script(caller, "accounts.mjs", "webview") == {
        "before": ["pending", 0],
        "after": ["authorized", 4],
        "pages": 1,
        "gone": "connect_webview_not_found",
    }
