"""What happens in a run: who asks for what and when, what breaks, and at which of its seams.

All of it follows from a seed and is plain data, so that a run that broke a promise can be made smaller:
what is left out does not change what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from thumbturn.domain.clock import MILLISECOND, SECOND

#: Who asks keeps to this time; after it, everything heals, and what was begun comes to its end.
LASTS = 240 * SECOND
DOORS = 4


class Step(NamedTuple):
    """Something that somebody does."""

    #: µs since the beginning.
    at: int
    what: str
    how: dict[str, Any]


class Trouble(NamedTuple):
    """What goes wrong at a seam."""

    #: ``write``, ``read``, ``send`` or ``report``.
    seam: str
    #: The first time that something passes there is 0; counted through all lives of the server.
    number: int
    kind: str
    #: For how long, µs, where it is a matter of time.
    time: int = 0


class Scenario(NamedTuple):
    """A run, as it shall be."""

    seed: int
    steps: tuple[Step, ...]
    troubles: tuple[Trouble, ...]


#: Few, so that some are asked for twice. The last is for who changes a code at its lock.
PINS = ("4711", "2580", "9753", None)
BY_HAND = "6420"

#: What may go wrong at each seam, and how often in comparison.
KINDS = {
    "write": {"crash before": 3, "crash after": 3, "refused": 2, "answer lost": 3, "slow": 1, "broken": 1},
    "read": {"refused": 2, "slow": 1},
    "send": {"crash before": 3, "crash after": 4},
    "report": {"lost": 3, "late": 3, "twice": 2},
}
#: How often each seam is passed in a run, about; a trouble beyond that never comes.
PASSED = {"write": 120, "read": 60, "send": 25, "report": 40}
#: The same where several processes are on one record: of what they ask about leases, and one that stands
#: still between a commit and what follows: whoever writes an attempt down is about to command a device.
KINDS_OF_SEVERAL = {
    "lease": {"refused": 3, "answer lost": 2, "slow": 3},
    "write": KINDS["write"] | {"paused after": 6},
}
PASSED_BY_SEVERAL = {"lease": 500}
#: In how many runs a device is at work when the server dies, and offline when it is back.
GONE = 0.15
#: For how long one of them stands still, seconds; a lease lasts six.
PAUSES = (0.3, 2, 5, 7, 9, 20, 60)
#: How many runs of several have pauses after which another owns everything.
STANDING_STILL, LONG_PAUSES = 0.5, (9, 20, 60)
#: How many troubles a run has, at most: some are calm, so that what breaks without any is seen, too.
MOODS = (0, 3, 8, 20)
#: Of how many steps somebody turns the bolt of that door at the keypad at the same moment.
BESIDE = 0.25
#: And how many of these turns do what the command is about to do.
ALIKE = 0.7
FAULTS = ("offline", "silent", "ack_only", "refuse", "jam", "lie", "slow", "dead_mid_way")
ENDPOINT = ("good", "down", "error", "slow", "gone")


def scenario(seed: int) -> Scenario:
    """The scenario of this seed."""
    chance = Random(f"scenario {seed}")
    steps = [_step(chance, number) for number in range(chance.randint(4, 40))]
    steps += [_at_the_same_moment(chance, step) for step in steps if chance.random() < BESIDE]
    if chance.random() < GONE:
        steps += _gone_when_it_is_back(chance, len(steps))
    most = chance.choice(MOODS)
    troubles = {}
    for _ in range(chance.randint(0, most)):
        trouble = _trouble(chance)
        troubles[trouble.seam, trouble.number] = trouble
    return Scenario(seed, tuple(sorted(steps, key=lambda step: step.at)), tuple(troubles.values()))


def scenario_of_several(seed: int) -> Scenario:
    """The scenario of this seed for two processes on one record."""
    chance = Random(f"several {seed}")
    steps = [_step_of_several(chance, number) for number in range(chance.randint(4, 40))]
    most, troubles = chance.choice(MOODS), {}
    for _ in range(chance.randint(0, most)):
        trouble = _trouble(chance, KINDS | KINDS_OF_SEVERAL, PASSED | PASSED_BY_SEVERAL)
        troubles[trouble.seam, trouble.number] = trouble
    if chance.random() < STANDING_STILL:
        # So early, and so often, that one of them is between a command's record and the command.
        for _ in range(chance.randint(1, 4)):
            time = int(chance.choice(LONG_PAUSES) * SECOND)
            trouble = Trouble("write", int(PASSED["write"] / 2 * chance.random()), "paused after", time)
            troubles[trouble.seam, trouble.number] = trouble
    return Scenario(seed, tuple(sorted(steps, key=lambda step: step.at)), tuple(troubles.values()))


def smaller(whole: Scenario, breaks: Callable[[Scenario], bool]) -> Scenario:
    """The scenario without what is not needed for it to break; every part that is left is needed."""
    for part in ("troubles", "steps"):
        size = len(getattr(whole, part))
        while size:
            start = 0
            while start < len(getattr(whole, part)):
                kept = getattr(whole, part)
                less = whole._replace(**{part: kept[:start] + kept[start + size :]})
                if breaks(less):
                    whole = less
                else:
                    start += size
            size //= 2
    return whole


def _trouble(
    chance: Random, all_kinds: dict[str, dict[str, int]] = KINDS, passed: dict[str, int] = PASSED
) -> Trouble:
    seam = chance.choice(sorted(all_kinds))
    kinds = all_kinds[seam]
    kind = chance.choices(list(kinds), list(kinds.values()))[0]
    time = chance.choice((5 * MILLISECOND, 300 * MILLISECOND, 4 * SECOND, 40 * SECOND))
    if kind == "paused after":
        time = int(chance.choice(PAUSES) * SECOND)
    return Trouble(seam, int(passed[seam] * chance.random() ** 1.5), kind, time)


def _step(chance: Random, number: int) -> Step:
    # In bursts: what comes together gets into each other's way.
    at = chance.randrange(6) * 40 * SECOND + chance.choice((0, 5, 80, 2_000, 25_000)) * MILLISECOND
    at += chance.randrange(50) * MILLISECOND
    what = chance.choices(
        (
            "command",
            "code",
            "cancel",
            "fault",
            "heal",
            "disconnect",
            "connect",
            "endpoint",
            "clock",
            "stop",
            "crash",
        ),
        (60, 20, 6, 10, 3, 2, 3, 4, 2, 2, 4),
    )[0]
    how: dict[str, Any] = {"door": chance.randrange(DOORS)}
    if what == "command":
        how |= _command(chance, number)
    elif what == "code":
        how |= {
            "verb": chance.choice(("create", "create", "create", "update", "delete", "touch")),
            "which": chance.randrange(8),
            "pin": chance.choice(PINS),
            # In seconds; without, it lets in for ever.
            "frame": chance.choice((None, (0, 40), (20, 100), (90, 3_000))),
        }
    elif what == "cancel":
        how = {"which": chance.randrange(20)}
    elif what == "fault":
        how |= {
            "fault": chance.choice(FAULTS),
            "times": chance.choice((1, 1, 2, None)),
            "milliseconds": chance.choice((20, 1_500, 12_000)),
        }
    elif what == "endpoint":
        how = {"answers": [chance.choice(ENDPOINT) for _ in range(chance.randint(1, 4))]}
    elif what == "clock":
        how = {"by": chance.choice((-3_600, -40, -2, 2, 40, 3_600)) * SECOND}
    elif what in {"stop", "crash"}:
        how = {"down": chance.choice((0, 1, 20, 50)) * SECOND}
    return Step(at, what, how)


def _step_of_several(chance: Random, number: int) -> Step:
    step = _step(chance, number)
    if step.what in {"code", "endpoint"}:
        return Step(step.at, "pause", {"for": int(chance.choice(PAUSES) * SECOND)})
    if step.what == "clock":
        return step._replace(how={"by": chance.choice((-40, -2, 2, 40)) * SECOND})
    if step.what == "command":
        moves = step.how["type"] in {"LOCK_DOOR", "UNLOCK_DOOR"}
        return step._replace(
            how=step.how | {"waits": 0} | ({} if moves else {"type": "UNLOCK_DOOR", "ask": {}})
        )
    return step


def _at_the_same_moment(chance: Random, step: Step) -> Step:
    """Somebody is at the door while something is asked for: what it reports is not what was commanded.

    Mostly he does what is asked for anyway, so that his turn looks like its outcome; and mostly before the
    command is on record, so that it cannot be.
    """
    is_locked = chance.random() < 0.5
    wanted = {"LOCK_DOOR": True, "UNLOCK_DOOR": False}.get(step.how.get("type", ""))
    if wanted is not None and chance.random() < ALIKE:
        is_locked = wanted
    how = {"door": step.how.get("door", chance.randrange(DOORS)), "is_locked": is_locked}
    return Step(
        step.at + chance.choice((1, 2, 3, 5)) * MILLISECOND - chance.randrange(MILLISECOND), "turn", how
    )


def _gone_when_it_is_back(chance: Random, number: int) -> list[Step]:
    """The server dies while a device is at work that says nothing; when it is back that device is offline."""
    at, door = (
        chance.randrange(6) * 40 * SECOND + chance.randrange(20_000) * MILLISECOND,
        chance.randrange(DOORS),
    )
    fault = {"fault": chance.choice(("silent", "slow")), "times": 1, "milliseconds": 1_500}
    command = _command(chance, number) | {"type": chance.choice(("LOCK_DOOR", "UNLOCK_DOOR")), "ask": {}}
    falls_off = at + chance.choice((100, 600, 2_000)) * MILLISECOND
    return [
        Step(at, "fault", {"door": door} | fault),
        Step(at + 20 * MILLISECOND, "command", {"door": door} | command | {"later": 0, "deadline": None}),
        Step(falls_off, "disconnect", {"door": door}),
        Step(falls_off + 30 * MILLISECOND, "crash", {"down": chance.choice((0, 1)) * SECOND}),
    ]


def _command(chance: Random, number: int) -> dict[str, Any]:
    action_type = chance.choices(
        (
            "UNLOCK_DOOR",
            "LOCK_DOOR",
            "CONFIGURE_AUTO_LOCK",
            "SIMULATE_KEYPAD_CODE_ENTRY",
            "SIMULATE_MANUAL_LOCK_VIA_KEYPAD",
        ),
        (8, 5, 2, 1, 1),
    )[0]
    ask: dict[str, Any] = {}
    if action_type == "CONFIGURE_AUTO_LOCK":
        ask = {
            "auto_lock_enabled": chance.random() < 0.7,
            "auto_lock_delay_seconds": chance.choice((5, 30, 60)),
        }
    elif action_type == "SIMULATE_KEYPAD_CODE_ENTRY":
        ask = {"code": chance.choice(("1234", "9999"))}
    return {
        "type": action_type,
        "ask": ask,
        "name": f"caller {number}",
        "key": f"key {number}" if chance.random() < 0.3 else None,
        # Whoever has a key may ask twice at once.
        "twice": chance.random() < 0.3,
        "later": chance.choice((0, 0, 0, 0, 1, 8, 70)) * SECOND,
        "deadline": chance.choice((None, None, None, SECOND, 5 * SECOND)),
        # How long its caller waits before it asks for the outcome.
        "waits": chance.choice((0, 5)) * SECOND,
    }
