"""Noise sensors with the official SDKs, unmodified, against the live server: every verb that there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from seam import Seam, SeamHttpApiError

from tests.fixtures.javascript import run_script
from tests.fixtures.server import Caller, LiveServer

NIGHT = {"starts_daily_at": "22:00:00[Europe/Berlin]", "ends_daily_at": "07:00:00[Europe/Berlin]"}


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


def all_ended(seam: Seam) -> None:
    """Return when every attempt has ended: the SDK does not wait for those about thresholds."""
    for attempt in seam.action_attempts.list():
        seam.action_attempts.get(action_attempt_id=attempt.action_attempt_id)


def test_python_keeps_thresholds(seam):
    """A threshold is made, found, changed and deleted, and a noise triggers what is in force."""
    calls = seam.noise_sensors
    [sensor] = calls.list()
    id = sensor.device_id
    threshold = calls.noise_thresholds.create(
        device_id=id, **NIGHT, name="Night", noise_threshold_decibels=60
    )
    which = {"device_id": id, "noise_threshold_id": threshold.noise_threshold_id}
    calls.noise_thresholds.update(**which, noise_threshold_decibels=62)
    all_ended(seam)
    found = calls.noise_thresholds.get(noise_threshold_id=threshold.noise_threshold_id)
    assert (found.name, found.noise_threshold_decibels) == ("Night", 62)
    assert [each.name for each in calls.noise_thresholds.list(device_id=id)] == ["Loud at any time", "Night"]
    calls.simulate.trigger_noise_threshold(device_id=id)
    events = seam.events.list(device_id=id, event_type="noise_sensor.noise_threshold_triggered")
    assert "Loud at any time" in [event.noise_threshold_name for event in events]
    calls.noise_thresholds.delete(**which)
    all_ended(seam)
    with pytest.raises(SeamHttpApiError) as gone:
        calls.noise_thresholds.get(noise_threshold_id=threshold.noise_threshold_id)
    assert gone.value.code == "noise_threshold_not_found"


def test_javascript_does_all_of_it(caller):
    """The same verbs with the JavaScript SDK."""
    came = run_script(caller, "noise_sensors.mjs")
    assert came["found"] == ["Night", 62]
    assert came["held"] == ["Loud at any time", "Night"]
    assert "Loud at any time" in came["triggered"]
    assert came["refusal"] == "noise_threshold_not_found"
