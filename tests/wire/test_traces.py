"""Traces: one line from the caller's request through the lane to the device's command, and out again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.fixtures.collector import Collector
from tests.fixtures.server import COMMAND
from tests.fixtures.wire import Wire
from thumbturn.api.table import endpoints
from thumbturn.domain.clock import MILLISECOND, seconds
from thumbturn.tracing import TracingNotInstalled
from thumbturn.tracing.attempts import REMEMBERED
from thumbturn.tracing.export import Tracing, open_tracing

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Traced:
    """A wire whose every request and attempt is traced into memory."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = Tracing(provider)
        wire.house.engine._dispatch._traces = self.tracing.attempts
        wire.app = self.tracing.around(wire.app, endpoints())

    def spans(self) -> dict[str, ReadableSpan]:
        """The spans so far by their names, each of which there is one."""
        found = self.exporter.get_finished_spans()
        assert len({span.name for span in found}) == len(found), [span.name for span in found]
        return {span.name: span for span in found}

    async def unlock(self, device_id: str, **headers: str) -> str:
        """Ask for a door to be unlocked; the attempt's id."""
        self.exporter.clear()
        reply = await self.wire.ask("POST", "/locks/unlock_door", {"device_id": device_id}, headers=headers)
        assert reply.status == 200, reply.content
        await self.wire.house.clock.advance(seconds(10))
        attempt_id: str = reply.json["action_attempt"]["action_attempt_id"]
        return attempt_id


@pytest.fixture
async def traced(wire: Wire) -> AsyncIterator[Traced]:
    it = Traced(wire)
    yield it
    it.tracing.close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that listens."""
    it = Collector()
    yield it
    it.close()


def parent_of(span: ReadableSpan) -> str | None:
    return None if span.parent is None else f"{span.parent.span_id:016x}"


def id_of(span: ReadableSpan) -> str:
    return f"{span.context.span_id:016x}"


async def test_one_trace_from_the_caller_to_the_command(traced):
    """Request, attempt and command are one trace, each below the one before, the first below the caller."""
    lock = await traced.wire.house.lock(travel=250)
    attempt_id = await traced.unlock(lock.id, traceparent=TRACEPARENT, tracestate="vendor=1")
    spans = traced.spans()
    request, attempt = spans["POST /locks/unlock_door"], spans["UNLOCK_DOOR"]
    command = spans["UNLOCK_DOOR command"]
    assert {f"{span.context.trace_id:032x}" for span in spans.values()} == {TRACE}
    assert (parent_of(request), parent_of(attempt), parent_of(command)) == (
        PARENT,
        id_of(request),
        id_of(attempt),
    )
    assert (request.kind, attempt.kind, command.kind) == (
        SpanKind.SERVER,
        SpanKind.INTERNAL,
        SpanKind.CLIENT,
    )
    assert request.context.trace_state.get("vendor") == "1"
    assert dict(request.attributes) | {"thumbturn.request_id": "…"} == {
        "http.request.method": "POST",
        "http.route": "/locks/unlock_door",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "thumbturn.request_id": "…",
    }
    facts = {
        "thumbturn.action_attempt_id": attempt_id,
        "thumbturn.action_type": "UNLOCK_DOOR",
        "thumbturn.device_id": lock.id,
        "thumbturn.workspace_id": "w1",
        "thumbturn.evidence": "state_report",
    }
    assert dict(attempt.attributes) == facts | {"thumbturn.outcome": "success"}
    assert dict(command.attributes) == facts | {"thumbturn.driver": "virtual"}
    assert [event.name for event in attempt.events][:2] == ["accepted", "sent"]
    assert attempt.events[-1].name == "settled"
    assert attempt.end_time - attempt.start_time == 250 * MILLISECOND * 1_000


async def test_a_failure_says_its_type_and_nothing_else(traced):
    """An attempt that fails, and its command, carry the cause; no message of a device is in any span."""
    lock = await traced.wire.house.lock()
    await traced.wire.house.fault(lock, "jam", times=1)
    await traced.unlock(lock.id)
    spans = traced.spans()
    for name in ("UNLOCK_DOOR", "UNLOCK_DOOR command"):
        assert spans[name].attributes["thumbturn.cause"] == "lock_jammed"
        assert (spans[name].status.status_code, spans[name].status.description) == (
            StatusCode.ERROR,
            "lock_jammed",
        )
    assert spans["UNLOCK_DOOR"].attributes["thumbturn.outcome"] == "error"
    assert spans["POST /locks/unlock_door"].status.status_code is StatusCode.UNSET


async def test_who_waits_in_a_lane_keeps_his_own_trace(traced):
    """A command that gets its turn by another's end belongs to the request that asked for it."""
    lock = await traced.wire.house.lock(travel=300)
    other = TRACE.replace("0af", "fff")
    asked = {"device_id": lock.id}
    for path, trace in (("/locks/unlock_door", TRACE), ("/locks/lock_door", other)):
        traceparent = {"traceparent": f"00-{trace}-{PARENT}-01"}
        await traced.wire.ask("POST", path, asked, headers=traceparent)
    await traced.wire.house.clock.advance(seconds(10))
    spans = traced.spans()
    for action_type, trace in (("UNLOCK_DOOR", TRACE), ("LOCK_DOOR", other)):
        assert f"{spans[action_type].context.trace_id:032x}" == trace
        assert f"{spans[f'{action_type} command'].context.trace_id:032x}" == trace


