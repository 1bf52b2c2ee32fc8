"""What holds for every request: envelopes, ids, methods, the order of checks, and odd input."""

from __future__ import annotations

from typing import Any

import pytest

from thumbturn.api.callers import Person
from thumbturn.api.table import endpoints
from thumbturn.domain.refusals import Overloaded, StorageUnavailable

TABLE = endpoints()
GUARDED = sorted(path for path, endpoint in TABLE.items() if endpoint.access is not None)


@pytest.mark.parametrize("path", GUARDED)
async def test_every_path_keeps_the_order_of_checks(wire, path):
    """Authentication comes before the method, the method before the body, the body before the query."""
    junk: dict[str, Any] = {"body": b"{", "headers": {"content-type": "text/plain"}}
    refused = await wire.ask("TRACE", f"{path}?_strict=true&x=%ff", token=None, **junk)
    assert (refused.status, refused.error["message"]) == (401, "No authentication methods succeeded")
    junk["token"] = wire.access_token if TABLE[path].access is Person else ""
    refused = await wire.ask("TRACE", f"{path}?x=%ff", **junk)
    methods = ",".join(TABLE[path].methods)
    assert (refused.status, refused.error["type"]) == (405, "method_not_allowed")
    assert (refused.error["message"], refused.headers["allow"]) == (f"only {methods} accepted", methods)
    if "POST" not in TABLE[path].methods:
        refused = await wire.ask("GET", f"{path}?device_id=%ff", **{**junk, "body": None})
        assert (refused.status, refused.error["type"]) == (400, "invalid_query_params")
        return
    refused = await wire.ask("POST", f"{path}?device_id=%ff", **junk)
    assert (refused.status, refused.error["type"]) == (400, "invalid_content_type")
    wanted = 'POST requests must have Content-Type header with "application/json"'
    assert refused.error["message"] == wanted


async def test_query_is_read_before_anything_is_validated(wire):
    """A query that cannot be read is refused before missing parameters are."""
    refused = await wire.ask("GET", "/locks/list?search=a&search=b&limit=x")
    assert (refused.status, refused.error) == (
        400,
        {
            "type": "invalid_query_params",
            "message": "Could not parse parameter: 'search' is given more than once",
        },
    )


async def test_preflight_needs_no_token(wire):
    """OPTIONS is answered before anything is checked, for any path, with what a browser needs."""
    for path in ("/locks/unlock_door", "/nowhere"):
        reply = await wire.ask("OPTIONS", path, token=None, headers={"origin": "http://app.test"})
        assert reply.status == 200
        assert reply.headers["access-control-allow-origin"] == "http://app.test"
        assert reply.headers["access-control-allow-credentials"] == "true"
        assert "PATCH" in reply.headers["access-control-allow-methods"]
        assert "seam-workspace" in reply.headers["access-control-allow-headers"]
        assert reply.headers["seam-request-id"]


@pytest.mark.parametrize(
    ("origin", "allowed"), [("", "*"), ("http://a.test", "http://a.test"), ("\x7f\xff", "*")]
)
async def test_origin_is_echoed(wire, origin, allowed):
    """Every reply allows the origin that asked; one that is no plain text is not echoed."""
    reply = await wire.ask("GET", "/health", headers={"origin": origin})
    assert reply.headers["access-control-allow-origin"] == allowed
    assert reply.headers["access-control-expose-headers"] == (
        "seam-request-id, idempotent-replayed, preference-applied, retry-after"
    )


async def test_unknown_path(wire):
    """Where nothing is, the answer is 404 in the envelope, with or without a token."""
    for token in ("", None):
        refused = await wire.ask("GET", "/nowhere", token=token)
        assert (refused.status, refused.error["type"]) == (404, "not_found")


async def test_request_ids_differ(wire):
    """Every reply has a request id of its own."""
    ids = {(await wire.ask("GET", "/health", token=None)).headers["seam-request-id"] for _ in range(20)}
    assert len(ids) == 20


