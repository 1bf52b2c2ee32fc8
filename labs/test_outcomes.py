"""What the server says of commands to real stacks is what the locks themselves have on record."""

from __future__ import annotations

import pytest

from labs.commanded import command_by_chance
from labs.home_assistant.doors import HomeAssistantDoors
from labs.house import house
from labs.interrupted import interrupt
from labs.matter.doors import MatterDoors
from labs.zigbee.doors import ZigbeeDoors
from labs.zwave.doors import ZwaveDoors

DOORS = {
    "zwave_js": ("zwave_stack", ZwaveDoors),
    "zigbee2mqtt": ("zigbee_stack", ZigbeeDoors),
    "matter": ("matter_stack", MatterDoors),
    "home_assistant": ("home_assistant_stack", HomeAssistantDoors),
}


@pytest.fixture(scope="module", params=DOORS.values(), ids=DOORS.keys())
def home(request, tmp_path_factory):
    """The server, linked to a real stack, one after the other."""
    stack, doors = request.param
    with house(doors(request.getfixturevalue(stack)), tmp_path_factory.mktemp("house")) as it:
        it.lock_up()
        yield it
        it.lock_up()


def test_no_outcome_contradicts_the_lock(home, request):
    """Faults by chance: what is said to be done is so, what is said not to be is not, none is done twice."""
    commands = request.config.getoption("lab_commands")
    outcome = command_by_chance(home, commands, seed=6)
    assert outcome.contradictions == []
    assert sum(outcome.ended.values()) == commands
    assert outcome.ended["success"] > commands / 2


def test_a_hub_that_is_killed_in_the_middle_loses_no_command(home):
    """All fifty end in time, none is said to be done that is not; then each lock is as it really is."""
    ends, wrong = interrupt(home)
    assert wrong == []
    assert ends["success"] > 0
    assert set(ends) <= {"success", "outcome_unknown", "device_offline", "device_unreachable"}