async def test_a_pin_is_in_no_span(traced, monkeypatch):
    """Neither the PIN of a command nor what a broken driver says of it gets into a span."""
    from thumbturn.drivers.virtual.locks import VirtualLock

    async def enter(self: Any, code: str) -> None:
        raise ValueError(f"bad code {code}")

    monkeypatch.setattr(VirtualLock, "enter_code", enter)
    traced.exporter.clear()
    await traced.wire.call(
        "/locks/simulate/keypad_code_entry", device_id=await traced.wire.door(), code="90210777"
    )
    await traced.wire.house.clock.settle()
    spans = traced.spans()
    assert spans["SIMULATE_KEYPAD_CODE_ENTRY command"].attributes["thumbturn.cause"] == "ValueError"
    everything = "".join(span.to_json() for span in spans.values())
    assert "90210777" not in everything
    assert traced.wire.api_key not in everything
    assert "Front Door" not in everything


async def test_strangers_name_no_spans(traced):
    """Paths and methods that are none have no route and one name; a broken traceparent begins a new trace."""
    traced.exporter.clear()
    await traced.wire.ask("BREW", "/wp-admin/1", token=None, headers={"traceparent": "00-zz-1-01"})
    [span] = traced.exporter.get_finished_spans()
    assert (span.name, span.attributes["http.response.status_code"]) == ("_OTHER", 404)
    assert "http.route" not in span.attributes
    assert span.parent is None


async def test_a_bug_is_an_error_of_its_request(traced, monkeypatch):
    """A request that ends with 500 is marked as an error."""

    async def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(traced.wire.house.store, "devices", broken)
    traced.exporter.clear()
    assert (await traced.wire.ask("POST", "/devices/list", {})).status == 500
    assert traced.spans()["POST /devices/list"].status.status_code is StatusCode.ERROR


async def test_what_asks_all_day_is_not_traced(traced):
    """Health, readiness and metrics make no spans."""
    traced.exporter.clear()
    for path in ("/health", "/thumbturn/ready", "/metrics"):
        assert (await traced.wire.ask("GET", path, token=None)).status == 200
    assert traced.exporter.get_finished_spans() == ()


async def test_the_trace_of_an_attempt_can_be_told_on(traced):
    """While it is open and after its end an attempt's traceparent is known: its own span in its trace."""
    lock = await traced.wire.house.lock(travel=300)
    reply = await traced.wire.ask(
        "POST", "/locks/unlock_door", {"device_id": lock.id}, headers={"traceparent": TRACEPARENT}
    )
    attempt_id = reply.json["action_attempt"]["action_attempt_id"]
    attempts = traced.tracing.attempts
    told = attempts.traceparent(attempt_id)
    await traced.wire.house.clock.advance(seconds(5))
    assert attempts.traceparent(attempt_id) == told
    assert told == f"00-{TRACE}-{id_of(traced.spans()['UNLOCK_DOOR'])}-01"
    assert attempts.traceparent("nobody") is None


