"""The server as a process: how it comes up, makes room for nobody else, and goes away."""

from __future__ import annotations

import json
import re
import resource
import signal
import stat
import subprocess
import sys
import time

import httpx
import pytest

from tests.fixtures.server import COMMAND, Caller


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command line, to its end."""
    return subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, check=False, text=True, timeout=60
    )


def test_a_start_loads_only_what_it_needs():
    """The client of webhooks, the API's description, exported traces and other worlds come when needed."""
    program = (
        "import sys, thumbturn.main, thumbturn.api.table as table; table.endpoints(); print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert {"uvicorn", "sqlalchemy", "thumbturn.webhooks.lane"} <= loaded
    assert (
        not {"aiohttp", "aiomqtt", "thumbturn.api.openapi", "opentelemetry.sdk", "thumbturn.webhooks.post"}
        & loaded
    )
    assert not {"thumbturn.api.fake.app", "thumbturn.worlds.fake_seam_connect.planting"} & loaded


def test_sigterm_ends_it_in_time_with_zero(fresh_server):
    """SIGTERM ends it with 0 within five seconds; what was in flight is found out by the next start."""
    me = Caller(fresh_server, fresh_server.client(), "")
    door = me.locks()[0]["device_id"]
    me.call("/thumbturn/sandbox/inject_fault", device_id=door, fault="slow", milliseconds=6_000)
    begun = me.call("/locks/unlock_door", device_id=door)["action_attempt"]
    began = time.monotonic()
    fresh_server.process.send_signal(signal.SIGTERM)
    assert fresh_server.process.wait(timeout=20) == 0
    assert time.monotonic() - began < 5
    fresh_server.start()
    limit = time.monotonic() + 10  # a motor that runs is waited for so long
    found = begun
    while found["status"] == "pending" and time.monotonic() < limit:
        time.sleep(0.02)
        found = me.call("/action_attempts/get", action_attempt_id=begun["action_attempt_id"])[
            "action_attempt"
        ]
    assert (found["status"], found["result"]) == ("success", {"was_confirmed_by_device": True})
    lines = (fresh_server.data / "virtual-world.jsonl").read_text().splitlines()
    assert [line["did"] for line in map(json.loads, lines)].count("unlock") == 1


def test_second_server_on_one_folder_is_refused(fresh_server):
    """A second server on the same folder ends at once with one sentence, and the first goes on."""
    ended = run("serve", "--port", "0", "--data", fresh_server.data)
    assert ended.returncode == 1
    assert ended.stderr.startswith("thumbturn: ")
    assert len(ended.stderr.splitlines()) == 1
    assert httpx.get(f"{fresh_server.endpoint}/health").is_success


def test_taken_port_is_refused(server, tmp_path):
    """A port that is taken is named in one sentence."""
    ended = run("serve", "--port", server.port, "--data", tmp_path / "other")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert str(server.port) in ended.stderr


def test_tokens_are_shown_once(fresh_server):
    """The first start prints the tokens and snippets; later ones print only where they are kept."""
    key = fresh_server.credentials["api_key"]
    assert key in fresh_server.log.read_text()
    assert "from seam import Seam" in fresh_server.log.read_text()
    fresh_server.stop()
    fresh_server.log.write_text("")
    fresh_server.start()
    assert fresh_server.credentials["api_key"] == key
    assert key not in fresh_server.log.read_text()


def test_tokens_are_not_on_disk_in_clear(fresh_server):
    """No file of the data folder but credentials.json holds a token."""
    found = fresh_server.credentials
    me = Caller(fresh_server, fresh_server.client(), "")
    me.call("/locks/unlock_door", device_id=me.locks()[0]["device_id"], sync=True)
    fresh_server.stop()
    for path in fresh_server.data.rglob("*"):
        if path.is_file() and path.name != "credentials.json":
            for token in (found["api_key"], found["personal_access_token"]):
                assert token.encode() not in path.read_bytes(), path.name


def test_keypad_code_is_not_on_disk(fresh_server):
    """A PIN that was entered is in no file of the data folder and in no log line."""
    me = Caller(fresh_server, fresh_server.client(), "")
    door = me.locks()[0]["device_id"]
    code = "918273645546372"
    begun = me.call("/locks/simulate/keypad_code_entry", device_id=door, code=code)["action_attempt"]
    me.call("/thumbturn/attempts/timeline", action_attempt_id=begun["action_attempt_id"])
    fresh_server.stop()
    assert code not in fresh_server.log.read_text()
    for path in fresh_server.data.rglob("*"):
        if path.is_file():
            assert code.encode() not in path.read_bytes(), path.name


def test_as_many_connections_as_the_machine_grants(new_server):
    """The usual soft limit of open files is raised to the hard one: a thousand may wait and listen."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        server = new_server()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    numbers = httpx.get(f"{server.endpoint}/metrics").text
    assert float(re.search(r"^process_max_fds (\S+)$", numbers, re.MULTILINE)[1]) == hard


def test_empty_world_has_no_devices(new_server):
    """With --world empty the first workspace is no sandbox and has nothing in it."""
    server = new_server(options=("--world", "empty"))
    me = Caller(server, server.client(), "")
    assert me.call("/workspaces/get")["workspace"]["is_sandbox"] is False
    assert me.call("/devices/list")["devices"] == []


def test_settings_come_from_variables_too(tmp_path, monkeypatch):
    """A THUMBTURN_* variable sets what its flag sets; nonsense is refused with a sentence."""
    monkeypatch.setenv("THUMBTURN_PORT", "no port")
    ended = run("serve", "--data", tmp_path / "data")
    assert ended.returncode == 2
    assert "port" in ended.stderr.lower()


def test_nothing_that_is_written_is_for_others(new_server, tmp_path):
    """Whatever the server writes is for its owner only, also in a folder that others may read."""
    data = tmp_path / "shared"
    data.mkdir(mode=0o755)
    server = new_server(data)
    door = Caller(server, server.client(), server.credentials["workspace_id"]).locks()[0]["device_id"]
    assert server.client().post("/locks/unlock_door", json={"device_id": door, "sync": True}).is_success
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()}
    assert {"thumbturn.db", "thumbturn.db-wal", "virtual-world.jsonl", "credentials.json"} <= modes.keys()
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}


def test_a_folder_that_cannot_be_made_is_refused_with_a_sentence(tmp_path):
    """Where there is a file in the place of the data folder, the program says so and ends."""
    (tmp_path / "file").write_text("")
    for verb in ("serve", "migrate"):
        ended = run(verb, "--data", tmp_path / "file" / "data")
        assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://me:hush-hush@127.0.0.1:1/doors", "refused"),
        ("postgresql://me:hush-hush@127.0.0.1/doors?connect_timeout=soon", "connect_timeout"),
        ("mysql://me:hush-hush@127.0.0.1/doors", "must be sqlite:///FILE or postgresql://HOST/NAME"),
        ("hush-hush", "must be sqlite:///FILE or postgresql://HOST/NAME"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_with_a_sentence(tmp_path, url, says):
    """Where the database cannot be worked with, the program says why in one line, without the password."""
    for verb in ("serve", "migrate"):
        ended = run(verb, "--data", tmp_path / "data", "--database-url", url)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr.startswith("thumbturn: The database ")
        assert len(ended.stderr.splitlines()) == 1
        assert says in ended.stderr
        assert "hush-hush" not in ended.stderr


def test_a_file_that_is_no_database_is_refused_with_a_sentence(tmp_path):
    """Where something else lies in the database's place, the program says so and leaves it as it is."""
    (tmp_path / "thumbturn.db").write_text("My diary. " * 1_000)
    for verb in ("serve", "migrate"):
        ended = run(verb, "--data", tmp_path)
        assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
        assert "not a database" in ended.stderr
    assert (tmp_path / "thumbturn.db").read_text().startswith("My diary.")


def test_keys_are_made_listed_and_revoked(fresh_server):
    """`thumbturn keys` makes a key that opens the workspace until it is revoked."""
    where = ("--data", fresh_server.data)
    token = run("keys", "create", "for the test", *where).stdout.strip()
    run("keys", "create", "\x1b[2Jevil\nname", *where)
    assert httpx.post(
        f"{fresh_server.endpoint}/devices/list", headers={"authorization": f"Bearer {token}"}
    ).is_success
    listed = fresh_server.client().post("/thumbturn/keys/list").json()["keys"]
    key_id = next(key["key_id"] for key in listed if key["name"] == "for the test")
    shown = run("keys", "list", *where)
    assert "for the test" in shown.stdout
    assert token not in shown.stdout
    assert "\ufffd[2Jevil\ufffdname" in shown.stdout
    assert run("keys", "revoke", key_id, *where).stdout == "revoked\n"
    refused = httpx.post(
        f"{fresh_server.endpoint}/devices/list", headers={"authorization": f"Bearer {token}"}
    )
    assert refused.status_code == 401


def test_keys_without_a_server_say_so(tmp_path, fresh_server):
    """`thumbturn keys` ends with a sentence when there is no folder, no server or no such key."""
    no_folder = run("keys", "list", "--data", tmp_path / "nowhere")
    unknown = run("keys", "revoke", "nothing", "--data", fresh_server.data)
    fresh_server.stop()
    no_server = run("keys", "list", "--data", fresh_server.data)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "credentials.json").write_text(json.dumps({"endpoint": "x"}))
    not_ours = run("keys", "list", "--data", broken)
    for ended in (no_folder, unknown, no_server, not_ours):
        assert ended.returncode == 1
        assert ended.stderr.startswith("thumbturn: ")
        assert "Traceback" not in ended.stderr


def test_migrate_brings_an_empty_folder_to_the_newest_schema(tmp_path):
    """`thumbturn migrate` names the revisions that it applied; a second time there is nothing to apply."""
    first = run("migrate", "--data", tmp_path / "data")
    assert (first.returncode, first.stderr) == (0, "")
    assert re.search(r"\b0001\b", first.stdout)
    assert run("migrate", "--data", tmp_path / "data").stdout == "The database is up to date.\n"


@pytest.mark.parametrize("arguments", [(), ("--help",), ("serve", "--help")])
def test_help_is_given(arguments):
    """Every level of the command line explains itself."""
    assert "Usage" in run(*arguments).stdout
