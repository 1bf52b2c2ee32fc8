"""Records the devices of the labs anew: ``.venv/bin/python -m labs.recording [zwave] [zigbee]``.

Each is told, used and broken as people and doors do it, and the server itself records that, as it does at
anybody's home. What comes of it is what ``tests/contract/test_recordings.py`` replays.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar, Protocol

from labs.zigbee.stack import ZigbeeStack
from labs.zwave.stack import Stack
from tests.fixtures.engine import ACTIONS
from thumbturn.cli.record import as_text
from thumbturn.domain.access_code import Slot
from thumbturn.domain.capabilities.access_codes import CodeMemory
from thumbturn.domain.capabilities.lock import Lock
from thumbturn.domain.capabilities.thermostat import Thermostat
from thumbturn.domain.clock import SystemClock
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Failure
from thumbturn.domain.ids import random_bytes
from thumbturn.domain.workspace import Workspace
from thumbturn.drivers.virtual.driver import VirtualDriver
from thumbturn.ecosystems import hub_drivers
from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.code_slots import CODE_SLOTS
from thumbturn.engine.engine import Engine
from thumbturn.engine.hubs import Taking
from thumbturn.engine.pins import new_pins
from thumbturn.sealing import LENGTH, Seal
from thumbturn.testing.store import MemoryStore

SHIPPED = Path(__file__).resolve().parents[1] / "src" / "thumbturn" / "recorded"
#: s. So long nothing more is said when a scene is over.
QUIET = 1.5
PIN = "246810"


class Bench(Protocol):
    """What can be done to the devices of a lab, apart from commanding them."""

    provider: str
    url: str
    #: By the address of each device the name of its file.
    devices: dict[str, str]

    def fault(self, address: str, kind: str) -> None: ...
    def by_hand(self, address: str, *, locked: bool) -> None: ...
    def at_keypad(self, address: str, slot: int) -> None: ...
    def drain(self, address: str, percent: int) -> None: ...


class ZwaveBench:
    """The Z-Wave lab."""

    provider = "zwave_js"
    devices: ClassVar = {
        "2": "schlage_be469",
        "3": "honeywell_th6320zw",
        "4": "schlage_be469zp",
        "5": "yale_yrd256_s2",
        "6": "gocontrol_gc_tbz48",
    }

    def __init__(self, stack: Stack) -> None:
        self.url = stack.url
        self._ask = stack.ask

    def fault(self, address: str, kind: str) -> None:
        self._ask(f"/fault?node={address}&kind={kind}")

    def by_hand(self, address: str, *, locked: bool) -> None:
        self._ask(f"/manual?node={address}&dir={'lock' if locked else 'unlock'}")

    def at_keypad(self, address: str, slot: int) -> None:
        self._ask(f"/keypad?node={address}&dir=unlock&user={slot}")

    def drain(self, address: str, percent: int) -> None:
        self._ask(f"/battery?node={address}&level={percent}")


class ZigbeeBench:
    """The Zigbee lab."""

    provider = "zigbee2mqtt"
    _NAMES: ClassVar = {
        "0x00124b0000000001": ("front_door", "yale_yrd226"),
        "0x00124b0000000002": ("hall", "zen_01"),
        "0x00124b0000000003": ("back_door", "yale_yrd256"),
        "0x00124b0000000005": ("cellar", "schlage_be468"),
        "0x00124b0000000006": ("attic", "centralite_3157100"),
    }
    devices: ClassVar = {address: file for address, (_, file) in _NAMES.items()}
    _FAULTS: ClassVar[dict[str, str | None]] = {"reject": "refuse", "": None}

    def __init__(self, stack: ZigbeeStack) -> None:
        self.url = stack.address
        self._order = stack.order

    def fault(self, address: str, kind: str) -> None:
        self._order("fault", self._NAMES[address][0], kind=self._FAULTS.get(kind, kind))

    def by_hand(self, address: str, *, locked: bool) -> None:
        code = 13 if locked else 14
        self._order("turn", self._NAMES[address][0], locked=locked, source=2, code=code)

    def at_keypad(self, address: str, slot: int) -> None:
        self._order("turn", self._NAMES[address][0], locked=False, source=0, user=slot)

    def drain(self, address: str, percent: int) -> None:
        name = self._NAMES[address][0]
        values = {"batteryPercentageRemaining": percent * 2}
        self._order("set", name, cluster="genPowerCfg", values=values)
        self._order("report", name, cluster="genPowerCfg", names=list(values))


class Studio:
    """A server whose devices are those of a lab, and are recorded one after the other."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.clock = SystemClock()
        self.pins = new_pins()
        seal = Seal([random_bytes(LENGTH)])
        store: Any = MemoryStore()
        self.drivers: dict[str, Any] = dict(hub_drivers(self.clock, self.pins))
        world = VirtualDriver(self.clock, 7, None, self.pins)
        self.engine = Engine(
            store=store,
            drivers={"virtual": world, **self.drivers},
            world=world,
            actions=ACTIONS,
            clock=self.clock,
            pins=self.pins,
            credentials=AcsCredentials(store.access, seal, self.pins, self.clock),
            seal=seal,
        )
        self.workspace = Workspace(id="home", name="Home", is_sandbox=False)

    async def record_all(self) -> None:
        """Record each device, and write its file."""
        await self.engine.start()
        await self.engine.add_workspace(self.workspace, user_id="u1")
        settings = {"url": self.bench.url}
        account = await self.engine.accounts.hubs.link(
            self.workspace, self.bench.provider, settings, Taking()
        )
        # All are read, and all that they say of themselves is known, before any is recorded.
        await self._until(lambda: all(each.online for each in self._devices().values()))
        await asyncio.sleep(3)
        for address, file in self.bench.devices.items():
            if address in self._devices():
                trace = await self._record(account.id, self._devices()[address])
                path = SHIPPED / self.bench.provider / f"{file}.json"
                path.write_text(as_text(trace) + "\n")
                lines = sum(len(scene["lines"]) for scene in trace["scenes"])
                sys.stdout.write(f"{path.name}: {len(trace['scenes'])} scenes, {lines} lines\n")
        await self.engine.stop(0.2)

    async def _record(self, account_id: str, device: Device) -> dict[str, Any]:
        running = await self.engine.recordings.start("home", account_id, device.id, "lab")
        await self._settled(running.tape)
        plan = self._lock_scenes if "lock" in device.capabilities else self._climate_scenes
        for name, play in plan(device):
            self.engine.recordings.begin_scene("home", running.id, name)
            try:
                await play()
            except Failure as failure:
                sys.stdout.write(f"  {name}: {failure.type}\n")
            await self._settled(running.tape)
        return self.engine.recordings.stop("home", running.id)

    def _lock_scenes(self, device: Device) -> list[tuple[str, Callable[[], Awaitable[Any]]]]:
        bench, address = self.bench, device.address

        def offered(capability: Any) -> Any:
            return self.drivers[device.driver].offer(self._devices()[address], capability)

        async def at_device(what: Callable[..., None], *given: Any, **named: Any) -> None:
            await asyncio.to_thread(what, address, *given, **named)

        async def broken(kind: str) -> None:
            await at_device(bench.fault, kind)
            try:
                await offered(Lock).lock()
                await self._pause()
                await offered(Lock).read_bolt()
            finally:
                await at_device(bench.fault, "")

        async def at_keypad() -> None:
            held = self._devices()[address].state.get(CODE_SLOTS, {})
            await at_device(bench.at_keypad, held["guest"][0] if "guest" in held else 1)

        def slot(pin: str) -> Slot:
            return Slot(pin=self.pins.seal(pin), pin_key=self.pins.key_of(device.id, pin), name="Guest")

        scenes: list[tuple[str, Callable[[], Awaitable[Any]]]] = [
            ("unlock", lambda: offered(Lock).unlock()),
            ("lock", lambda: offered(Lock).lock()),
            ("unlock by hand", lambda: at_device(bench.by_hand, locked=False)),
            ("lock by hand", lambda: at_device(bench.by_hand, locked=True)),
            ("unlock", lambda: offered(Lock).unlock()),
            ("jam", lambda: broken("jam")),
            ("refuse", lambda: broken("reject")),
            ("lock", lambda: offered(Lock).lock()),
            ("read", lambda: offered(Lock).read_bolt()),
            ("battery", lambda: at_device(bench.drain, 42)),
        ]
        if "access_codes" in device.capabilities:
            scenes += [
                ("set code", lambda: offered(CodeMemory).set_code("guest", slot(PIN))),
                ("keypad", at_keypad),
                ("lock", lambda: offered(Lock).lock()),
                ("read codes", lambda: offered(CodeMemory).fetch_codes()),
                ("clear code", lambda: offered(CodeMemory).clear_code("guest")),
            ]
        return scenes

    def _climate_scenes(self, device: Device) -> list[tuple[str, Callable[[], Awaitable[Any]]]]:
        def setting(**what: Any) -> Callable[[], Awaitable[Any]]:
            thermostat: Any = self.drivers[device.driver].offer(device, Thermostat)
            return lambda: thermostat.set_climate(what)

        thermostat: Any = self.drivers[device.driver].offer(device, Thermostat)
        scenes = [("read", thermostat.read_climate)]
        modes = device.details["available_hvac_mode_settings"]
        scenes += [(f"set mode {mode}", setting(hvac_mode_setting=mode)) for mode in modes]
        for point in ("heating_set_point_celsius", "cooling_set_point_celsius"):
            if f"max_{point}" in device.details:
                scenes.append((f"set {point.split('_')[0]} set point", setting(**{point: 22.0})))
        fans = device.details.get("available_fan_mode_settings", [])
        return scenes + [(f"set fan {fan}", setting(fan_mode_setting=fan)) for fan in fans]

    async def _pause(self) -> None:
        await asyncio.sleep(QUIET)

    async def _settled(self, tape: Any) -> None:
        """Return when nothing more is said."""
        lines = -1
        while lines != tape.lines:
            lines = tape.lines
            await self._pause()

    def _devices(self) -> dict[str, Device]:
        # There is no other way to see a device as its driver does.
        known = self.engine._devices.of_workspace("home")  # noqa: SLF001
        return {each.address: each for each in known}

    async def _until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not is_so():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)


def main(labs: list[str]) -> None:
    """Record the devices of these labs; of both if none is named."""
    if not labs or "zwave" in labs:
        with tempfile.TemporaryDirectory() as folder:
            stack = Stack(Path(folder), models=True)
            stack.start()
            try:
                asyncio.run(Studio(ZwaveBench(stack)).record_all())
            finally:
                stack.stop()
    if not labs or "zigbee" in labs:
        zigbee = ZigbeeStack(models=True)
        zigbee.start()
        try:
            asyncio.run(Studio(ZigbeeBench(zigbee)).record_all())
        finally:
            zigbee.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
