"""Log lines: one JSON object each, on standard error, with the ids of what they are about and no secret."""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType

import structlog

from thumbturn.redaction import about, redact


def configure_logs(level: str) -> None:
    """Write structlog's and the libraries' lines from this level up, in the same form.

    Warnings of Python and exceptions that nobody caught become lines too, so that nothing is printed
    that did not pass the redaction.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        about,
    ]
    # Redaction comes last, when there is nothing but text and plain values any more.
    last: list[structlog.typing.Processor] = [redact, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
    # A line that cannot be put together would be printed as it is, with all its arguments.
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        _log_uncaught("uncaught", error)


def _uncaught_in_thread(what: threading.ExceptHookArgs) -> None:
    _log_uncaught("uncaught_in_thread", what.exc_value, thread=what.thread and what.thread.name)


def _unraisable(what: sys.UnraisableHookArgs) -> None:
    _log_uncaught("exception_ignored", what.exc_value, where=repr(what.object))


def _log_uncaught(event: str, error: BaseException | None, **more: object) -> None:
    structlog.get_logger("thumbturn").error(event, exc_info=error, **more)
