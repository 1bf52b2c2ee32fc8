"""The API in this process, for tests of the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fixtures.wire import Wire


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    """An open house with the API before it."""
    it = await Wire(tmp_path).open()
    yield it
    await it.hooks.die()
    await it.house.die()
