"""Thermostats: what a room is heated and cooled to, and how its air is moved.

As with locks, a verb sends one command and answers how far it is known to have got; what is so then
comes as ``Observation``. Observed are ``hvac_mode_setting``, ``heating_set_point_celsius``,
``cooling_set_point_celsius``, ``fan_mode_setting``, ``temperature_celsius``, ``relative_humidity``,
``is_heating``, ``is_cooling`` and ``is_fan_running``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from thumbturn.domain.device import Observation
from thumbturn.domain.evidence import Evidence


@runtime_checkable
class Thermostat(Protocol):
    """A thermostat."""

    async def set_climate(self, setting: Mapping[str, Any]) -> Evidence:
        """Set those of its mode, its two set points and its fan that are named, as they are observed."""

    async def read_climate(self) -> Observation | None:
        """Ask the device itself, now, what it is set to; ``None`` if it does not answer."""


@runtime_checkable
class ThermostatPrograms(Protocol):
    """A thermostat that runs programs by itself. Observed as ``programs`` (``domain/programs.py``).

    When a period of them begins it is observed with the setting of its preset, and with ``climate_preset``.
    """

    async def set_programs(self, programs: Mapping[str, Any]) -> Evidence:
        """Have it hold these, in the place of all others, and go by them at once."""

    async def read_programs(self) -> Observation | None:
        """Ask the device itself, now, what it holds; ``None`` if it does not answer."""
