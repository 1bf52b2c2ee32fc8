"""``/metrics``: the server's numbers, in the text that Prometheus reads.

The numbers are kept as plain integers where things happen; only when somebody asks are they given
names and labels here. No label holds an id, a name or anything else of a workspace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from thumbturn import __version__
from thumbturn.api.metric_kinds import METRICS
from thumbturn.api.request_meters import RequestMeters
from thumbturn.domain.clock import SECOND, Clock
from thumbturn.domain.webhook import Outcome
from thumbturn.engine.cells import Cells
from thumbturn.engine.census import Census, together
from thumbturn.engine.lease_ports import Kind
from thumbturn.engine.meters import EndedAttempts, Histogram, RecordMeters
from thumbturn.engine.ports import Store, Writing
from thumbturn.engine.webhook_ports import Delivering
from thumbturn.engine.webhooks import Webhooks

#: What can be owned, as a label says it.
KINDS: tuple[Kind, ...] = ("engine", "webhooks", "upkeep")
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4.encode()


class Metrics:
    """What ``/metrics`` answers."""

    def __init__(
        self, cells: Cells, store: Store, webhooks: Webhooks, requests: RequestMeters, clock: Clock
    ) -> None:
        self._cells = cells
        self._store = store
        self._webhooks = webhooks
        self._requests = requests
        self._clock = clock
        self._process = CollectorRegistry()
        for of_process in (ProcessCollector, PlatformCollector, GCCollector):
            of_process(registry=self._process)

    async def text(self) -> bytes:
        """All numbers as they are now."""
        collector = _Numbers(
            self._cells,
            together(cell.engine.census() for cell in self._cells.here()),
            dict(self._cells.meters.by_type),
            self._cells.records,
            self._store.writing(),
            self._webhooks.delivering(),
            self._requests,
            self._clock.now(),
        )
        # A few thousand lines take milliseconds to write: not on the event loop.
        return await asyncio.to_thread(self._write, collector)

    def _write(self, collector: Collector) -> bytes:
        ours = CollectorRegistry()
        ours.register(collector)
        return generate_latest(ours) + generate_latest(self._process)


class _Numbers(Collector):
    """The numbers of one moment, with their names and labels."""

    def __init__(
        self,
        cells: Cells,
        census: Census,
        ended: dict[str, EndedAttempts],
        records: RecordMeters,
        writing: Writing,
        delivering: Delivering,
        requests: RequestMeters,
        now: int,
    ) -> None:
        self._owned = {kind: len(cells.mine(kind)) for kind in KINDS}
        self._processes = cells.processes
        self._census = census
        self._ended = ended
        self._records = records
        self._writing = writing
        self._delivering = delivering
        self._requests = requests
        self._now = now

    def collect(self) -> Iterator[Metric]:
        yield from self._of_attempts()
        yield from self._of_writing()
        yield from self._of_drivers()
        yield from self._of_webhooks()
        yield from self._of_requests()
        owned = _gauge("thumbturn_cells_owned")
        for kind, count in self._owned.items():
            owned.add_metric((kind,), count)
        yield owned
        yield _plain_gauge("thumbturn_processes", self._processes)
        build = _info("thumbturn_build_info")
        build.add_metric((), {"version": __version__})
        yield build

    def _of_attempts(self) -> Iterator[Metric]:
        ended = _counter("thumbturn_attempts_ended_total")
        stages = _histogram("thumbturn_attempt_stage_seconds")
        for action_type, meters in sorted(self._ended.items()):
            for cause, count in list(meters.causes.items()):
                ended.add_metric((action_type, "error" if cause else "success", cause or ""), count)
            for stage, histogram in (
                ("accepted_to_sent", meters.to_sent),
                ("sent_to_ended", meters.to_end),
                ("accepted_to_ended", meters.whole),
            ):
                _fill(stages, (action_type, stage), histogram, SECOND)
        yield ended
        yield stages
        census = self._census
        open_now = _gauge("thumbturn_attempts_open")
        for phase, count in census.open.items():
            open_now.add_metric((phase.value,), count)
        yield open_now
        since = self._now if census.oldest_since is None else census.oldest_since
        yield _plain_gauge("thumbturn_attempt_oldest_open_seconds", max(0, self._now - since) / SECOND)
        yield _plain_gauge("thumbturn_records_waiting", self._records.waiting)
        failures = _counter("thumbturn_record_failures_total")
        failures.add_metric((), self._records.failed)
        yield failures
        lanes = _gauge("thumbturn_lanes")
        lanes.add_metric(("busy",), census.lanes_busy)
        lanes.add_metric(("waiting",), census.lanes_waiting)
        yield lanes

    def _of_writing(self) -> Iterator[Metric]:
        waiting, at_most, meters = self._writing
        size = _histogram("thumbturn_writer_wave_operations")
        _fill(size, (), meters.size, 1)
        yield size
        commit = _histogram("thumbturn_writer_commit_seconds")
        _fill(commit, (), meters.commit, SECOND)
        yield commit
        yield _plain_gauge("thumbturn_writer_waiting", waiting)
        yield _plain_gauge("thumbturn_writer_waiting_limit", at_most)
        rolled_back = _counter("thumbturn_writer_rolled_back_total")
        rolled_back.add_metric((), meters.failed)
        yield rolled_back

    def _of_drivers(self) -> Iterator[Metric]:
        devices = _gauge("thumbturn_driver_devices")
        links = _gauge("thumbturn_driver_links")
        for name, driver in self._census.drivers.items():
            devices.add_metric((name, "online"), driver.devices_online)
            devices.add_metric((name, "offline"), driver.devices - driver.devices_online)
            links.add_metric((name, "up"), driver.links_up)
            links.add_metric((name, "down"), driver.links - driver.links_up)
        yield devices
        yield links

    def _of_webhooks(self) -> Iterator[Metric]:
        followed, failing, meters = self._delivering
        tries = _counter("thumbturn_webhook_tries_total")
        for outcome in Outcome:
            tries.add_metric((outcome.value,), meters.tries.get(outcome.value, 0))
        yield tries
        lag = _histogram("thumbturn_webhook_lag_seconds")
        _fill(lag, (), meters.lag, SECOND)
        yield lag
        webhooks = _gauge("thumbturn_webhooks")
        webhooks.add_metric(("delivering",), followed - failing)
        webhooks.add_metric(("failing",), failing)
        yield webhooks
        interruptions = _counter("thumbturn_webhook_interruptions_total")
        interruptions.add_metric((), meters.interruptions)
        yield interruptions

    def _of_requests(self) -> Iterator[Metric]:
        requests = _counter("thumbturn_http_requests_total")
        took = _histogram("thumbturn_http_request_seconds")
        for route, meters in self._requests.by_path.items():
            statuses = list(meters.statuses.items())
            for status, count in statuses:
                requests.add_metric((route, str(status)), count)
            if statuses:
                _fill(took, (route,), meters.took, SECOND)
        yield requests
        yield took


def _counter(name: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, METRICS[name].meaning, labels=METRICS[name].labels)


def _gauge(name: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, METRICS[name].meaning, labels=METRICS[name].labels)


def _plain_gauge(name: str, number: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, METRICS[name].meaning, value=number)


def _histogram(name: str) -> HistogramMetricFamily:
    return HistogramMetricFamily(name, METRICS[name].meaning, labels=METRICS[name].labels)


def _info(name: str) -> InfoMetricFamily:
    return InfoMetricFamily(name.removesuffix("_info"), METRICS[name].meaning)


def _fill(family: HistogramMetricFamily, labels: tuple[str, ...], histogram: Histogram, unit: int) -> None:
    buckets: list[tuple[str, float]] = []
    reached = 0
    ends = [*(str(bound / unit) for bound in histogram.bounds), "+Inf"]
    for end, count in zip(ends, list(histogram.counts), strict=True):
        reached += count
        buckets.append((end, reached))
    family.add_metric(labels, buckets=buckets, sum_value=histogram.total / unit)
