"""A device that was asked too often, as the official SDKs tell it, unmodified, against a live server."""

from __future__ import annotations

import time

import pytest
from seam import Seam, SeamHttpApiError

from tests.fixtures.javascript import run_script
from tests.fixtures.server import Caller, LiveServer, caller_in_new_sandbox


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory):
    """A server on which a door is locked once a minute, a virtual one too."""
    options = ("--rate-limits", "LOCK_DOOR=1", "--rate-limit-sandboxes")
    server = LiveServer(tmp_path_factory.mktemp("limited") / "data", options=options)
    yield server.start()
    server.close()


@pytest.fixture
def caller(limited: LiveServer) -> Caller:
    """A caller whose sandbox nobody else uses."""
    return caller_in_new_sandbox(limited, "limited")


def test_python_says_so_at_once(limited, caller):
    """A command is not sent again behind its caller's back: he is told the error, and when to ask again."""
    seam = Seam(
        personal_access_token=limited.credentials["personal_access_token"],
        workspace_id=caller.workspace_id,
        endpoint=limited.endpoint,
        wait_for_action_attempt={"timeout": 5, "polling_interval": 0.05},
    )
    device_id = seam.devices.get(name="Front Door").device_id
    assert seam.locks.lock_door(device_id=device_id).status == "success"
    began = time.monotonic()
    with pytest.raises(SeamHttpApiError) as refused:
        seam.locks.lock_door(device_id=device_id)
    assert time.monotonic() - began < 5
    assert (refused.value.code, refused.value.status_code) == ("rate_limited", 429)
    assert seam.locks.unlock_door(device_id=device_id).status == "success", "another action has its own limit"
    seam.close()


def test_javascript_says_so_at_once(caller):
    """Likewise."""
    told = run_script(caller, "rate_limits.mjs")
    assert (told["status"], told["other"], told["waited"]) == ("success", "success", False)
    assert (told["code"], told["statusCode"]) == ("rate_limited", 429)


def test_whoever_looks_is_told_when_to_ask_again(caller):
    """The answer has `Retry-After`, in seconds, with which the SDKs' own retries wait where they retry."""
    [door] = caller.http.post("/devices/list", json={"limit": 1, "search": "Front Door"}).json()["devices"]
    ask = {"device_id": door["device_id"]}
    first, second = (caller.http.post("/locks/lock_door", json=ask) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 429)
    assert 0 < int(second.headers["retry-after"]) <= 60
