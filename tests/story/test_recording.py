"""From a lock at home to one in a sandbox: `thumbturn record`, over real sockets."""

from __future__ import annotations

import json
import re
import subprocess

import httpx

from tests.fixtures.server import COMMAND, LiveServer
from tests.story.test_linking_a_hub import HubProcess, connect, until
from thumbturn.domain.recording import recording_in


def record(server: LiveServer, *arguments: str) -> subprocess.Popen[str]:
    """The command line, under way."""
    command = [COMMAND, "record", *arguments, "--data", str(server.data)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_a_lock_at_home_is_recorded_and_tried_in_a_sandbox(fresh_server: LiveServer):
    """What a person does while he records is in the file by its names, and a sandbox can have the lock."""
    with HubProcess() as hub:
        [key] = re.findall(r"shown this once: (\S+)", connect(fresh_server, "zwave_js", hub.url).stdout)
        headers = {"authorization": f"Bearer {key}"}
        with httpx.Client(base_url=fresh_server.endpoint, headers=headers, timeout=30) as http:

            def lock() -> dict[str, object]:
                devices = http.post("/devices/list").json()["devices"]
                return next(each for each in devices if each["display_name"] == "BE469")

            until(lambda: bool(lock()["properties"]["online"]))  # type: ignore[index]
            account, device = str(lock()["connected_account_id"]), str(lock()["device_id"])
            recording = record(fresh_server, "--account", account, "--device", device)
            assert recording.stdin is not None
            assert recording.stderr is not None
            recording.stdin.write("Unlock in the app\n")
            recording.stdin.flush()
            # It has been named once that is said.
            while "so far" not in recording.stderr.readline():
                assert recording.poll() is None
            ask = {"device_id": device, "sync": True}
            assert http.post("/locks/unlock_door", json=ask).json()["action_attempt"]["status"] == "success"
            written, _ = recording.communicate("\n", timeout=60)
            assert recording.returncode == 0
    trace = json.loads(written)
    assert [scene["name"] for scene in trace["scenes"]] == ["found", "unlock in the app"]
    assert (recording_in(trace).model, hub.url in written) == ("Allegion BE469", False)
    headers = {"authorization": f"Bearer {fresh_server.credentials['api_key']}"}
    with httpx.Client(base_url=fresh_server.endpoint, headers=headers, timeout=30) as http:
        added = http.post("/thumbturn/sandbox/add_recorded_device", json={"trace": trace}).json()
        ask = {"device_id": added["device_id"], "sync": True}
        assert http.post("/locks/unlock_door", json=ask).json()["action_attempt"]["status"] == "success"
