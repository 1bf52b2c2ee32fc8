"""The engine: accepts attempts, runs them, and is the only one to end them."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from thumbturn.actions.activate_climate_preset import PresetActivation
from thumbturn.actions.definition import Action, Ask, Known
from thumbturn.domain.access_code import SYNC
from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.client_session import Reach
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.device import Device
from thumbturn.domain.ids import new_id
from thumbturn.domain.refusals import DeviceNotFound, TooManyWorkspaces
from thumbturn.domain.thermostat import ACTIVATION
from thumbturn.domain.workspace import Key, Workspace
from thumbturn.engine.acceptance import AT_ONCE, Acceptance, Timing
from thumbturn.engine.access_codes import AccessCodes
from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.announcing import Announcing
from thumbturn.engine.backup_pool import BackupPool
from thumbturn.engine.begun import Begun
from thumbturn.engine.census import Census, take_census
from thumbturn.engine.changing import Changing
from thumbturn.engine.climate import Climate
from thumbturn.engine.code_handover import CodeHandover
from thumbturn.engine.code_keeper import CodeKeeper
from thumbturn.engine.code_rounds import CodeRounds
from thumbturn.engine.connected_accounts import ConnectedAccounts
from thumbturn.engine.devices import Devices
from thumbturn.engine.dispatch import Dispatch
from thumbturn.engine.encoders import Encoders
from thumbturn.engine.forgetting import Forgetting
from thumbturn.engine.granting import Granting
from thumbturn.engine.keypads import Keypads
from thumbturn.engine.known import Things
from thumbturn.engine.lanes import Lanes
from thumbturn.engine.ledger import Ledger
from thumbturn.engine.life import Life
from thumbturn.engine.live import LiveAttempts
from thumbturn.engine.meters import AttemptMeters, RecordMeters
from thumbturn.engine.moving import Moving
from thumbturn.engine.noise import NoiseSensors
from thumbturn.engine.observations import Observations
from thumbturn.engine.offers import OF_CODES, Offers
from thumbturn.engine.pace import Pace
from thumbturn.engine.pins import Pins
from thumbturn.engine.ports import Driver, Seed, Store
from thumbturn.engine.recordings import Recordings
from thumbturn.engine.recovery import Recovery
from thumbturn.engine.run import Run
from thumbturn.engine.sandbox import SandboxControls
from thumbturn.engine.sandbox_ports import SandboxWorld
from thumbturn.engine.schedule_keeper import ScheduleKeeper
from thumbturn.engine.schedules import Schedules
from thumbturn.engine.several_codes import SeveralCodes
from thumbturn.engine.spaces import Spaces
from thumbturn.engine.tenure import Tenure
from thumbturn.engine.traces import Traces
from thumbturn.engine.waiting import Waiting
from thumbturn.engine.webhook_ports import Seal

#: Of one person.
MOST_WORKSPACES = 10_000
#: For so long somebody waits who did something at a keypad until it was read.
READ_WITHIN = seconds(10)


class Engine:
    """Makes attempts happen. Holds no SQL and no JSON."""

    def __init__(
        self,
        *,
        store: Store,
        drivers: Mapping[str, Driver],
        world: SandboxWorld,
        actions: Mapping[str, Action],
        clock: Clock,
        pins: Pins,
        credentials: AcsCredentials,
        seal: Seal,
        traces: Traces | None = None,
        pace: Pace | None = None,
        codes_looked_at_every: int = 0,
        tenure: Tenure | None = None,
        meters: AttemptMeters | None = None,
        records: RecordMeters | None = None,
    ) -> None:
        """``codes_looked_at_every``, µs: how often locks are looked at (``code_rounds.py``), 0 for never.

        With a ``tenure`` it acts for a cell, as long as that lasts (``cells.py``), and counts what it does
        in the meters of its process.
        """
        self.actions = actions
        self._store = store
        self._drivers = drivers
        self._world = world
        self._clock = clock
        self._devices = Devices()
        #: What people attach to accounts, and events carry.
        self.labels = self._devices.labels
        self._lanes = Lanes()
        #: Where attempts are shown as they move.
        self.live = LiveAttempts()
        #: What ended while this process ran.
        self.meters = meters or AttemptMeters()
        #: What could not be put on record at once.
        self.records = records or RecordMeters()
        #: What workspaces want to be told of the ends of attempts.
        self.announcing = Announcing(store, actions.keys())
        chosen = self.announcing.chosen
        self._ledger = Ledger(store, clock, self._devices, self.meters, self.records, chosen)
        self._waiting = Waiting(clock)
        offers = Offers(self._devices, drivers, store, tenure)
        self._dispatch = Dispatch(
            self._lanes, self._waiting, self._devices, drivers, offers.to, traces, clock
        )
        self._deadlines = self._dispatch.deadlines
        self._code_keeper = CodeKeeper(
            store=store,
            devices=self._devices,
            begin=self._begin_for_code,
            is_open=self._dispatch.open.__contains__,
            tend_pool=self._tend_pool,
            clock=clock,
        )
        self._code_rounds = CodeRounds(
            store=store.access_codes,
            devices=self._devices,
            drivers=drivers,
            dispatch=self._dispatch,
            read=self._code_keeper.read,
            every=codes_looked_at_every,
            clock=clock,
        )
        self._observations = Observations(
            self._devices,
            self._lanes,
            self._ledger,
            clock,
            secretive={action.type for action in actions.values() if action.secrets},
            came_back=self._dispatch.held.device_is_back,
            codes_touched=self._code_keeper.touched,
        )
        self._forgetting = Forgetting(store, clock)
        #: Change what people may change of a device (``changing.py``).
        self.change_device = Changing(store, self._devices, self._is_managed_again, clock).change_device
        acceptance = Acceptance(
            store=store,
            dispatch=self._dispatch,
            devices=self._devices,
            live=self.live,
            clock=clock,
            make_run=self._run,
            pace=pace,
        )
        #: Accept an attempt, or many together (``acceptance.py``).
        self.begin, self.begin_all = acceptance.begin, acceptance.begin_all
        #: What callers may do with attempts that have begun.
        self.begun = Begun(store, self._dispatch, self._lanes, self._waiting, clock)
        self._keeper = ScheduleKeeper(
            store=store,
            devices=self._devices,
            change_device=self.change_device,
            begin=self._activate,
            settled=self.begun.settled,
            underway=self._activation,
            clock=clock,
        )
        #: The codes of locks.
        self.access_codes = AccessCodes(
            store=store.access_codes,
            devices=self._devices,
            keeper=self._code_keeper,
            begin=self._begin_for_code,
            cancel=self.begun.cancel,
            pins=pins,
            pace=pace,
            clock=clock,
        )
        #: What callers may set about thermostats, beyond commanding them.
        self.climate = Climate(
            self._devices, self.change_device, self._observations.review, self._keeper.of_device
        )
        self._access = credentials.access
        #: Rooms, flats, buildings, and what is in them.
        self.spaces = Spaces(store.access, store.spaces, clock)
        #: Credential encoders.
        self.encoders = Encoders(self._devices, self._access, world.arm_encoder, clock)
        #: What noise sensors hold.
        self.noise_sensors = NoiseSensors(self._devices, self._lanes)
        self._granting = offers.granting = Granting(
            store, self.access_codes, credentials, self._devices, clock
        )
        self._code_keeper.seen = self.spaces.changed = self._granting.keeper.touched
        #: Who is let in where, when and how.
        self.access_grants = self._granting.grants
        #: Thermostats' schedules.
        self.schedules = Schedules(store.schedules, self._devices, self.climate, self._keeper, clock)
        #: Who comes and goes.
        self.moving = Moving(
            world=world,
            drivers=drivers,
            devices=self._devices,
            lanes=self._lanes,
            dispatch=self._dispatch,
            forget=self._forget,
        )
        #: What sandboxes may do to their devices.
        self.sandbox = offers.sandbox = SandboxControls(
            world=world,
            moving=self.moving,
            store=store,
            devices=self._devices,
            observations=self._observations,
            clock=clock,
        )
        #: Codes that are looked after no more.
        self.code_handover = CodeHandover(self.access_codes, store.access_codes, self._code_keeper, clock)
        #: Codes that several locks have in common, and backups that stand ready.
        self.several_codes = SeveralCodes(self.access_codes, self._code_keeper)
        self.backup_pool = BackupPool(
            codes=self.access_codes,
            devices=self._devices,
            store=store.access_codes,
            keeper=self._code_keeper,
            change_device=self.change_device,
            observe=self._observations.observe,
            clock=clock,
        )
        #: What somebody does at their keypads there.
        self.keypads = Keypads(
            world=world,
            codes=self.access_codes,
            read=self._read_lock,
            written=self._observations.written,
        )
        #: What devices are connected through.
        self.accounts = ConnectedAccounts(
            store=store,
            access=self._access,
            devices=self._devices,
            drivers=drivers,
            world=world,
            moving=self.moving,
            observations=self._observations,
            seal=seal,
            clock=clock,
        )

        #: Devices that are recorded.
        self.recordings = Recordings(store, self.accounts.hubs.drivers, self._devices, pins, seal, clock)
        self._life = Life(
            store=store,
            devices=self._devices,
            drivers=drivers,
            observations=self._observations,
            dispatch=self._dispatch,
            ledger=self._ledger,
            begun=self.begun,
            announcing=self.announcing,
            forgetting=self._forgetting,
            schedules=self._keeper,
            codes=self._code_keeper,
            code_rounds=self._code_rounds,
            grants=self._granting.keeper,
            hubs=self.accounts.hubs,
            recovery=self._recovery,
            forgets=tenure is None,
        )
        #: Run what other processes accepted; stop at once, for another process goes on (``life.py``).
        self.take_arrivals, self.give_up = self._life.take_arrivals, self._life.give_up

    # its own life -------------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """True from the end of ``start`` until it is stopped."""
        return self._life.is_running

    async def start(self) -> None:
        """Own every device and every unfinished attempt again, and settle what can be settled."""
        await self._life.start()

    async def stop(self, patience: float = 3.0) -> None:
        """Start nothing more, give what is in flight some seconds to end, let go of the devices."""
        await self._life.stop(patience)

    def known(self, workspace_id: str, reach: Reach = None) -> Known:
        """What the asks of somebody with this reach may name."""
        return Things(
            workspace_id,
            reach,
            climate=self.climate,
            noise_sensors=self.noise_sensors,
            access=self._access,
            encoders=self.encoders,
            grants=self.access_grants,
            clock=self._clock,
        )

    def census(self) -> Census:
        """How things stand now, over all workspaces. Looks at every open attempt and every device."""
        return take_census(self._dispatch.open.values(), self._devices, self._drivers)

    # workspaces and devices ---------------------------------------------------------------------

    async def add_workspace(
        self, workspace: Workspace, *, user_id: str | None, keys: Sequence[Key] = (), seeded: bool = True
    ) -> None:
        """Store a new workspace; a seeded sandbox begins with its virtual devices.

        Raises ``TooManyWorkspaces`` if its member has as many as a person may have.
        """
        seed = Seed((), ())
        if workspace.is_sandbox and seeded:
            seed = self._world.seed(workspace.id, self._clock.now())
        if not await self._store.add_workspace(
            workspace, user_id=user_id, seed=seed, keys=keys, most=MOST_WORKSPACES
        ):
            raise TooManyWorkspaces
        self.labels.follow(seed.accounts)
        self.moving.move_in(seed.devices)

    # inside -------------------------------------------------------------------------------------

    async def _begin_for_code(
        self,
        action_type: str,
        workspace_id: str,
        device_id: str,
        access_code_id: str | None,
        asker: Asker,
        timing: Timing = AT_ONCE,
    ) -> Attempt:
        """An attempt on a code, or on all codes of a lock."""
        workspace = await self._store.workspace(workspace_id)
        if workspace is None:
            raise DeviceNotFound
        given: dict[str, Any] = {"device_id": device_id} | (
            {"access_code_id": access_code_id} if access_code_id else {}
        )
        action = self.actions[action_type]
        return await self.begin(action, action.ask.model_construct(**given), workspace, asker, timing=timing)

    async def _read_lock(self, device: Device) -> None:
        """Have what a lock holds taken in, as far as it says so in time."""
        asker = Asker(device.id, "access_code", None, new_id())
        attempt = await self._begin_for_code(SYNC, device.workspace_id, device.id, None, asker)
        await self.begun.settled(attempt, READ_WITHIN)

    async def _tend_pool(self, device: Device) -> None:
        await self.backup_pool.tend(device)

    def _is_managed_again(self, device_id: str) -> None:
        self._code_keeper.look(device_id)
        self._granting.keeper.touched((device_id,))

    def _forget(self, device_ids: Sequence[str]) -> None:
        self._keeper.forget(device_ids)
        self._code_keeper.forget(device_ids)
        self._granting.keeper.touched(device_ids)

    def _activate(self, ask: PresetActivation, workspace: Workspace, asker: Asker) -> Awaitable[Attempt]:
        return self.begin(self.actions[ACTIVATION], ask, workspace, asker)

    def _activation(self, wanted: PresetActivation) -> Attempt | None:
        """The attempt that does this already."""
        lane = self._lanes.of(wanted.device_id)
        runs = [] if lane is None else [lane.running, *lane.waiting]
        return next((run.attempt for run in runs if run is not None and run.ask == wanted), None)

    def _recovery(self) -> Recovery:
        return Recovery(self.actions, self._dispatch, self._devices, self._ledger, self._clock, self._revive)

    def _revive(self, attempt: Attempt, action: Action) -> Run:
        return self._run(attempt, action, None)

    def _run(self, attempt: Attempt, action: Action, ask: Ask | None) -> Run:
        run = Run(
            attempt,
            action,
            ask,
            ledger=self._ledger,
            devices=self._devices,
            clock=self._clock,
            live=self.live,
        )
        if action.needs in OF_CODES:
            run.on_end = self._code_keeper.ended
        return run
