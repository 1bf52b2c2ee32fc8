"""Cases without haste: latency at low load, memory after much work, time to ready."""

from collections.abc import Iterator
from contextlib import ExitStack

from bench import database
from bench.load import load
from bench.openloop import percentile, unlock_at_pace
from bench.options import Options
from bench.rows import BenchError, Bound, Row
from bench.servers import Server, directory, fresh, ours


def low_load(options: Options) -> Iterator[Row]:
    """Latency at 50 unlocks a second: the percentiles of each round, then the median over the rounds."""
    at = f"at {options.pace}/s"
    half = Row("accept_p50", f"{at}, due → accepted, p50", "ms")
    accept = Row("accept_p99", f"{at}, due → accepted, p99", "ms", Bound(10))
    final = Row("final_p99", f"{at}, accepted → final state read, p99", "ms", Bound(25))
    whole = Row("whole_p99", f"{at}, due → final state read, p99", "ms", Bound(25))
    rows = {"accepted": accept, "final": final, "whole": whole}
    with ExitStack() as stack:
        servers = [
            stack.enter_context(fresh(side, options)) for side in options.among("ours", "peer", "bare")
        ]
        for server in servers:
            unlock_at_pace(server, options.pace, 1, until_final=False)
        for _ in range(options.rounds):
            for server in servers:
                follow = server.side != "bare"
                seen = unlock_at_pace(server, options.pace, options.pace_seconds, until_final=follow)
                if seen.errors:
                    complaint = f"{server.side}: {len(seen.errors)} errors, the first: {seen.errors[0]}"
                    accept.invalid.append(complaint)
                    final.invalid.append(complaint)
                    continue
                half.add(server.side, percentile(seen.accepted, 0.5))
                for name, row in rows.items():
                    if values := getattr(seen, name):
                        row.add(server.side, percentile(values, 0.99))
    yield from (half, accept, final, whole)


def memory(options: Options) -> Iterator[Row]:
    """Our server's memory after 100,000 attempts over 10,000 devices, and its time to ready on that file."""
    much = f"after {options.memory_attempts:,} attempts and {options.memory_devices:,} devices"
    row = Row("memory", f"resident memory {much}", "MB", Bound(200))
    begin = Row("memory_at_start", "resident memory before", "MB")
    ready = Row("ready_after", f"time to ready {much}", "s", Bound(2))
    if "ours" not in options.sides:
        return
    with directory(options) as data:
        with ours(options, data) as server:
            begin.add("ours", server.megabytes())
            server.add_devices(options.memory_devices)
            device_ids = server.device_ids
            done = 0
            while done < options.memory_attempts:
                # Begin where the last run ended, so that every device has its turn.
                shift = done % len(device_ids)
                seen = load(server, "unlock", device_ids[shift:] + device_ids[:shift], 2)
                if seen.complaint or not seen.answered:
                    raise BenchError(f"ours: {seen.complaint or 'no answer'}")
                done += seen.answered
            database.wait_until_settled(data)
            row.add("ours", server.megabytes())
            row.notes.append(f"{done:,} attempts were accepted")
        for _ in range(options.rounds):
            with ours(options, data, device_ids) as again:
                ready.add("ours", again.ready_seconds)
    yield from (begin, row, ready)


def time_to_ready(options: Options) -> Iterator[Row]:
    """From the start of the process to the first healthy answer: on nothing, and on a used directory."""
    first = Row("ready_fresh", "time to ready, new data directory", "s", Bound(2))
    again = Row("ready_existing", "time to ready, existing data directory", "s", Bound(2))
    for _ in range(options.rounds):
        for side in options.among("peer", "bare"):
            with fresh(side, options) as server:
                first.add(side, server.ready_seconds)
        if "ours" in options.sides:
            with directory(options) as data:
                with ours(options, data) as server:
                    first.add("ours", server.ready_seconds)
                    _use(server)
                with ours(options, data) as server:
                    again.add("ours", server.ready_seconds)
    yield from (first, again)


def _use(server: Server) -> None:
    """Leave some devices and attempts behind."""
    server.add_devices(20)
    server.unlock_some(20)
