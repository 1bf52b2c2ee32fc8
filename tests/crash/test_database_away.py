"""A database that is started anew, or stands still: callers are told to come again, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.crash.own_postgres import OwnPostgres
from tests.crash.test_many_processes import Asking, ended, three
from tests.fixtures.several import Several
from tests.fixtures.stores import NOON, an_attempt, furnish
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.storage import line
from thumbturn.storage.open import open_store

#: Seconds: nobody's patience is tried by this.
VERY_LONG = 120


@pytest.fixture
def postgres() -> Iterator[OwnPostgres]:
    """A server that nobody else uses."""
    made = OwnPostgres()
    yield made
    made.resume()
    made.stop()


@pytest.fixture
def three_on(tmp_path: Path, postgres: OwnPostgres) -> Iterator[Several]:
    """No process yet, on that server."""
    made = Several(tmp_path, postgres.url)
    yield made
    postgres.resume()
    made.close()


async def test_who_asks_a_database_that_stands_still_is_refused(postgres: OwnPostgres, monkeypatch):
    """Who has asked, who waits behind him, and who comes later; and when it goes on, so does everything: what
    had been on its way to the database by then is on record or not, and stays so.
    """
    monkeypatch.setattr(line, "SILENT_FOR", 1.0)
    store = open_store(postgres.url, readers=1)
    await furnish(store)
    known = an_attempt()
    await store.accept(known)
    assert await store.attempt("w1", known.id) == known
    postgres.pause()
    asked = [an_attempt(at=NOON + number) for number in range(600)]
    # More than one wave, and more questions than readers.
    writes = [asyncio.ensure_future(store.accept(each)) for each in asked]
    reads = [asyncio.ensure_future(store.last_sequence("w1")) for _ in range(20)]
    reads += [asyncio.ensure_future(store.attempt("w1", known.id)) for _ in range(20)]
    async with asyncio.timeout(VERY_LONG):
        answers = await asyncio.gather(*writes, *reads, return_exceptions=True)
        # By now it is asked for a new connection.
        answers += await asyncio.gather(
            store.accept(an_attempt()), store.attempt("w1", known.id), return_exceptions=True
        )
    assert {type(answer) for answer in answers} == {StorageUnavailable}
    assert {answer.headers["Retry-After"] for answer in answers} == {"1"}
    postgres.resume()
    later = an_attempt(at=NOON + 1_000)
    async with asyncio.timeout(VERY_LONG):
        while True:
            try:
                await store.accept(later)
                break
            except StorageUnavailable:
                await asyncio.sleep(0.05)
    there = _ids(postgres)
    assert {known.id, later.id} <= there
    assert await store.attempt("w1", known.id) == known
    assert await store.attempt("w1", later.id) == later
    await store.close()
    assert _ids(postgres) == there


@pytest.mark.long
def test_a_database_is_started_anew_under_three_processes(postgres: OwnPostgres, three_on: Several):
    """In order and as if it had died, under load: every command that was accepted ends in success, its lock
    was told of it once, and who came in between was told when to come again.
    """
    servers = three(three_on)
    callers = [three_on.caller(each, f"anew {number}") for number, each in enumerate(servers)]
    asking = [Asking(each, [lock["device_id"] for lock in each.locks()]) for each in callers]
    for each in asking:
        each.start()
    try:
        for mode in ("fast", "immediate"):
            postgres.restart(mode)
            given = [len(each.given) for each in asking]
            three_on.until(
                lambda given=given: all(
                    len(each.given) > before + 5 for each, before in zip(asking, given, strict=True)
                ),
                60,
                f"everybody is answered again after a restart ({mode})",
            )
    finally:
        for each in asking:
            each.is_over.set()
        for each in asking:
            each.join()
    for each in asking:
        three_on.until(lambda each=each: all(ended(each.caller, id) for id, _ in each.given), 60, "all ended")
        states = [ended(each.caller, id) for id, _ in each.given]
        assert {state["status"] for state in states if state} == {"success"}
    # Whoever was refused was told that it may be on record.
    told = Counter(three_on.did("unlock"))
    with psycopg.connect(postgres.url) as connection:
        rows = connection.execute(
            "select device_id, count(*) from attempts where phase = 'succeeded' group by 1"
        ).fetchall()
    assert told == Counter(dict(rows))
    assert {status for each in asking for status in each.refused} <= {503}
    assert None not in {when for each in asking for when in each.told_when}


@pytest.mark.long
def test_callers_are_refused_while_the_database_stands_still(postgres: OwnPostgres, three_on: Several):
    """At each of three processes, whatever they ask, again and again, as long as it lasts."""
    servers = three(three_on)
    me = three_on.caller(servers[0], "still")
    callers = [three_on.at(each, me) for each in servers]
    lock = me.locks()[0]["device_id"]
    attempt = me.call("/locks/unlock_door", device_id=lock)["action_attempt"]["action_attempt_id"]
    three_on.until(lambda: ended(me, attempt), 30, "the first command ended")
    postgres.pause()
    questions = (
        ("/locks/unlock_door", {"device_id": lock}),
        ("/action_attempts/get", {"action_attempt_id": attempt}),
        ("/action_attempts/list", {"device_id": lock}),
    )
    with ThreadPoolExecutor(len(callers) * len(questions)) as pool:
        for _ in range(2):
            asked = [
                pool.submit(caller.http.post, path, json=ask, timeout=VERY_LONG)
                for path, ask in questions
                for caller in callers
            ]
            for each in asked:
                answer = each.result()
                assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
                assert int(answer.headers["retry-after"]) > 0
    postgres.resume()
    for caller in callers:
        three_on.until(
            lambda caller=caller: (
                caller.http.post(
                    "/locks/unlock_door", json={"device_id": lock}, timeout=VERY_LONG
                ).status_code
                == httpx.codes.OK
            ),
            60,
            "everybody is answered again",
        )
    three_on.until(lambda: sorted(three_on.shares(*servers)) == [5, 5, 6], 60, "even shares")


def _ids(postgres: OwnPostgres) -> set[str]:
    with psycopg.connect(postgres.url) as connection:
        return {id for (id,) in connection.execute("select id from attempts").fetchall()}
