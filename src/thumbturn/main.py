"""The only module that knows everyone: it puts the house together and opens the door."""

from __future__ import annotations

import gc
import resource
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
import uvicorn
import uvloop
from pydantic_core import to_json

from thumbturn.api.connections import Patience
from thumbturn.api.only_watched import OnlyWatched
from thumbturn.api.protocol import EnvelopeProtocol
from thumbturn.api.surroundings import ApiSettings, Surroundings
from thumbturn.api.table import endpoints
from thumbturn.api.wire.event import event_json
from thumbturn.cell_making import CellMaker
from thumbturn.cli.audit import audit
from thumbturn.cli.connect import connect
from thumbturn.cli.keys import keys
from thumbturn.cli.record import record
from thumbturn.cli.version import version
from thumbturn.credentials import read_credentials, write_credentials
from thumbturn.domain.clock import Clock, SystemClock
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.domain.retention import Ages
from thumbturn.engine.client_sessions import ClientSessions
from thumbturn.engine.feed import Feed
from thumbturn.engine.in_bites import InBites
from thumbturn.engine.phones import Phones
from thumbturn.engine.pins import open_pins
from thumbturn.engine.purging import Purging
from thumbturn.engine.sealing import Sealing
from thumbturn.engine.secrets import SecretsLocked, open_seal
from thumbturn.engine.user_identities import UserIdentities
from thumbturn.logs import configure_logs
from thumbturn.running import NotShared, is_shared, run_alone, run_among_others
from thumbturn.sealing import KeyUnusable
from thumbturn.settings import Settings
from thumbturn.signals import Termination, quiet_signals
from thumbturn.sockets import address_of, listen
from thumbturn.storage.databases import DatabaseUnusable
from thumbturn.storage.lockfile import DataDirectoryInUse, exclusive
from thumbturn.storage.open import DatabaseTooNew, DatabaseTooOld, open_store
from thumbturn.storage.store import SqlStore
from thumbturn.tracing import TracingNotInstalled
from thumbturn.upkeep.backup import backup, restore
from thumbturn.upkeep.chosen import option, or_say_why_not, prepare_folder, settings_from, url_of
from thumbturn.upkeep.copy import copy
from thumbturn.upkeep.migrate import migrate as migrate_command
from thumbturn.webhooks.networks import read_networks
from thumbturn.webhooks.open import Delivery
from thumbturn.webhooks.targets import Targets
from thumbturn.welcome import say_ready
from thumbturn.worlds.opening import (
    AnotherWorld,
    OpenToStrangers,
    application_of,
    claim_folder,
    open_world,
    require_loopback,
    require_world,
    settled_in,
)

if TYPE_CHECKING:
    from thumbturn.tracing.export import Tracing

#: Seconds; with what ``running.py`` takes under the promised 5 s from SIGTERM to exit.
REQUESTS_MAY_TAKE = 2

#: Each says in a sentence what the operator has to put right.
_REASONS_NOT_TO_RUN = (
    DataDirectoryInUse,
    DatabaseTooNew,
    DatabaseTooOld,
    DatabaseUnusable,
    StorageUnavailable,
    OSError,
    TracingNotInstalled,
    KeyUnusable,
    SecretsLocked,
    AnotherWorld,
    OpenToStrangers,
    NotShared,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would print variables, and tokens are among them
    help="A server that makes physical devices do things.",
)
app.add_typer(keys, name="keys")
app.add_typer(audit, name="audit")
app.command()(version)
app.command()(connect)
app.command()(record)
app.command("migrate")(migrate_command)
app.command()(backup)
app.command()(restore)
app.command()(copy)


@app.command()
def serve(
    host: Annotated[str | None, option("host")] = None,
    port: Annotated[int | None, option("port")] = None,
    data: Annotated[Path | None, option("data")] = None,
    database_url: Annotated[str | None, option("database_url")] = None,
    database_pooled: Annotated[bool | None, option("database_pooled")] = None,
    listen_url: Annotated[str | None, option("listen_url")] = None,
    migrate: Annotated[bool | None, option("migrate")] = None,
    world: Annotated[str | None, option("world")] = None,
    listen_anywhere: Annotated[bool | None, option("listen_anywhere")] = None,
    error_wording: Annotated[str | None, option("error_wording")] = None,
    log_level: Annotated[str | None, option("log_level")] = None,
    metrics: Annotated[bool | None, option("metrics")] = None,
    traces: Annotated[str | None, option("traces")] = None,
    webhook_allow: Annotated[str | None, option("webhook_allow")] = None,
    webhook_jitter: Annotated[float | None, option("webhook_jitter")] = None,
    rate_limits: Annotated[str | None, option("rate_limits")] = None,
    rate_limit_sandboxes: Annotated[bool | None, option("rate_limit_sandboxes")] = None,
    roles: Annotated[str | None, option("roles")] = None,
    lease_seconds: Annotated[float | None, option("lease_seconds")] = None,
    virtual_world: Annotated[Path | None, option("virtual_world")] = None,
    code_look_seconds: Annotated[float | None, option("code_look_seconds")] = None,
    keep_attempts_days: Annotated[float | None, option("keep_attempts_days")] = None,
    keep_events_days: Annotated[float | None, option("keep_events_days")] = None,
    keep_deliveries_days: Annotated[float | None, option("keep_deliveries_days")] = None,
    keep_ended_days: Annotated[float | None, option("keep_ended_days")] = None,
    request_seconds: Annotated[float | None, option("request_seconds")] = None,
    keep_alive_seconds: Annotated[float | None, option("keep_alive_seconds")] = None,
    seed: Annotated[int | None, option("seed")] = None,
    show_credentials: Annotated[
        bool, typer.Option("--show-credentials", help="Print the tokens and the snippets again.")
    ] = False,
) -> None:
    """Run the server until Ctrl-C or SIGTERM."""
    settings = settings_from(locals())
    configure_logs(settings.log_level)
    _tune_interpreter()
    _allow_many_connections()
    with Termination() as sigterm, or_say_why_not(*_REASONS_NOT_TO_RUN), settled_in(settings) as settled:
        prepare_folder(settled.data, settled.virtual_world)
        with exclusive(settled.data):
            uvloop.run(sigterm.ends(partial(_serve, settled, show_credentials=show_credentials)))


