"""Noise sensors: they hear how loud it is, and hold the thresholds that they judge it by.

As with locks, a verb sends one command and answers how far it is known to have got; what is so then
comes as ``Observation``. Observed are ``noise_level_decibels``, ``noise_thresholds`` (all that it holds) and
``currently_triggering_noise_threshold_ids``, as ``domain/noise.py`` has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from thumbturn.domain.device import Observation
from thumbturn.domain.evidence import Evidence


@runtime_checkable
class NoiseSensor(Protocol):
    """A noise sensor."""

    async def put_threshold(self, threshold_id: str, threshold: Mapping[str, Any]) -> Evidence:
        """Have it hold this threshold, in the place of any that it has under this id."""

    async def delete_threshold(self, threshold_id: str) -> Evidence:
        """Have it hold this threshold no more; nothing is wrong if it does not."""

    async def read_thresholds(self) -> Observation | None:
        """Ask the device itself, now, what it holds and hears; ``None`` if it does not answer."""
