"""What a sandbox needs from outside, beyond what ``ports.py`` has: a world that can be played with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from thumbturn.domain.access import Thing
from thumbturn.domain.device import Device
from thumbturn.domain.recording import Recording
from thumbturn.engine.ports import Seed


class SandboxWorld(Protocol):
    """What a sandbox can do to its virtual devices, beyond commanding them.

    What is done to one device raises ``DeviceTypeNotSupported`` if that is none of its own.
    """

    @property
    def faults(self) -> Mapping[str, str]:
        """The faults there are, and what each means."""

    def seed(self, workspace_id: str, now: int) -> Seed:
        """How a sandbox workspace begins: always with the same ids for the same workspace."""

    def more_devices(
        self, workspace_id: str, count: int, *, kind: str, travel_milliseconds: int, now: int
    ) -> list[Device]:
        """New virtual devices of a kind, for tests of many; not yet attached."""

    def recorded_device(self, workspace_id: str, recording: Recording, now: int) -> Device:
        """A new virtual device that is like a recorded one; not yet attached."""

    def inject_fault(
        self, device_id: str, fault: str, *, times: int | None, milliseconds: int | None
    ) -> None:
        """Make a device misbehave, so many times or until cleared."""

    def clear_faults(self, device_id: str | None, among: Iterable[str]) -> None:
        """Heal one device, or all of these."""

    def connect(self, device_id: str) -> None:
        """The device comes online (and is no longer removed)."""

    def disconnect(self, device_id: str) -> None:
        """The device goes offline."""

    def remove(self, device_id: str) -> None:
        """The device is taken out of its account, as by its owner in its maker's app."""

    def lose_hub(self, device_id: str) -> None:
        """The device's hub loses it."""

    def find_hub(self, device_id: str) -> None:
        """The device's hub has it again."""

    def owe(self, device_id: str, *, is_unpaid: bool) -> None:
        """The device's maker wants to be paid before the device takes another command, or was."""

    def account_things(self, workspace_id: str, account_id: str, now: int) -> list[Device]:
        """The devices behind a virtual account, always the same for the same account; not yet attached."""

    def account_access(self, account_id: str, devices: Sequence[Device], now: int) -> tuple[Thing, ...]:
        """The access control system at those doors of a virtual account that are among these devices, always
        the same for the same account; nothing if none of them is a door of one.
        """

    def lets_in(self, email: str, password: str) -> bool:
        """Whether these open a virtual account."""

    def let_in(self, device_ids: Iterable[str]) -> None:
        """The account of these devices lets the server in again. Those that are none of its own are left."""

    def lock_out(self, device_ids: Iterable[str]) -> None:
        """The account of these devices lets nobody in, so that they cannot be reached."""

    def swing_door(self, device_id: str, *, is_open: bool) -> None:
        """Open or close the door by hand; ``DeviceTypeNotSupported`` if it has no door contact."""

    def touch_code(self, device_id: str, place: str | None, pin: str | None, name: str | None) -> str:
        """Set, change or (without a PIN) delete a code at a lock by hand; in which place of its memory.

        Raises ``KeyError`` for a place that holds none, ``NoSpaceOnDevice`` and ``DuplicateOnDevice``.
        """

    def adjust_climate(self, device_id: str, setting: Mapping[str, Any]) -> None:
        """Set a thermostat by hand; ``DeviceIsNotThermostat`` if it is none."""

    def reach_temperature(self, device_id: str, celsius: float) -> None:
        """Make it this warm where a thermostat is; ``DeviceIsNotThermostat`` if it is none."""

    def make_noise(self, device_id: str, decibels: float) -> None:
        """From now on it is this loud where a noise sensor is."""

    def burst(self, device_id: str, decibels: float) -> None:
        """For some seconds it is this loud where a noise sensor is."""

    def arm_encoder(self, device_id: str, verb: str, outcome: Mapping[str, Any]) -> None:
        """Have this come of the next ``scan`` or ``encode`` at an encoder: an ``error`` in the wire's words,
        a ``card`` that lies on it from then on, or neither, and it succeeds with the card that lies there.
        If ``acs_credential_id`` is among it, only once that credential is read or written.
        """

    def forget(self, device_ids: Iterable[str]) -> None:
        """Bolt positions and faults of these devices are as if never used."""