async def test_only_so_many_ended_attempts_are_remembered(traced, monkeypatch):
    """The oldest is forgotten first: memory has a bound."""
    assert REMEMBERED >= 1_000
    monkeypatch.setattr("thumbturn.tracing.attempts.REMEMBERED", 2)
    lock = await traced.wire.house.lock()
    first, second, third = [await traced.unlock(lock.id) for _ in range(3)]
    attempts = traced.tracing.attempts
    assert attempts.traceparent(first) is None
    assert None not in (attempts.traceparent(second), attempts.traceparent(third))
    assert attempts._open == {}


async def test_an_attempt_that_was_not_accepted_leaves_nothing_open(traced, monkeypatch):
    """When the store refuses an attempt its span ends too, as not accepted."""
    from thumbturn.domain.refusals import Overloaded

    lock = await traced.wire.house.lock()

    def refuse(*_: Any, **__: Any) -> None:
        raise Overloaded

    monkeypatch.setattr(traced.wire.house.store, "accept", refuse)
    traced.exporter.clear()
    reply = await traced.wire.ask("POST", "/locks/unlock_door", {"device_id": lock.id})
    assert reply.status == 503
    assert traced.spans()["UNLOCK_DOOR"].attributes["thumbturn.cause"] == "not_accepted"
    assert traced.tracing.attempts._open == {}


async def test_what_a_restart_takes_up_is_traced_too(wire):
    """An attempt from an earlier life of the server has a trace of its own."""
    lock = await wire.house.lock()
    await wire.house.fault(lock, "slow", ms=20_000)
    await wire.house.begin("LOCK_DOOR", lock)
    await wire.house.clock.settle()
    await wire.house.die()
    wire.house.boot()
    traced = Traced(wire)
    await wire.house.open()
    await wire.house.clock.advance(seconds(29))
    assert traced.spans().keys() == {"LOCK_DOOR", "LOCK_DOOR command"}
    assert traced.spans()["LOCK_DOOR"].parent is None


def test_spans_reach_a_real_collector(new_server, collector: Collector):
    """A live server sends its spans over OTLP/HTTP, the last of them while it stops."""
    server = new_server(options=("--traces", collector.endpoint))
    door = server.client().post("/locks/list", json={}).json()["locks"][0]["device_id"]
    answer = httpx.post(
        f"{server.endpoint}/locks/unlock_door",
        json={"device_id": door, "sync": True},
        headers={"authorization": f"Bearer {server.credentials['api_key']}", "traceparent": TRACEPARENT},
    )
    assert answer.status_code == 200
    assert server.stop() == 0
    assert collector.paths == {"/v1/traces"}
    ours = {span.name: span for span in collector.spans if span.trace_id.hex() == TRACE}
    assert ours.keys() == {"POST /locks/unlock_door", "UNLOCK_DOOR", "UNLOCK_DOOR command"}
    assert ours["UNLOCK_DOOR"].parent_span_id == ours["POST /locks/unlock_door"].span_id
    assert ours["POST /locks/unlock_door"].parent_span_id.hex() == PARENT
    sent = b"".join(collector.raw)
    assert door.encode() in sent
    assert server.credentials["api_key"].encode() not in sent
    assert b"service.name" in sent


def test_a_collector_that_is_away_holds_nothing_up(new_server):
    """With nobody at the collector's address requests are answered and the server stops in time, with 0."""
    server = new_server(options=("--traces", "http://127.0.0.1:1"))
    door = server.client().post("/locks/list", json={}).json()["locks"][0]["device_id"]
    client = server.client()
    assert client.post("/locks/unlock_door", json={"device_id": door, "sync": True}).status_code == 200
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 5


def test_tracing_that_is_not_installed_is_a_sentence(monkeypatch):
    """Configured and not installed, it says what to install or to unset."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(TracingNotInstalled, match=r"extra `tracing`, or unset THUMBTURN_TRACES\."):
        open_tracing("http://127.0.0.1:4318")


def test_a_collector_must_be_a_url(tmp_path):
    """Anything but an http or https URL is refused before the server starts."""
    ended = subprocess.run(
        [COMMAND, "serve", "--data", tmp_path / "data", "--traces", "collector:4318"],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 2
    assert "THUMBTURN_TRACES" in ended.stderr
