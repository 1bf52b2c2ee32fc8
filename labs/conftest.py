"""The stacks, each once for all tests, and how much is tried of what is left to chance."""

from __future__ import annotations

import pytest

from labs.home_assistant import stack as home_assistant
from labs.matter import stack as matter
from labs.zigbee import stack as zigbee
from labs.zwave import stack as zwave


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many commands with faults by chance are given to each stack."""
    parser.addoption(
        "--lab-commands", type=int, default=60, help="commands with faults by chance, each stack"
    )


#: Whose tests run beside each other: those of one stack are all in one process, one after the other.
STACKS = ("zwave_js", "zigbee2mqtt", "matter", "home_assistant")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each stack is brought up once, whichever file a test of it is in."""
    for item in items:
        [stack] = [name for name in STACKS if name in item.nodeid]
        item.add_marker(pytest.mark.xdist_group(stack))


@pytest.fixture(scope="session")
def zwave_stack(tmp_path_factory):
    """The real Z-Wave JS."""
    reason = zwave.missing()
    if reason is not None:
        pytest.skip(reason)
    zwave.install()
    stack = zwave.Stack(tmp_path_factory.mktemp("zwave"))
    stack.start()
    yield stack
    stack.stop()


@pytest.fixture(scope="session")
def zigbee_stack():
    """The real zigbee2mqtt and its broker."""
    reason = zigbee.why_not()
    if reason is not None:
        pytest.skip(reason)
    stack = zigbee.ZigbeeStack()
    stack.start()
    yield stack
    stack.stop()


@pytest.fixture(scope="session")
def matter_stack():
    """The real python-matter-server and its devices."""
    reason = matter.missing()
    if reason is not None:
        pytest.skip(reason)
    stack = matter.Stack()
    stack.start()
    yield stack
    stack.stop()


@pytest.fixture(scope="session")
def home_assistant_stack(tmp_path_factory):
    """The real Home Assistant."""
    reason = home_assistant.missing()
    if reason is not None:
        pytest.skip(reason)
    stack = home_assistant.Stack(tmp_path_factory.mktemp("home_assistant"))
    stack.start()
    yield stack
    stack.stop()
