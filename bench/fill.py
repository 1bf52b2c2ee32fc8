"""Give a stopped server a past: attempts, events and entries of the audit trail as it writes them itself.

The newest attempts that it has really run are the models. The database makes copies of them, in statements
that are the same on both: each copy has an id of its own moment, another of the devices, and all times of its
model moved; their events have the workspace's numbers without a gap. It knows no column but those named in
`database.py` and here: wherever a model has its id, its device's or a time in it, the copy has its own.
"""

import random
import re
import time
from dataclasses import dataclass

from bench import database
from bench.databases import Books, books
from bench.rows import BenchError

DAY_MS = 86_400_000
#: For how long a server keeps attempts and events unless it is told otherwise; so long is the past.
ATTEMPTS_DAYS, EVENTS_DAYS = 180, 30
#: The copies end so long before now, ms: what is measured after that is younger.
UNTIL = 3_600_000
#: Copies of one transaction, and how many attempts are models.
BATCH, MODELS = 100_000, 20
AUDIT = "audit_entries"
#: µs since 1970 within a text.
_MOMENT = re.compile(r"\b1[0-9]{15}\b")

Cell = str | int | float | None
Cells = dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Model:
    """An attempt that was really run, and its events in their order."""

    attempt: Cells
    events: list[Cells]

    @property
    def accepted_at(self) -> int:
        """µs since 1970."""
        return int(self.attempt["accepted_at"] or 0)


def fill(where: database.Where, count: int, days: int = ATTEMPTS_DAYS) -> float:
    """Add so many finished attempts of so many days to a database that no server uses; the seconds it took.

    Raises ``BenchError`` if it has none to copy.
    """
    started = time.perf_counter()
    with books(where) as ledger:
        models = _models(ledger)
        ledger.commit()  # or it would wait for what was asked just now
        ledger.partition(days, EVENTS_DAYS)
        _begin(ledger, models[0].attempt["device_id"])
        span = days * DAY_MS
        oldest = time.time_ns() // 1_000_000 - UNTIL - span
        past = _Past(ledger, models, oldest, span, count, _first_told(count, days, len(models)))
        for first in range(0, count, BATCH):
            past.write(first, min(first + BATCH, count))
        ledger.finish([database.ATTEMPTS, database.EVENTS, AUDIT])
    return time.perf_counter() - started


def _first_told(count: int, days: int, models: int) -> int:
    """The first copy whose events are kept, the first of a turn through the models."""
    first = count * max(days - EVENTS_DAYS, 0) // days
    return first // models * models


def _models(ledger: Books) -> list[Model]:
    newest = (
        f"select * from {database.ATTEMPTS} where {database.PHASE} not in {database.OPEN}"
        f" and device_id is not null order by {database.ID} desc limit {MODELS}"
    )
    found = []
    for attempt in ledger.rows(newest):
        events = f"select * from {database.EVENTS} where action_attempt_id = {literal(attempt['id'])}"
        found.append(Model(attempt, ledger.rows(f"{events} order by {database.SEQUENCE}")))
    if not found:
        raise BenchError("the database holds no finished attempt to copy: unlock a door first")
    return found


def _begin(ledger: Books, device_id: Cell) -> None:
    """What the copies are made from, and an empty log: the models would be young in front of what is old."""
    ledger.do("create temp table bearers (rank bigint primary key, device_id text not null)")
    like = f"(select workspace_id, device_type from devices where id = {literal(device_id)})"
    ledger.do(
        "insert into bearers select row_number() over (order by id) - 1, id from devices"
        f" where (workspace_id, device_type) = {like}"
    )
    ledger.do(
        "create temp table copies (n bigint primary key, id text not null, moment bigint not null,"
        " device_id text not null)"
    )
    for table in (database.EVENTS, "audit_waiting", AUDIT, database.ATTEMPTS):
        ledger.do(f"delete from {table}")
    ledger.do("update workspaces set event_sequence = 0, audit_count = 0")


