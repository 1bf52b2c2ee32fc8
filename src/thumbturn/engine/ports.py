"""What the engine needs from outside. ``storage`` and ``drivers`` implement these protocols.

Writes return only after they are durable. Every read and write that a caller causes carries the
caller's workspace, and finds nothing outside it; nor outside his reach, where he has one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from thumbturn.domain.access import Thing
from thumbturn.domain.attempt import Attempt, Mark, Phase, Progress
from thumbturn.domain.audit import Act
from thumbturn.domain.chain import Head, Sealed
from thumbturn.domain.client_session import Reach
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.event import Event, Recorded
from thumbturn.domain.idempotency import FirstAnswer
from thumbturn.domain.workspace import Key, Workspace
from thumbturn.engine.access_code_ports import AccessCodeStore, CodeFacts
from thumbturn.engine.access_ports import AccessStore
from thumbturn.engine.account_ports import AccountStore
from thumbturn.engine.client_session_ports import ClientSessionStore
from thumbturn.engine.filters import AttemptFilter as AttemptFilter  # noqa: PLC0414 - given on
from thumbturn.engine.filters import DeviceFilter as DeviceFilter  # noqa: PLC0414 - given on
from thumbturn.engine.filters import EventFilter as EventFilter  # noqa: PLC0414 - given on
from thumbturn.engine.meters import WriterMeters
from thumbturn.engine.retention_ports import RetentionStore
from thumbturn.engine.schedule_ports import ScheduleStore
from thumbturn.engine.secrets import SecretStore
from thumbturn.engine.space_ports import SpaceStore
from thumbturn.engine.webhook_ports import WebhookStore
from thumbturn.engine.webview_ports import WebviewStore

C = TypeVar("C")


class Transition(NamedTuple):
    """An attempt as it shall be, and the phase it must still be in for that."""

    attempt: Attempt
    came_from: Phase


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes true together, or not at all.

    If one of the transitions finds its attempt in another phase, nothing of the change is written.
    """

    transitions: tuple[Transition, ...] = ()
    #: Devices whose ``state`` changed.
    devices: tuple[Device, ...] = ()
    events: tuple[Event, ...] = ()
    #: What became of access codes.
    codes: tuple[CodeFacts, ...] = ()
    #: Whether bolts among the events were moved by codes: what is on record of these is told with it.
    names_codes: bool = False


class Timeline(NamedTuple):
    """An attempt with everything that is known of it, also what came after its end."""

    attempt: Attempt
    late: tuple[Mark, ...]


class Trail(NamedTuple):
    """A part of a workspace's audit trail."""

    entries: tuple[Sealed, ...]
    #: The newest entry of the whole chain, at the same moment.
    head: Head
    #: How many acts of the workspace are on record and not in the chain yet.
    waiting: int


class Seed(NamedTuple):
    """How a workspace begins."""

    accounts: tuple[ConnectedAccount, ...]
    devices: tuple[Device, ...]
    #: Of access control.
    access: tuple[Thing, ...] = ()


class Writing(NamedTuple):
    """How a store's writing goes."""

    #: Operations that wait for a transaction now.
    waiting: int
    #: With so many waiting, the next one is refused with ``Overloaded``.
    at_most: int
    meters: WriterMeters


#: What is given of what arrived for a cell, at a time.
ARRIVALS_AT_ONCE = 500


