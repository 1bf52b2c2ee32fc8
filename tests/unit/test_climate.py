"""Temperatures in both units."""

from __future__ import annotations

import sys

import pytest

from thumbturn.domain.climate import in_both_units


@pytest.mark.parametrize("celsius", [1.7e308, -1.7e308])
def test_no_temperature_is_infinite_in_the_other_unit(celsius):
    """What is nearly beyond all numbers in °C is the last number in °F, never infinity."""
    written = in_both_units("temperature_celsius", celsius)
    assert abs(written["temperature_fahrenheit"]) == sys.float_info.max
