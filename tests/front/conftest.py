"""Here ``server`` is a process that owns nothing: whatever it is asked, another must do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.processes import FRONT, OWNER, OneOfMany, processes
from tests.fixtures.server import LiveServer


@pytest.fixture(scope="session")
def owner_and_front(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[OneOfMany]]:
    """An owner that answers no callers, and a front that owns nothing."""
    with processes(postgres_server, tmp_path_factory.mktemp("front"), OWNER, FRONT) as made:
        yield made


@pytest.fixture(scope="session")
def server(owner_and_front: list[OneOfMany]) -> LiveServer:
    """The front."""
    return owner_and_front[1]
