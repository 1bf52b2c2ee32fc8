"""The metrics there are, as they are described to people: in ``/metrics`` itself, and in the docs."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """A metric as it is described to people; the docs' table is made from these."""

    name: str
    #: counter, gauge, histogram or info.
    type: str
    labels: tuple[str, ...]
    meaning: str


METRICS = {
    kind.name: kind
    for kind in (
        Kind(
            "thumbturn_attempts_ended_total",
            "counter",
            ("action_type", "outcome", "cause"),
            "Attempts that ended: `success`, or `error` with the type of the failure as the cause.",
        ),
        Kind(
            "thumbturn_attempt_stage_seconds",
            "histogram",
            ("action_type", "stage"),
            "How long it took: `accepted_to_sent`, `sent_to_ended`, and all of it, `accepted_to_ended`. Of a "
            "command for later it counts from its `not_before`.",
        ),
        Kind(
            "thumbturn_cells_owned",
            "gauge",
            ("kind",),
            "Cells of which this process owns the `engine` or the `webhooks`; 1 where it has the `upkeep`.",
        ),
        Kind("thumbturn_processes", "gauge", (), "Processes that live on this database, with this one."),
        Kind("thumbturn_attempts_open", "gauge", ("phase",), "Open attempts."),
        Kind(
            "thumbturn_attempt_oldest_open_seconds",
            "gauge",
            (),
            "Age of the oldest open attempt that may be sent, from acceptance or `not_before`; else 0.",
        ),
        Kind(
            "thumbturn_records_waiting",
            "gauge",
            (),
            "What was decided and could not be put on record yet; it is tried again until it is.",
        ),
        Kind(
            "thumbturn_record_failures_total",
            "counter",
            (),
            "Tries to put on record what was decided that failed.",
        ),
        Kind(
            "thumbturn_lanes",
            "gauge",
            ("state",),
            "Lanes `busy` with a command, and lanes in which a command is `waiting` for its turn.",
        ),
        Kind(
            "thumbturn_writer_wave_operations",
            "histogram",
            (),
            "Operations that were committed together.",
        ),
        Kind(
            "thumbturn_writer_commit_seconds",
            "histogram",
            (),
            "From a wave's first statement until it was safe on the disk.",
        ),
        Kind("thumbturn_writer_waiting", "gauge", (), "Operations that wait to be written."),
        Kind(
            "thumbturn_writer_waiting_limit",
            "gauge",
            (),
            "With so many waiting, a request is refused with `overloaded`.",
        ),
        Kind(
            "thumbturn_writer_rolled_back_total",
            "counter",
            (),
            "Transactions that were rolled back, for whatever reason.",
        ),
        Kind("thumbturn_driver_devices", "gauge", ("driver", "state"), "Devices, `online` and `offline`."),
        Kind("thumbturn_driver_links", "gauge", ("driver", "state"), "Links to hubs, `up` and `down`."),
        Kind(
            "thumbturn_webhook_tries_total",
            "counter",
            ("outcome",),
            "Tries to tell a webhook an event: `delivered`, `failed` and tried again later, or `given_up`.",
        ),
        Kind(
            "thumbturn_webhook_lag_seconds",
            "histogram",
            (),
            "From an event until an endpoint had taken it, for those that were delivered.",
        ),
        Kind(
            "thumbturn_webhooks", "gauge", ("state",), "Webhooks that are `delivering`, and `failing` ones."
        ),
        Kind(
            "thumbturn_webhook_interruptions_total",
            "counter",
            (),
            "Times that the database, or a bug, broke off deliveries or their record. They go on.",
        ),
        Kind(
            "thumbturn_http_requests_total",
            "counter",
            ("route", "status"),
            "Requests that were answered; what is no path of the server is counted as `other`.",
        ),
        Kind("thumbturn_http_request_seconds", "histogram", ("route",), "How long their answers took."),
        Kind("thumbturn_build_info", "info", ("version",), "Always 1: the version that runs."),
    )
}
