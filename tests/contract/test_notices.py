"""What one process says another hears at once, and within a second if it was lost on the way."""

from __future__ import annotations

import asyncio
import os
import resource
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import psycopg
import pytest

from thumbturn.domain.clock import SystemClock
from thumbturn.engine.notices import About
from thumbturn.storage.correspondence import Correspondence
from thumbturn.storage.databases import parse_url
from thumbturn.storage.listener import Listener
from thumbturn.storage.notices import LONGEST, payload_of

Heard = list[frozenset[str] | None]


@pytest.fixture
async def process(postgres_url: str) -> AsyncIterator[Callable[..., Correspondence]]:
    """Makes the part of a process in what is said on one database."""
    made: list[Correspondence] = []

    def make(name: str, *, listens: bool = True, is_alone: bool = False) -> Correspondence:
        one = Correspondence(
            postgres_url,
            name,
            listening=postgres_url if listens else None,
            is_alone=lambda: is_alone,
            clock=SystemClock(),
        )
        one.start()
        made.append(one)
        return one

    yield make
    for one in made:
        await one.close()


def hearing(process: Correspondence, about: About) -> Heard:
    """All that it hears from now on."""
    heard: Heard = []
    process.notices.hear(about, heard.append)
    return heard


async def until(found: Callable[[], bool], within: float) -> bool:
    """True as soon as this is so; false if it is not in so many seconds."""
    for _ in range(int(within / 0.01)):
        if found():
            return True
        await asyncio.sleep(0.01)
    return found()


async def test_what_is_said_is_heard_by_others_and_by_subject(process: Callable[..., Correspondence]):
    """A word about one subject comes to who hears that subject in another process, and not to the speaker."""
    here, there = process("a"), process("b")
    own, events, ends = (
        hearing(here, About.EVENTS),
        hearing(there, About.EVENTS),
        hearing(there, About.ENDS),
    )
    await until(lambda: None in events, 3)  # it listens by then
    here.notices.say(About.EVENTS, "w1", "w2")
    here.notices.say(About.EVENTS, "w3")
    assert await until(lambda: frozenset(("w1", "w2", "w3")) in events, 0.5)
    assert [each for each in [*own, *ends] if each is not None] == []


@pytest.mark.parametrize("how", ["deaf", "cut off"])
async def test_who_hears_nothing_looks_every_second(
    process: Callable[..., Correspondence], postgres_url: str, how: str
):
    """Without a connection to listen on, or while it is cut off, everybody is told to look, each second."""
    there = process("b", listens=how == "cut off")
    heard = hearing(there, About.EVENTS)
    if how == "cut off":
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and query ilike 'listen%'"
            )
    process("a").notices.say(About.EVENTS, "w1")
    assert await until(lambda: heard.count(None) >= 2, 2.5)


async def test_who_was_cut_off_hears_again(process: Callable[..., Correspondence], postgres_url: str):
    """A listener whose connection was ended makes another, and hears what is said from then on."""
    here, there = process("a"), process("b")
    heard = hearing(there, About.EVENTS)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        cut = connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and query ilike 'listen%'"
        ).fetchall()
    assert cut

    async def say_until_heard() -> bool:
        for number in range(40):
            here.notices.say(About.EVENTS, f"w{number}")
            if await until(lambda: any(each is not None for each in heard), 0.1):
                return True
        return False

    assert await say_until_heard()


@pytest.fixture
def many_open() -> Iterator[None]:
    """More descriptors are open than ``select`` knows."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2_000
    if before[1] != resource.RLIM_INFINITY and before[1] < wanted:
        pytest.skip(f"no more than {before[1]} descriptors may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, before[0]), before[1]))
    made = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_100)]
    yield
    for descriptor in made:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def heard_by_a_listener(url: str, within: float) -> bool:
    """Whether a listener that begins now hears a notification in so many seconds."""
    heard: list[str] = []
    listener = Listener(parse_url(url), "thumbturn_test", "me;", heard.append)
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(int(within / 0.1)):
            connection.execute("notify thumbturn_test, 'w1'")
            if await until(lambda: "w1" in heard, 0.1):
                break
    await listener.close()
    return "w1" in heard


@pytest.mark.usefixtures("many_open")
async def test_a_process_hears_however_much_it_has_open(postgres_url: str):
    """A listener whose connection is descriptor 1,100 hears as any other."""
    assert await heard_by_a_listener(postgres_url, 3)


async def test_whatever_befalls_a_listener_it_hears_again(postgres_url: str, monkeypatch: pytest.MonkeyPatch):
    """What is no error of the database, as that there is no descriptor left, does not end it either."""
    connect, failed = psycopg.connect, []

    def fail_once(*given: Any, **settings: Any) -> Any:
        if threading.current_thread().name == "thumbturn-listener" and not failed:
            failed.append(OSError("Too many open files"))
            raise failed[0]
        return connect(*given, **settings)

    monkeypatch.setattr(psycopg, "connect", fail_once)
    assert await heard_by_a_listener(postgres_url, 3)
    assert failed


async def test_nobody_speaks_or_looks_who_is_alone(process: Callable[..., Correspondence]):
    """A process that is alone sends nothing, and does not look at what nobody else can change."""
    here, there = process("a", is_alone=True), process("b", listens=True)
    own, heard = hearing(here, About.EVENTS), hearing(there, About.EVENTS)
    await until(lambda: None in heard, 3)
    here.notices.say(About.EVENTS, "w1")
    await asyncio.sleep(0.3)
    assert own == []
    assert set(heard) == {None}


def test_more_than_fits_is_anything():
    """Where the words of a subject are too many for a notification, it says that anything may have changed;
    what is said of others still fits.
    """
    many = {f"{number:036}" for number in range(300)}
    payload = payload_of("me", {About.EVENTS: many, About.KEYS: {"k1"}, About.ENDS: set()})
    assert payload == "me;events:*;keys:k1"
    full = payload_of("me", {About.EVENTS: {f"{number:036}" for number in range(200)}})
    assert LONGEST - 600 < len(full) <= LONGEST