SAME = [
    ("/action_attempts/list", {"limit": 3, "action_attempt_ids": ["a", "b"]},
     "limit=3&action_attempt_ids=a&action_attempt_ids=b"),
    ("/devices/get", {"name": "Front Door"}, "name=Front+Door"),
    ("/devices/list", {"custom_metadata_has": {"on": True}, "limit": 2},
     "custom_metadata_has.on=true&limit=2"),
    ("/locks/list", {"device_types": ["august_lock"], "search": "door"},
     "device_types=august_lock&search=door"),
    ("/events/list", {"between": ["2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z"]},
     "between=2000-01-01T00:00:00Z&between=2100-01-01T00:00:00Z"),
    ("/devices/get", {}, ""),
    ("/devices/list", {"device_type": "toaster", "limit": 0}, "device_type=toaster&limit=0"),
    ("/action_attempts/get", {"action_attempt_id": None}, "action_attempt_id="),
]  # fmt: skip


@pytest.mark.parametrize(("path", "ask", "query"), SAME, ids=lambda each: str(each)[:40])
@pytest.mark.parametrize("dialect", ["", "&_strict=true"])
async def test_three_ways_to_ask_are_one(wire, path, ask, query, dialect):
    """GET with a query, POST with a body and GET with a body have the same answer, good or bad."""
    replies = [
        await wire.ask("GET", f"{path}?{query}{dialect}"),
        await wire.ask("POST", path, ask),
        await wire.ask("GET", path, ask),
    ]

    def told(reply: Any) -> Any:
        return reply.status, reply.json if reply.status == 200 else reply.error

    assert told(replies[0]) == told(replies[1]) == told(replies[2])


async def test_a_get_with_a_body_that_is_not_json(wire):
    """A GET has its query; a body that does not say it is JSON is ignored."""
    path = "/devices/get?name=Front+Door"
    assert (await wire.ask("GET", path, b"<html>", headers={"content-type": "text/html"})).status == 200


async def test_body_wins_over_query(wire):
    """Query and body are merged; what both name is taken from the body."""
    reply = await wire.ask(
        "POST", "/devices/get?name=Front+Door&device_id=x", {"device_id": await wire.door()}
    )
    assert reply.json["device"]["display_name"] == "Front Door"


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"body": b""},
        {"body": b"", "headers": {"content-type": "application/x-www-form-urlencoded"}},
        {"body": b"{}"},
        {"body": b"{}", "headers": {"content-type": "Application/JSON; charset=utf-8"}},
        {"body": b'{"unknown": 1}'},
    ],
)
async def test_no_parameters_in_any_way(wire, how):
    """No body, an empty one of any type and an empty object are the same; unknown keys are ignored."""
    assert (await wire.ask("POST", "/workspaces/get", **how)).status == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "The body is not valid JSON"),
        (b"{'a': 1}", "The body is not valid JSON"),
        (b'{"device_id": "\xff"}', "The body is not valid JSON"),
        (b'{"device_id": "\\ud800"}', "The body is not valid JSON"),
        (b'{"device_id": NaN}', "The body is not valid JSON"),
        (b"9" * 10_000, "The body is not valid JSON"),
        (b"[" * 100_000, "The body is not valid JSON"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "The body is not valid JSON"),
        (b"[]", "Expected object, received array"),
        (b"null", "Expected object, received null"),
        (b'"a"', "Expected object, received string"),
        (b'{"device_id": "a", "device_id": 1}', "Expected string, received number"),
        (b'{"device_id": 1e999}', "Expected string, received number"),
    ],
    ids=lambda each: str(each)[:30],
)
async def test_odd_bodies(wire, body, message):
    """What is no JSON object, or no good one, is 400 in the envelope."""
    refused = await wire.ask("POST", "/locks/unlock_door", body)
    assert refused.status == 400
    error = refused.error
    assert error["type"] == "invalid_input"
    assert error["message"].startswith(message)
    assert "validation_errors" in error


@pytest.mark.parametrize(
    "body",
    [b'{"device_id": "a\\u0000b"}', b'{"device_id": "\\\\\\u0000"}', b'{"device_id": "\xf0\x9f\x9a\xaa"}'],
)
async def test_any_text_is_an_id(wire, body):
    """Whatever is text is an id that may be unknown: 404, never 400."""
    assert (await wire.ask("POST", "/locks/unlock_door", body)).status == 404


