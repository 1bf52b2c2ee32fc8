"""Attempts are found by what is known of them, newest first, page by page."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.fixtures.stores import NOON, an_attempt, sending, succeeding
from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Attempt, Failed, Phase, decide
from thumbturn.engine.ports import AttemptFilter, Change, Store, Transition
from thumbturn.storage import filing
from thumbturn.storage import store as store_module

ACTORS = (None, "alice", "Zoë 🚪")
CAUSES = ("lock_jammed", "device_offline")
TYPES = ("UNLOCK_DOOR", "LOCK_DOOR")


@pytest.fixture(autouse=True)
def _file_every_seven_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "AT_ONCE", 7)
    monkeypatch.setattr(store_module, "AT_ONCE", 7)


def asker(actor: str | None = None, **other: str) -> Asker:
    return Asker(
        **{"key_id": "k1", "kind": "api_key", "user_id": None, "request_id": "r1"} | other, actor=actor
    )


async def fill(store: Store, count: int = 60) -> list[Attempt]:
    """Attempts of two workspaces, three devices, all phases and causes; oldest first."""
    chance, made = random.Random(5), []
    for n in range(count):
        attempt = an_attempt(
            chance.choice(("w1", "w1", "w1", "w2")),
            chance.randint(1, 3),
            NOON + n // 2,  # some share a moment
            action_type=chance.choice(TYPES),
            asked_by=asker(chance.choice(ACTORS)),
        )
        await store.accept(attempt)
        end = chance.choice(("pending", "success", *CAUSES))
        if end != "pending":
            attempt, send = sending(attempt)
            assert await store.apply(send)
            if end == "success":
                attempt, change = succeeding(attempt)
            else:
                decision = decide(attempt, Failed(end, "It did not."), NOON + 1000)
                assert decision is not None
                attempt, change = decision.attempt, Change((Transition(decision.attempt, Phase.SENT),))
            assert await store.apply(change)
        made.append(attempt)
    return made


def fits(attempt: Attempt, wanted: AttemptFilter) -> bool:
    assert attempt.asked_by is not None
    facts = {
        "status": attempt.status,
        "action_type": attempt.action_type,
        "device_id": attempt.device_id,
        "actor": attempt.asked_by.actor,
        "cause": attempt.failure and attempt.failure[0],
    }
    return all(getattr(wanted, name) in (None, fact) for name, fact in facts.items()) and (
        wanted.since or 0
    ) <= attempt.accepted_at < (wanted.before or NOON * 2)


async def test_a_search_finds_what_fits_and_nothing_else(store: Store):
    """Every combination of conditions gives exactly the attempts that meet them all, newest first."""
    made = await fill(store)
    some = {
        "status": (None, "pending", "success", "error"),
        "action_type": (None, "LOCK_DOOR"),
        "device_id": (None, "w1_lock_2"),
        "actor": (None, *ACTORS[1:]),
        "cause": (None, "lock_jammed"),
        "since": (None, NOON + 10),
        "before": (None, NOON + 20),
    }
    hits = 0
    for values in itertools.product(*some.values()):
        wanted = AttemptFilter(**dict(zip(some, values, strict=True)))
        expected = [each for each in made if each.workspace_id == "w1" and fits(each, wanted)]
        expected.sort(key=lambda each: (each.accepted_at, each.id), reverse=True)
        assert await store.search_attempts("w1", wanted, limit=1000) == expected
        hits += len(expected)
    assert hits > 500


@pytest.mark.parametrize(
    "wanted",
    [{}, {"device_id": "w1_lock_1"}, {"action_type": "LOCK_DOOR"}, {"status": "error"}, {"actor": "alice"}],
    ids=str,
)
async def test_pages_of_a_search_join(store: Store, wanted: dict[str, str]):
    """Pages of any size hold together what one page would, also where attempts share a moment."""
    await fill(store)
    fitting = AttemptFilter(**wanted)
    whole = await store.search_attempts("w1", fitting, limit=1000)
    assert len(whole) > 5
    for size in (1, 3, 7):
        found, after = [], None
        while page := await store.search_attempts("w1", fitting, after=after, limit=size):
            assert len(page) <= size
            found += page
            after = (page[-1].accepted_at, page[-1].id)
        assert found == whole


async def test_who_asked_is_kept_as_it_was(store: Store):
    """Key, kind, person, request and actor are read back; what is older than that has nobody."""
    somebody = asker('Zoë "the boss" 🚪', user_id="u1", kind="personal_access_token", request_id='r"2')
    for asked_by in (somebody, None):
        attempt = an_attempt(asked_by=asked_by)
        await store.accept(attempt)
        sent, send = sending(attempt)
        assert await store.apply(send)
        assert await store.attempt("w1", attempt.id) == sent
        assert sent.asked_by == asked_by
        timeline = await store.timeline("w1", attempt.id)
        assert timeline is not None
        assert timeline.attempt == sent
