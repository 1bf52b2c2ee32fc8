"""Where a call is answered, if several processes share the database (docs/many-processes.md).

What only looks at the record is answered by whoever is asked. What needs an engine's memory, or the queue of
a webhook, is answered by the process that owns it; and so is what acts, so that a call that is repeated at
two processes meets itself at one. Commands are accepted anywhere, and run by the owner of their devices.

Nobody keeps a list of this: it follows from what an endpoint needs (``Endpoint.place``).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from thumbturn.api.callers import Bearer, Caller, Person
from thumbturn.domain.clock import Clock
from thumbturn.domain.refusals import OwnerMissing
from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.acs_users import AcsUsers
from thumbturn.engine.cells import Cell, Cells
from thumbturn.engine.connect_webviews import ConnectWebviews
from thumbturn.engine.elsewhere import Elsewhere
from thumbturn.engine.engine import Engine
from thumbturn.engine.everywhere import Everywhere
from thumbturn.engine.underway import Underway

#: What each cell has of its own, where its engine runs.
OF_CELLS = frozenset({Engine, AcsUsers, AcsCredentials, ConnectWebviews})
#: What is brought to an endpoint that asks for it, and depends on the workspace.
OF_REQUESTS = OF_CELLS | {Underway}


class Place(Enum):
    """Who can answer."""

    ANYWHERE = "anywhere"
    #: Whoever owns this of the cell.
    ENGINE = "engine"
    WEBHOOKS = "webhooks"


class Away(NamedTuple):
    """A call is for whoever owns this lease."""

    kind: str
    cell: int


#: What an endpoint is brought, by kind.
Parts = Mapping[type, Any]


class Placing:
    """Finds the place of each call."""

    def __init__(self, cells: Cells, elsewhere: Elsewhere, clock: Clock) -> None:
        self._cells = cells
        self._elsewhere = elsewhere
        self._clock = clock
        self._nothing_here: Parts = {Underway: elsewhere}

    def of(self, place: Place, bearer: Bearer | None, request_id: str, *, has_key: bool) -> Parts | Away:
        """What its endpoint is brought here; or where it is answered, if it is not here.

        A call with a key of idempotency and in no workspace is always for the same cell; one without is
        for any that is owned here, so that what people make is spread over all of them.
        """
        if isinstance(bearer, Caller):
            cell, number = self._cells.of(bearer.workspace.id), self._cells.cell_of(bearer.workspace.id)
        elif isinstance(bearer, Person):
            number = self._cells.cell_of(bearer.user_id if has_key else request_id)
            here = {cell.number: cell for cell in self._cells.here()}
            cell = here.get(number)
            if cell is None and here and not has_key:
                # Any will do, and not always the same: a workspace that is made belongs to it for ever.
                cell = here[sorted(here)[number % len(here)]]
        else:
            return self._nothing_here
        if place is Place.WEBHOOKS and number not in self._cells.mine("webhooks"):
            return Away(place.value, number)
        if cell is None:
            return Away(place.value, number) if place is Place.ENGINE else self._nothing_here
        return self._parts_of(cell)

    def owner_of(self, workspace_id: str) -> Away:
        """Where the engine of a workspace is asked."""
        return Away(Place.ENGINE.value, self._cells.cell_of(workspace_id))

    def answerer(self, place: Place, bearer: Bearer | None) -> Parts:
        """What the endpoint of a call is brought that another process sent here. Raises ``OwnerMissing`` if
        this process owns it no more.
        """
        found = self.of(place, bearer, "", has_key=False)
        if isinstance(found, Away):
            raise OwnerMissing
        return found

    def _parts_of(self, cell: Cell) -> Parts:
        return {
            Engine: cell.engine,
            Underway: Everywhere(cell.engine, self._elsewhere, self._clock),
            AcsUsers: cell.acs_users,
            AcsCredentials: cell.acs_credentials,
            ConnectWebviews: cell.connect_webviews,
        }
