"""The case of forgetting: our server while it forgets what is old, beside our server that does not."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench import database
from bench.fill import fill
from bench.load import load
from bench.options import Options
from bench.past import AS_FAST, ON, unlock
from bench.places import FOR_EVER, Place, bound, furnished
from bench.postgres import postgres
from bench.rows import Bound, Row
from bench.throughput import in_turn

#: Days over which the past is spread: on PostgreSQL some partitions of it go while it is measured.
SPREAD = 240
FORGETS = ("--keep-attempts-days", "1", "--keep-events-days", "1")
#: A server begins to forget an hour after its start; here it is a second.
SOON = "from thumbturn.engine import purging\npurging.ROUND = 1_000_000\n"
#: Seconds of load before a round, in which it begins.
BEGINS_WITHIN = 3


def purge(options: Options) -> Iterator[Row]:
    """Unlocking at full load, on each database."""
    if "ours" not in options.sides:
        return
    with postgres() as books, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sitecustomize.py").write_text(SOON)
        for on in ON:
            what = f"unlock_door accepted, run and settled while old attempts are forgotten, on {on}"
            row = Row(f"complete_purging_{on}", what, "1/s", Bound(AS_FAST, "keeping"))
            with ExitStack() as stack:
                sides = {}
                for side in ("ours", "keeping"):
                    sides[side] = stack.enter_context(furnished(options, books, on, options.devices))
                    fill(sides[side].records, options.purged, SPREAD)
                books.checkpoint()
                gone = sum(
                    _round(row, side, sides[side], options, folder)
                    for number in range(options.rounds)
                    for side in in_turn(list(sides), number)
                )
            if not gone:
                row.invalid.append("nothing was forgotten meanwhile")
            yield row


def _round(row: Row, side: str, place: Place, options: Options, folder: str) -> int:
    """One round of one side; how much was forgotten in it."""
    flags = FORGETS if side == "ours" else FOR_EVER
    path = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))
    with place.serving(options, flags, {"PYTHONPATH": path} if side == "ours" else {}) as server:
        load(server, "unlock", server.device_ids, BEGINS_WITHIN)
        database.wait_until_settled(place.records)
        before, began = _on_record(place), time.perf_counter()
        unlock(row, side, server, place, options.seconds)
        gone, took = before - _on_record(place), time.perf_counter() - began
    if side == "ours":
        row.notes.append(f"{gone / took:,.0f} rows were forgotten a second")
    return gone


def _on_record(place: Place) -> int:
    """Old attempts and events, less the texts of attempts that are kept for the audit trail."""
    old = bound(time.time_ns() // 1_000_000 - 86_400_000)
    with database.asking(place.records) as ask:
        counts = [
            f"select count(*) from {table} where {id} < '{old}'"
            for table, id in ((database.ATTEMPTS, database.ID), (database.EVENTS, database.EVENT_ID))
        ]
        return sum(int(ask(count)[0][0]) for count in counts) - int(
            ask("select count(*) from audit_texts")[0][0]
        )
