"""Whatever is thrown at the server: never a 5xx, never anything but the JSON envelope."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.server import LiveServer, caller_in_new_sandbox
from thumbturn.api.openapi import openapi
from thumbturn.api.table import endpoints

MEBIBYTE = 1 << 20


def no_json(constant: str) -> Any:
    """What JavaScript does with ``Infinity`` and ``NaN``; Python would read them."""
    raise AssertionError(f"{constant} is no JSON")


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
        system = owner.call("/acs/systems/list")["acs_systems"][0]["acs_system_id"]
        user = owner.call("/acs/users/create", acs_system_id=system, full_name="Fuzz")["acs_user"]
        person = owner.call("/user_identities/create")["user_identity"]
        self.known: dict[str, Any] = {
            "device_id": self.door,
            "acs_system_id": system,
            "acs_user_id": user["acs_user_id"],
            "user_identity_id": person["user_identity_id"],
        }
        #: At which device, by how its endpoints begin; at a door where nothing is said.
        self.at = {
            f"/{kind}": owner.call(f"/{kind}/list")["devices"][0]["device_id"]
            for kind in ("thermostats", "noise_sensors")
        }
        self.paths = PATHS

    def ask_at(self, path: str) -> dict[str, Any]:
        """What the endpoint must be given: existing things, and otherwise what is right in its kind."""
        schema = asked_at(path)
        ask = {name: self._right(name, schema["properties"][name]) for name in schema.get("required", ())}
        ask |= {name: id for name, id in self.known.items() if name in schema.get("properties", {})}
        at = next((id for kind, id in self.at.items() if path.startswith(kind)), self.door)
        return ask | ({"device_id": at} if "device_id" in ask else {})

    def _right(self, name: str, schema: Mapping[str, Any]) -> Any:
        shape = shape_of(schema)
        if "enum" in shape or "const" in shape:
            return shape.get("const") or shape["enum"][0]
        if name in KNOWN_WORDS:
            return KNOWN_WORDS[name]
        match shape.get("type"):
            case "array":
                return [self._right(name.removesuffix("s"), shape["items"])]
            case "object":
                needed = shape.get("required", ())
                return {each: self._right(each, shape["properties"][each]) for each in needed}
            case "boolean":
                return True
            case "integer" | "number":
                return shape.get("minimum", 1)
        return self.known.get(name, "1234")

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
        found = json.loads(text, parse_constant=no_json)
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


DOCUMENT = openapi(endpoints())


def shape_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema, or what it refers to; of several, the first that is not null."""
    while "$ref" in schema or "anyOf" in schema:
        if "$ref" in schema:
            schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        else:
            schema = next(each for each in schema["anyOf"] if each.get("type") != "null")
    return schema


def asked_at(path: str) -> Mapping[str, Any]:
    """What the endpoint takes, as the document has it."""
    for operation in DOCUMENT["paths"][path].values():
        if "requestBody" in operation:
            return shape_of(operation["requestBody"]["content"]["application/json"]["schema"])
    return {}


def parts(schema: Mapping[str, Any], *where: str) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Each parameter, and each part of one, with its place and its schema."""
    for name, each in schema.get("properties", {}).items():
        shape = shape_of(each)
        yield (*where, name), shape
        yield from parts(shape, *where, name)


PATHS = sorted(DOCUMENT["paths"])
WORDS = sorted({place[-1] for path in PATHS for place, _ in parts(asked_at(path))} | {"_strict"})
#: In UTC, the first two and the last two are no moments.
EDGES_OF_TIME = [
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00+00:01",
    "0001-01-01T00:00:00Z",
    "2023-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59-15:00",
]
KNOWN_WORDS = {"climate_preset_key": "home", "starts_at": EDGES_OF_TIME[3], "ends_at": EDGES_OF_TIME[4]}
EDGES_OF_NUMBERS = [1.7e308, -1.7e308, 1e9, -1e9, 5e-324, 2**63, float("inf"), -float("inf")]
words = st.sampled_from(WORDS)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["\x00", *EDGES_OF_TIME])
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
    """Any JSON object at any endpoint gets an envelope, with and without what the endpoint needs."""
    path = data.draw(st.sampled_from(thrower.paths))
    properties = sorted(asked_at(path).get("properties", {})) or WORDS
    ask |= data.draw(st.dictionaries(st.sampled_from(properties), scalars, max_size=2))
    needed = data.draw(st.sampled_from([{}, thrower.ask_at(path)]))
    thrower.throw("POST", path, json.dumps(ask | needed).encode())


def test_edges_of_every_moment_and_number(thrower):
    """The ends of time and of the numbers are taken or refused, and the lists can be read thereafter.

    Each moment and number that an endpoint takes is thrown alone and with its neighbour, with all that the
    endpoint needs.
    """
    thrown = 0
    for path in PATHS:
        for kind, edges in (("date-time", EDGES_OF_TIME), ("number", EDGES_OF_NUMBERS)):
            places = [
                place
                for place, shape in parts(asked_at(path))
                if kind in (shape.get("format"), shape.get("type"))
            ]
            for some in [[place] for place in places] + list(pairwise(places)):
                for values in combinations(edges, len(some)):
                    ask = thrower.ask_at(path)
                    for place, value in zip(some, values, strict=True):
                        put(ask, place, value)
                    body = json.dumps(ask).replace("Infinity", "1e999")
                    if thrower.throw("POST", path, body.encode()).status == 200:
                        thrown += 1
                        for each in lists_above(path):
                            thrower.throw("POST", each, json.dumps(thrower.ask_at(each)).encode())
    assert thrown > 50, "hardly anything was taken: what endpoints need is not what it is thrown with"


def lists_above(path: str) -> list[str]:
    """The lists that may have in them what an endpoint makes or changes."""
    names = path.split("/")
    above = ("/".join([*names[:end], "list"]) for end in range(2, len(names)))
    return [each for each in above if each in PATHS]


def put(ask: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    for name in place[:-1]:
        ask = ask.setdefault(name, {})
    ask[place[-1]] = value


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
