"""Where spans go: over OTLP/HTTP to a collector, by OpenTelemetry's own SDK."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import TYPE_CHECKING

from thumbturn import __version__
from thumbturn.tracing import TracingNotInstalled
from thumbturn.tracing.attempts import AttemptTraces
from thumbturn.tracing.requests import App, TracedRequests

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

#: Seconds that the last spans have to reach the collector when the server stops.
LAST_SPANS_MAY_TAKE = 0.5


class Tracing:
    """Traces of everything that can be traced, made by one provider."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("thumbturn", __version__)
        #: For the engine, and for whoever tells others of attempts.
        self.attempts = AttemptTraces(self._tracer)

    def around(self, app: App, paths: Collection[str]) -> App:
        """The application with a span of each request; requests at other paths have no route."""
        return TracedRequests(app, self._tracer, paths)

    def close(self) -> None:
        """Send what is left, if the collector takes it soon enough."""
        # The SDK would wait for a dead collector for half a minute; nobody waits for this thread.
        closing = threading.Thread(target=self._provider.shutdown, name="thumbturn-last-spans", daemon=True)
        closing.start()
        closing.join(LAST_SPANS_MAY_TAKE)


def open_tracing(collector: str) -> Tracing:
    """Begin to send spans to the collector at this base URL, as ``http://127.0.0.1:4318``.

    Raises ``TracingNotInstalled``. OpenTelemetry's own variables (``OTEL_EXPORTER_OTLP_HEADERS``,
    ``OTEL_TRACES_SAMPLER``, ``OTEL_RESOURCE_ATTRIBUTES`` …) hold beside it.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise TracingNotInstalled from None
    resource = Resource.create({"service.name": "thumbturn", "service.version": __version__})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{collector.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider)
