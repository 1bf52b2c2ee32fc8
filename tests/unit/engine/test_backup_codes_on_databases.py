"""Backups, and codes that are handed over, on a real database of either kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fixtures.codes import DAY, HOUR, ME, PLAIN, Codes
from tests.fixtures.engine import House
from tests.fixtures.postgres import bare_database
from tests.unit.engine.test_access_grants_on_databases import when
from thumbturn.engine.backup_pool import POOL_SIZE
from thumbturn.storage.open import open_store


@pytest.fixture(params=["sqlite", "postgresql"])
async def kept(request, tmp_path) -> AsyncIterator[Codes]:
    """The codes of a house whose records are in a database."""
    if request.param == "sqlite":
        async for each in opened(tmp_path, f"sqlite:///{tmp_path / 'thumbturn.db'}"):
            yield each
        return
    with bare_database(request.getfixturevalue("postgres_server")) as url:
        async for each in opened(tmp_path, url):
            yield each


async def opened(folder, url) -> AsyncIterator[Codes]:
    store = open_store(url)
    house = House(folder / "world.jsonl", store)
    await house.open()
    yield Codes(house)
    await house.die()
    await store.close()


async def test_backups_on_a_database(kept):
    """A crowd fills the pool once; a backup is moved with its code, goes with it, and is made up for."""
    house, pool = kept.house, kept.house.engine.backup_pool
    now, device = house.clock.now(), await house.device(PLAIN)
    code_id, _ = await kept.create(starts_at=now, ends_at=now + DAY, uses_backup_pool=True)
    await asyncio.gather(*(pool.use(device) for _ in range(8)))

    async def there_are(number: int) -> bool:
        return len(await kept.at_lock()) == number and len(await pool._ready("w1", device.id)) == POOL_SIZE

    await when(house, lambda: there_are(1 + POOL_SIZE))
    _, backup = await pool.pull("w1", code_id)
    await when(house, lambda: there_are(2 + POOL_SIZE))
    await kept.all.update("w1", code_id, {"ends_at": now + HOUR}, ME)
    assert (await kept.all.get("w1", backup.id)).ends_at == now + HOUR
    await kept.all.delete("w1", code_id, ME)
    await when(house, lambda: there_are(POOL_SIZE))
    ready = await kept.at_lock()
    assert not {code_id, backup.id} & ready.keys()
    await kept.all.delete("w1", min(ready), ME)

    async def is_made_up_for() -> bool:
        return min(ready) not in await kept.at_lock() and await there_are(POOL_SIZE)

    await when(house, is_made_up_for)


async def test_a_code_is_handed_over_on_a_database(kept):
    """It has no end any more that its lock does not know of."""
    house, now = kept.house, kept.house.clock.now()
    code_id, _ = await kept.create(starts_at=now, ends_at=now + DAY)

    async def is_set() -> bool:
        return await kept.status(code_id) == "set"

    await when(house, is_set)
    await house.engine.code_handover.hand_over("w1", code_id, ME)
    code = await kept.all.get("w1", code_id, is_managed=False)
    assert (code.is_managed, code.kind, code.due_at) == (False, "ongoing", None)
