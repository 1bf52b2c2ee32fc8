"""The work on DBOS, on PostgreSQL.

    python on_dbos.py POSTGRES_URL JOBS DEVICES CALLERS

A job is a workflow that is started on the caller's own event loop: that is on record when the start
returns, and so is its end. It has no step, though a command that reaches a device would need one: that
would be one more record. Nothing keeps two commands to one device apart: for that DBOS would need
a queue, and more records. So this is DBOS at its fastest.
"""

import asyncio
import json
import sys
import time

import psycopg
import uvloop
from dbos import DBOS, DBOSConfig

bolts: dict[str, bool] = {}


@DBOS.workflow()
async def unlock(device: str) -> bool:
    """The act: it costs next to nothing."""
    bolts[device] = False
    return True


async def hand_in(url: str, jobs: int, devices: int, callers: int) -> None:
    """Start all workflows, and print how long all took and what is on record."""
    for _ in range(devices):  # whatever compiles or caches, does it now
        await (await DBOS.start_workflow_async(unlock, "warm")).get_result()
    with psycopg.connect(url, autocommit=True) as look:
        count = "select count(*) from dbos.workflow_status where status = 'SUCCESS'"

        def done() -> int:
            return look.execute(count).fetchone()[0]

        numbers = iter(range(jobs))

        async def call() -> None:
            for number in numbers:
                await DBOS.start_workflow_async(unlock, f"lock-{number % devices}")

        before, began = done(), time.perf_counter()
        await asyncio.gather(*(call() for _ in range(callers)))
        while (found := done() - before) < jobs and time.perf_counter() - began < 120:
            await asyncio.sleep(0.02)
        took = time.perf_counter() - began
    print("RESULT", json.dumps({"done": found, "seconds": took}), flush=True)


def main() -> None:
    """Launch DBOS in this process, and hand in."""
    url, *counts = sys.argv[1:]
    jobs, devices, callers = map(int, counts)
    config: DBOSConfig = {"name": "bench", "system_database_url": url, "log_level": "ERROR"}
    DBOS(config=config)
    DBOS.launch()
    uvloop.run(hand_in(url, jobs, devices, callers))
    DBOS.destroy()


if __name__ == "__main__":
    main()
