"""A person links a hub on the page of a connect webview, step by step."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import pytest

from tests.fixtures.connecting import Person
from tests.fixtures.hubs import URL, RealHome, door, real_home
from tests.fixtures.wire import Reply, Wire
from thumbturn.domain.clock import seconds
from thumbturn.domain.hub import HubFacts

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def home(wire: Wire) -> RealHome:
    """A workspace that is no sandbox, and hubs that can be linked."""
    return await real_home(wire)


class Owner(Person):
    """Somebody with a hub, before the page of a webview."""

    async def link(self, **settings: str) -> Reply:
        """Fill in how the hub is reached."""
        fields = {f"setting.{name}": value for name, value in settings.items()}
        form = urlencode({"step": "link", **fields}).encode()
        return await self.wire.ask("POST", self.target, form, token=None, headers=FORM)


async def owner(home: RealHome, **ask: object) -> tuple[Owner, str]:
    """Somebody with a new webview, and its id."""
    webview = (await home.call("/connect_webviews/create", **ask))["connect_webview"]
    return Owner(home.wire, webview["url"]), webview["connect_webview_id"]


async def ended(home: RealHome, webview_id: str) -> dict[str, object]:
    """The webview as it is now."""
    return (await home.call("/connect_webviews/get", connect_webview_id=webview_id))["connect_webview"]


async def test_a_person_links_a_hub(home: RealHome):
    """Chosen, tried and confirmed, the hub is an account with its devices, and is followed."""
    jane, webview_id = await owner(home, custom_metadata={"flat": "7"})
    assert await jane.sees("Where are they?", "Z-Wave JS")
    await jane.step("choose", provider="zwave_js")
    assert await jane.sees("How is your Z-Wave JS reached?", "Address", "Password")
    assert (await jane.link(url=URL)).status == 303
    assert await jane.sees("This is", "Z-Wave home 1", "Front Door")
    for _ in range(2):
        await jane.step("finish")
    assert await jane.sees("Connected", "Front Door")
    done = await ended(home, webview_id)
    assert (done["status"], done["selected_provider"]) == ("authorized", "zwave_js")
    assert [*home.hubs.followed] == [done["connected_account_id"]]
    [device] = await home.devices()
    assert device["connected_account_id"] == done["connected_account_id"]
    assert await home.told() == [
        "connect_webview.login_succeeded",
        "connected_account.created",
        "connected_account.connected",
        "connected_account.successful_login",
        "device.added",
        "connected_account.completed_first_sync",
    ]


async def test_what_did_not_work_is_said_on_the_form(home: RealHome):
    """A try that came to nothing is explained at once, with what was filled in, but never with a secret."""
    jane, _ = await owner(home)
    await jane.step("choose", provider="zwave_js")
    reply = await jane.link(url="ws://<b>nowhere</b>", password="hunter2")
    page = reply.content.decode()
    assert reply.status == 200
    assert "The hub does not answer at this address." in page
    assert "You have 4 more." in page
    assert 'value="ws://&lt;b&gt;nowhere&lt;/b&gt;"' in page
    assert "hunter2" not in page
    assert "Content-Security-Policy".lower() in reply.headers
    # What is no address was not tried at all, so it costs no try.
    page = (await jane.link(url="nowhere")).content.decode()
    assert "ws:// or wss://" in page
    assert "You have 4 more." in page


async def test_the_page_searches_no_network(home: RealHome):
    """After five wrong tries it is over, however many come at once: nobody looks for hubs with it."""
    jane, webview_id = await owner(home)
    await jane.step("choose", provider="zwave_js")
    for port in range(8):
        await jane.link(url=f"ws://192.168.1.9:{port + 1}")
    assert len(home.hubs.looked_at) == 5
    assert (await ended(home, webview_id))["status"] == "failed"
    assert await home.told() == ["connect_webview.login_failed"]


async def test_a_try_that_others_kept_from_being_made_costs_none(home: RealHome):
    """While the workspace tries as many hubs as it may, the person is told so, and can try again."""
    silent = {"provider": "zwave_js", "settings": {"url": "ws://hub:4444"}}
    tries = [asyncio.ensure_future(home.refused("/thumbturn/hubs/link", **silent)) for _ in range(4)]
    jane, _ = await owner(home)
    await jane.step("choose", provider="zwave_js")
    await home.wire.house.clock.settle()
    page = (await jane.link(url=URL)).content.decode()
    assert "at most 4 hubs at a time" in page
    assert "You have" not in page
    await home.wire.house.clock.advance(seconds(10))
    await asyncio.gather(*tries)
    assert (await jane.link(url=URL)).status == 303


async def test_devices_are_chosen(home: RealHome):
    """Who chooses devices gets these, and no others later either."""
    home.hubs.homes[URL] = HubFacts("home-1", "Home", (door(), door("3", "Back")))
    jane, webview_id = await owner(home, device_selection_mode="multiple")
    await jane.step("choose", provider="zwave_js")
    await jane.link(url=URL)
    await jane.step("finish")
    assert (await ended(home, webview_id))["status"] == "pending"
    await jane.step("finish", device=["3"])
    account_id = str((await ended(home, webview_id))["connected_account_id"])
    home.hubs.tell(account_id, door(), door("3", "Back"), door("4", "New"))
    assert [each["display_name"] for each in await home.devices()] == ["Back"]


async def test_a_hub_without_devices_is_linked(home: RealHome):
    """An empty hub may be linked: what is added to it later comes by itself."""
    home.hubs.homes[URL] = HubFacts("home-1", "Home", ())
    jane, webview_id = await owner(home)
    await jane.step("choose", provider="zwave_js")
    await jane.link(url=URL)
    await jane.step("finish")
    account_id = str((await ended(home, webview_id))["connected_account_id"])
    home.hubs.tell(account_id, door())
    assert len(await home.devices()) == 1


THEIRS = "ws://192.168.1.66:3000"


async def session_of(home: RealHome, webview_id: str, **ask: object) -> dict[str, object]:
    """A new client session that reaches what comes of a webview."""
    ask = {"connect_webview_ids": [webview_id], **ask}
    return (await home.call("/client_sessions/create", **ask))["client_session"]


@pytest.mark.parametrize("url", [THEIRS, URL], ids=["a_server_that_claims_it", "its_own_address"])
async def test_who_names_a_hub_that_is_linked_does_not_get_it(home: RealHome, url: str):
    """What a hub says that it is proves nothing: neither does the server follow another from then on, nor
    does the visitor reach the doors; he is told so on the page.
    """
    home.hubs.homes[THEIRS] = home.hubs.homes[URL]
    account = await home.link(customer_key="anna")
    followed = dict(home.hubs.followed)
    mallory, webview_id = await owner(home, customer_key="mallory")
    session = await session_of(home, webview_id)
    await mallory.step("choose", provider="zwave_js")
    reply = await mallory.link(url=url)
    assert "This hub is linked already." in reply.content.decode()
    assert "You have 4 more." in reply.content.decode()
    await mallory.step("finish")
    assert (await ended(home, webview_id))["status"] == "pending"
    assert home.hubs.followed == followed
    kept = await home.wire.house.store.accounts.get("real", account["connected_account_id"])
    assert kept.customer_key == "anna"
    seen = await home.call("/client_sessions/get", client_session_id=session["client_session_id"])
    assert seen["client_session"]["connected_account_ids"] == []


async def test_a_hub_that_was_linked_meanwhile_is_not_taken_over(home: RealHome):
    """Between a try that went well and the last step somebody else links it: the visitor begins again."""
    home.hubs.homes[THEIRS] = home.hubs.homes[URL]
    mallory, webview_id = await owner(home)
    await mallory.step("choose", provider="zwave_js")
    await mallory.link(url=THEIRS)
    await home.link()
    followed = dict(home.hubs.followed)
    form = urlencode({"step": "finish"}).encode()
    reply = await home.wire.ask("POST", mallory.target, form, token=None, headers=FORM)
    assert reply.status == 200
    assert "This hub is linked already." in reply.content.decode()
    assert await mallory.sees("How is your Z-Wave JS reached?")
    assert home.hubs.followed == followed
    assert (await ended(home, webview_id))["status"] == "pending"


@pytest.mark.parametrize("by", ["customer", "session"])
async def test_who_has_the_hub_already_says_how_it_is_reached_now(home: RealHome, by: str):
    """The same customer, or one whose session has it: it is the same account, reached as he says."""
    home.hubs.homes[THEIRS] = home.hubs.homes[URL]
    account_id = (await home.link(customer_key="anna"))["connected_account_id"]
    anna, webview_id = await owner(home, **({"customer_key": "anna"} if by == "customer" else {}))
    await session_of(home, webview_id, connected_account_ids=[account_id] if by == "session" else [])
    await anna.step("choose", provider="zwave_js")
    assert (await anna.link(url=THEIRS)).status == 303
    await anna.step("finish")
    assert (await ended(home, webview_id))["connected_account_id"] == account_id
    assert home.hubs.followed[account_id][0].settings["url"] == THEIRS


async def test_all_of_a_page_s_sessions_must_have_the_hub(home: RealHome):
    """One that has it does not bring in another."""
    account_id = (await home.link())["connected_account_id"]
    anna, webview_id = await owner(home)
    await session_of(home, webview_id, connected_account_ids=[account_id])
    await session_of(home, webview_id)
    await anna.step("choose", provider="zwave_js")
    assert "linked already" in (await anna.link(url=URL)).content.decode()


async def test_going_back_forgets_the_hub(home: RealHome):
    """Who goes back has tried nothing: neither the hub nor its devices come of it."""
    jane, webview_id = await owner(home)
    await jane.step("choose", provider="zwave_js")
    await jane.link(url=URL)
    await jane.step("back")
    await jane.step("finish")
    assert await jane.sees("Where are they?")
    assert (await ended(home, webview_id))["status"] == "pending"
    kept = await home.wire.house.store.webviews.visited(webview_id)
    assert kept is not None
    assert kept.hub is None


async def test_a_real_home_has_no_virtual_accounts(home: RealHome):
    """The sandbox's password opens nothing here, whatever is posted."""
    jane, webview_id = await owner(home)
    for provider in ("virtual", "zwave_js"):
        await jane.step("choose", provider=provider)
        await jane.step("sign_in", email="jane@example.com", password="1234")
        await jane.step("finish")
    assert (await ended(home, webview_id))["status"] == "pending"
    assert await home.devices() == []


async def test_a_sandbox_page_calls_no_hub(home: RealHome):
    """In a sandbox every provider is played by the virtual home: no address is called, whatever is posted."""
    webview = (await home.wire.call("/connect_webviews/create", accepted_providers=["zwave_js"]))[
        "connect_webview"
    ]
    jane = Owner(home.wire, webview["url"])
    await jane.step("choose", provider="zwave_js")
    assert await jane.sees("Mail address")
    await jane.link(url=URL)
    assert home.hubs.looked_at == []
