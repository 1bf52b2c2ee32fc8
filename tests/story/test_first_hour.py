"""What a newcomer does in the first hour: start, look, unlock, break something, stop, start again."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys

import httpx
import pytest

from tests.fixtures.server import COMMAND, Caller
from tests.lint.source import ROOT

README = (ROOT / "README.md").read_text()


def test_the_first_hour(fresh_server):
    """A newcomer finds the key, lists the locks, unlocks one, and reads what happened to the attempt."""
    found = fresh_server.credentials
    assert found["endpoint"] == fresh_server.endpoint
    assert stat.S_IMODE((fresh_server.data / "credentials.json").stat().st_mode) == 0o600
    me = Caller(fresh_server, fresh_server.client(), found["workspace_id"])
    door = me.locks()[0]

    attempt = me.call("/locks/unlock_door", device_id=door["device_id"], sync=True)["action_attempt"]
    assert attempt["status"] == "success"
    assert attempt["result"] == {"was_confirmed_by_device": True}

    timeline = me.call("/thumbturn/attempts/timeline", action_attempt_id=attempt["action_attempt_id"])[
        "timeline"
    ]
    stages = [stage["stage"] for stage in timeline["stages"]]
    assert stages[0] == "accepted"
    assert stages[-1] == "settled"
    assert "sent" in stages
    times = [stage["occurred_at"] for stage in timeline["stages"]]
    assert times == sorted(times)
    assert timeline["settled_at"] == times[-1]

    assert me.call("/devices/get", device_id=door["device_id"])["device"]["properties"]["locked"] is False


def test_honest_error_and_its_cure(caller):
    """A fault ends the attempt with its cause; once it is cleared the same command succeeds."""
    door = caller.locks()[0]["device_id"]
    caller.call("/thumbturn/sandbox/inject_fault", device_id=door, fault="jam")
    attempt = caller.call("/locks/unlock_door", device_id=door, sync=True)["action_attempt"]
    assert (attempt["status"], attempt["error"]["type"], attempt["result"]) == ("error", "lock_jammed", None)
    caller.call("/thumbturn/sandbox/clear_faults")
    attempt = caller.call("/locks/unlock_door", device_id=door, sync=True)["action_attempt"]
    assert attempt["status"] == "success"


def test_what_was_answered_is_kept(any_server):
    """After kill -9 and a restart the attempt, its end and the key are as they were, on either database."""
    me = Caller(any_server, any_server.client(), "")
    door = me.locks()[0]["device_id"]
    before = me.call("/locks/unlock_door", device_id=door, sync=True)["action_attempt"]
    any_server.kill9()
    any_server.restart()
    after = me.call("/action_attempts/get", action_attempt_id=before["action_attempt_id"])["action_attempt"]
    assert after == before
    assert me.call("/devices/get", device_id=door)["device"]["properties"]["locked"] is False


def test_odd_ids_fit_nothing(any_server):
    """An id of any shape, as others make them, is not found and never an error, on either database."""
    me = any_server.client()
    for odd in ("august_device_1", "\x00", "ü", "'; --", "%", "x" * 10_000, " ", "123"):
        for path, parameter in (
            ("/devices/get", "device_id"),
            ("/locks/unlock_door", "device_id"),
            ("/action_attempts/get", "action_attempt_id"),
            ("/thumbturn/attempts/timeline", "action_attempt_id"),
            ("/events/get", "event_id"),
        ):
            answer = me.post(path, json={parameter: odd})
            assert answer.status_code == 404, (path, odd, answer.text)
        for path, ask, answers in (
            ("/action_attempts/list", {"action_attempt_ids": [odd]}, "action_attempts"),
            ("/devices/list", {"device_ids": [odd]}, "devices"),
            ("/devices/list", {"search": odd * 2}, "devices"),
            ("/events/list", {"event_ids": [odd]}, "events"),
        ):
            answer = me.post(path, json=ask)
            assert answer.json().get(answers) == [], (path, odd, answer.text)


def test_sandbox_begins_the_same_for_the_same_seed(new_server):
    """Two servers with the same seed have locks of the same names in the same state."""
    worlds = []
    for _ in range(2):
        server = new_server(options=("--seed", "7"))
        me = Caller(server, server.client(), "")
        worlds.append([(lock["display_name"], lock["properties"]["locked"]) for lock in me.locks()])
    assert worlds[0] == worlds[1]


def test_the_reference_is_served(server):
    """The OpenAPI description and a page to read it come from the server itself."""
    described = httpx.get(f"{server.endpoint}/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert "/locks/unlock_door" in described["paths"]
    page = httpx.get(f"{server.endpoint}/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


def snippet(language: str) -> str:
    """The README's first code block in a language."""
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found, f"the README has no {language} snippet"
    return found[1]


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_readme_snippet_runs(server, tmp_path, language):
    """The README's snippet unlocks a door, with nothing changed in it but the key and the port."""
    code = snippet(language)
    assert code.count("seam_testkey_...") == 1
    assert code.count("http://127.0.0.1:8470") == 1
    code = code.replace("seam_testkey_...", server.credentials["api_key"])
    code = code.replace("http://127.0.0.1:8470", server.endpoint)
    if language == "python":
        file, command, expected = tmp_path / "snippet.py", sys.executable, "success True\n"
    else:
        file, command, expected = tmp_path / "snippet.mjs", shutil.which("node") or "node", "success true\n"
        (tmp_path / "node_modules").symlink_to(ROOT / "tests" / "wire" / "sdk" / "js" / "node_modules")
    file.write_text(code)
    ended = subprocess.run([command, file], capture_output=True, check=False, text=True, timeout=60)
    assert (ended.stdout, ended.returncode) == (expected, 0), ended.stderr


def test_readme_fault_is_injected_with_curl(server, caller):
    """The README's curl line makes a lock jam."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    token = server.credentials["api_key"]
    owner = Caller(server, server.client(), "")
    door = owner.locks()[0]["device_id"]  # the line asks the list for its first lock
    line = next(block for block in re.findall(r"```shell\n(.*?)```", README, re.DOTALL) if "curl" in block)
    ended = subprocess.run(
        [
            "/bin/sh",
            "-c",
            line.replace("http://127.0.0.1:8470", server.endpoint).replace("seam_testkey_...", token),
        ],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
        text=True,
    )
    assert json.loads(ended.stdout)["ok"] is True
    attempt = owner.call("/locks/lock_door", device_id=door, sync=True)["action_attempt"]
    assert attempt["error"]["type"] == "lock_jammed"


def test_demo_runs_and_leaves_nothing():
    """The demo tells its story to the end: a confirmed success, then an honest error."""
    ended = subprocess.run(
        [sys.executable, ROOT / "scripts" / "demo.py"],
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr + ended.stdout
    for word in ("was_confirmed_by_device", "lock.unlocked", "settled", "lock_jammed", "its folder is gone"):
        assert word in ended.stdout
    assert ended.stderr == ""


def test_make_bench_starts():
    """What `make bench` runs is there and says what it can measure."""
    planned = subprocess.run(
        ["make", "-n", "bench"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    command = next(line for line in planned.splitlines() if "bench" in line)
    ended = subprocess.run(
        [sys.executable, *command.split()[1:], "--help"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert "low_load" in ended.stdout


def test_version_is_told():
    """`thumbturn version` prints the version."""
    ended = subprocess.run([COMMAND, "version"], capture_output=True, check=True, text=True)
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", ended.stdout)
