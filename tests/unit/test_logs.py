"""Log lines: their form, their ids, and that no secret gets into one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.fixtures import log_canary as canary
from tests.lint.source import ROOT
from thumbturn.api.call import Call
from thumbturn.domain.about import ATTEMPT, REQUEST
from thumbturn.domain.discretion import HIDDEN
from thumbturn.domain.keys import mint_api_key, mint_personal_access_token
from thumbturn.domain.workspace import Workspace
from thumbturn.redaction import about, redact

#: Every way to a line, each by what it says of itself.
MARKERS = (
    *(
        f"{each}-marker"
        for each in ("event", "value", "name", "nested", "key", "exception", "stack", "raised")
    ),
    *(f"{each}-marker" for each in ("warning", "thread", "unraisable", "driver", "vendor", "bug", "lonely")),
    "uncaught-marker",
    *(
        f"{name}-{kind}marker"
        for name in ("uvicorn.error", "uvicorn.access", "aiohttp.client", "aiohttp.server", "asyncio")
        for kind in ("", "object-", "exception-")
    ),
)


@pytest.fixture(scope="module")
def written() -> str:
    """What a program wrote that pushed secrets through every way to a log line."""
    ended = subprocess.run(
        [sys.executable, "-m", canary.__name__],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(ROOT)])},
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    return ended.stderr


@pytest.mark.parametrize("marker", MARKERS)
def test_the_canary_went_every_way(written, marker):
    """Each way to a log line was gone: the next test would hold for a log that says nothing."""
    assert marker in written


@pytest.mark.parametrize("secret", [*canary.ALWAYS, canary.PIN])
def test_no_secret_is_in_any_line(written, secret):
    """No token, password, webhook secret or PIN is in any line, whole or as the text of another."""
    assert secret not in written
    # Three digits out of a PIN are in many a time and id.
    assert secret == canary.PIN or secret[4:-1] not in written


def test_every_line_is_one_object_of_json(written):
    """Each line is a JSON object with its time and level; no exception is printed in between."""
    for line in map(json.loads, written.splitlines()):
        assert {"event", "level", "timestamp"} <= line.keys()


def test_lines_carry_the_ids_of_what_they_are_about(written):
    """A driver's line, also of a library that knows nothing of us, names attempt, device and request."""
    lines = {line["event"].partition(" ")[0]: line for line in map(json.loads, written.splitlines())}
    broke = lines["action_broke"]
    ids = {"request_id", "action_attempt_id", "device_id"}
    for event in ("driver-marker", "vendor-marker"):
        assert {name: lines[event][name] for name in ids} == {name: broke[name] for name in ids}
    # The request that broke is another one, and is about no attempt.
    assert lines["request_failed"]["request_id"] != broke["request_id"]
    assert "action_attempt_id" not in lines["request_failed"]


class Spoken:
    """Something that a task is about."""

    def __init__(self, *secrets: str, **ids: str) -> None:
        self._secrets, self._ids = secrets, ids

    def ids(self) -> dict[str, str]:
        return self._ids

    def secrets(self) -> tuple[str, ...]:
        return self._secrets


@pytest.fixture
def of_task() -> Any:
    """Says what the present task is about, and takes it back."""
    tokens = []

    def say(variable: Any, subject: Any) -> None:
        tokens.append((variable, variable.set(subject)))

    yield say
    for variable, token in tokens:
        variable.reset(token)


def test_minted_tokens_look_like_tokens():
    """Whatever token this server makes is known by its looks."""
    workspaces = [Workspace(id="w", name="w", is_sandbox=each) for each in (True, False)]
    tokens = [mint_api_key(each, "k", 1).token for each in workspaces]
    tokens.append(mint_personal_access_token("u", "k", 1).token)
    for token in tokens:
        assert redact(None, "", {"event": f"<{token}>"}) == {"event": f"<{HIDDEN}>"}


def test_known_secrets_are_hidden_and_ids_are_not(of_task):
    """The secrets of request and attempt are hidden in every value, but ids stay whole."""
    of_task(REQUEST, Spoken("abc", "ab", request_id="r"))
    of_task(ATTEMPT, Spoken("1234", action_attempt_id="a1234", device_id="d"))
    line = about(None, "", {"event": "1234 or xabcx", "pin_length": 4, "number": 1234, "ratio": 0.5})
    assert redact(None, "", line) == {
        "event": f"{HIDDEN} or x{HIDDEN}x",
        "pin_length": HIDDEN,
        "number": HIDDEN,
        "ratio": 0.5,
        "request_id": "r",
        "action_attempt_id": "a1234",
        "device_id": "d",
    }


def test_harmless_things_are_left_alone():
    """What is no secret is written as it is: status codes, plain values, addresses without a password."""
    line = {
        "event": "seam_client_session_token is a header",
        "status_code": 503,
        "nothing": None,
        "is_it": True,
        "url": "postgresql://db.example/doors",
        "at": "http://127.0.0.1:8470/x",
        "many": ["a", 1],
    }
    assert redact(None, "", dict(line)) == line


def test_a_call_names_its_secrets():
    """A request's secrets are its tokens and its PINs, also those of commands in a list."""
    headers = {
        b"authorization": b"Bearer  tok",
        b"client-session-token": b" cst ",
        b"seam-client-session-token": b"other",
        b"seam-publishable-key": b"pk",
    }
    call = Call({"path": "/x", "headers": []}, headers, "r", None)
    call.parameters = {"code": 1234, "device_id": "d", "commands": [{"code": "5678", "name": "n"}]}
    assert set(call.secrets()) == {"tok", "cst", "other", "pk", "1234", "5678"}
    assert call.ids() == {"request_id": "r"}
