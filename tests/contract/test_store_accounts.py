"""Connected accounts on record: which, what is known of them, and what goes with them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from tests.contract.test_store_access_codes import a_code
from tests.fixtures.stores import NOON, a_device, a_seed, a_session
from thumbturn.domain.access_code import AccessCode
from thumbturn.domain.access_code_news import forgotten
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.event import Event
from thumbturn.domain.schedule import Schedule
from thumbturn.domain.space import told_of_loss
from thumbturn.engine.access_code_ports import CodeFacts
from thumbturn.engine.account_ports import AccountFilter
from thumbturn.engine.ports import DeviceFilter, EventFilter, Seed, Store

WHOLE = ConnectedAccount(
    id="whole",
    workspace_id="w1",
    driver="virtual",
    name='Jäne\'s "Flat"',
    created_at=NOON - 1,
    custom_metadata={"floor": "2", "pet": True},
    customer_key="c'1",
    accepted_capabilities=("lock", "camera"),
    manages_new_devices=False,
    user_identifier={"email": "Jäne@example.com", "username": "jane"},
    disconnected_at=NOON,
)
PLAIN = a_seed("w1").accounts[0]


def of_code(code: AccessCode) -> Event:
    """What is told of a code that goes with its account."""
    return forgotten(code, NOON)


@pytest.fixture
async def accounts(store: Store) -> Store:
    """A store in whose first workspace there are two accounts, with three devices and one."""
    devices = [a_device("w1", number) for number in (1, 2, 3)]
    devices.append(a_device("w1", 4, connected_account_id="whole"))
    await store.reset_workspace("w1", Seed((PLAIN, WHOLE), tuple(devices)), [])
    return store


def deleted(account: ConnectedAccount):
    """What the workspace is told of it."""
    return account.told("deleted", NOON, connected_account_type="virtual")


async def ids(store: Store, workspace_id: str = "w1", limit: int = 9, after=None, **wanted) -> list[str]:
    """The accounts that fit, in the order in which they come."""
    found = await store.accounts.listed(workspace_id, AccountFilter(**wanted), after=after, limit=limit)
    return [account.id for account in found]


async def test_account_reads_back_equal(accounts: Store):
    """Every field of an account is read back as it was; one of another workspace, or beyond reach, is not."""
    assert await accounts.accounts.get("w1", "whole") == WHOLE
    assert await accounts.accounts.get("w1", PLAIN.id) == PLAIN
    assert await accounts.accounts.get("w2", "whole") is None
    assert await accounts.accounts.get("w1", "whole", frozenset({PLAIN.id})) is None
    assert await accounts.accounts.get("w1", "whole", frozenset({"whole"})) == WHOLE
    assert await accounts.accounts.get("w1", "who\0le") is None


async def test_accounts_are_listed_by_what_is_asked_for(accounts: Store):
    """In order of age; by customer, words in any letter case, metadata with its types, and reach."""
    assert await ids(accounts) == ["whole", PLAIN.id]
    assert await ids(accounts, limit=1) == ["whole"]
    assert await ids(accounts, after=(NOON - 1, "whole")) == [PLAIN.id]
    assert await ids(accounts, workspace_id="w2") == ["w2_account"]
    assert await ids(accounts, customer_key="c'1") == ["whole"]
    assert await ids(accounts, customer_key="c'1\0") == []
    assert await ids(accounts, email="JÄNE@EXAMPLE.COM") == ["whole"]
    assert await ids(accounts, email="jane") == []
    assert await ids(accounts, search="JÄNE's") == ["whole"]
    assert await ids(accounts, search="hub") == [PLAIN.id]
    assert await ids(accounts, search="W1_ACC") == [PLAIN.id]
    assert await ids(accounts, custom_metadata_has={"pet": True, "floor": "2"}) == ["whole"]
    assert await ids(accounts, custom_metadata_has={"pet": "true"}) == []
    assert await ids(accounts, reach=frozenset({PLAIN.id, "w2_account"})) == [PLAIN.id]
    assert await ids(accounts, search="w", limit=1) == ["whole"]


async def test_change_takes_over_what_people_may_change(accounts: Store):
    """Name, metadata, customer and preferences change; who signed in and what became of it do not."""
    wanted = replace(
        WHOLE,
        name="Flat",
        custom_metadata={},
        customer_key=None,
        accepted_capabilities=(),
        manages_new_devices=True,
    )
    assert await accounts.accounts.change(replace(wanted, user_identifier={}, disconnected_at=None)) is True
    assert await accounts.accounts.get("w1", "whole") == wanted
    assert await accounts.accounts.change(replace(wanted, workspace_id="w2")) is False
    assert await accounts.accounts.change(replace(wanted, id="unknown")) is False


async def test_account_is_disconnected_once(accounts: Store):
    """The first time counts, and is told; to another workspace the account is unknown."""
    told = PLAIN.told("disconnected", NOON)
    assert await accounts.accounts.disconnect("w2", PLAIN.id, NOON, [told]) is False
    assert await accounts.accounts.disconnect("w1", PLAIN.id, NOON + 1, [told]) is True
    assert await accounts.accounts.disconnect("w1", PLAIN.id, NOON + 2, [told]) is False
    found = await accounts.accounts.get("w1", PLAIN.id)
    assert found is not None
    assert found.disconnected_at == NOON + 1
    assert [each.event_id for each in await accounts.events("w1", EventFilter(), limit=9)] == [told.event_id]


async def test_what_goes_with_an_account(accounts: Store):
    """With it go its devices, their schedules and its place in sessions, each for itself; all else stays."""
    for number, device_id in enumerate(("w1_lock_4", "w1_lock_1")):
        schedule = Schedule(
            id=f"s{number}",
            workspace_id="w1",
            device_id=device_id,
            climate_preset_key="home",
            starts_at=NOON,
            ends_at=NOON + 1,
            created_at=NOON,
        )
        await accounts.schedules.add(schedule)
    sessions = accounts.client_sessions
    await sessions.add(a_session(id="a", token_hash="a", connected_account_ids=("whole", PLAIN.id)), most=9)
    await sessions.add(a_session(id="b", token_hash="b", connected_account_ids=("wholesome",)), most=9)
    codes = [a_code(n, device_id=f"w1_lock_{lock}") for n, lock in enumerate((4, 4, 1))]
    codes[1] = replace(codes[1], is_managed=False)
    await accounts.access_codes.add(codes, ())
    of_space = partial(told_of_loss, now=NOON)
    assert await accounts.accounts.remove("w2", "whole", [deleted(WHOLE)], of_code, of_space) is False
    assert await accounts.accounts.remove("w1", "whole", [deleted(WHOLE)], of_code, of_space) is True
    assert await accounts.accounts.remove("w1", "whole", [deleted(WHOLE)], of_code, of_space) is False
    assert await ids(accounts) == [PLAIN.id]
    left = await accounts.devices("w1", DeviceFilter(), limit=9)
    assert [device.id for device in left] == ["w1_lock_1", "w1_lock_2", "w1_lock_3"]
    assert len(await accounts.devices("w2", DeviceFilter(), limit=9)) == 3
    assert [schedule.id for schedule in await accounts.schedules.not_over()] == ["s1"]
    found = [await sessions.get("w1", id) for id in ("a", "b")]
    assert [each.connected_account_ids for each in found if each] == [(PLAIN.id,), ("wholesome",)]
    events = await accounts.events("w1", EventFilter(), limit=9)
    assert [(each.event_type, each.payload.get("access_code_id")) for each in events] == [
        ("access_code.deleted", codes[0].id),
        ("access_code.unmanaged.removed", codes[1].id),
        ("connected_account.deleted", None),
    ]
    assert [code.id for code in await accounts.access_codes.of_device("w1_lock_1")] == [codes[2].id]
    assert await accounts.access_codes.of_device("w1_lock_4") == []
    # Whoever had read one of the codes before that tells nothing of it any more.
    await accounts.access_codes.note((CodeFacts(codes[0], is_gone=True),), (of_code(codes[0]),))
    assert len(await accounts.events("w1", EventFilter(), limit=9)) == 3


async def test_devices_are_found_by_the_customer_of_their_account(accounts: Store):
    """A device is of the customer whose account it is behind, in its own workspace."""
    found = await accounts.devices("w1", DeviceFilter(customer_key="c'1"), limit=9)
    assert [device.id for device in found] == ["w1_lock_4"]
    for workspace_id, key in (("w1", "c2"), ("w1", "\0"), ("w2", "c'1")):
        assert await accounts.devices(workspace_id, DeviceFilter(customer_key=key), limit=9) == []


async def test_reset_takes_accounts_from_sessions_that_do_not_come_back(accounts: Store):
    """A reset leaves a session the accounts that are there again."""
    sessions = accounts.client_sessions
    await sessions.add(a_session(connected_account_ids=("whole", PLAIN.id)), most=9)
    await accounts.reset_workspace("w1", a_seed("w1"), [])
    session = await sessions.get("w1", "s1")
    assert session is not None
    assert session.connected_account_ids == (PLAIN.id,)
