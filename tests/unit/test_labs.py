"""How what is said of commands to real locks is judged by the locks' own log."""

from __future__ import annotations

import pytest

from labs.commanded import Commanded, contradictions
from labs.doors import Did

SECOND = 1_000_000


def a_command(second: int, *, locked: bool, status: str = "success", error: str = "") -> Commanded:
    """A command to the front door, a second before the next."""
    at = second * SECOND
    return Commanded(second, "front", locked, None, at, at + SECOND, status, error)


def a_move(second: float, *, locked: bool) -> Did:
    """The bolt of the front door went there."""
    return Did(round(second * SECOND), "front", moved=True, locked=locked)


UNKNOWN = {"status": "error", "error": "outcome_unknown"}
REFUSED = {"status": "error", "error": "command_refused"}


@pytest.mark.parametrize(
    ("commands", "moves", "complaint"),
    [
        ([a_command(1, locked=False)], [a_move(1.1, locked=False)], ""),
        ([a_command(1, locked=True)], [], ""),
        ([a_command(1, locked=False)], [], "said to be done, and it is not"),
        ([a_command(1, locked=False)], [a_move(1.1, locked=True)], "it did something else"),
        ([a_command(1, locked=False)], [a_move(1.1, locked=False), a_move(1.2, locked=False)], "2 times"),
        ([a_command(1, locked=False, **REFUSED)], [a_move(1.1, locked=False)], "said not to be done"),
        ([a_command(1, locked=False, **UNKNOWN)], [a_move(1.1, locked=False)], ""),
        ([a_command(1, locked=False, status="pending")], [], "it did not end"),
    ],
)
def test_what_is_said_is_what_the_lock_did(commands, moves, complaint):
    """One complaint for each thing that was said and is not so, none where all is."""
    found = contradictions(commands, moves)
    assert len(found) == bool(complaint)
    assert complaint in "".join(found)


def test_what_a_lock_makes_up_for_is_no_second_act():
    """A lock that stood still and goes on does what it was told before, of which nobody knew the outcome."""
    unknown, done = a_command(1, locked=False, **UNKNOWN), a_command(2, locked=True)
    moves = [a_move(2.0, locked=False), a_move(2.1, locked=True)]
    assert contradictions([unknown, done], moves) == []
    assert contradictions([unknown, a_command(2, locked=True, **REFUSED)], moves[:1]) == []
    assert contradictions([unknown, done], [moves[0], *moves[1:], *moves[1:]]) != [], "twice all the same"
    assert contradictions([a_command(1, locked=True), done], moves) != [], "nothing was owed"
