"""What every test gets: no network beyond this machine, the shared fixtures, the crash-round option."""

from __future__ import annotations

import socket
from typing import Any

import pytest

pytest_plugins = [
    "tests.fixtures.engine",
    "tests.fixtures.codes",
    "tests.fixtures.grants",
    "tests.fixtures.postgres",
    "tests.fixtures.receiver",
    "tests.fixtures.server",
    "tests.fixtures.fake_world",
    "tests.fixtures.sink",
    "tests.fixtures.several",
    "tests.fixtures.stores",
    "tests.fixtures.webhooks",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many rounds with a kill -9 the crash tests run."""
    parser.addoption("--crash-rounds", type=int, default=20, help="rounds with kill -9, on both databases")


#: From so many rounds on it is not `make test`, and there is time for what takes a minute by itself.
MANY_ROUNDS = 200


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long is for `make test-crash`."""
    if config.getoption("--crash-rounds") < MANY_ROUNDS:
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="session")
def crash_rounds(pytestconfig: pytest.Config) -> int:
    """How many rounds with a kill -9 to run, half of them on each database."""
    rounds: int = pytestconfig.getoption("--crash-rounds")
    return rounds


class NotLoopback(Exception):
    """A test tried to reach another machine."""


def _is_loopback(host: str) -> bool:
    return host in {"::1", "localhost"} or host.startswith("127.")


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Any:
    """Sockets of the test process reach this machine only."""
    patch = pytest.MonkeyPatch()
    for name in ("connect", "connect_ex"):
        original = getattr(socket.socket, name)

        def guarded(self: socket.socket, address: Any, original: Any = original) -> Any:
            if self.family != socket.AF_UNIX and not _is_loopback(address[0]):
                raise NotLoopback(address)
            return original(self, address)

        patch.setattr(socket.socket, name, guarded)
    yield
    patch.undo()