class _Past:
    """Some of the copies, to be written in one transaction."""

    def __init__(
        self, ledger: Books, models: list[Model], oldest: int, span: int, count: int, told_from: int
    ) -> None:
        self._ledger = ledger
        self._models = models
        #: Of copy n, ms since 1970.
        self._moment = f"({oldest} + cast({span}.0 * n / {count} as bigint))"
        self._told_from = told_from
        self._a_turn = sum(len(model.events) for model in models)

    def write(self, first: int, last: int) -> None:
        """The copies from ``first`` on, without ``last``."""
        ledger = self._ledger
        ledger.do("delete from copies")
        [[devices]] = ledger.ask("select count(*) from bearers")
        ledger.do(
            f"with recursive series(n) as (select cast({first} as bigint) union all select n + 1 from series"
            f" where n < {last - 1}) insert into copies select n, {ledger.new_id(self._moment)},"
            f" {self._moment}, device_id from series join bearers on rank = (n * 7919) % {devices}"
        )
        sequence = 0
        for number, model in enumerate(self._models):
            of_model = f"where n % {len(self._models)} = {number}"
            self._insert(database.ATTEMPTS, model.attempt, model, {database.ID: "copies.id"}, of_model)
            for event in model.events:
                sequence += 1
                turn = f"(n - {self._told_from}) / {len(self._models)}"
                own = {
                    database.EVENT_ID: ledger.new_id("moment"),
                    database.SEQUENCE: f"{turn} * {self._a_turn} + {sequence}",
                }
                told = f"{of_model} and n >= {self._told_from}"
                self._insert(database.EVENTS, event, model, own, told)
        workspace = literal(self._models[0].attempt[database.WORKSPACE])
        # Nobody reads these seals: what is measured writes the next ones behind them.
        seal = "replace(id, '-', '') || replace(id, '-', '')"
        ledger.do(
            f"insert into {AUDIT} (workspace_id, number, attempt_id, seal)"
            f" select {workspace}, n + 1, id, {seal} from copies order by n"
        )
        ledger.do(
            f"update workspaces set audit_count = {last}, event_sequence = (select coalesce("
            f" max(sequence), 0) from {database.EVENTS} where workspace_id = {workspace})"
            f" where id = {workspace}"
        )
        ledger.commit()

    def _insert(self, table: str, cells: Cells, model: Model, own: dict[str, str], which: str) -> None:
        values = [own.get(name) or self._copied(name, cell, model) for name, cell in cells.items()]
        ledger = self._ledger
        ledger.do(
            f"insert into {table} ({', '.join(cells)})"
            f" select {', '.join(values)} from copies {which} order by n"
        )

    def _copied(self, name: str, cell: Cell, model: Model) -> str:
        """How the copy's cell follows from the model's, in SQL."""
        shift = f"(moment * 1000 - {model.accepted_at})"
        if name == database.FILED:
            return "1"  # long since in the index by device
        if isinstance(cell, int) and name.endswith(("_at", "_before")):
            return f"{cell} + {shift}"
        if not isinstance(cell, str):
            return literal(cell)
        copied = literal(cell)
        for column, id in (("copies.id", model.attempt["id"]), ("device_id", model.attempt["device_id"])):
            if isinstance(id, str) and id in cell:
                copied = f"replace({copied}, {literal(id)}, {column})"
        for moment in sorted(set(_MOMENT.findall(cell))):
            copied = f"replace({copied}, '{moment}', cast({moment} + {shift} as text))"
        return copied


def literal(value: Cell) -> str:
    """A value as both databases read it in a statement."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def uuid7(milliseconds: int) -> str:
    """A UUIDv7 of that moment."""
    digits = f"{milliseconds:012x}"
    low = f"{0b10 << 62 | random.getrandbits(62):016x}"
    return f"{digits[:8]}-{digits[8:]}-7{random.getrandbits(12):03x}-{low[:4]}-{low[4:]}"