async def _serve(settings: Settings, *, show_credentials: bool) -> None:
    clock = SystemClock()
    listening = listen(settings.host, settings.port)
    require_loopback(settings, listening)
    endpoint = "http://{}:{}".format(*address_of(listening))
    tracing = _open_tracing(settings)
    store = open_store(url_of(settings), migrating=settings.migrate)
    try:
        await require_world(settings, store)
        claim_folder(settings)
        given = settings.encryption_key
        key = None if given is None else given.get_secret_value()
        seal = await open_seal(store.secrets, key, settings.data)
        pins = await open_pins(store.access_codes, seal)
        traces = None if tracing is None else tracing.attempts
        maker = CellMaker(settings, store=store, seal=seal, pins=pins, traces=traces, clock=clock)
        feed = Feed(store, clock)
        allowed = read_networks(settings.webhook_allow)
        delivery = Delivery(
            feed=feed,
            clock=clock,
            seal=seal,
            targets=Targets(allowed),
            written=lambda event: to_json(event_json(event, pins)).decode(),
            jitter=settings.webhook_jitter,
            traceparent=None if traces is None else traces.traceparent,
        )

        sealing = Sealing(store, clock)
        sweeps = partial(_sweeps, settings.ages, clock)
        if is_shared(settings):
            runs = run_among_others(settings, store, maker, sweeps, delivery, seal=seal, clock=clock)
        else:
            runs = run_alone(store, maker, sweeps, delivery)
        try:
            async with runs as running:
                sealing.start(lambda: running.cells.processes)
                credentials = {}
                if running.may_begin_world:
                    credentials = await open_world(settings, store, running.cells, seal, clock)
                is_new = bool(credentials)
                credentials = {**(credentials or read_credentials(settings.data)), "endpoint": endpoint}
                write_credentials(settings.data, credentials)
                sessions = ClientSessions(store, seal, clock)
                asgi: Any = application_of(
                    settings,
                    Surroundings(
                        cells=running.cells,
                        store=store,
                        webhooks=running.webhooks,
                        client_sessions=sessions,
                        user_identities=UserIdentities(store, sessions, clock),
                        phones=Phones(store.access, clock),
                        clock=clock,
                        feed=feed,
                        pins=pins,
                        settings=ApiSettings(error_wording=settings.error_wording, metrics=settings.metrics),
                        others=running.others,
                    ),
                )
                running.answer_others(asgi)
                asgi = _serves(settings, asgi, tracing)
                gc.freeze()  # what is there now stays: it need not be looked through again and again
                show = is_new or show_credentials
                server = _Server(
                    _uvicorn(asgi),
                    Patience(
                        request_seconds=settings.request_seconds,
                        keep_alive_seconds=settings.keep_alive_seconds,
                    ),
                    lambda: say_ready(endpoint, settings.data, credentials, show=show, allowed=allowed),
                    running.dismiss,
                )
                with quiet_signals():
                    await server.serve(sockets=[listening])
        finally:
            await sealing.stop()
    finally:
        await store.close()
        if tracing is not None:
            tracing.close()


def _sweeps(ages: Ages, clock: Clock, store: SqlStore) -> Sequence[InBites]:
    return [Purging(store, clock, ages)]


def _serves(settings: Settings, application: Any, tracing: Tracing | None) -> Any:
    """The application as it is served: traced, if that is wanted, and as much of it as the roles say."""
    asgi = application if "api" in settings.chosen_roles else OnlyWatched(application)
    return asgi if tracing is None else tracing.around(asgi, endpoints())


def _open_tracing(settings: Settings) -> Tracing | None:
    if settings.traces is None:
        return None
    # Who wants no traces does not wait for OpenTelemetry to load.
    from thumbturn.tracing.export import open_tracing

    return open_tracing(settings.traces)


def _tune_interpreter() -> None:
    """Let the loop and the writer's thread hand the interpreter over quickly, and collect less often.

    The writer takes the interpreter lock back a few times in each wave. With CPython's 5 ms it
    waits longer for that than for the disk: a fifth of a millisecond gave half as many attempts
    again. Garbage is mostly counted away here; the collector's own rhythm cost a seventh.
    """
    sys.setswitchinterval(0.0002)
    gc.set_threshold(20_000, 20, 50)


def _allow_many_connections() -> None:
    """Take as many open files as the machine grants.

    Whoever waits or listens holds one, and the usual beginning of 1,024 is meant for other programs.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class _Server(uvicorn.Server):
    """Says so when it listens, and when it begins to stop; looks after its connections."""

    def __init__(
        self,
        config: uvicorn.Config,
        patience: Patience,
        ready: Callable[[], None],
        stopping: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._patience = patience
        self._ready = ready
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        self._patience.look(cast("set[EnvelopeProtocol]", self.server_state.connections))
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping()
        await super().shutdown(sockets)


def _uvicorn(asgi: Any) -> uvicorn.Config:
    return uvicorn.Config(
        asgi,
        loop="none",
        http=EnvelopeProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=2048,
        timeout_graceful_shutdown=REQUESTS_MAY_TAKE,
    )


if __name__ == "__main__":
    app()
