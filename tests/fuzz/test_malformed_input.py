"""Whatever is thrown at the server: never a 5xx, never anything but the JSON envelope."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_from_bytes

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.server import LiveServer, caller_in_new_sandbox

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Answer:
    """What came back, as far as the envelope goes."""

    status: int
    headers: dict[str, str]
    body: Any


class Thrower:
    """Sends requests that no well-behaved client would send."""

    def __init__(self, server: LiveServer) -> None:
        self.port = server.port
        owner = caller_in_new_sandbox(server, "fuzz")
        self.headers = dict(owner.http.headers)
        self.door = owner.locks()[0]["device_id"]
        self.paths = sorted(httpx.get(f"{server.endpoint}/openapi.json").json()["paths"])

    def throw(self, method: str, target: str, body: bytes | None = None, **headers: str) -> Answer:
        """The answer, which must be an envelope and no 5xx."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        authorized = {key: self.headers[key] for key in ("authorization", "seam-workspace")}
        sent = (
            authorized
            | {"content-type": "application/json"}
            | {name.replace("_", "-"): value for name, value in headers.items()}
        )
        try:
            connection.request(method, target, body=body, headers=sent)
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            if told["content-type"].startswith("text/event-stream"):
                assert (response.status, target.split("?", maxsplit=1)[0]) == (200, "/thumbturn/stream")
                return Answer(response.status, told, {"ok": True})  # the rest of it never ends
            text = response.read()
        finally:
            connection.close()
        assert response.status < 500, (method, target, body, text)
        assert told["content-type"].startswith("application/json"), (method, target, text)
        assert told["seam-request-id"]
        found = json.loads(text)
        if response.status < 400:
            assert found["ok"] is True, (method, target, body)
        else:
            error = found["error"]
            assert found["ok"] is False
            assert isinstance(error["type"], str)
            assert isinstance(error["message"], str)
            assert error["request_id"] == told["seam-request-id"]
            if error["type"] == "invalid_input":
                assert isinstance(error["validation_errors"]["_errors"], list)
        return Answer(response.status, told, found)


@pytest.fixture(scope="module")
def thrower(server: LiveServer) -> Thrower:
    return Thrower(server)


WORDS = [
    "device_id", "device_ids", "action_attempt_id", "limit", "page_cursor", "name", "custom_metadata", "code",
    "auto_lock_enabled", "auto_lock_delay_seconds", "event_types", "since", "between", "sync", "search",
    "fault", "times", "milliseconds", "count", "is_sandbox", "company_name", "key_id", "_strict",
]  # fmt: skip
words = st.sampled_from(WORDS)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["\x00", "2023-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00-14:00"]
    )
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=5), inner, max_size=4)
    ),
)
asks = st.dictionaries(words, values, max_size=6)
queries = st.lists(
    st.tuples(
        words,
        st.sampled_from(["=", "", "[]=", "[0]=", ".x=", "=="]),
        st.binary(max_size=8).map(quote_from_bytes) | st.text("%,&=+.[]0a", max_size=8),
    ),
    max_size=6,
).map(lambda parts: "&".join("".join(part) for part in parts))
often = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@often
@given(data=st.data(), ask=asks)
def test_any_json_object(thrower, data, ask):
    """Any JSON object at any endpoint gets an envelope."""
    path = data.draw(st.sampled_from(thrower.paths))
    ask = {key: thrower.door if key == "device_id" and value is None else value for key, value in ask.items()}
    thrower.throw("POST", path, json.dumps(ask).encode())


@often
@given(
    data=st.data(),
    body=st.binary(max_size=64),
    kind=st.sampled_from(["application/json", "text/plain", "", "a/b;"]),
)
def test_any_bytes(thrower, data, body, kind):
    """Any bytes under any content type get an envelope."""
    path = data.draw(st.sampled_from(thrower.paths))
    thrower.throw(data.draw(st.sampled_from(["POST", "PATCH", "GET"])), path, body, content_type=kind)


@often
@given(data=st.data(), query=queries)
def test_any_query(thrower, data, query):
    """Any query string, strict or not, gets an envelope."""
    path = data.draw(st.sampled_from(thrower.paths))
    strict = data.draw(st.sampled_from(["", "&_strict=true"]))
    thrower.throw("GET", f"{path}?{query}{strict}")


@often
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"]),
    path=st.text("/abc_.%20é", max_size=30).map(
        lambda text: "/" + quote_from_bytes(text.encode(), safe="/%._")
    ),
)
def test_any_path_and_method(thrower, method, path):
    """A path where nothing is answers in the envelope too, whatever the method."""
    answer = thrower.throw(method, path)
    assert answer.status in {400, 404, 405}


@often
@given(token=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
def test_any_token(thrower, token):
    """A token that was made up opens nothing."""
    for authorization in (token, f"Bearer {token}", f"Basic {token}"):
        answer = thrower.throw("POST", "/devices/list", b"{}", authorization=authorization)
        assert (answer.status, answer.body["error"]["type"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b'{"device_id": NaN}', 400),
        (b'{"device_id": "\xff\xfe"}', 400),
        (b"\xef\xbb\xbf{}", 400),
        (b'{"device_id": "\\ud800"}', 400),
        (b'{"device_id": "a", "device_id": 7}', 400),
        (b'{"device_id": ' + b"9" * 5_000 + b"}", 400),
        (b'{"device_id": "\\u0000"}', 404),
        (b'{"device_id": "' + b"x" * 100_000 + b'"}', 404),
        (b"[" * 200_000, 400),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400),
    ],
    ids=range(15),
)
def test_odd_bodies(thrower, body, status):
    """Bodies that break parsers are refused with the status that fits."""
    assert thrower.throw("POST", "/devices/get", body).status == status


def test_body_of_a_mebibyte_is_the_limit(thrower):
    """A body of exactly 1 MiB is read; one byte more is 413."""
    frame = len(b'{"device_id": ""}')
    fits = b'{"device_id": "' + b"x" * (MEBIBYTE - frame) + b'"}'
    assert thrower.throw("POST", "/devices/get", fits).status == 404
    assert thrower.throw("POST", "/devices/get", fits + b" ").status == 413


def test_wrong_method_and_content_type_are_named(thrower):
    """A wrong method is 405 and says which are right; a body that is no JSON is 400 invalid_content_type."""
    answer = thrower.throw("DELETE", "/locks/unlock_door")
    assert (answer.status, answer.body["error"]["message"]) == (405, "only POST accepted")
    answer = thrower.throw("POST", "/locks/unlock_door", b"device_id=1", content_type="text/plain")
    assert (answer.status, answer.body["error"]["type"]) == (400, "invalid_content_type")


def test_order_of_checks(thrower):
    """Authentication comes before the method, the method before the content type, that before the input."""
    bad = {"authorization": "Bearer nobody"}
    assert thrower.throw("DELETE", "/locks/unlock_door", b"x", content_type="x/y", **bad).status == 401
    assert thrower.throw("DELETE", "/locks/unlock_door", b"x", content_type="x/y").status == 405
    answer = thrower.throw("POST", "/locks/unlock_door?a[0=1", b"x", content_type="x/y")
    assert answer.body["error"]["type"] == "invalid_content_type"
