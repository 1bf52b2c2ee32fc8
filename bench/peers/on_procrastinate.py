"""The work on Procrastinate, on PostgreSQL.

    python on_procrastinate.py POSTGRES_URL JOBS DEVICES CALLERS

A job is deferred with its device as its lock, as Procrastinate has one command at a time for each, and stays
on record with how it ended, which is how Procrastinate comes. The worker runs in the callers' own process and
runs as many jobs at once as there are callers. A caller waits until his job was run before he hands in the
next, because its question for the next job becomes slower with each that waits: 2,000 that were all handed
in first took several times as long. So this is Procrastinate at its fastest.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator

import psycopg
import uvloop
from procrastinate import App, PsycopgConnector

URL = sys.argv[1]
app = App(connector=PsycopgConnector(conninfo=URL, max_size=20))
bolts: dict[str, bool] = {}
waiting: dict[int, asyncio.Event] = {}


@app.task(name="unlock")
async def unlock(device: str, number: int) -> None:
    """The act: it costs next to nothing."""
    bolts[device] = False
    waiting.pop(number).set()


async def call(number: int, devices: int) -> None:
    """Hand in a job and wait until it was run."""
    lock = f"lock-{number % devices}"
    was_run = waiting[number] = asyncio.Event()
    await unlock.configure(lock=lock).defer_async(device=lock, number=number)
    await was_run.wait()


async def hand_in(jobs: int, devices: int, callers: int) -> None:
    """Defer all jobs, each for itself, and print how long all took and what is on record."""
    with psycopg.connect(URL, autocommit=True) as look:
        count = "select count(*) from procrastinate_jobs where status = 'succeeded'"

        def done() -> int:
            return look.execute(count).fetchone()[0]

        async def call_on(numbers: Iterator[int]) -> None:
            for number in numbers:
                await call(number, devices)

        async with app.open_async():
            await app.schema_manager.apply_schema_async()
            worker = asyncio.create_task(
                app.run_worker_async(concurrency=callers, install_signal_handlers=False)
            )
            warm = iter(range(-devices, 0))
            await asyncio.gather(*(call_on(warm) for _ in range(callers)))
            look.execute("analyze")  # what the database's own upkeep would do in its first minute
            # A job says that it was run before that is on record.
            while (before := done()) < devices:
                await asyncio.sleep(0.01)
            numbers = iter(range(jobs))
            began = time.perf_counter()
            await asyncio.gather(*(call_on(numbers) for _ in range(callers)))
            while (found := done() - before) < jobs and time.perf_counter() - began < 120:
                await asyncio.sleep(0.01)
            took = time.perf_counter() - began
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
    print("RESULT", json.dumps({"done": found, "seconds": took}), flush=True)


if __name__ == "__main__":
    uvloop.run(hand_in(*map(int, sys.argv[2:5])))
