"""Traces, in OpenTelemetry's words: a span for each request, for each attempt and for each command.

What is in here is loaded only when traces are configured. A span says ids, types and grades: no name, no
note, no token and no PIN.
"""


class TracingNotInstalled(Exception):
    """Traces are configured, but what sends them is not installed: install thumbturn with its extra
    `tracing`, or unset THUMBTURN_TRACES.
    """

    def __init__(self) -> None:
        super().__init__(" ".join((self.__doc__ or "").split()))
