"""Hubs: how they are linked without a page, what is behind them, and what becomes of it."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.fixtures.hubs import URL, RealHome, door, real_home
from tests.fixtures.wire import Wire
from thumbturn.domain.client_session import ClientSession
from thumbturn.domain.clock import seconds
from thumbturn.domain.hub import HubFacts, Inventory
from thumbturn.domain.keys import hash_token

LINK = "/thumbturn/hubs/link"


@pytest.fixture
async def home(wire: Wire) -> RealHome:
    """A workspace that is no sandbox, and hubs that can be linked."""
    return await real_home(wire)


async def test_a_hub_is_linked_with_its_devices(home: RealHome):
    """A hub that answers is an account with all that is behind it, and each fact is told once."""
    account = await home.link(custom_metadata={"flat": "7"}, customer_key="c1")
    assert (account["account_type"], account["display_name"]) == ("zwave_js", "Z-Wave home 1")
    assert account["user_identifier"] == {"api_url": URL}
    assert account["custom_metadata"] == {"flat": "7"}
    [device] = await home.devices()
    assert (device["device_type"], device["display_name"]) == ("zwave_lock", "Front Door")
    # Nobody has read it yet, so nobody says that it can be reached.
    assert device["properties"]["online"] is False
    assert await home.told() == [
        "connected_account.created",
        "connected_account.connected",
        "connected_account.successful_login",
        "device.added",
        "connected_account.completed_first_sync",
    ]
    home.hubs.refresh([device["device_id"]])
    [device] = await home.devices()
    assert device["can_remotely_unlock"] is True
    assert (await home.told())[-1] == "device.connected"


async def test_how_a_hub_is_reached_is_kept_unreadable(home: RealHome):
    """What was filled in is sealed on record, and in no answer but for the address."""
    account = await home.link(settings={"url": URL, "password": "open"})
    kept = await home.wire.house.store.accounts.get("real", account["connected_account_id"])
    assert kept.hub is not None
    assert "open" not in kept.hub
    assert URL not in kept.hub
    assert "open" not in json.dumps(account)


async def test_a_hub_is_followed_again_after_a_restart(home: RealHome):
    """A server that starts again holds links to all hubs, by what is on record."""
    account = await home.link(settings={"url": URL, "password": "open"})
    await home.wire.house.revive()
    hub, _ = home.hubs.followed[account["connected_account_id"]]
    assert dict(hub.settings) == {"url": URL, "password": "open"}


@pytest.mark.parametrize(
    ("ask", "type", "says"),
    [
        ({"provider": "nobody"}, "provider_has_no_hubs", "zwave_js"),
        ({"provider": "virtual"}, "provider_has_no_hubs", "zwave_js"),
        ({"settings": {}}, "hub_settings_wrong", "Address is missing"),
        ({"settings": {"url": URL, "colour": "red"}}, "hub_settings_wrong", "no setting 'colour'"),
        ({"settings": {"url": "http://192.168.1.5"}}, "hub_settings_wrong", "ws:// or wss://"),
        ({"settings": {"url": "ws://"}}, "hub_settings_wrong", "ws:// or wss://"),
        ({"settings": {"url": "ws://hub:99999"}}, "hub_settings_wrong", "no address"),
        ({"settings": {"url": "ws://me:secret@hub"}}, "hub_settings_wrong", "must not hold a login"),
        ({"settings": {"url": "ws://hub\n:1"}}, "hub_settings_wrong", "one line"),
        ({"settings": {"url": "ws://192.168.1.6:3000"}}, "hub_unreachable", "does not answer"),
        ({"settings": {"url": URL, "password": "x"}}, "hub_login_refused", "does not accept"),
    ],
)
async def test_what_cannot_be_linked_is_refused(home: RealHome, ask, type, says):
    """Each reason has a type and a sentence of its own, nothing is stored, and no secret comes back."""
    status, found, message = await home.refused(
        LINK, **{"provider": "zwave_js", "settings": {"url": URL}, **ask}
    )
    assert (status, found) == (400, type)
    assert says in message
    assert "secret" not in message
    assert (await home.call("/connected_accounts/list"))["connected_accounts"] == []


async def test_a_hub_that_is_silent_is_given_up(home: RealHome):
    """Who links a hub that takes the call and says nothing is not kept waiting."""
    asked = asyncio.ensure_future(home.refused(LINK, provider="zwave_js", settings={"url": "ws://hub:4444"}))
    await home.wire.house.clock.advance(seconds(10))
    assert (await asked)[:2] == (400, "hub_unreachable")


async def test_few_hubs_are_tried_at_a_time(home: RealHome):
    """Each try takes a connection for seconds: a workspace has four under way, and another when one ended."""
    silent = {"provider": "zwave_js", "settings": {"url": "ws://hub:4444"}}
    tries = [asyncio.ensure_future(home.refused(LINK, **silent)) for _ in range(6)]
    await home.wire.house.clock.settle()
    assert (await home.refused(LINK, **silent))[:2] == (429, "too_many_hubs_tried")
    assert len(home.hubs.looked_at) == 4
    await home.wire.house.clock.advance(seconds(10))
    answers = [(await each)[:2] for each in tries]
    assert answers.count((400, "hub_unreachable")) == 4
    await home.link()


async def test_a_sandbox_has_no_hubs(home: RealHome):
    """No key of a sandbox reaches a real door: a hub is not even called."""
    reply = await home.wire.ask("POST", LINK, {"provider": "zwave_js", "settings": {"url": URL}})
    assert (reply.status, reply.error["type"]) == (400, "sandbox_has_no_hubs")
    assert home.hubs.looked_at == []


async def test_a_client_session_links_no_hub(home: RealHome):
    """Which addresses the server calls in its own network is not for a guest to decide."""
    store, token = home.wire.house.store, "seam_cst1_guest"
    await store.client_sessions.add(
        ClientSession(
            id="s1",
            workspace_id="real",
            token_hash=hash_token(token),
            token="",
            created_at=0,
            expires_at=2**60,
            connected_account_ids=(),
        ),
        most=1,
    )
    for path, ask in (
        (LINK, {"provider": "zwave_js", "settings": {"url": URL}}),
        ("/connect_webviews/create", {"accepted_providers": ["zwave_js"]}),
    ):
        reply = await home.wire.ask("POST", path, ask, token=token)
        assert reply.status in {400, 401, 403}, path
    assert home.hubs.looked_at == []
    made = await home.wire.ask("POST", "/connect_webviews/create", {}, token=token)
    assert made.json["connect_webview"]["accepted_providers"] == ["virtual"]


async def test_linking_a_hub_again_changes_how_it_is_reached(home: RealHome):
    """The same hub at another address is the same account with the same devices, reached there since."""
    account = await home.link()
    [before] = await home.devices()
    home.hubs.homes["ws://moved:1"] = home.hubs.homes[URL]
    again = await home.link("ws://moved:1")
    assert again["connected_account_id"] == account["connected_account_id"]
    assert [each["device_id"] for each in await home.devices()] == [before["device_id"]]
    hub, _ = home.hubs.followed[account["connected_account_id"]]
    assert hub.settings["url"] == "ws://moved:1"
    assert (await home.told())[-1] == "connected_account.completed_first_sync_after_reconnection"
    assert (await home.told()).count("connected_account.created") == 1


async def test_two_hubs_are_two_accounts(home: RealHome):
    """What tells hubs apart is what they say of themselves, and not where they are."""
    home.hubs.homes["ws://other:1"] = HubFacts("home-2", "Z-Wave home 2", (door(name="Back Door"),))
    assert await home.link() != await home.link("ws://other:1")
    assert {each["display_name"] for each in await home.devices()} == {"Front Door", "Back Door"}


async def test_what_changes_at_the_hub_follows(home: RealHome):
    """A device that is added, renamed or removed at its hub is so here, and each is told once."""
    account_id = (await home.link())["connected_account_id"]
    [first] = await home.devices()
    for _ in range(2):
        home.hubs.tell(account_id, door(name="Garden Door"), door("3", "Cellar"))
        names = {each["properties"]["name"] for each in await home.devices()}
        assert names == {"Garden Door", "Cellar"}
    assert (await home.told("device.added", "device.name_changed")) == [
        "device.added",
        "device.added",
        "device.name_changed",
    ]
    for _ in range(2):
        home.hubs.tell(account_id, door("3", "Cellar"))
        gone = next(each for each in await home.devices() if each["device_id"] == first["device_id"])
        assert [each["error_code"] for each in gone["errors"]][-1:] == ["device_removed"]
    assert await home.told("device.removed") == ["device.removed"]
    home.hubs.tell(account_id, door(name="Garden Door"), door("3", "Cellar"))
    home.hubs.refresh([first["device_id"]])
    back = next(each for each in await home.devices() if each["device_id"] == first["device_id"])
    assert (back["errors"], back["properties"]["online"]) == ([], True)


async def test_a_device_that_can_do_more_does_it(home: RealHome):
    """What a hub says that a device is and can do is so here, once it says it."""
    account_id = (await home.link())["connected_account_id"]
    more = door(capabilities=frozenset({"lock", "battery"}), details={"manufacturer": "other"})
    home.hubs.tell(account_id, more)
    [device] = await home.devices()
    assert (device["capabilities_supported"], device["properties"]["manufacturer"]) == (
        ["lock", "battery"],
        "other",
    )
    stored = await home.wire.house.store.device("real", device["device_id"])
    assert (stored.capabilities, stored.details) == (more.capabilities, more.details)
    [found] = (await home.call("/devices/list", manufacturer="yale"))["devices"] or [None]
    assert found is None


async def test_only_accepted_kinds_are_taken(home: RealHome):
    """Who wants locks only gets no thermostat, neither at once nor later."""
    warm = door("4", "Warm", device_type="zwave_thermostat", capabilities=frozenset({"thermostat"}))
    home.hubs.homes[URL] = HubFacts("home-1", "Home", (door(), warm))
    account = await home.link(accepted_capabilities=["lock"])
    home.hubs.tell(account["connected_account_id"], door(), warm, door("5", "Back"))
    assert {each["display_name"] for each in await home.devices()} == {"Front Door", "Back"}


async def test_a_lost_link_takes_its_devices_offline_once(home: RealHome):
    """Whose hub is lost cannot be reached, which is told once, and says why."""
    account_id = (await home.link())["connected_account_id"]
    [device] = await home.devices()
    home.hubs.refresh([device["device_id"]])
    for _ in range(2):
        home.hubs.lose(account_id)
    [device] = await home.devices()
    assert [each["error_code"] for each in device["errors"]] == ["hub_disconnected"]
    assert device["can_remotely_unlock"] is False
    assert await home.told("device.disconnected") == ["device.disconnected"]


async def test_a_hub_that_refuses_the_login_later_is_marked(home: RealHome):
    """Its account and its devices say so, once however often it refuses, until somebody signs in anew."""
    account = await home.link(settings={"url": URL, "password": "open"})
    account_id = account["connected_account_id"]
    [device] = await home.devices()
    home.hubs.refresh([device["device_id"]])
    await home.devices()
    before = len(await home.told())
    for _ in range(3):
        home.hubs.refuse(account_id)
        await home.wire.house.clock.settle()
    shown = await home.call("/connected_accounts/get", connected_account_id=account_id)
    assert [each["error_code"] for each in shown["connected_account"]["errors"]] == ["account_disconnected"]
    [device] = await home.devices()
    assert [each["error_code"] for each in device["errors"]] == ["account_disconnected"]
    assert (await home.told())[before:] == [
        "device.disconnected",
        "connected_account.disconnected",
        "connected_account.reauthorization_requested",
    ]
    await home.link(settings={"url": URL, "password": "open"})
    shown = await home.call("/connected_accounts/get", connected_account_id=account_id)
    assert shown["connected_account"]["errors"] == []


async def test_a_hub_that_accepts_the_login_again_is_let_in(home: RealHome):
    """Whoever sets the old password back at the hub has nothing to do here: it is told, once."""
    account_id = (await home.link())["connected_account_id"]
    home.hubs.refuse(account_id)
    await home.wire.house.clock.settle()
    before = len(await home.told())
    for _ in range(2):
        home.hubs.tell(account_id, door())
        await home.wire.house.clock.settle()
    shown = await home.call("/connected_accounts/get", connected_account_id=account_id)
    assert shown["connected_account"]["errors"] == []
    assert (await home.told())[before:] == [
        "connected_account.connected",
        "connected_account.successful_login",
        "connected_account.completed_first_sync_after_reconnection",
    ]


async def test_a_deleted_account_lets_go_of_its_hub(home: RealHome):
    """Whose account is deleted is followed no more, and what its hub still says is heard by nobody."""
    account_id = (await home.link())["connected_account_id"]
    _, tell = home.hubs.followed[account_id]
    await home.call("/connected_accounts/delete", connected_account_id=account_id)
    assert home.hubs.followed == {}
    tell(Inventory(account_id, (door(), door("3", "Late"))))
    assert await home.devices() == []


async def test_providers_are_told_with_what_they_ask_for(home: RealHome):
    """Who links a hub learns what must be known; what is secret is called so."""
    [provider] = (await home.call("/thumbturn/hubs/list_providers"))["hub_providers"]
    assert (provider["provider"], provider["display_name"]) == ("zwave_js", "Z-Wave JS")
    assert [(each["name"], each["is_secret"]) for each in provider["settings"]] == [
        ("url", False),
        ("password", True),
    ]
    [listed] = (await home.call("/devices/list_device_providers", provider_category="stable"))[
        "device_providers"
    ]
    assert (listed["device_provider_name"], listed["can_remotely_unlock"]) == ("zwave_js", True)


async def test_another_workspace_sees_nothing_of_a_hub(home: RealHome):
    """What is behind a hub is its own workspace's, and the same hub elsewhere is another account."""
    account = await home.link()
    _, token = await home.wire.another_workspace(is_sandbox=False)
    ask = {"connected_account_id": account["connected_account_id"]}
    reply = await home.wire.ask("POST", "/connected_accounts/get", ask, token=token)
    assert reply.status == 404
    there = await home.wire.ask("POST", LINK, {"provider": "zwave_js", "settings": {"url": URL}}, token=token)
    assert there.json["connected_account"]["connected_account_id"] != account["connected_account_id"]
    assert len(await home.devices()) == 1
