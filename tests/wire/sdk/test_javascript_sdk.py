"""The official JavaScript SDK, unmodified, against the live server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.server import Caller, LiveServer

HERE = Path(__file__).parent / "js"


@pytest.fixture
def flow(caller: Caller, server: LiveServer) -> Callable[[str], Any]:
    """Runs a flow of js/flows.mjs as the caller; what it printed."""
    node = shutil.which("node")
    assert node, "run `make test`: it installs Node"
    assert (HERE / "node_modules" / "seam").exists(), "run `make test`: it installs the SDK"

    def run(name: str) -> Any:
        ended = subprocess.run(
            [node, "flows.mjs", name],
            cwd=HERE,
            env={
                "PATH": os.environ["PATH"],
                "ENDPOINT": server.endpoint,
                "TOKEN": server.credentials["personal_access_token"],
                "WORKSPACE": caller.workspace_id,
                "DOOR": caller.locks()[0]["device_id"],
            },
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return run


def inject(caller: Caller, **fault: Any) -> None:
    """Make the caller's first lock misbehave."""
    caller.call("/thumbturn/sandbox/inject_fault", device_id=caller.locks()[0]["device_id"], **fault)


def test_unlock_waits_for_the_truth(flow):
    """Unlocking resolves to the finished attempt, confirmed by the device, and the door says so."""
    came = flow("unlock")
    assert came["attempt"]["status"] == "success"
    assert came["attempt"]["result"] == {"was_confirmed_by_device": True}
    assert came["locked"] is False


def test_every_command_ends_in_success(flow):
    """Each command that the SDK knows and we serve ends in success on a sound device."""
    assert flow("commands") == [
        ["UNLOCK_DOOR", "success"],
        ["LOCK_DOOR", "success"],
        ["CONFIGURE_AUTO_LOCK", "success"],
        ["SIMULATE_KEYPAD_CODE_ENTRY", "success"],
        ["RESET_SANDBOX_WORKSPACE", "success"],
    ]


def test_failure_is_thrown_with_its_cause(flow, caller):
    """A jammed bolt is thrown as the SDK's own error, with our type."""
    inject(caller, fault="jam")
    assert flow("failure") == {"isFailure": True, "code": "lock_jammed", "status": "error"}


def test_timeout_is_thrown_while_the_attempt_goes_on(flow, caller):
    """A caller who will not wait gets the SDK's timeout; the attempt ends all the same."""
    inject(caller, fault="slow", milliseconds=1_000)
    assert flow("timeout") == {"isTimeout": True, "first": "pending", "last": "success"}


def test_attempt_can_be_followed_by_hand(flow):
    """Without waiting, the call resolves at once with the five keys, and get tells of the same attempt."""
    assert flow("byHand") == {
        "keys": ["action_attempt_id", "action_type", "error", "result", "status"],
        "same": True,
        "last": "success",
    }


def test_lists_and_pages(flow):
    """Attempts, events and pages of devices are found as the SDK asks for them."""
    came = flow("lists")
    assert came["found"] == [True, True]
    assert sorted(came["events"]) == ["action_attempt.unlock_door.succeeded", "lock.unlocked"]
    assert sorted(came["walked"]) == sorted(came["listed"])
    assert len(came["listed"]) > 2


def test_invalid_input_names_the_parameter(flow):
    """A value out of bounds is the SDK's invalid input error, with the message at its parameter."""
    came = flow("invalidInput")
    assert (came["isInvalidInput"], came["status"], came["hasRequestId"]) == (True, 400, True)
    assert came["messages"] == ["Number must be less than or equal to 60"]


def test_unknown_id_is_not_found(flow):
    """An id that fits nothing is 404 with the type of the thing, whatever it looks like."""
    came = flow("notFound")
    assert [(each["isApiError"], each["status"], each["hasRequestId"]) for each in came] == [
        (True, 404, True)
    ] * 3
    assert [each["code"] for each in came] == ["device_not_found"] * 2 + ["action_attempt_not_found"]


def test_wrong_key_is_unauthorized(flow):
    """A key that nobody has is the SDK's unauthorized error."""
    came = flow("unauthorized")
    assert (came["isUnauthorized"], came["status"], came["hasRequestId"]) == (True, 401, True)


def test_workspaces_are_made_and_listed_without_one(flow):
    """The client without a workspace makes a workspace and finds it in the list."""
    assert flow("workspaces") == {"isListed": True}
