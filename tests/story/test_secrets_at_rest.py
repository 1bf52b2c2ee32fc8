"""What must be read again, webhook secrets and tokens of sessions, is unreadable on disk without the key."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

from tests.fixtures.receiver import Receiver
from tests.fixtures.server import COMMAND, Caller, LiveServer
from thumbturn.domain.ids import random_bytes

KEY = "encryption.key"


def caller_of(server: LiveServer) -> Caller:
    """The server's first user."""
    return Caller(server, server.client(), server.credentials["workspace_id"])


def refused(server: LiveServer, **variables: str) -> str:
    """What the server says when it does not start: one sentence, and nothing else."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("THUMBTURN_")}
    ended = subprocess.run(
        [COMMAND, "serve", "--port", "0", "--data", str(server.data)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env=environment | variables,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith("thumbturn: ")
    return line


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its name."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def new_key() -> str:
    """As ``openssl rand -base64 32`` makes it."""
    return base64.b64encode(random_bytes(32)).decode()


def test_secret_is_in_no_file_and_no_line(fresh_server, receiver: Receiver):
    """Made, shown, used, rotated and killed at once: it is in no file, in no WAL and in no log line."""
    me = caller_of(fresh_server)
    made = me.call("/webhooks/create", url="https://hooks.example.invalid/in")["webhook"]
    me.call("/thumbturn/webhooks/test", webhook_id=made["webhook_id"])
    me.call("/thumbturn/webhooks/rotate_secret", webhook_id=made["webhook_id"])
    session = me.call("/client_sessions/create", user_identifier_key="jane")["client_session"]
    headers = {"client-session-token": session["token"]}
    assert me.http.post("/client_sessions/get", json={}, headers=headers).json()["client_session"] == session
    system = me.call("/acs/systems/list")["acs_systems"][0]["acs_system_id"]
    code = "48151623428151623"
    ask = {"access_method": "code", "acs_system_id": system, "code": code}
    me.http.post("/acs/credentials/create", json=ask, headers={"idempotency-key": "once"})
    shown = me.call("/acs/credentials/list")["acs_credentials"]
    assert [each["code"] for each in shown] == [code]
    after = me.call("/webhooks/get", webhook_id=made["webhook_id"])["webhook"]
    fresh_server.kill9()
    found = files(fresh_server.data)
    assert {"thumbturn.db", "thumbturn.db-wal", KEY} <= found.keys()
    assert b"v1." in b"".join(found.values()), "this looks at where the secrets are"
    found["the log"] = fresh_server.log.read_bytes()
    for secret in (made["secret"], after["secret"]):
        bare = secret.removeprefix("whsec_")
        for form in (bare.encode(), base64.b64decode(bare), base64.b64decode(bare).hex().encode()):
            assert [name for name, content in found.items() if form in content] == []
    assert [name for name, content in found.items() if code.encode() in content] == []
    token = session["token"].removeprefix("seam_cst_").encode()
    assert [name for name, content in found.items() if token in content] == []


#: Not part of any number that a server writes by chance.
PINS = ("90817263", "81726354", "72635481", "63548172")


def test_pin_is_in_no_file_and_no_line(fresh_server, receiver: Receiver):
    """Made, changed, entered, refused, asked for twice, delivered and killed: it is in no file or line."""
    me = caller_of(fresh_server)
    hook = me.call("/webhooks/create", url=receiver.url())["webhook"]
    front = next(each for each in me.locks() if each["display_name"] == "Front Door")["device_id"]
    first, second, by_hand, wrong = PINS
    again = {"Idempotency-Key": "a-key-of-mine"}
    ask = {"device_id": front, "code": first, "name": "Jane", "sync": True}
    answers = [me.http.post("/access_codes/create", json=ask, headers=again).json() for _ in range(2)]
    assert answers[0] == answers[1]
    code = answers[0]["access_code"]
    assert (code["code"], code["status"]) == (first, "set")
    id = {"access_code_id": code["access_code_id"]}
    me.call("/access_codes/update", **id, code=second, sync=True)
    me.call(
        "/access_codes/simulate/create_unmanaged_access_code", device_id=front, code=by_hand, name="Cleaner"
    )
    for pin in (second, wrong):
        me.call("/locks/simulate/keypad_code_entry", device_id=front, code=pin)
    assert me.http.post("/access_codes/create", json={**ask, "code": second}).status_code == 409
    me.call("/thumbturn/sandbox/touch_code", **id, code=first)
    me.call("/access_codes/delete", **id, sync=True)
    fresh_server.kill9()
    found = files(fresh_server.data)
    assert {"thumbturn.db", "thumbturn.db-wal", "virtual-world.jsonl"} <= found.keys()
    found["the log"] = fresh_server.log.read_bytes()
    for pin in PINS:
        assert [name for name, content in found.items() if pin.encode() in content] == []
    fresh_server.start()
    me = caller_of(fresh_server)
    [kept] = me.call("/access_codes/unmanaged/list", device_id=front)["access_codes"]
    assert kept["code"] == by_hand, "with the key they are all there"
    told = me.call("/events/list", **id)["events"]
    pins = [each["code"] for each in told if each["event_type"] == "access_code.set_on_device"]
    assert pins[:2] == [first, second]
    assert me.call("/webhooks/get", webhook_id=hook["webhook_id"])["webhook"]["webhook_id"]


def test_pins_can_be_read_when_the_key_was_changed(fresh_server):
    """Only the key that seals them is sealed anew."""
    me = caller_of(fresh_server)
    front = next(each for each in me.locks() if each["display_name"] == "Front Door")["device_id"]
    me.call("/access_codes/create", device_id=front, code=PINS[0], sync=True)
    fresh_server.variables["THUMBTURN_ENCRYPTION_KEY"] = new_key()
    fresh_server.restart()
    fresh_server.stop()
    (fresh_server.data / KEY).unlink()
    fresh_server.start()
    [code] = caller_of(fresh_server).call("/access_codes/list")["access_codes"]
    assert (code["code"], code["status"]) == (PINS[0], "set")


def test_server_without_its_key_does_not_start(fresh_server):
    """Without the key, or with another one, the server says so in a sentence; with it all is as before."""
    me = caller_of(fresh_server)
    before = me.call("/webhooks/create", url="https://hooks.example.invalid/in")["webhook"]
    fresh_server.stop()
    path = fresh_server.data / KEY
    key = path.read_text()
    path.unlink()
    assert KEY in refused(fresh_server)
    assert not path.exists(), "a new key would hide that the old one is missing"
    other = new_key()
    said = refused(fresh_server, THUMBTURN_ENCRYPTION_KEY=other)
    assert "not among those given" in said
    assert other not in said
    fresh_server.variables["THUMBTURN_ENCRYPTION_KEY"] = key.strip()
    fresh_server.start()
    assert caller_of(fresh_server).call("/webhooks/list")["webhooks"] == [before]


def test_key_is_changed_without_a_caller_noticing(fresh_server):
    """A start with the new key first, then one with it alone: the secret is what it was."""
    before = caller_of(fresh_server).call("/webhooks/create", url="https://hooks.example.invalid/in")[
        "webhook"
    ]
    key = new_key()
    fresh_server.variables["THUMBTURN_ENCRYPTION_KEY"] = key
    fresh_server.restart()
    fresh_server.stop()
    (fresh_server.data / KEY).unlink()
    fresh_server.start()
    assert caller_of(fresh_server).call("/webhooks/list")["webhooks"] == [before]
    assert not (fresh_server.data / KEY).exists()
    assert key not in fresh_server.log.read_text()


def test_loopback_is_open_only_where_it_is_allowed(new_server, receiver: Receiver):
    """A server goes to this machine itself when it was told that it may, and says so when it starts."""
    plain = new_server(variables={"THUMBTURN_WEBHOOK_ALLOW": ""})
    allowing = new_server(options=("--webhook-allow", "127.0.0.0/8,::1/128"))
    answer = caller_of(plain).http.post("/webhooks/create", json={"url": receiver.url()})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_webhook_url")
    assert "Webhooks may also go" not in plain.log.read_text()
    me = caller_of(allowing)
    made = me.call("/webhooks/create", url=receiver.url())["webhook"]
    me.call("/thumbturn/webhooks/test", webhook_id=made["webhook_id"])
    assert len(receiver.at()) == 1
    assert "Webhooks may also go to 127.0.0.0/8, ::1/128" in allowing.log.read_text()


def test_network_that_was_allowed_before_is_refused_when_used(fresh_server, receiver: Receiver):
    """A webhook that was made while its network was allowed is not sent when it is not any more."""
    made = caller_of(fresh_server).call("/webhooks/create", url=receiver.url())["webhook"]
    del fresh_server.variables["THUMBTURN_WEBHOOK_ALLOW"]
    fresh_server.restart()
    tried = caller_of(fresh_server).call("/thumbturn/webhooks/test", webhook_id=made["webhook_id"])
    assert "127.0.0.1 is a loopback address" in str(tried)
    assert receiver.at() == []


def test_setting_that_is_no_network_is_refused(fresh_server):
    """A network that is none is named, with an example of one, and the server does not start."""
    ended = subprocess.run(
        [COMMAND, "serve", "--data", str(fresh_server.data), "--webhook-allow", "127.0.0.0/8,10.0.0.300"],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 2
    said = " ".join(ended.stderr.replace("│", " ").split())
    assert "'10.0.0.300' is not a network" in said
    assert "10.0.0.0/8" in said
