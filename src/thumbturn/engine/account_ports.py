"""What connected accounts need from outside: a store of their own, as ``ports.py`` has it for the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from thumbturn.domain.access_code import AccessCode
from thumbturn.domain.client_session import Reach
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.device import Device
from thumbturn.domain.event import Event
from thumbturn.domain.space import Members, Space


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFilter:
    """Which accounts of a workspace; ``None`` means any."""

    account_ids: Collection[str] | None = None
    customer_key: str | None = None
    #: The ``email`` that somebody signed in with, in any letter case.
    email: str | None = None
    #: Part of the name, of who signed in, or of the id; in any letter case.
    search: str | None = None
    custom_metadata_has: Mapping[str, str | bool] | None = None
    reach: Reach = None

    def fits(self, account: ConnectedAccount) -> bool:
        """Whether an account fits in what databases would answer differently: letter case, JSON's types."""
        who = account.user_identifier
        if self.email is not None and who.get("email", "").casefold() != self.email.casefold():
            return False
        if self.search is not None:
            part = self.search.casefold()
            if not any(part in word.casefold() for word in (account.name, account.id, *who.values())):
                return False
        has = account.custom_metadata
        return all(
            key in has and type(has[key]) is type(value) and has[key] == value
            for key, value in (self.custom_metadata_has or {}).items()
        )


class AccountStore(Protocol):
    """The connected accounts on record. Raises as ``Store`` does."""

    async def get(self, workspace_id: str, account_id: str, reach: Reach = None) -> ConnectedAccount | None:
        """One account."""

    async def listed(
        self,
        workspace_id: str,
        wanted: AccountFilter,
        *,
        after: tuple[int, str] | None = None,
        limit: int,
    ) -> list[ConnectedAccount]:
        """Accounts in order of (created_at, id), behind ``after``."""

    async def change(self, account: ConnectedAccount) -> bool:
        """Store what people may change of an account; ``False`` if there is none such."""

    async def disconnect(self, workspace_id: str, account_id: str, at: int, told: Sequence[Event]) -> bool:
        """Store that an account lets nobody in any more, and tell it; ``False`` (and nothing is told) if
        that is so already, or there is none such.
        """

    async def link(
        self, account: ConnectedAccount, new_devices: Sequence[Device], told: Sequence[Event]
    ) -> None:
        """Store an account with its devices, or of one that is there how it is reached from now on and the
        devices that are new; and tell it.
        """

    async def describe(self, known: Sequence[Device], told: Sequence[Event]) -> None:
        """Store what a hub says of devices that are there (their names, types, capabilities and details), and
        tell it.
        """

    async def remove(
        self,
        workspace_id: str,
        account_id: str,
        told: Sequence[Event],
        told_of_code: Callable[[AccessCode], Event],
        told_of_space: Callable[[Space, Members], Event],
    ) -> bool:
        """Forget an account, its devices and what is kept of these, take it from every client session, and
        tell it, and of each code that its locks have then, and of each space that loses any of its devices
        or entrances, with what is left in that; ``False`` if there is none such.
        """
