"""What the docs say of the types of events, held against the code that writes them."""

from __future__ import annotations

import re

import pytest

from tests.lint.source import PACKAGE
from tools.event_types import MADE, NEVER, TYPES


def beginnings_of(event_type: str) -> list[str]:
    """Why nothing causes it, where that is said."""
    return [each for each in NEVER if event_type.startswith(each)]


@pytest.mark.parametrize("event_type", TYPES)
def test_a_type_is_made_or_has_its_reason(event_type):
    """Each type is written somewhere or, for one reason, nowhere."""
    assert (event_type in MADE) + len(beginnings_of(event_type)) == 1


def test_no_reason_is_left_behind():
    """Each reason is one of a type that there is, and no type is made that nobody could ask for."""
    assert [each for each in NEVER if not any(known.startswith(each) for known in TYPES)] == []
    assert MADE.keys() - set(TYPES) == set()


@pytest.mark.parametrize("event_type", sorted(MADE))
def test_a_type_is_written_where_it_is_said(event_type):
    """The module has the type's word: whole, behind the dot of its family, or behind a word of its own."""
    source = (PACKAGE / MADE[event_type].module).read_text()
    word = event_type.partition(".")[2]
    last = word.rpartition(".")[2]
    wanted = rf'"(?:[\w.]+\.)?{re.escape(word)}"|\.{re.escape(last)}"|"{re.escape(last)}"'
    if event_type.startswith("action_attempt."):
        wanted = r'f"action_attempt\.\{type\.lower\(\)\}\.\{outcome\}"'
    assert re.search(wanted, source), f"{MADE[event_type].module} does not write {event_type}"


@pytest.mark.parametrize("event_type", [each for each in TYPES if each not in MADE])
def test_what_is_never_told_is_written_nowhere(event_type):
    """No module of the domain, the engine, actions or drivers has a type that nothing is said to cause."""
    for folder in ("domain", "engine", "actions", "drivers"):
        for path in (PACKAGE / folder).rglob("*.py"):
            assert f'"{event_type}"' not in path.read_text(), path