class Store(Protocol):
    """Everything that is remembered, as a short list of named operations.

    Raises ``Overloaded`` when too much waits to be written, ``StorageUnavailable`` when the
    database cannot be reached; in both cases nothing was written.
    """

    @property
    def webhooks(self) -> WebhookStore:
        """What is remembered of webhooks."""

    @property
    def client_sessions(self) -> ClientSessionStore:
        """What is remembered of client sessions."""

    @property
    def accounts(self) -> AccountStore:
        """What is remembered of connected accounts."""

    @property
    def webviews(self) -> WebviewStore:
        """What is remembered of connect webviews."""

    @property
    def schedules(self) -> ScheduleStore:
        """What is remembered of thermostats' schedules."""

    @property
    def access_codes(self) -> AccessCodeStore:
        """What is remembered of access codes."""

    @property
    def access(self) -> AccessStore:
        """What is remembered of access control."""

    @property
    def spaces(self) -> SpaceStore:
        """What is remembered of what is in spaces."""

    @property
    def secrets(self) -> SecretStore:
        """All secrets on record that are sealed."""

    @property
    def retention(self) -> RetentionStore:
        """Forgets what is over."""

    # the hot path -----------------------------------------------------------------------------
    def accept(self, attempt: Attempt) -> Awaitable[None]:
        """Remember a new attempt."""

    def accept_once(self, attempt: Attempt, first: FirstAnswer) -> Awaitable[bool]:
        """Remember a new attempt and its first answer; ``False`` (and neither) if the key is taken."""

    def accept_all(self, attempts: Sequence[Attempt], first: FirstAnswer | None = None) -> Awaitable[bool]:
        """Remember new attempts, all or none, with the first answer to their call, if it has a key;
        ``False`` (and nothing) if that is taken.
        """

    def accept_for(self, cell: int, attempt: Attempt, first: FirstAnswer | None) -> Awaitable[bool]:
        """Remember a new attempt, its first answer if its call has a key, and that the engine of this cell
        has not taken it yet; ``False`` (and nothing of it) if the key is taken.
        """

    def apply(self, change: Change) -> Awaitable[bool]:
        """Make the change true; ``False`` (and nothing written) if an attempt had moved on."""

    def append_late(self, attempt_id: str, mark: Mark) -> Awaitable[None]:
        """Put late truth beside a finished attempt."""

    # its own health ---------------------------------------------------------------------------
    def writing(self) -> Writing:
        """How writing goes."""

    async def check(self) -> None:
        """Return when the database answered: a read, and a write too if the last one could not be made."""

    # attempts ---------------------------------------------------------------------------------
    async def attempt(self, workspace_id: str, attempt_id: str, reach: Reach = None) -> Attempt | None:
        """One attempt. Concurrent calls share one query."""

    async def progress(self, workspace_id: str, attempt_id: str, reach: Reach = None) -> Progress | None:
        """How far one attempt has come. Concurrent calls share one query."""

    async def attempts(
        self,
        workspace_id: str,
        *,
        ids: Sequence[str] | None = None,
        device_id: str | None = None,
        action_types: Sequence[str] | None = None,
        after: tuple[int, str] | None = None,
        limit: int,
    ) -> list[Attempt]:
        """Attempts in order of (accepted_at, id), behind ``after``."""

    async def search_attempts(
        self, workspace_id: str, wanted: AttemptFilter, *, after: tuple[int, str] | None = None, limit: int
    ) -> list[Attempt]:
        """Attempts that fit, newest first by (accepted_at, id), behind ``after``: older than that."""

    async def batch(self, workspace_id: str, batch_id: str, reach: Reach = None) -> list[Attempt]:
        """The attempts that were accepted together, in order of acceptance."""

    async def timeline(self, workspace_id: str, attempt_id: str, reach: Reach = None) -> Timeline | None:
        """One attempt with its late marks, in one query."""

    async def open_count(self, workspace_id: str, most: int) -> int:
        """How many attempts of a workspace are open; at most so many are counted."""

    async def open_attempts(self) -> list[Attempt]:
        """Every attempt in an open phase, in order of acceptance."""

    async def arrived(self) -> list[int]:
        """The cells for which another process accepted something."""

    async def arrivals(self, cell: int) -> Mapping[str, Attempt | None]:
        """What other processes accepted for this cell, by id, in order and as it stands now; at most
        ``ARRIVALS_AT_ONCE``.

        ``None`` is what is kept no more. Each is there until it is dropped. Concurrent calls share one query.
        """

    def drop_arrivals(self, ids: Collection[str]) -> Awaitable[bool]:
        """Durably take note that these are known to whoever runs them. It is asked for at once."""

    # first answers ----------------------------------------------------------------------------
    def claim(self, first: FirstAnswer) -> Awaitable[bool]:
        """Remember that a call is under way; ``False`` if its key is taken."""

    async def complete(self, first: FirstAnswer) -> None:
        """Remember what the call that is under way was answered."""

    async def release(self, scope: str) -> None:
        """Forget a call that is under way: it came to nothing, and its key is unused."""

    async def first_answer(self, scope: str, now: int) -> FirstAnswer | None:
        """What is known of the first call with a key. Concurrent calls share one query."""

    async def forget_first_answers(self, begun_before: int, most: int) -> bool:
        """Remove the oldest that were begun at this moment (µs) or earlier; true if there may be more."""

    # devices ----------------------------------------------------------------------------------
    async def device(self, workspace_id: str, device_id: str) -> Device | None:
        """One device. Concurrent calls share one query."""

    async def devices(
        self,
        workspace_id: str,
        wanted: DeviceFilter,
        *,
        after: tuple[int, str] | None = None,
        limit: int,
    ) -> list[Device]:
        """Devices in order of (created_at, id), behind ``after``."""

    async def every_device(self) -> list[Device]:
        """The devices of all workspaces, for the engine's own start."""

    async def every_account(self) -> list[ConnectedAccount]:
        """The connected accounts of all workspaces, for the engine's own start."""

    async def add_devices(self, devices: Sequence[Device], events: Sequence[Event]) -> None:
        """Remember new devices."""

    async def update_device(self, device: Device, told: Sequence[Event] = (), /, **made: str) -> bool:
        """Store what people may change of a device, and tell it; ``False`` (and nothing is told) if there is
        none such. ``made`` are the ids of what this makes, for the audit trail.
        """

    # events -----------------------------------------------------------------------------------
    async def event(self, workspace_id: str, wanted: EventFilter) -> Event | None:
        """The newest event that fits."""

    async def events(
        self, workspace_id: str, wanted: EventFilter, *, limit: int, offset: int = 0
    ) -> list[Event]:
        """Events in order of their sequence."""

    async def events_after(self, workspace_id: str, sequence: int, *, limit: int) -> list[Recorded]:
        """The events behind this place of the workspace's sequence, in its order, without a gap."""

    async def last_sequence(self, workspace_id: str) -> int:
        """The place of the workspace's newest event; 0 if it was never told any."""

    def on_events(self, listener: Callable[[frozenset[str]], None]) -> None:
        """From now on call this, on the event loop, after each commit that wrote events.

        It is given the workspaces that were told something. A commit may be told late or not at all
        (by another process, or because the database was lost at that moment): look now and then.
        """

    # the audit trail --------------------------------------------------------------------------
    @property
    def unsealed(self) -> int:
        """How many acts of this process may not be in the chain yet."""

    async def record(self, act: Act, *, again: bool = False) -> None:
        """Put an act that is no attempt into its workspace's trail. Accepted attempts are in it already.

        Tried ``again``, it may be there since the first time, and is not put there twice.
        """

    async def seal_acts(self) -> bool:
        """Chain some of what waits to be; true if more does."""

    async def trail(self, workspace_id: str, *, after: int, limit: int) -> Trail:
        """The entries behind number ``after``, in order. What waited when it was asked is among them."""

    # workspaces and keys ----------------------------------------------------------------------
    async def workspace(self, workspace_id: str) -> Workspace | None:
        """One workspace."""

    async def workspaces_of_user(self, user_id: str) -> list[Workspace]:
        """The workspaces that a person is a member of, oldest first."""

    async def add_workspace(
        self,
        workspace: Workspace,
        *,
        user_id: str | None,
        seed: Seed,
        keys: Sequence[Key],
        most: int | None = None,
    ) -> bool:
        """Remember a new workspace and its things; ``False`` (and nothing) if its member has so many."""

    async def update_workspace(self, workspace: Workspace) -> None:
        """Store what may change of a workspace."""

    async def announcing_workspaces(self) -> list[Workspace]:
        """Those that chose to be told the ends of further types of attempts, for the engine's own start."""

    async def has_workspaces(self) -> bool:
        """False for a database that nobody has used yet."""

    async def reset_workspace(self, workspace_id: str, seed: Seed, events: Sequence[Event]) -> None:
        """Replace the workspace's accounts, devices and access control by the seed's; schedules go with their
        devices. Attempts and events stay.
        """

    async def key(self, token_hash: str) -> Key | None:
        """The key with this hash, revoked or not."""

    async def keys(self, workspace_id: str) -> list[Key]:
        """The API keys of a workspace and the access tokens of its members, oldest first."""

    async def add_key(self, key: Key, *, most: int | None = None) -> bool:
        """Remember a key; ``False`` (and nothing) if its workspace, or person, has so many that are good."""

    async def revoke_key(self, workspace_id: str, key_id: str, at: int) -> Key | None:
        """Revoke a key of this workspace; the key, or ``None`` if there is none such."""


class Driver(Protocol):
    """An ecosystem of devices. It reports and obeys; it decides nothing and stores nothing."""

    #: Its folder's name, and ``Device.driver`` of its devices.
    name: str
    #: Commands that one of its hubs takes at a time; ``None`` if each device stands for itself.
    commands_at_once: int | None

    async def start(self, observe: Callable[[Observation], None]) -> None:
        """Begin; from now on every report of every attached device goes to ``observe``."""

    async def stop(self) -> None:
        """Let go of everything."""

    def attach(self, devices: Iterable[Device]) -> None:
        """From now on speak to these devices, starting from the state they are known to be in."""

    def detach(self, device_ids: Iterable[str]) -> None:
        """Forget these devices."""

    def refresh(self, device_ids: Iterable[str]) -> None:
        """Have these devices report how they are now, as far as they can be heard."""

    def links(self) -> Mapping[str, bool]:
        """The connections that it holds to its hubs, each by a name, and whether it stands now."""

    def offer(self, device: Device, capability: type[C]) -> C | None:
        """The device's capability, to command it by; ``None`` if it has no such thing."""