async def test_an_escaped_backslash_before_u0000_is_text(wire):
    """Only the character U+0000 is replaced, not letters that look like its escape."""
    door = await wire.door()
    await wire.ask(
        "POST", "/devices/update", b'{"device_id":"%b","name":"a\\\\u0000b\\u0000"}' % door.encode()
    )
    assert (await wire.call("/devices/get", device_id=door))["device"]["nickname"] == "a\\u0000b\ufffd"


@pytest.mark.parametrize("chunks", [1, 7])
@pytest.mark.parametrize("is_declared", [True, False])
async def test_size_of_a_body(wire, chunks, is_declared):
    """A body of 1 MiB is read, one byte more is 413: declared or found out, whole or in chunks."""
    declared = {} if is_declared else {"content-length": "", "transfer-encoding": "chunked"}
    frame = b'{"device_id":""}'
    fits = b'{"device_id":"%b"}' % (b"x" * ((1 << 20) - len(frame)))
    ask = {"chunks": chunks, "headers": declared}
    assert (await wire.ask("POST", "/locks/unlock_door", fits, **ask)).status == 404
    refused = await wire.ask("POST", "/locks/unlock_door", fits + b" ", **ask)
    assert (refused.status, refused.error["type"]) == (413, "payload_too_large")


async def test_size_of_a_query(wire):
    """A query string has its limit too."""
    many = "&".join(f"device_ids={number:036}" for number in range(5_000))
    assert (await wire.ask("GET", f"/devices/list?{many}")).json["devices"] == []
    refused = await wire.ask("GET", f"/devices/list?{many}&{many}")
    assert (refused.status, refused.error["type"]) == (413, "payload_too_large")


@pytest.mark.parametrize("refusal", [Overloaded, StorageUnavailable])
async def test_a_server_that_cannot_now_says_when(wire, monkeypatch, refusal):
    """An overloaded server answers 503 in the envelope, with Retry-After."""

    async def begin(*_: Any, **__: Any) -> None:
        raise refusal

    monkeypatch.setattr(wire.house.engine, "begin", begin)
    refused = await wire.ask("POST", "/locks/unlock_door", {"device_id": "d"})
    assert (refused.status, refused.error["type"]) == (503, refusal.type)
    assert int(refused.headers["retry-after"]) >= 1


async def test_a_bug_shows_nothing(wire, monkeypatch, capsys):
    """A bug is 500 in the envelope with nothing of the inside; the log has it under the request id."""

    async def begin(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("the secret inside")

    monkeypatch.setattr(wire.house.engine, "begin", begin)
    reply = await wire.ask("POST", "/locks/unlock_door", {"device_id": "d"})
    assert (reply.status, reply.error["type"]) == (500, "internal_server_error")
    assert b"secret" not in reply.content
    logged = capsys.readouterr()
    assert reply.headers["seam-request-id"] in logged.out + logged.err
    assert wire.api_key not in logged.out + logged.err


async def test_a_client_that_leaves_is_not_answered(wire):
    """When the client goes away before it has sent its request, nothing is done and nothing sent."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/workspaces/get",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {wire.api_key}".encode())],
    }
    await wire.app(scope, receive, send)
    assert sent == []


async def test_other_protocols(wire):
    """A websocket is closed; starting and stopping by lifespan is agreed to."""
    sent: list[Any] = []
    said = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> Any:
        return said.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await wire.app({"type": "websocket"}, receive, send)
    await wire.app({"type": "lifespan"}, receive, send)
    assert sent == ["websocket.close", "lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_current_wording_is_a_setting(tmp_path):
    """The wording of the sentence for a missing parameter can be chosen."""
    from tests.fixtures.wire import Wire

    wire = await Wire(tmp_path, error_wording="current").open()
    refused = await wire.ask("POST", "/locks/unlock_door", {})
    assert refused.error["message"] == "device_id is required"
    await wire.house.die()
