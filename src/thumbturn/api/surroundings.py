"""What the API is given: the parts of the running server it speaks for, and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from thumbturn.api.forwarding import Forwarding
from thumbturn.domain.clock import Clock
from thumbturn.engine.cells import Cells
from thumbturn.engine.client_sessions import ClientSessions
from thumbturn.engine.elsewhere import Elsewhere
from thumbturn.engine.feed import Feed
from thumbturn.engine.notices import Notices
from thumbturn.engine.phones import Phones
from thumbturn.engine.pins import Pins
from thumbturn.engine.ports import Store
from thumbturn.engine.user_identities import UserIdentities
from thumbturn.engine.webhooks import Webhooks

#: How the sentence for one missing parameter is worded: as the oldest documents have it, or as
#: the hosted service words it today. Types and ``validation_errors`` are the same in both.
ErrorWording = Literal["seed", "current"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """What may be set about the API."""

    error_wording: ErrorWording = "seed"
    #: A longer body is refused with 413.
    max_body_bytes: int = 1 << 20
    #: A longer query string is refused with 413. Room for 4,000 ids.
    max_query_bytes: int = 1 << 18
    #: Whether ``/metrics`` is served.
    metrics: bool = True
    #: Seconds after which a reader of the stream who takes nothing is cut off.
    stream_patience: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """The other processes on the same database."""

    forwarding: Forwarding
    elsewhere: Elsewhere
    notices: Notices


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything that an endpoint may need at run time."""

    #: Whose engine a workspace has, and which of them run here.
    cells: Cells
    store: Store
    webhooks: Webhooks
    client_sessions: ClientSessions
    user_identities: UserIdentities
    phones: Phones
    clock: Clock
    feed: Feed
    pins: Pins
    settings: ApiSettings
    #: ``None`` where the database is this process's alone, and its one cell every workspace's.
    others: Others | None = None
