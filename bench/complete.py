"""Whole attempts at full load: accepted, run, settled and told, on each kind of database."""

from collections.abc import Iterator

from bench import database
from bench.load import load
from bench.options import Options
from bench.postgres import Postgres, postgres
from bench.rows import Row, at_least
from bench.servers import Server, directory, fresh, ours
from bench.several import complete_on, owned, several, spread
from bench.throughput import accept_round, in_turn

#: Attempts a second that are wanted.
ON_SQLITE, ON_POSTGRES = 3_000, 2_000
PROCESSES = 3
#: One of these for each unlock, besides what the lock itself reports.
ENDED = "action_attempt.unlock_door.succeeded"
#: Seconds of load before a round, in which whatever compiles or caches does it.
WARM_UP_SECONDS = 1


def complete(options: Options) -> Iterator[Row]:
    """Attempts a second that were accepted, run, settled and told, through HTTP."""
    sqlite = at_least("complete_sqlite", "whole attempts, one process on SQLite", "1/s", ON_SQLITE)
    alone = Row("complete_postgres_1", "whole attempts, one process on PostgreSQL", "1/s")
    if "ours" not in options.sides:
        return
    with postgres() as database_server:
        for _ in range(options.rounds):
            with fresh("ours", options) as server:
                _round(sqlite, server, options)
            _on_postgres(alone, database_server, options)
    yield from (sqlite, alone)


def processes(options: Options) -> Iterator[Row]:
    """The same on several processes that share a database, beside one process with the same devices."""
    what = f"whole attempts, {PROCESSES} processes on PostgreSQL"
    shared = at_least("complete_postgres_3", f"{what}, each asked for all", "1/s", ON_POSTGRES)
    apart = at_least("complete_postgres_3_owned", f"{what}, each asked for its own", "1/s", ON_POSTGRES)
    alone = Row("complete_postgres_alone", "… one process with the same workspaces", "1/s")
    if "ours" not in options.sides:
        return
    with postgres() as database_server:
        for number in range(options.rounds):
            for count in in_turn([1, PROCESSES], number):
                with several(options, database_server, count) as servers:
                    complete_on(alone if count == 1 else shared, servers, spread(servers), options.seconds)
                    if count > 1:
                        complete_on(apart, servers, owned(servers), options.seconds)
    yield from (shared, apart, alone)


def _on_postgres(row: Row, database_server: Postgres, options: Options) -> None:
    with (
        database_server.database() as url,
        directory(options) as data,
        ours(options, data, database_url=url) as server,
    ):
        server.add_devices(options.devices)
        database_server.checkpoint()
        _round(row, server, options)


def _round(row: Row, server: Server, options: Options) -> None:
    load(server, "unlock", server.device_ids, WARM_UP_SECONDS)
    assert server.records is not None
    database.wait_until_settled(server.records)
    before = _told(server.records)
    attempts = database.census(server.records).total
    accept_round(row, server, options.seconds)
    told, made = _told(server.records) - before, database.census(server.records).total - attempts
    if told != made:
        row.invalid.append(f"ours: {made} attempts ended, {told} events tell of it")


def _told(where: database.Where) -> int:
    with database.asking(where) as ask:
        count = f"select count(*) from {database.EVENTS} where event_type = '{ENDED}'"
        return int(ask(count)[0][0])
