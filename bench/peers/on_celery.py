"""The work on Celery with Redis.

    python on_celery.py SOCKET JOBS DEVICES CALLERS

As durable as Celery gets: Redis brings every write to the disk before it answers (the bench starts it with
``appendfsync always``), a worker acknowledges late and takes only what it works at, and each outcome is
kept as a result. Callers are threads, for Celery has no other; each has a connection of its own. Nothing
keeps two commands to one device apart: Celery has nothing for that.
"""

import itertools
import json
import subprocess
import sys
import threading
import time

import redis
from celery import Celery

SOCKET = sys.argv[1]
URL = f"redis+socket://{SOCKET}"
app = Celery("on_celery", broker=URL, backend=URL)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=4,
    broker_pool_limit=64,
    redis_max_connections=200,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)
bolts: dict[str, bool] = {}


@app.task(name="unlock")
def unlock(device: str) -> bool:
    """The act: it costs next to nothing."""
    bolts[device] = False
    return True


def hand_in(jobs: int, devices: int, callers: int) -> None:
    """Send all tasks, each for itself, and print how long all took and how many results are kept."""
    store = redis.Redis(unix_socket_path=SOCKET)

    def done() -> int:
        # One key for each result, besides those of the queue, which come and go.
        return store.dbsize() - store.exists("celery", "unacked", "unacked_index", "unacked_mutex") - others

    others = 0
    for _ in range(devices):  # the worker is up
        unlock.apply_async(args=("warm",)).get(timeout=60)
    others = done()
    numbers = itertools.count()

    def call() -> None:
        while (number := next(numbers)) < jobs:
            unlock.apply_async(args=(f"lock-{number % devices}",))

    threads = [threading.Thread(target=call) for _ in range(callers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while done() < jobs and time.perf_counter() - began < 120:
        time.sleep(0.01)
    took = time.perf_counter() - began
    found = sum(1 for _ in store.scan_iter("celery-task-meta-*", count=10_000)) - devices
    print("RESULT", json.dumps({"done": found, "seconds": took}), flush=True)


def main() -> None:
    """Start the worker in another process, and hand in."""
    if sys.argv[2] == "work":
        flags = ["--pool", sys.argv[3], "--concurrency", sys.argv[4], "--loglevel", "ERROR"]
        app.worker_main(["worker", *flags, "--without-gossip", "--without-mingle", "--without-heartbeat"])
        return
    jobs, devices, callers = map(int, sys.argv[2:5])
    pool = sys.argv[5:7] or ["prefork", "2"]
    worker = subprocess.Popen([sys.executable, __file__, SOCKET, "work", *pool])
    try:
        hand_in(jobs, devices, callers)
    finally:
        worker.terminate()
        worker.wait()


if __name__ == "__main__":
    main()
