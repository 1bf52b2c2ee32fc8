"""What events carry of what people attached: metadata of devices and accounts, and whose customer's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.connecting import person
from tests.fixtures.sessions import own_account, second_account
from tests.fixtures.wire import Wire
from thumbturn.domain.clock import seconds

SINCE = "2000-01-01T00:00:00Z"
DEVICE, ACCOUNT, CUSTOMER = "device_custom_metadata", "connected_account_custom_metadata", "customer_key"
FLOOR, HOUSE = {"floor": "2", "pet": True}, {"house": "A"}
ALL = {DEVICE: FLOOR, ACCOUNT: HOUSE, CUSTOMER: "acme"}


async def told(wire: Wire, **ask: Any) -> list[tuple[str, dict[str, Any]]]:
    """What was told, and what each event carries."""
    found = (await wire.call("/events/list", **(ask or {"since": SINCE})))["events"]
    return [(each["event_type"], {name: each[name] for name in ALL if name in each}) for each in found]


async def attach(wire: Wire) -> str:
    """Attach something to the front door and to its account; the door."""
    door = await wire.door()
    await wire.call("/devices/update", device_id=door, custom_metadata=FLOOR)
    ask = {"custom_metadata": HOUSE, "customer_key": "acme"}
    await wire.call("/connected_accounts/update", connected_account_id=await own_account(wire), **ask)
    return door


async def test_nothing_is_carried_where_nothing_is_attached(wire: Wire):
    """An event about a door that nobody attached anything to has none of the keys."""
    await wire.call("/locks/unlock_door", device_id=await wire.door())
    await wire.house.clock.advance(seconds(3))
    assert [carried for _, carried in await told(wire)] == [{}, {}]


async def test_a_door_carries_what_is_attached(wire: Wire):
    """Events of the lock and the device have all three keys, those of codes not the customer's, and those of
    attempts none: as the contract has it.
    """
    door = await attach(wire)
    await wire.call("/locks/unlock_door", device_id=door)
    await wire.house.clock.advance(seconds(3))
    made = await wire.call("/access_codes/create", device_id=door, code="24680")
    await wire.house.clock.advance(seconds(10))
    await wire.call("/access_codes/update", access_code_id=made["access_code"]["access_code_id"], name="x")
    await wire.house.clock.advance(seconds(10))
    id = {"access_code_id": made["access_code"]["access_code_id"]}
    await wire.call("/access_codes/update", **id, is_managed=False)
    await wire.call("/access_codes/unmanaged/convert_to_managed", **id)
    await wire.house.clock.advance(seconds(10))
    await wire.call("/access_codes/delete", **id)
    await wire.house.clock.advance(seconds(10))
    await wire.call("/devices/simulate/disconnect", device_id=door)
    await wire.call("/devices/update", device_id=door, name="Another")
    seen = await told(wire)
    families = {type.partition(".")[0] for type, _ in seen}
    assert families == {"lock", "action_attempt", "access_code", "device"}
    expected = {
        "lock": ALL,
        "device": ALL,
        "access_code": {DEVICE: FLOOR, ACCOUNT: HOUSE},
        "action_attempt": {},
    }
    assert [(type, carried) for type, carried in seen if carried != expected[type.partition(".")[0]]] == []
    words = {type for type, _ in seen if type.startswith("access_code.")}
    assert {"access_code.created", "access_code.set_on_device", "access_code.deleted"} <= words
    assert {"access_code.unmanaged.created", "access_code.unmanaged.converted_to_managed"} <= words


async def test_an_event_keeps_what_it_carried(wire: Wire):
    """What is attached later is carried by later events only; what is erased is carried no more."""
    door = await attach(wire)
    account = await own_account(wire)
    for metadata in (None, {"floor": None, "pet": None}):
        if metadata:
            await wire.call("/devices/update", device_id=door, custom_metadata=metadata)
            erased = {"house": None}
            await wire.call(
                "/connected_accounts/update", connected_account_id=account, custom_metadata=erased
            )
        await wire.call("/devices/simulate/disconnect", device_id=door)
        await wire.call("/devices/simulate/connect", device_id=door)
    assert [carried for _, carried in await told(wire, device_id=door)] == [
        ALL,
        ALL,
        {CUSTOMER: "acme"},
        {CUSTOMER: "acme"},
    ]


async def test_what_is_attached_is_known_after_a_crash(wire: Wire):
    """The next process finds on record what events carry."""
    door = await attach(wire)
    await wire.house.revive()
    wire.speak_for(wire.house.engine)
    await wire.call("/devices/simulate/disconnect", device_id=door)
    assert await told(wire) == [("device.disconnected", ALL)]


async def test_events_are_found_by_their_customer(wire: Wire):
    """Those that name the customer, and no others."""
    door = await attach(wire)
    await second_account(wire, "Back Door")
    for each in (door, await wire.door("Back Door")):
        await wire.call("/devices/simulate/disconnect", device_id=each)
    found = (await wire.call("/events/list", customer_key="acme"))["events"]
    assert [each["device_id"] for each in found] == [door]
    assert (await wire.call("/events/list", customer_key="acm"))["events"] == []


async def test_an_account_carries_its_own(wire: Wire):
    """Its events have its metadata; only that it was connected, or deleted, also the customer."""
    jane, webview = await person(wire, custom_metadata=HOUSE, customer_key="acme")
    await jane.connect()
    made = await wire.call("/connect_webviews/get", connect_webview_id=webview["connect_webview_id"])
    account = made["connect_webview"]["connected_account_id"]
    await wire.call("/connected_accounts/simulate/disconnect", connected_account_id=account)
    await wire.call("/connected_accounts/delete", connected_account_id=account)
    both, own = {ACCOUNT: HOUSE, CUSTOMER: "acme"}, {ACCOUNT: HOUSE}
    seen = await told(wire)
    assert [each for each in seen if each[0].startswith("connect")] == [
        ("connect_webview.login_succeeded", both),
        ("connected_account.created", own),
        ("connected_account.connected", both),
        ("connected_account.successful_login", own),
        ("connected_account.completed_first_sync", own),
        ("connected_account.disconnected", own),
        ("connected_account.reauthorization_requested", own),
        ("connected_account.deleted", both),
    ]
    of_devices = [(type, carried) for type, carried in seen if type.startswith("device.")]
    assert [each for each in of_devices if each[1] != both] == []
    assert {type for type, _ in of_devices} == {"device.added", "device.disconnected", "device.deleted"}


@pytest.mark.parametrize("way", ["reset", "deleted"])
async def test_what_is_gone_is_carried_no_more(wire: Wire, way: str):
    """After a reset the same account has nothing attached; one that was deleted says it for the last time."""
    await attach(wire)
    account = await own_account(wire)
    if way == "reset":
        await wire.call("/workspaces/reset_sandbox")
        await wire.house.clock.settle()
        await wire.call("/devices/simulate/disconnect", device_id=await wire.door())
        assert (await told(wire, event_type="device.disconnected")) == [("device.disconnected", {})]
    else:
        await wire.call("/connected_accounts/delete", connected_account_id=account)
        found = dict(await told(wire, event_type="connected_account.deleted"))
        assert found == {"connected_account.deleted": {ACCOUNT: HOUSE, CUSTOMER: "acme"}}
        assert wire.house.engine.labels._accounts == {}
