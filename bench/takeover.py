"""How soon the devices of a process act again that was killed: another takes its cells over."""

import time
from collections.abc import Iterator

from bench import database
from bench.options import Options
from bench.postgres import postgres
from bench.rows import Bound, Row
from bench.servers import Server, directory, ours
from bench.several import OWNERS, call, several, wait_until_shared

#: Processes that stay, and how often in a round one more is killed beside them.
STAY, KILLS = 2, 4
#: Nobody waits longer for a door.
GIVEN_UP_AFTER = 60.0
ACTS_AGAIN_WITHIN = 10.0


def takeover(options: Options) -> Iterator[Row]:
    """An owner is killed by ``kill -9``, and a lock in each of its workspaces is unlocked at once."""
    row = Row(
        "takeover_p99",
        "a process is killed → its devices act again, p99",
        "s",
        Bound(ACTS_AGAIN_WITHIN),
    )
    if "ours" not in options.sides:
        return
    took: list[float] = []
    with postgres() as server, several(options, server, STAY) as staying:
        url = staying[0].database_url
        for _ in range(KILLS * options.rounds):
            with directory(options) as data, ours(options, data, database_url=url) as victim:
                wait_until_shared([*staying, victim])
                took += _killed(victim, staying[0], row)
    if took:
        row.add("ours", sorted(took)[min(len(took) - 1, round(0.99 * len(took)))])
        row.notes.append(f"{len(took)} workspaces, the median after {sorted(took)[len(took) // 2]:.1f} s")
    yield row


def _killed(victim: Server, asked: Server, row: Row) -> list[float]:
    """Seconds from the kill to the end of a command, for each workspace that the victim owned."""
    assert asked.database_url is not None
    with database.asking(asked.database_url) as ask:
        [(newest,)] = ask("select id from processes order by started_at desc limit 1")
        owners = dict(ask(OWNERS))
    locks = {line.split()[1]: line.split()[0] for line in asked.device_ids}
    mine = {workspace: lock for workspace, lock in locks.items() if owners[workspace] == newest}
    began = time.perf_counter()
    victim.kill()
    waiting = {
        workspace: call(asked, asked.token, workspace, "/locks/unlock_door", {"device_id": lock})
        for workspace, lock in mine.items()
    }
    took: list[float] = []
    while waiting and time.perf_counter() - began < GIVEN_UP_AFTER:
        for workspace, answer in list(waiting.items()):
            attempt = answer["action_attempt"]["action_attempt_id"]
            found = call(
                asked, asked.token, workspace, "/action_attempts/get", {"action_attempt_id": attempt}
            )
            status = found["action_attempt"]["status"]
            if status != "pending":
                took.append(time.perf_counter() - began)
                del waiting[workspace]
                if status != "success":
                    row.invalid.append(f"ours: {found['action_attempt']['error']}")
        time.sleep(0.05)
    row.invalid += [f"ours: {workspace} never acted again" for workspace in waiting]
    return took
