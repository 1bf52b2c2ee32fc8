"""What became of tries is written together, and until it is written."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from thumbturn.domain.clock import MILLISECOND, SECOND
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.domain.webhook import Outcome, Try
from thumbturn.engine.meters import WebhookMeters
from thumbturn.engine.webhook_ports import Progress
from thumbturn.testing.clock import FakeClock
from thumbturn.webhooks.record import BOUND, GATHER_FOR, Record


class Book:
    """A store of which only ``record`` is asked, and which fails as often as the test wants."""

    def __init__(self) -> None:
        self.written: list[Progress] = []
        self.failures: list[Exception] = []

    async def record(self, progress: Progress) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.written.append(progress)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
async def record(book: Book, clock: FakeClock) -> AsyncIterator[Record]:
    it = Record(book, clock, WebhookMeters())  # type: ignore[arg-type]
    yield it
    it._task.cancel()


def a_try(sequence: int) -> Try:
    return Try(
        "h1", f"event {sequence}", "lock.locked", sequence, 1, 0, 1.0, 200, None, Outcome.DELIVERED, None
    )


async def test_what_ends_together_is_written_together(record: Record, book: Book, clock: FakeClock):
    """Tries within a tenth of a second, and the newest cursor, are one write."""
    for sequence in range(1, 6):
        record.note(a_try(sequence))
        record.note_cursor("h1", sequence)
        await clock.advance(10 * MILLISECOND)
    assert book.written == []
    await clock.advance(GATHER_FOR)
    [progress] = book.written
    assert [each.sequence for each in progress.tries] == [1, 2, 3, 4, 5]
    assert progress.cursors == {"h1": 5}


async def test_a_cursor_alone_can_wait(record: Record, book: Book, clock: FakeClock):
    """How far a webhook is with what it is not told of is written some seconds later, or on request."""
    record.note_cursor("h1", 1)
    await clock.advance(4 * SECOND)
    assert book.written == []
    await record.written()
    assert [each.cursors for each in book.written] == [{"h1": 1}]
    record.note_cursor("h1", 2)
    await clock.advance(6 * SECOND)
    assert [each.cursors for each in book.written] == [{"h1": 1}, {"h1": 2}]


@pytest.mark.parametrize("problem", [StorageUnavailable(), RuntimeError("a bug")])
async def test_what_cannot_be_written_is_kept(
    record: Record, book: Book, clock: FakeClock, problem: Exception
):
    """Whatever the store says, nothing noted is dropped, and what came later is written after it."""
    book.failures = [problem, problem]
    record.note(a_try(1))
    await clock.advance(SECOND)
    record.note(a_try(2))
    record.note_failing("h1", None)
    assert book.written == []
    await clock.advance(3 * SECOND)
    assert [[made.sequence for made in each.tries] for each in book.written] == [[1], [2]]
    assert book.written[1].failing == {"h1": None}


async def test_closing_writes_what_is_noted(record: Record, book: Book):
    """Nothing that was noted is left behind by an orderly end."""
    record.note(a_try(1))
    await record.close(5)
    assert len(book.written) == 1


async def test_it_says_when_it_is_full(record: Record, book: Book, clock: FakeClock):
    """Past a bound it asks for patience until what it has is written."""
    for sequence in range(BOUND):
        record.note(a_try(sequence))
    assert record.is_full
    await record.written()
    assert not record.is_full
