"""What a store says of its own health: how writing goes, and whether the database answers."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.fixtures.stores import an_attempt, furnish
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.engine.ports import Store
from thumbturn.storage.open import open_store
from thumbturn.storage.store import SqlStore


async def test_a_sound_store_answers_and_nothing_waits(store: Store):
    """A sound store answers its check at once; its writer is up and has room."""
    await store.check()
    writing = store.writing()
    assert (writing.waiting, writing.meters.is_down, writing.meters.failed) == (0, False, 0)
    assert writing.at_most > 0


async def test_waves_are_measured(sql_store: SqlStore):
    """Each transaction counts with its operations and its time; what waits is seen while it waits."""
    meters = sql_store.writing().meters
    waves, operations = sum(meters.size.counts), meters.size.total
    asked = [sql_store.accept(an_attempt()) for _ in range(5)]
    assert sql_store.writing().waiting >= 5  # filing rows, which the store does by itself, waits too
    for each in asked:
        await each
    assert sql_store.writing().waiting == 0
    assert sum(meters.size.counts) > waves
    assert meters.size.total - operations >= 5
    assert sum(meters.commit.counts) == sum(meters.size.counts)
    assert meters.commit.total > 0


async def test_what_is_rolled_back_is_counted_and_is_no_outage(sql_store: SqlStore):
    """A wave that cannot be made counts as rolled back; the database was there all the same."""
    attempt = an_attempt()
    await sql_store.accept(attempt)
    with pytest.raises(Exception, match=r"(?i)unique"):
        await sql_store.accept(attempt)
    meters = sql_store.writing().meters
    assert meters.failed >= 1
    assert not meters.is_down


async def test_only_a_write_proves_that_writing_is_possible_again(postgres_url: str):
    """After a failed write the check writes too: reading alone does not make the writer up again."""
    store = open_store(postgres_url, readers=1)
    await furnish(store)
    meters = store.writing().meters
    name = conninfo_to_dict(postgres_url)["dbname"]
    with psycopg.connect(postgres_url.replace(str(name), "postgres"), autocommit=True) as other:
        other.execute(f"alter database {name} with allow_connections false")
        other.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        with pytest.raises(StorageUnavailable):
            await store.check()
        assert not meters.is_down  # nobody has written yet
        with pytest.raises(StorageUnavailable):
            await store.accept(an_attempt())
        assert meters.is_down
        other.execute(f"alter database {name} with allow_connections true")
    assert await store.attempt("w1", "nothing") is None
    assert meters.is_down
    await store.check()
    assert not meters.is_down
    waves = sum(meters.size.counts)
    await store.check()
    assert sum(meters.size.counts) == waves  # a sound writer is not asked to write for nothing
    await store.close()
