"""A hub that is killed in the middle of fifty commands: none is lost, and nothing untrue is said."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from labs.house import House

COMMANDS = 50
#: Ends that are seen before the hub is killed.
_BEFORE = 8
#: s. The commands' deadline, and how much later than that an end may be on record.
_WITHIN, _LATE = 30, 1.0
#: µs. How exactly the locks' clock is the clock here: they count milliseconds.
_EXACTLY = 2_000


def interrupt(house: House) -> tuple[Counter[str], list[str]]:
    """How they ended, and what was wrong with that, a sentence each."""
    http = house.caller()
    doors = list(house.device_ids)
    asked: list[tuple[str, bool, str]] = []
    for number in range(COMMANDS):
        door, locked = doors[number % len(doors)], (number // len(doors)) % 2 == 1
        attempt = house.command(http, door, locked=locked, within=_WITHIN, wait=False)
        asked.append((door, locked, attempt["action_attempt_id"]))
    ids = [id for _, _, id in asked]
    house.until(lambda: _ended(house, ids) >= _BEFORE, "they do not get going")
    house.doors.restart()
    house.until(lambda: _ended(house, ids) == COMMANDS, "some do not end", _WITHIN + 15)
    house.all_online()
    return _judged(house, asked)


def _judged(house: House, asked: list[tuple[str, bool, str]]) -> tuple[Counter[str], list[str]]:
    log = [did for did in house.doors.did() if did.moved]
    ends: Counter[str] = Counter()
    wrong = []
    for door, locked, id in asked:
        ended = house.attempt(id)
        ends[(ended["error"] or {}).get("type") or ended["status"]] += 1
        timeline = house.call("/thumbturn/attempts/timeline", action_attempt_id=id)["timeline"]
        accepted, settled = (_microseconds(timeline[name]) for name in ("accepted_at", "settled_at"))
        if settled > accepted + round((_WITHIN + _LATE) * 1e6):
            wrong.append(f"{id} ended {(settled - accepted) / 1e6:.1f} s after it was accepted")
        sent = [_microseconds(each["occurred_at"]) for each in timeline["stages"] if each["stage"] == "sent"]
        moves = [
            did
            for did in log
            if did.door == door and sent and sent[0] - _EXACTLY <= did.at <= settled + _EXACTLY
        ]
        if ended["status"] == "success" and [did.locked for did in moves] != [locked]:
            wrong.append(f"{id} is said to be done, its lock did {moves}")
        if ended["status"] == "error" and ended["error"]["type"] != "outcome_unknown" and moves:
            wrong.append(f"{id} is said not to be done ({ended['error']['type']}), its lock did {moves}")
    for door in house.device_ids:
        stands = next((did.locked for did in reversed(log) if did.door == door), True)
        if house.state(door)["locked"] is not stands:
            wrong.append(f"{door} is believed to be {house.state(door)['locked']}, and is {stands}")
    return ends, wrong


def _ended(house: House, ids: list[str]) -> int:
    return sum(house.attempt(id)["status"] != "pending" for id in ids)


def _microseconds(when: str) -> int:
    return round(datetime.fromisoformat(when).timestamp() * 1_000_000)
