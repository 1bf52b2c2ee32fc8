"""The ecosystems whose hubs can be linked, and the words that the wire has for them."""

from __future__ import annotations

from typing import get_args

import pytest

from thumbturn.api.wire.connected_account import _ECOSYSTEMS
from thumbturn.api.wire.vocabulary import DeviceType, Provider
from thumbturn.drivers.home_assistant import discovery
from thumbturn.drivers.matter import driver as matter
from thumbturn.drivers.zigbee2mqtt import exposes
from thumbturn.drivers.zwave_js import driver as zwave_js
from thumbturn.ecosystems import hub_drivers
from thumbturn.engine.pins import new_pins
from thumbturn.testing.clock import FakeClock


def test_every_ecosystem_has_a_word_and_a_name():
    """What can be linked is named on the wire, and called there as on the page on which it is linked."""
    for name, driver in hub_drivers(FakeClock(), new_pins()).items():
        assert name in get_args(Provider)
        assert _ECOSYSTEMS[name] == driver.title


@pytest.mark.parametrize("module", [discovery, exposes, matter, zwave_js])
def test_every_type_of_device_has_a_word(module):
    """What a driver calls its devices is a word of the wire."""
    types = {value for name, value in vars(module).items() if name.endswith("_TYPE")}
    assert types
    assert types <= set(get_args(DeviceType))
