"""Client sessions with the official SDKs, unmodified, against the live server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from seam import Seam, SeamHttpApiError

from tests.fixtures.server import Caller, LiveServer

HERE = Path(__file__).parent / "js"


@pytest.fixture
def account(caller: Caller) -> str:
    """The sandbox's account."""
    found: str = caller.locks()[0]["connected_account_id"]
    return found


@pytest.fixture
def flow(caller: Caller, server: LiveServer, account: str) -> Callable[[str], Any]:
    """Runs a flow of js/sessions.mjs in the caller's sandbox; what it printed."""
    node = shutil.which("node")
    assert node, "run `make test`: it installs Node"
    caller.call("/workspaces/update", is_publishable_key_auth_enabled=True)
    key = caller.call("/thumbturn/keys/create", kind="publishable_key", name="page")["token"]

    def run(name: str) -> Any:
        ended = subprocess.run(
            [node, "sessions.mjs", name],
            cwd=HERE,
            env={
                "PATH": os.environ["PATH"],
                "ENDPOINT": server.endpoint,
                "TOKEN": server.credentials["personal_access_token"],
                "WORKSPACE": caller.workspace_id,
                "KEY": key,
                "ACCOUNT": account,
            },
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return run


def refused(status: int, code: str) -> dict[str, Any]:
    """A refusal as the SDK throws it: a 401 is an error of its own, and also an error of the API."""
    return {"isApiError": True, "isUnauthorized": status == 401, "code": code, "status": status}


def test_page_with_a_publishable_key(flow):
    """A page gets its user's session, sees nothing, is granted an account, opens a door, and comes back."""
    came = flow("page")
    assert came.pop("closed")["isUnauthorized"] is True
    assert came == {"before": 0, "status": "success", "same": True, "told": True}


def test_tokens_that_a_backend_hands_out(flow):
    """What the SDK creates twice is one session; a token can be changed for another; a revoked one throws."""
    came = flow("handedOut")
    assert came.pop("revoked")["isUnauthorized"] is True
    assert came == {
        "sameSession": True,
        "counted": True,
        "afterwards": 0,
        "foreign": refused(404, "device_not_found"),
        "deleted": refused(404, "client_session_not_found"),
    }


def test_failure_is_thrown_with_its_cause(flow, caller):
    """A jammed bolt is thrown to a session as the SDK's own error."""
    for lock in caller.locks():
        caller.call("/thumbturn/sandbox/inject_fault", device_id=lock["device_id"], fault="jam")
    assert flow("failure") == {"isFailure": True, "code": "lock_jammed"}


@pytest.fixture
def seam(caller: Caller, server: LiveServer) -> Iterator[Seam]:
    """The Python SDK, in the caller's sandbox."""
    token = server.credentials["personal_access_token"]
    client = Seam(personal_access_token=token, workspace_id=caller.workspace_id, endpoint=server.endpoint)
    yield client
    client.close()


def test_python_backend(seam: Seam, server: LiveServer, account: str):
    """Each call that the Python SDK knows does what it says, and a token that it made opens what it shall."""
    made = seam.client_sessions.create(connected_account_ids=[account], user_identifier_key="jane")
    assert made.token.startswith("seam_cst")
    assert made.device_count == len(seam.devices.list())
    again = seam.client_sessions.get_or_create(user_identifier_key="jane")
    assert again.client_session_id == made.client_session_id
    joe = seam.client_sessions.create(user_identifier_key="joe")
    seam.client_sessions.grant_access(user_identifier_key="joe", connected_account_ids=[account])
    found = seam.client_sessions.get(client_session_id=joe.client_session_id)
    assert (found.connected_account_ids, found.device_count) == ([account], made.device_count)
    listed = seam.client_sessions.list(user_identifier_key="joe")
    assert [each.client_session_id for each in listed] == [joe.client_session_id]
    assert seam.devices.list(user_identifier_key="jane") == seam.devices.list()
    headers = {"authorization": f"Bearer {joe.token}"}
    with httpx.Client(base_url=server.endpoint, headers=headers, timeout=30) as client:
        assert len(client.get("/devices/list").json()["devices"]) == made.device_count
        seam.client_sessions.revoke(client_session_id=joe.client_session_id)
        answer = client.get("/devices/list")
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "client_session_revoked")
    seam.client_sessions.delete(client_session_id=joe.client_session_id)
    with pytest.raises(SeamHttpApiError) as gone:
        seam.client_sessions.get(client_session_id=joe.client_session_id)
    assert (gone.value.status_code, gone.value.code) == (404, "client_session_not_found")


def test_browser_asks_before_it_sends_a_token(server: LiveServer):
    """A page of another origin may send a session's headers and credentials: the preflight needs no token."""
    asks = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,client-session-token,seam-publishable-key",
    }
    answer = httpx.options(f"{server.endpoint}/locks/unlock_door", headers=asks)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-allow-credentials"] == "true"
    allowed = {each.strip() for each in answer.headers["access-control-allow-headers"].split(",")}
    assert set(asks["access-control-request-headers"].split(",")) <= allowed
    assert {"seam-client-session-token", "seam-user-identifier-key"} <= allowed
    refused_ = httpx.post(f"{server.endpoint}/locks/unlock_door", headers={"origin": "https://app.example"})
    assert refused_.status_code == 401
    assert refused_.headers["access-control-allow-origin"] == "https://app.example"
