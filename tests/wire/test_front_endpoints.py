"""Every endpoint there is, asked at a process that owns nothing and at the owner: one answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.front import Fronted
from tests.fixtures.isolation import Filter, Foreign
from tests.fixtures.isolation_rows import ROWS
from thumbturn.api.table import endpoints

NOBODY_S = "01890000-0000-7000-8000-000000000000"
PATHS = [path for path, each in endpoints().items() if each.access is not None and not each.is_stream]


class Unfurnished:
    """Who tries has nothing of his own to name."""

    def furnished(self, more: dict[str, Any]) -> dict[str, Any]:
        return more


@pytest.fixture
async def fronted(tmp_path: Path) -> AsyncIterator[Fronted]:
    """A house whose engine runs in another process than the one that is asked."""
    it = Fronted(tmp_path)
    await it.open()
    yield it
    await it.close()
    await it.hooks.die()
    await it.house.die()


def asks_of(path: str) -> list[dict[str, Any]]:
    """Nothing at all, and each way in which an id is asked for there, with one that is nobody's."""
    rows = [row for row in ROWS[path] if isinstance(row, Foreign | Filter)]
    return [{}, *(row.ask(Unfurnished(), NOBODY_S) for row in rows)]


async def test_every_endpoint_answers_the_same_at_both(fronted: Fronted):
    """Status, words and shape of the answer do not tell which process was asked, whatever is asked for."""
    tried = 0
    for path in PATHS:
        for ask in asks_of(path):
            told = []
            for process in (fronted.owner, fronted.front):
                fronted.app = process.app
                for token in (fronted.api_key, fronted.access_token, None):
                    method = endpoints()[path].methods[-1]
                    reply = await fronted.ask(method, path, ask, token=token)
                    body = reply.json
                    said = reply.error if reply.status >= 400 else sorted(body)
                    told.append((reply.status, sorted(reply.headers), said))
            assert told[:3] == told[3:], (path, ask)
            tried += 1
    assert tried > len(PATHS)
    assert fronted.calls.there == {}
