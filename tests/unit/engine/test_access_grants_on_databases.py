"""A grant's whole life on a real database of either kind, with a crash in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.fixtures.engine import House
from tests.fixtures.grants import DAY, NATIVE, PLAIN, Grants
from tests.fixtures.postgres import bare_database
from thumbturn.storage.open import open_store


@pytest.fixture(params=["sqlite", "postgresql"])
async def kept(request, tmp_path) -> AsyncIterator[Grants]:
    """The grants of a house whose records are in a database."""
    if request.param == "sqlite":
        async for each in opened(tmp_path, f"sqlite:///{tmp_path / 'thumbturn.db'}"):
            yield each
        return
    with bare_database(request.getfixturevalue("postgres_server")) as url:
        async for each in opened(tmp_path, url):
            yield each


async def opened(folder, url) -> AsyncIterator[Grants]:
    store = open_store(url)
    house = House(folder / "world.jsonl", store)
    await house.open()
    yield Grants(house)
    await house.die()
    await store.close()


async def when(house: House, holds: Callable[[], Awaitable[bool]]) -> None:
    """Return when this holds; the database does its work in threads, which no clock of ours waits for."""
    for _ in range(2_000):
        await house.clock.settle()
        if await holds():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never came to this")


async def test_a_grant_lives_on_a_database(kept):
    """It is made, looked at for nothing, changed, taken up by another process, revoked; each told once."""
    house, now = kept.house, kept.house.clock.now()
    grant = await kept.create(
        "code", "cloud_key", locks=(PLAIN, NATIVE), doors=(PLAIN, NATIVE), ends_at=now + DAY
    )

    async def is_issued() -> bool:
        return (await kept.stands(grant)).is_told_all

    await when(house, is_issued)
    told = await kept.told()
    before = await kept.methods(grant), await kept.stands(grant)
    await house.engine._granting.keeper.look(("w1", grant.id))
    assert (await kept.methods(grant), await kept.stands(grant)) == before
    assert await kept.told() == told
    await kept.all.change("w1", grant.id, {"ends_at": now + 2 * DAY})

    async def is_carried() -> bool:
        code = await kept.code((await kept.methods(grant))[0], NATIVE)
        return (
            await kept.stands(grant)
        ).times_changed_at is None and code.facts.held.ends_at == now + 2 * DAY

    await when(house, is_carried)
    await house.revive()
    await kept.all.delete("w1", grant.id)

    async def is_gone() -> bool:
        return await kept.is_gone(grant)

    await when(house, is_gone)
    assert await kept.credentials() == []
    assert await kept.at_lock(PLAIN) == await kept.at_lock(NATIVE) == []
    assert sorted((await kept.told())[len(told) :]) == sorted(
        [
            "access_grant.access_times_changed",
            *["access_grant.access_to_door_lost"] * 2,
            *["access_method.revoked", "access_method.deleted"] * 2,
            "access_grant.deleted",
        ]
    )
