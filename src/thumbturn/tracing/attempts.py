"""The spans of attempts and of their commands: implements ``engine.traces.Traces``."""

from __future__ import annotations

from typing import Any

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, format_span_id, format_trace_id
from opentelemetry.trace.propagation import set_span_in_context

from thumbturn.actions.definition import Outcome, Perform
from thumbturn.actions.definition import Run as RunOfAction
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.errors import Failure
from thumbturn.engine.run import Run

#: Attempts whose ``traceparent`` is still known after their end: for webhooks that tell of them later.
REMEMBERED = 10_000
#: OpenTelemetry counts nanoseconds.
_NANOSECONDS = 1_000


class AttemptTraces:
    """Makes a span of each attempt, with its stages as events, and below it one of the command."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._open: dict[str, Span] = {}
        #: In order of their ends.
        self._ended: dict[str, str] = {}

    def entered(self, run: Run) -> None:
        attempt = run.attempt
        self._open[attempt.id] = self._tracer.start_span(
            attempt.action_type, attributes=_facts(attempt), start_time=attempt.accepted_at * _NANOSECONDS
        )

    def traced(self, run: Run) -> Perform:
        span = self._open.get(run.attempt.id)
        if span is None:
            return run.performance
        below = set_span_in_context(span)

        async def perform(ask: Any, capability: Any, seen: RunOfAction) -> Outcome:
            # Messages are left out: what a device or a library says may hold a PIN.
            with self._tracer.start_as_current_span(
                f"{run.attempt.action_type} command",
                context=below,
                kind=SpanKind.CLIENT,
                attributes=_facts(run.attempt) | {"thumbturn.driver": _driver_of(run)},
                record_exception=False,
                set_status_on_exception=False,
            ) as command:
                try:
                    outcome = await run.performance(ask, capability, seen)
                except Failure as failure:
                    _failed(command, failure.type)
                    raise
                except Exception as bug:
                    _failed(command, type(bug).__name__)
                    raise
                command.set_attribute("thumbturn.evidence", outcome.evidence.word)
                return outcome

        return perform

    def left(self, run: Run) -> None:
        attempt = run.attempt
        span = self._open.pop(attempt.id, None)
        if span is None:
            return
        if attempt.settled_at is None:
            _failed(span, "not_accepted")
            span.end()
            return
        for mark in attempt.marks:
            span.add_event(
                mark.stage, {"thumbturn.evidence": mark.evidence.word}, timestamp=mark.at * _NANOSECONDS
            )
        span.set_attributes(
            {"thumbturn.outcome": attempt.status, "thumbturn.evidence": attempt.evidence.word}
        )
        if attempt.failure is not None:
            _failed(span, attempt.failure[0])
        span.end(end_time=attempt.settled_at * _NANOSECONDS)
        self._remember(attempt.id, span)

    def traceparent(self, action_attempt_id: str) -> str | None:
        span = self._open.get(action_attempt_id)
        return self._ended.get(action_attempt_id) if span is None else _traceparent(span)

    def _remember(self, attempt_id: str, span: Span) -> None:
        self._ended[attempt_id] = _traceparent(span)
        if len(self._ended) > REMEMBERED:
            del self._ended[next(iter(self._ended))]


def _facts(attempt: Attempt) -> dict[str, str]:
    facts = {
        "thumbturn.action_attempt_id": attempt.id,
        "thumbturn.action_type": attempt.action_type,
        "thumbturn.workspace_id": attempt.workspace_id,
    }
    if attempt.device_id is not None:
        facts["thumbturn.device_id"] = attempt.device_id
    return facts


def _driver_of(run: Run) -> str:
    # One that acts on the workspace has no device, and one whose device was removed has no driver.
    try:
        return run.device.driver
    except Failure:
        return ""


def _failed(span: Span, cause: str) -> None:
    span.set_attribute("thumbturn.cause", cause)
    span.set_status(Status(StatusCode.ERROR, cause))


def _traceparent(span: Span) -> str:
    context = span.get_span_context()
    return (
        f"00-{format_trace_id(context.trace_id)}-{format_span_id(context.span_id)}-{context.trace_flags:02x}"
    )
