"""Ours without HTTP: attempts begun at the engine's own door, in one process.

python -m bench.peers.ours_at_the_door DATABASE_URL JOBS DEVICES CALLERS
"""

import asyncio
import gc
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import uvloop
from sqlalchemy import make_url

from bench.database import asking
from thumbturn import actions
from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import SystemClock, seconds
from thumbturn.domain.ids import new_id
from thumbturn.domain.workspace import Workspace
from thumbturn.drivers.virtual.driver import VirtualDriver
from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.engine import Engine
from thumbturn.engine.pins import open_pins
from thumbturn.engine.secrets import open_seal
from thumbturn.storage.open import open_store


async def unlock_doors(url: str, jobs: int, devices: int, callers: int, folder: Path) -> float:
    """Seconds from the first acceptance until the last end was on record."""
    store = open_store(url)
    clock = SystemClock()
    seal = await open_seal(store.secrets, None, folder)
    pins = await open_pins(store.access_codes, seal)
    virtual = VirtualDriver(clock, 1, folder / "journal", pins)
    engine = Engine(
        store=store,
        drivers={virtual.name: virtual},
        world=virtual,
        actions=actions.load(),
        clock=clock,
        pins=pins,
        credentials=AcsCredentials(store.access, seal, pins, clock),
        seal=seal,
    )
    await engine.start()
    home = Workspace(id=new_id(), name="Home", is_sandbox=True, created_at=clock.now())
    await engine.add_workspace(home, user_id=None)
    locks = await engine.sandbox.add_devices(home, devices, "lock", 0)
    unlock = engine.actions["UNLOCK_DOOR"]
    begun: list[Attempt] = []
    numbers = iter(range(jobs))

    async def call() -> None:
        for number in numbers:
            ask = unlock.ask.model_construct(device_id=locks[number % devices].id)
            begun.append(await engine.begin(unlock, ask, home, Asker(home.id, "api_key", None, new_id())))

    began = perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    await engine.begun.all_settled((each for each in begun if engine.begun.is_open(each.id)), seconds(60))
    took = perf_counter() - began
    await engine.stop()
    await store.close()
    return took


def main() -> None:
    """Measure once, on an unused database, and say how it was."""
    url, *counts = sys.argv[1:]
    # As the server does, and for its reasons.
    sys.setswitchinterval(0.0002)
    gc.set_threshold(20_000, 20, 50)
    jobs, devices, callers = map(int, counts)
    with TemporaryDirectory() as folder:
        took = uvloop.run(unlock_doors(url, jobs, devices, callers, Path(folder)))
    where = Path(make_url(url).database or "").parent if url.startswith("sqlite") else url
    with asking(where) as ask:
        events = ask("select count(*) from events where event_type like 'action_attempt.%.succeeded'")
        ended = ask("select count(*) from attempts where phase = 'succeeded'")
    done = min(events[0][0], ended[0][0])
    print("RESULT", json.dumps({"done": done, "seconds": took}))


if __name__ == "__main__":
    main()
