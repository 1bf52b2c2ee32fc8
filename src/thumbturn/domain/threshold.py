"""Between which temperatures a thermostat's room shall be, kept in ``Device.settings``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from thumbturn.domain.climate import in_both_units

if TYPE_CHECKING:
    from thumbturn.domain.device import Device

_NONE: Mapping[str, float | None] = {"lower_limit_celsius": None, "upper_limit_celsius": None}


def threshold_of(device: Device) -> Mapping[str, float | None]:
    """The two limits, °C; ``None`` where there is none."""
    found: Mapping[str, float | None] = device.settings.get("temperature_threshold", _NONE)
    return found


def with_threshold(device: Device, lower: float | None, upper: float | None) -> Device:
    """The thermostat with these limits, °C."""
    threshold = {"lower_limit_celsius": lower, "upper_limit_celsius": upper}
    return replace(device, settings={**device.settings, "temperature_threshold": threshold})


def judge(device: Device, news: dict[str, Any], at: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tell, and add to the news, that the temperature went beyond a limit or is back; each once."""
    celsius = news.get("temperature_celsius", device.state.get("temperature_celsius"))
    if celsius is None:
        return
    threshold = threshold_of(device)
    lower, upper = threshold["lower_limit_celsius"], threshold["upper_limit_celsius"]
    is_beyond = (lower is not None and celsius < lower) or (upper is not None and celsius > upper)
    if is_beyond is (device.state.get("threshold_exceeded_since") is not None):
        return
    news["threshold_exceeded_since"] = at if is_beyond else None
    payload = in_both_units("temperature_celsius", celsius)
    for name, limit in threshold.items():
        payload |= in_both_units(name, limit)
    is_told = "temperature_threshold_exceeded" if is_beyond else "temperature_threshold_no_longer_exceeded"
    yield f"thermostat.{is_told}", payload
