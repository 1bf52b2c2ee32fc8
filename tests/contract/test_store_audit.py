"""The audit trail: in the chain is what was done, and whatever is done to the chain shows."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from sqlalchemy import text

from tests.fixtures.stores import NOON, an_attempt, furnish, sending, succeeding
from thumbturn.domain.asker import Asker
from thumbturn.domain.audit import Act, act_of
from thumbturn.domain.chain import NOTHING, Chain, Head, Sealed, canonical, seal
from thumbturn.engine.ports import Store
from thumbturn.storage import audit
from thumbturn.storage.open import open_store
from thumbturn.storage.store import SqlStore

ASKER = Asker('k"1', "personal_access_token", "u1", "r1", "Zoë\u2028 \\ 🚪")
ASKS: tuple[dict[str, Any], ...] = (
    {"device_id": "w1_lock_1"},
    {"zeta": 1, "alpha": {"z": [{"b": 1, "a": 'Tür "1"\n\x7f'}], "y": None}, "float": 1e16, "tiny": 1.5e-7},
    {},
)


def an_act(workspace_id: str = "w1", **other: Any) -> Act:
    act = Act(workspace_id, NOON, "/thumbturn/keys/create", ASKER, {"key_id": "k2"}, {"kind": "api_key"})
    return act._replace(**other)


async def whole(store: Store, workspace_id: str = "w1", size: int = 1000) -> tuple[list[Sealed], Head]:
    """The trail, read in pages."""
    entries: list[Sealed] = []
    while True:
        trail = await store.trail(workspace_id, after=len(entries), limit=size)
        entries += trail.entries
        if len(trail.entries) < size:
            return entries, trail.head


async def problems(store: Store, workspace_id: str = "w1") -> list[str]:
    """What is wrong with the trail."""
    chain = Chain()
    entries, head = await whole(store, workspace_id)
    for entry in entries:
        chain.read(entry)
    chain.end(head)
    return chain.problems


async def test_every_act_is_in_its_workspace_s_trail_once(store: Store):
    """Accepted attempts and other acts follow each other in the order in which they were written."""
    expected = []
    for n, ask in enumerate(ASKS * 2):
        attempt = an_attempt(ask=ask, asked_by=ASKER if n % 2 else None, at=NOON + n)
        await store.accept(attempt)
        await store.record(an_act(at=NOON + n))
        expected += [act_of(attempt).entry(), an_act(at=NOON + n).entry()]
    reset = an_attempt(device_id=None, connected_account_id=None, lane="workspace:w1")
    await store.accept(reset)
    expected.append(act_of(reset).entry())
    await store.accept(an_attempt("w2"))
    for size in (1, 3, 100):
        entries, head = await whole(store, size=size)
        assert [each.entry for each in entries] == expected
        assert [each.number for each in entries] == list(range(1, len(expected) + 1))
        assert head == Head(entries[-1].number, entries[-1].seal)
    assert len((await whole(store, "w2"))[0]) == 1
    assert await problems(store) == await problems(store, "w2") == []


async def test_a_seal_is_the_hash_of_what_stands_before_and_in_it(store: Store):
    """Whoever reads the entries can compute the seals with nothing but SHA-256 and sorted JSON."""
    import hashlib
    import json

    await store.accept(an_attempt(asked_by=ASKER))
    await store.record(an_act())
    before = "0" * 64
    for each in (await whole(store))[0]:
        written = json.dumps(each.entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        before = hashlib.sha256((before + written).encode()).hexdigest()
        assert each.seal == before


async def test_what_becomes_of_an_attempt_leaves_its_entry_alone(store: Store):
    """An attempt is sealed once, when it is accepted; its later life is no act of anybody."""
    attempt = an_attempt(asked_by=ASKER)
    await store.accept(attempt)
    before = await whole(store)
    sent, send = sending(attempt)
    assert await store.apply(send)
    assert await store.apply(succeeding(sent)[1])
    assert await whole(store) == before
    assert await problems(store) == []


async def test_an_empty_trail_is_whole(store: Store):
    """A workspace in which nothing was done has no entries and nothing for a head; so has none at all."""
    for workspace_id in ("w1", "nowhere"):
        assert await store.trail(workspace_id, after=0, limit=5) == ((), Head(0, NOTHING), 0)


async def test_an_attempt_that_is_not_accepted_has_no_entry(sql_store: SqlStore):
    """An id that is taken writes neither an attempt nor a line of the trail."""
    attempt = an_attempt()
    await sql_store.accept(attempt)
    with pytest.raises(Exception, match=r"(?i)unique"):
        await sql_store.accept(attempt)
    assert len((await whole(sql_store))[0]) == 1


async def test_what_a_process_left_unsealed_is_sealed_by_the_next(database_url: str):
    """Lines that were written and not sealed when a process ended are in the chain after the next start."""
    store = open_store(database_url)
    await furnish(store)
    for _ in range(3):
        await store.accept(an_attempt())
    await store.close()
    again = open_store(database_url)
    entries, _ = await whole(again)
    assert len(entries) == 3
    assert await problems(again) == []
    await again.close()


async def test_many_lines_are_sealed_lot_by_lot(sql_store: SqlStore, monkeypatch: pytest.MonkeyPatch):
    """Each lot goes on where the one before ended, in every workspace, while more is written."""
    monkeypatch.setattr(audit, "AT_ONCE", 7)
    for n in range(40):
        acts = [sql_store.accept(an_attempt(("w1", "w2")[n % 2])) for _ in range(3)]
        await asyncio.gather(*acts, sql_store.seal_acts())
    assert len((await whole(sql_store))[0]) == len((await whole(sql_store, "w2"))[0]) == 60
    assert await problems(sql_store) == await problems(sql_store, "w2") == []
    assert await sql_store.seal_acts() is False


async def test_two_processes_seal_one_chain(postgres_url: str):
    """On PostgreSQL two stores accept and seal at once: no entry is lost, none is sealed twice."""
    one, two = open_store(postgres_url), open_store(postgres_url)
    await furnish(one)

    async def act(store: SqlStore) -> None:
        for _ in range(20):
            await asyncio.gather(store.accept(an_attempt()), store.seal_acts())

    await asyncio.gather(act(one), act(two), act(one), act(two))
    while (await one.trail("w1", after=0, limit=1)).waiting:
        one.unsealed += 1
    entries, _ = await whole(one)
    assert len({each.entry["ids"]["action_attempt_id"] for each in entries if each.entry}) == 80
    assert len(entries) == 80
    assert await problems(one) == []
    await one.close()
    await two.close()


# broken on purpose ----------------------------------------------------------------------------

#: What nobody may change behind the server's back, by table.
COLUMNS = {
    "audit_entries": ("workspace_id", "number", "attempt_id", "body", "seal"),
    "attempts": (
        "id",
        "workspace_id",
        "action_type",
        "device_id",
        "ask",
        "accepted_at",
        "asked_by",
        "request_id",
        "actor",
    ),
    "workspaces": ("audit_count", "audit_seal"),
}
OTHERWISE = {
    "number": "99",
    "accepted_at": "accepted_at + 1",
    "audit_count": "audit_count - 1",
    "ask": '\'{"device_id":"another"}\'',
    "asked_by": "'null'",
    "workspace_id": "'w2'",
}
WHICH = {
    "audit_entries": "number = {n}",
    "attempts": "id = (select attempt_id from audit_entries where workspace_id = 'w1' and number = {n})",
    "workspaces": "id = 'w1'",
}


async def furnished_trail(store: SqlStore) -> None:
    """Five entries: attempts at 1, 3 and 5, other acts at 2 and 4."""
    for n in range(1, 6):
        if n % 2:
            await store.accept(an_attempt(asked_by=ASKER, at=NOON + n))
        else:
            await store.record(an_act(at=NOON + n))
    assert await problems(store) == []


async def spoil(store: SqlStore, *statements: str) -> None:
    def do(connection: Any) -> None:
        for statement in statements:
            assert connection.execute(text(statement.replace(":", r"\:"))).rowcount == 1, statement

    await store._write(do)


EDITS = [
    (table, column, n)
    for table, columns in COLUMNS.items()
    for column, n in itertools.product(columns, (1, 2, 3, 4, 5))
    if not (table == "attempts" and n % 2 == 0) and not (table == "workspaces" and n > 1)
]


@pytest.mark.parametrize(("table", "column", "n"), EDITS, ids=str)
async def test_a_changed_field_is_found(sql_store: SqlStore, table: str, column: str, n: int):
    """Whichever field of whichever entry is changed, the reading of the chain finds it."""
    await furnished_trail(sql_store)
    value = OTHERWISE.get(column, "'changed'")
    await spoil(sql_store, f"update {table} set {column} = {value} where {WHICH[table].format(n=n)}")
    assert await problems(sql_store) != []


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("table", ["audit_entries", "attempts"])
async def test_a_removed_row_is_found(sql_store: SqlStore, table: str, n: int):
    """An entry that is gone is found, the last one too, and so is an attempt that is gone."""
    await furnished_trail(sql_store)
    if table == "attempts" and n % 2 == 0:
        n -= 1
    await spoil(sql_store, f"delete from {table} where {WHICH[table].format(n=n)}")
    assert await problems(sql_store) != []


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(range(1, 6), 2)))
async def test_swapped_entries_are_found(sql_store: SqlStore, one: int, other: int):
    """Two entries that changed places are found, with and without their seals."""
    await furnished_trail(sql_store)
    swap = "update audit_entries set number = {} where workspace_id = 'w1' and number = {}"
    await spoil(sql_store, swap.format(77, one), swap.format(one, other), swap.format(other, 77))
    assert await problems(sql_store) != []


async def test_an_inserted_entry_is_found(sql_store: SqlStore):
    """An entry that nobody made, sealed by the rules behind the last one, does not fit the head."""
    await furnished_trail(sql_store)
    entries, _ = await whole(sql_store)
    forged = canonical(an_act(action="/forged").entry())
    sealed = seal(entries[-1].seal, forged)
    await spoil(
        sql_store,
        "insert into audit_entries (workspace_id, number, body, seal)"
        f" values ('w1', 6, '{forged}', '{sealed}')",
    )
    assert await problems(sql_store) != []


async def test_a_tail_that_was_cut_with_its_head_does_not_fit_a_head_that_was_noted(sql_store: SqlStore):
    """Who also turns the head back leaves a whole chain, and it lacks the head that somebody noted."""
    await furnished_trail(sql_store)
    entries, noted = await whole(sql_store)
    await spoil(
        sql_store,
        "delete from audit_entries where number = 5",
        f"update workspaces set audit_count = 4, audit_seal = '{entries[3].seal}' where id = 'w1'",
    )
    assert await problems(sql_store) == []
    remaining, _ = await whole(sql_store)
    assert noted not in [Head(each.number, each.seal) for each in remaining]


async def test_the_texts_of_both_databases_are_canonical(sql_store: SqlStore):
    """The text that the database puts together is the one way to write the entry, to the letter."""
    odd = [chr(code) for code in [*range(1, 0x100), 0x2028, 0xFEFF, 0x1F6AA]]
    asker = ASKER._replace(actor="".join(odd), request_id="".join(odd[::-1]), key_id="".join(odd))
    attempt = an_attempt(action_type="".join(odd), asked_by=asker, ask={"".join(odd): odd, "a": ASKS[1]})
    await sql_store.accept(attempt)
    [line], _ = await whole(sql_store)
    assert line.seal == seal(NOTHING, canonical(act_of(attempt).entry()))


async def test_a_client_session_is_named_as_one(store: Store):
    """What a session asked for has its id under its own name, in its entry and where it is read back."""
    asker = Asker("s1", "client_session", None, "r1")
    attempt = an_attempt(asked_by=asker)
    await store.accept(attempt)
    await store.record(an_act(asked_by=asker))
    entries, _ = await whole(store)
    assert [each.entry["asked_by"] for each in entries if each.entry] == [
        {"client_session_id": "s1", "kind": "client_session", "user_id": None}
    ] * 2
    assert await problems(store) == []
    read = await store.attempt("w1", attempt.id)
    assert read is not None
    assert read.asked_by == asker
