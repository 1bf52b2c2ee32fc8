"""Commands to real stacks with faults by chance, judged by what the locks themselves have on record."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, NamedTuple

from labs.doors import Did
from labs.house import House

#: s. A lock that says nothing keeps its command for so long.
_WITHIN = 8
#: µs. How exactly the locks' clock is the clock here: they count milliseconds.
_EXACTLY = 2_000


class Commanded(NamedTuple):
    """A command, and what was said of it."""

    number: int
    door: str
    locked: bool
    fault: str | None
    #: µs: it was asked for, and the next one to this lock was.
    at: int
    until: int
    status: str
    error: str


@dataclass(slots=True)
class Outcome:
    """What came of all of them."""

    ended: Counter[str] = field(default_factory=Counter)
    #: Those of which something else was said than the lock did: one sentence each.
    contradictions: list[str] = field(default_factory=list)


def command_by_chance(house: House, commands: int, seed: int) -> Outcome:
    """So many commands, each lock's one after the other, faults drawn anew for each; then all is healed.

    Which command a lock gets follows from the seed; how many it gets, from how fast it is.
    """
    numbers = count()
    with ThreadPoolExecutor(len(house.device_ids)) as threads:
        every = threads.map(
            lambda door: list(_commands_to(house, door, numbers, commands, Random(f"{seed}/{door}"))),
            house.device_ids,
        )
        lists = [some for some in every if some]
    house.lock_up()
    outcome = Outcome()
    log = [did for did in house.doors.did() if did.moved]
    for some in lists:
        outcome.ended.update(each.error or each.status for each in some)
        outcome.contradictions += contradictions(some, [did for did in log if did.door == some[0].door])
    for door in house.device_ids:
        last = next(did.locked for did in reversed(log) if did.door == door)
        if house.state(door)["locked"] is not last:
            outcome.contradictions.append(f"{door} is said to be {house.state(door)['locked']}, is {last}")
    return outcome


def contradictions(commands: Sequence[Commanded], log: Sequence[Did]) -> list[str]:
    """In what one lock's log of its moves is against what was said of the commands to it, in order.

    A lock that stood still does what it was told when it goes on: of that nobody knew the outcome, and it was
    said so. It is no second act of the command that came next.
    """
    found: list[str] = []
    owed: list[bool] = []
    for said in commands:
        moves = [did for did in log if said.at - _EXACTLY <= did.at < said.until]
        while owed and moves and moves[0].locked is owed[0] and _is_too_much(said, moves):
            moves.pop(0)
            owed.pop(0)
        complaint = _contradiction(said, moves, [did for did in log if did.at < said.until])
        if complaint:
            found.append(f"{complaint}: {said} (it did {moves})")
        if said.error == "outcome_unknown" and not moves:
            owed.append(said.locked)
    return found


def _is_too_much(said: Commanded, moves: Sequence[Did]) -> bool:
    """Whether the command cannot have been what all of this was done for."""
    is_none_due = said.error not in {"", "outcome_unknown"}
    return len(moves) > 1 or moves[0].locked is not said.locked or is_none_due


def _contradiction(said: Commanded, moves: Sequence[Did], until_then: Sequence[Did]) -> str:
    """In what that is against what was said of a command; empty if in nothing."""
    stood = until_then[-1] if until_then else None
    if len(moves) > 1:
        return f"it acted {len(moves)} times for one command"
    if any(did.locked is not said.locked for did in moves):
        return "it did something else"
    if said.status == "success":
        # Every bolt is thrown when the lab comes up.
        is_there = (stood is None and said.locked) or (stood is not None and stood.locked is said.locked)
        return "" if is_there else "said to be done, and it is not"
    if said.status == "pending":
        return "it did not end"
    if said.error != "outcome_unknown" and moves:
        return "said not to be done, and it was"
    return ""


def _commands_to(
    house: House, door: str, numbers: Iterator[int], commands: int, chance: Random
) -> Iterator[Commanded]:
    """The commands to one lock. A lock that was dead is waited for: what is offline tells nothing."""
    http = house.caller()
    kinds = [None, *house.doors.faults]
    weights = [100 - sum(house.doors.faults.values()), *house.doors.faults.values()]
    before: dict[str, Any] | None = None
    for number in numbers:
        fault = chance.choices(kinds, weights)[0]
        locked = chance.random() < 0.5
        house.doors.fault(door, fault)
        at = time.time_ns() // 1_000
        if before is not None:
            yield Commanded(**before, until=at)
            before = None
        if number >= commands:
            break
        attempt = house.command(http, door, locked=locked, within=_WITHIN)
        error = (attempt["error"] or {}).get("type", "")
        before = {
            "number": number, "door": door, "locked": locked, "fault": fault, "at": at,
            "status": attempt["status"], "error": error,
        }  # fmt: skip
        if error in {"device_unreachable", "device_offline"}:
            house.doors.fault(door, None)
            house.until(lambda: _is_online(house, http, door), f"{door} does not come back")
    house.doors.fault(door, None)


def _is_online(house: House, http: Any, door: str) -> bool:
    answer = http.post("/devices/get", json={"device_id": house.device_ids[door]})
    return bool(answer.json()["device"]["properties"]["online"])
