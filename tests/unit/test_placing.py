"""Where each endpoint's calls are answered follows from what it needs, and is decided for all of them."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from thumbturn.api.call import Call
from thumbturn.api.callers import Bearer, Caller, Callers, Person
from thumbturn.api.once import Once
from thumbturn.api.pages import Pages
from thumbturn.api.placing import OF_CELLS, Away, Place, Placing
from thumbturn.api.surroundings import ApiSettings
from thumbturn.api.table import endpoints
from thumbturn.domain.clock import Clock, SystemClock
from thumbturn.domain.keys import mint_api_key, mint_personal_access_token
from thumbturn.domain.refusals import OwnerMissing
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.client_sessions import ClientSessions
from thumbturn.engine.engine import Engine
from thumbturn.engine.feed import Feed
from thumbturn.engine.phones import Phones
from thumbturn.engine.pins import Pins
from thumbturn.engine.ports import Store
from thumbturn.engine.underway import Underway
from thumbturn.engine.user_identities import UserIdentities

#: What is the same in every process: the record, and what only asks it.
_ANYWHERE = (
    BaseModel,
    Bearer,
    Call,
    Callers,
    ClientSessions,
    Feed,
    Once,
    Pages,
    Phones,
    Pins,
    UserIdentities,
)
_PROTOCOLS = (Clock, Store, Underway, ApiSettings)
_TABLE = {path: each for path, each in endpoints().items() if each.access is not None}
_ANYWHERE_PATHS = [path for path, each in _TABLE.items() if each.place is Place.ANYWHERE]


@pytest.mark.parametrize("path", _ANYWHERE_PATHS)
def test_what_is_answered_anywhere_needs_no_engine(path: str):
    """An endpoint that any process answers takes nothing that only the owner of a cell has."""
    for name, kind in _TABLE[path].needs.items():
        is_everywhere = kind in _PROTOCOLS or (inspect.isclass(kind) and issubclass(kind, _ANYWHERE))
        assert is_everywhere, f"{path} takes {name}: {kind}, which not every process has"


@pytest.mark.parametrize("path", [path for path, each in _TABLE.items() if each.acts])
def test_what_acts_is_answered_by_an_owner_unless_it_begins_an_attempt(path: str):
    """A call that acts goes to its workspace's owner, where one with the same key meets it; a command alone
    is accepted anywhere, for its key is taken with its attempt.
    """
    each = _TABLE[path]
    if each.place is Place.ANYWHERE:
        assert each.name_of(Once) is not None
        assert Underway in each.needs.values()


def test_commands_that_are_asked_most_are_accepted_anywhere():
    """Doors and thermostats are commanded at any process, also while their owner is away."""
    asked_most = {"/locks/lock_door", "/locks/unlock_door", "/thermostats/set_hvac_mode"}
    assert asked_most <= set(_ANYWHERE_PATHS)
    assert {"/action_attempts/get", "/events/list", "/devices/get", "/thumbturn/stream"} <= set(
        _ANYWHERE_PATHS
    )
    assert _TABLE["/webhooks/create"].place is Place.WEBHOOKS
    assert _TABLE["/access_codes/create"].place is Place.ENGINE


#: The attempts of other processes' workspaces.
ELSEWHERE: Any = SimpleNamespace(live=None, begun=None)


class Owned:
    """Two cells, of which this process runs some."""

    def __init__(self, *here: int) -> None:
        self.cells: Any = {number: _a_cell(number) for number in here}

    def cell_of(self, id: str) -> int:
        return len(id) % 2

    def of(self, id: str) -> Any:
        return self.cells.get(self.cell_of(id))

    def here(self) -> Any:
        return list(self.cells.values())

    def mine(self, kind: str) -> frozenset[int]:
        return frozenset(self.cells) if kind == "engine" else frozenset((1,))


class _a_cell:  # noqa: N801 - it stands for a value
    def __init__(self, number: int) -> None:
        self.number = number
        self.engine = self.acs_users = self.acs_credentials = self.connect_webviews = object()


def placing(*here: int) -> Placing:
    """Where calls are answered by a process that runs these cells."""
    cells: Any = Owned(*here)
    return Placing(cells, ELSEWHERE, SystemClock())


def caller(workspace_id: str) -> Caller:
    """Somebody with a key of this workspace."""
    workspace = Workspace(id=workspace_id, name="Any", is_sandbox=True)
    return Caller(mint_api_key(workspace, "any", 1)[0], workspace)


def person(user_id: str) -> Person:
    """Somebody with a token of his own."""
    return Person(mint_personal_access_token(user_id, "any", 1)[0], user_id)


@pytest.mark.parametrize("place", list(Place), ids=str)
def test_a_call_is_answered_here_if_its_cell_is(place: Place):
    """The endpoint of a workspace whose engine runs here is brought that, wherever it could be answered."""
    asked = placing(1).of(place, caller("a"), "r", has_key=False)
    assert not isinstance(asked, Away)
    assert asked.keys() == OF_CELLS | {Underway}
    assert asked[Engine] is not None
    assert asked[Underway] is not ELSEWHERE


def test_a_call_for_another_owner_goes_there():
    """What needs the engine, or the webhooks, of a cell that runs elsewhere is for its owner; what does not
    is answered here, with the attempts of elsewhere.
    """
    here = placing(1)
    assert here.of(Place.ENGINE, caller("ab"), "r", has_key=False) == Away("engine", 0)
    assert here.of(Place.WEBHOOKS, caller("ab"), "r", has_key=False) == Away("webhooks", 0)
    assert here.of(Place.ANYWHERE, caller("ab"), "r", has_key=False) == {Underway: ELSEWHERE}
    assert placing().of(Place.WEBHOOKS, caller("a"), "r", has_key=False) == {Underway: ELSEWHERE}


def test_a_person_makes_workspaces_where_an_engine_runs():
    """In no workspace, any engine here will do; without one, any cell's is asked. With a key of idempotency
    it is the same cell whoever is asked, so that the second call meets the first.
    """
    assert not isinstance(placing(0).of(Place.ENGINE, person("u"), "r", has_key=False), Away)
    assert placing().of(Place.ENGINE, person("u"), "rr", has_key=False) == Away("engine", 0)
    assert placing(0).of(Place.ENGINE, person("u"), "rr", has_key=True) == Away("engine", 1)
    assert not isinstance(placing(1).of(Place.ENGINE, person("u"), "rr", has_key=True), Away)


def test_what_people_make_is_spread_over_all_cells_here():
    """Calls in no workspace go to all engines of a process by their ids, so that no cell has it all."""
    here = placing(0, 1)
    brought = [here.of(Place.ENGINE, person("u"), "r" * length, has_key=False) for length in range(6)]
    engines = [None if isinstance(parts, Away) else id(parts[Engine]) for parts in brought]
    assert len(set(engines)) == 2
    assert engines[:2] * 3 == engines


def test_nobody_sends_a_call_on_that_was_sent_to_him():
    """An owner that has lost its cell meanwhile says so, and nothing is done."""
    with pytest.raises(OwnerMissing):
        placing(1).answerer(Place.ENGINE, caller("ab"))
