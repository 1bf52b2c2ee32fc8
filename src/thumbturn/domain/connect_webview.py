"""A connect webview: a page on which a person connects an account, and how far he has come on it.

It is pending until somebody signed in to an account and said which of its devices shall be used
(authorized), or gave up or tried too many wrong passwords (failed). Both are final.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from thumbturn.domain.connected_account import AcceptedCapability
from thumbturn.domain.event import Event
from thumbturn.domain.ids import new_id

Status = Literal["pending", "failed", "authorized"]
SelectionMode = Literal["none", "single", "multiple"]

#: The ecosystem that a person connects who was given no choice.
VIRTUAL = "virtual"
#: So many wrong passwords end it: whoever has the address of the page must not try all there are.
MOST_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What whoever made a webview wants to come of it."""

    #: The providers to choose from; none named is whatever the workspace can have.
    accepted_providers: tuple[str, ...] = ()
    #: The kinds of devices that are taken; none named is all of them.
    accepted_capabilities: tuple[AcceptedCapability, ...] = ()
    #: Where the person is sent afterwards, and where if it came to nothing.
    redirect_url: str | None = None
    failure_url: str | None = None
    #: Whether the devices, and those that come later, are managed at once.
    manages_new_devices: bool = True
    #: Kept and shown: devices are there in any case when it is authorized.
    waits_for_devices: bool = False
    #: Whether the person says which devices, or all are taken.
    selection_mode: SelectionMode = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectWebview:
    """A connect webview as it is kept."""

    id: str
    workspace_id: str
    #: What its address has beside its id, sealed: whoever knows it is the person it is for.
    token: str
    wishes: Wishes = Wishes()
    status: Status = "pending"
    custom_metadata: Mapping[str, str | bool] = field(default_factory=dict)
    customer_key: str | None = None
    #: How far he has come.
    selected_provider: str | None = None
    signed_in_as: str | None = None
    wrong_tries: int = 0
    connected_account_id: str | None = None
    created_at: int = 0
    authorized_at: int | None = None
    #: The hub that was tried and answered, with what is behind it, sealed (``engine/hub_offer.py``).
    hub: str | None = None

    @property
    def offered(self) -> tuple[str, ...]:
        """The providers that the person may choose from."""
        return self.wishes.accepted_providers or (VIRTUAL,)

    def told(self, word: str, now: int, connected_account_id: str | None = None) -> Event:
        """The event ``connect_webview.<word>``."""
        return Event(
            event_id=new_id(),
            event_type=f"connect_webview.{word}",
            workspace_id=self.workspace_id,
            occurred_at=now,
            created_at=now,
            connected_account_id=connected_account_id,
            payload={"connect_webview_id": self.id},
        )
