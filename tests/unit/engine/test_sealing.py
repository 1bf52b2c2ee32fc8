"""When the audit trail is sealed: soon, and on a busy server a little later."""

from __future__ import annotations

from sqlite3 import DatabaseError

import pytest
from structlog.testing import capture_logs

from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.engine.sealing import BUSY, EVERY, PATIENCE, Sealing
from thumbturn.testing.clock import FakeClock


class Waiting:
    """A store in which acts wait to be sealed, a hundred at a time."""

    def __init__(self) -> None:
        self.unsealed = 0
        self.refuses: Exception | None = None

    async def seal_acts(self) -> bool:
        if self.refuses:
            raise self.refuses
        self.unsealed = max(0, self.unsealed - 100)
        return self.unsealed > 0


@pytest.fixture
async def sealing():
    clock, store = FakeClock(), Waiting()
    it = Sealing(store, clock)  # type: ignore[arg-type]

    async def look(done: int) -> int:
        """What waits after so much was done and one more look was taken."""
        store.unsealed += done
        await clock.advance(EVERY)
        return store.unsealed

    it.start()
    await clock.settle()
    yield it, store, look
    await it.stop()


async def test_what_was_done_is_sealed_within_a_second(sealing):
    """On a server that is not busy, everything is in the chain at the next look, lot by lot."""
    _, _, look = sealing
    assert [await look(done) for done in (1, BUSY, 250, 0)] == [0, 0, 0, 0]


async def test_a_busy_server_seals_when_it_is_quiet_again(sealing):
    """While much is done nothing is sealed; as soon as little is done, everything is."""
    _, _, look = sealing
    assert [await look(BUSY + 1) for _ in range(3)] == [(BUSY + 1) * n for n in (1, 2, 3)]
    assert await look(10) == 0


async def test_patience_has_an_end(sealing):
    """However busy the server is, after so many looks it seals all the same, and is patient again then."""
    _, _, look = sealing
    waiting = [await look(BUSY + 1) for _ in range(2 * PATIENCE + 2)]
    assert [n for n, each in enumerate(waiting, 1) if each == 0] == [PATIENCE + 1, 2 * PATIENCE + 2]


@pytest.mark.parametrize("problem", [StorageUnavailable(), DatabaseError("malformed")])
async def test_a_database_that_is_away_or_ill_is_tried_again(sealing, problem):
    """What cannot be sealed now, for whatever reason, is sealed at a later look; stopping works, too."""
    it, store, look = sealing
    store.refuses = problem
    with capture_logs() as lines:
        assert [await look(5), await look(0)] == [5, 5]
        store.refuses = None
        assert await look(0) == 0
        store.refuses = problem
        await it.stop()
    assert [line["event"] for line in lines] == ["audit_is_sealed_later"] * 3


async def test_the_end_seals_what_is_left(sealing):
    """Stopping seals what was done since the last look."""
    it, store, _ = sealing
    store.unsealed = 3
    await it.stop()
    assert store.unsealed == 0


async def test_a_busy_database_is_busy_for_each_of_several(sealing):
    """Of three processes on a database that is busy each does a third, and none of them seals meanwhile."""
    it, store, look = sealing
    await it.stop()
    it.start(lambda: 3)
    await it._clock.settle()
    third = BUSY // 3 + 1
    assert [await look(third) for _ in range(2)] == [third, 2 * third]
    assert await look(10) == 0
    assert store.unsealed == 0
