"""Tests that were written for Seam's own fake, run with the official SDKs against its world here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from httpx_retries import Retry
from seam import Seam, SeamActionAttemptFailedError, SeamActionAttemptTimeoutError

from tests.fixtures.fake_world import API_KEY, fake
from tests.fixtures.javascript import run_script

DOOR = "august_device_1"


@pytest.fixture
def client() -> Iterator[Callable[..., Seam]]:
    """Makes clients of the SDK, and closes them at the end."""
    made: list[Seam] = []

    def make(**options: Any) -> Seam:
        made.append(Seam(**options))
        return made[-1]

    yield make
    for seam in made:
        seam.close()


def test_a_javascript_test_of_the_fake_runs(fresh_fake):
    """With the JavaScript SDK: the seed's names and tokens, overruled attempts, an outage and a webview."""
    assert run_script(fresh_fake, "fake_world.mjs") == {
        "door": "Fake August Lock 1",
        "unlocked": "success",
        "late": True,
        "failure": "foo",
        "again": "success",
        "down": 503,
        "webview": "authorized",
        "devices": [6, 5, 6, 5],
    }


def test_a_python_test_of_the_fake_runs(fresh_fake, client):
    """With the Python SDK: the seed's names and tokens, overruled attempts, an outage and a webview."""
    server = fresh_fake.server
    seed = httpx.get(f"{server.endpoint}/_fake/default_seed").json()
    seam = client(api_key=seed["seam_apikey1_token"], endpoint=server.endpoint)
    assert seam.devices.get(device_id=seed["august_device_1"]).properties.locked is True
    attempt = seam.locks.unlock_door(device_id=DOOR)
    assert attempt.status == "success"
    assert seam.devices.get(device_id=DOOR).properties.locked is False

    id = attempt.action_attempt_id
    waiting = {"timeout": 0.3, "polling_interval": 0.05}
    fake(server, "update_action_attempt", action_attempt_id=id, status="pending")
    with pytest.raises(SeamActionAttemptTimeoutError):
        seam.action_attempts.get(action_attempt_id=id, wait_for_action_attempt=waiting)
    error = {"type": "foo", "message": "Failed"}
    fake(server, "update_action_attempt", action_attempt_id=id, status="error", error=error)
    with pytest.raises(SeamActionAttemptFailedError) as failed:
        seam.action_attempts.get(action_attempt_id=id, wait_for_action_attempt=waiting)
    assert failed.value.code == "foo"
    fake(server, "update_action_attempt", action_attempt_id=id, status="success")
    assert seam.action_attempts.get(action_attempt_id=id).status == "success"

    webview = seam.connect_webviews.create(accepted_providers=["august"])
    fake(server, "complete_connect_webview", connect_webview_id=webview.connect_webview_id)
    done = seam.connect_webviews.get(connect_webview_id=webview.connect_webview_id)
    assert done.status == "authorized"

    whose = {"personal_access_token": seed["seam_at1_token"], "workspace_id": seed["seed_workspace_1"]}
    person = client(**whose, endpoint=server.endpoint)
    assert len(person.devices.list()) == len(seam.devices.list()) == 6


def test_an_outage_is_an_error_of_the_server_to_the_python_sdk(fake_server, client):
    """A bare 503 is an HTTP error to who asks, and over when the outage is."""
    seam = client(api_key=API_KEY, endpoint=fake_server.endpoint, retries=Retry(total=0))
    asked = {"workspace_id": "seed_workspace_1", "routes": ["/noise_sensors/list"]}
    fake(fake_server, "simulate_workspace_outage", **asked)
    try:
        with pytest.raises(httpx.HTTPStatusError) as down:
            seam.noise_sensors.list()
        assert down.value.response.status_code == 503
    finally:
        fake(fake_server, "simulate_workspace_outage", **{**asked, "routes": []})
    assert [each.device_id for each in seam.noise_sensors.list()] == ["minut_device_1"]
