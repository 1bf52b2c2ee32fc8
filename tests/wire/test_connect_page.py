"""A person's way through the page of a connect webview, step by step, and what a browser may do with it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fixtures.connecting import Person, person
from tests.fixtures.wire import Wire
from thumbturn.domain.clock import to_wire
from thumbturn.engine.ports import EventFilter

CREATE, GET, LIST = "/connect_webviews/create", "/connect_webviews/get", "/connect_webviews/list"
DELETE = "/connect_webviews/delete"
NOT_FOUND = (404, "connect_webview_not_found")
COTTAGE = ["Cottage Door", "Cottage Gate", "Cottage Thermostat", "Cottage Noise Sensor"]


async def refused(wire: Wire, path: str, **ask: Any) -> tuple[int, str]:
    """Status and type of the refusal."""
    reply = await wire.ask("POST", path, ask)
    return reply.status, reply.error["type"]


async def get(wire: Wire, webview: Any) -> Any:
    """The webview as it is now."""
    return (await wire.call(GET, connect_webview_id=webview["connect_webview_id"]))["connect_webview"]


async def told(wire: Wire) -> list[Any]:
    """What the workspace was told."""
    return await wire.house.store.events("w1", EventFilter(), limit=999)


async def names(wire: Wire, path: str = "/devices/list", **ask: Any) -> list[str]:
    """The names of the devices of a list."""
    return [each["properties"]["name"] for each in (await wire.call(path, **ask))["devices"]]


async def test_a_person_connects_an_account(wire: Wire):
    """Chosen, signed in and confirmed, an account is there with its devices, and each fact is told once."""
    jane, webview = await person(wire, custom_metadata={"flat": "7"}, customer_key="c1")
    assert "Where are they?" in await jane.text()
    await jane.step("choose", provider="virtual")
    assert "Mail address" in await jane.text()
    await jane.step("sign_in", email="jane@example.com", password="1234")
    text = await jane.text()
    assert "Signed in as jane@example.com" in re.sub(r"\s+", " ", text)
    assert await jane.sees(*COTTAGE)
    for _ in range(2):
        await jane.step("finish")
    assert await jane.sees(*COTTAGE)
    done = await get(wire, webview)
    assert (done["status"], done["login_successful"]) == ("authorized", True)
    assert done["selected_provider"] == "virtual"
    assert done["authorized_at"] == to_wire(wire.house.clock.now())
    id = done["connected_account_id"]
    account = (await wire.call("/connected_accounts/get", email="jane@example.com"))["connected_account"]
    assert account["connected_account_id"] == id
    assert account["user_identifier"] == {"email": "jane@example.com"}
    assert (account["custom_metadata"], account["customer_key"]) == ({"flat": "7"}, "c1")
    assert await names(wire, connected_account_id=id) == COTTAGE
    assert await names(wire, connect_webview_id=webview["connect_webview_id"]) == COTTAGE
    assert await names(wire, connect_webview_id="unknown") == []
    events = await told(wire)
    assert [event.event_type for event in events] == [
        "connect_webview.login_succeeded",
        "connected_account.created",
        "connected_account.connected",
        "connected_account.successful_login",
        *["device.added"] * 4,
        "connected_account.completed_first_sync",
    ]
    assert {event.connected_account_id for event in events} == {id}
    assert [event.payload.get("connect_webview_id") for event in events[:4]] == [
        webview["connect_webview_id"]
    ] * 4
    door = (await wire.call("/devices/get", name="Cottage Door"))["device"]["device_id"]
    attempt = (await wire.call("/locks/unlock_door", device_id=door, sync=True))["action_attempt"]
    assert attempt["status"] == "success"


@pytest.mark.parametrize("missing", ["connect_webview_id", "auth_token"])
async def test_without_the_whole_address_there_is_no_page(wire: Wire, missing):
    """A wrong or missing part of the address is 404, alike, and lets nobody take a step."""
    jane, webview = await person(wire)
    right = parse_qs(urlsplit(webview["url"]).query)
    for wrong in ("", "x", right["auth_token"][0] + "x", "Ä"):
        query = {name: values[0] for name, values in right.items()} | {missing: wrong}
        jane.target = "/connect_webviews/view?" + "&".join(f"{name}={each}" for name, each in query.items())
        page = await jane.look()
        assert page.status == 404
        assert "not valid" in await jane.text()
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        form = {"content-type": "application/x-www-form-urlencoded"}
        posted = await wire.ask("POST", jane.target, b"step=give_up", token=None, headers=form)
        assert posted.status == 404
    assert (await get(wire, webview))["status"] == "pending"
    for method in ("DELETE", "PATCH"):
        assert (await wire.ask(method, jane.target, token=None)).status == 405


async def test_a_step_out_of_turn_is_no_step(wire: Wire):
    """Nobody signs in before he chose, nor connects before he signed in, nor chooses what is not offered."""
    jane, webview = await person(wire)
    await jane.step("sign_in", email="jane@example.com", password="1234")
    await jane.step("finish")
    await jane.step("choose", provider="august")
    await jane.step("nonsense")
    assert await get(wire, webview) == webview
    assert "Where are they?" in await jane.text()
    await jane.sign_in()
    await jane.step("back")
    assert "Where are they?" in await jane.text()
    await jane.step("finish")
    assert (await get(wire, webview))["status"] == "pending"
    assert await told(wire) == []


async def test_too_many_wrong_passwords_end_it(wire: Wire):
    """Each wrong try is said to the person; with the fifth it has failed, which is told once and is final."""
    jane, webview = await person(wire, custom_redirect_failure_url="https://app.example/sorry")
    await jane.step("choose", provider="virtual")
    for left in (4, 3, 2, 1):
        await jane.step("sign_in", email="jane@example.com", password="4321")
        assert f"You have {left} more." in await jane.text()
    for _ in range(2):
        await jane.step("sign_in", email="no address", password="1234")
    assert "No account was connected" in await jane.text()
    await jane.connect()
    assert (await get(wire, webview))["status"] == "failed"
    [event] = await told(wire)
    assert event.event_type == "connect_webview.login_failed"
    assert dict(event.payload) == {"connect_webview_id": webview["connect_webview_id"]}
    page = (await jane.look()).content.decode()
    assert '<meta http-equiv=refresh content="0;url=https://app.example/sorry">' in page
    assert "data-event=connect_webview.login_failed" in page


async def test_who_gives_up_is_sent_where_failure_goes(wire: Wire):
    """It has failed; without an address for that the person stays, also if there is one for success."""
    jane, webview = await person(wire, custom_redirect_url="https://app.example/back")
    await jane.step("give_up")
    assert (await get(wire, webview))["status"] == "failed"
    assert "app.example" not in (await jane.look()).content.decode()


async def test_the_person_is_sent_back_to_the_given_address_only(wire: Wire):
    """The page leads on to the address as it was given, and to none that a request names."""
    url = "https://app.example/back?a=1&b='\"<x>"
    jane, _ = await person(wire, custom_redirect_url=url.replace(" ", ""))
    await jane.connect()
    jane.target += "&custom_redirect_url=https://evil.example/&redirect=https://evil.example/"
    page = (await jane.look()).content.decode()
    assert "https://app.example/back?a=1&amp;b=&#x27;&quot;&lt;x&gt;" in page
    assert "evil" not in page
    assert "<x>" not in page


async def test_a_browser_may_do_little_with_the_page(wire: Wire):
    """Its policy allows its own style and script, and frames of where the person is sent; nothing else."""
    jane, _ = await person(
        wire,
        custom_redirect_url="https://app.example:8443/back",
        custom_redirect_failure_url="myapp://sorry",
    )
    for _ in range(3):
        page = await jane.look()
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self'" in policy
        assert "base-uri 'none'" in policy
        assert policy.endswith("frame-ancestors 'self' https://app.example:8443")
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        html = page.content.decode()
        assert re.findall(r"(?:src|href)=|url\(", html.replace('<a href="', "")) == []
        await jane.sign_in()
    anybody, _ = await person(wire)
    assert (await anybody.look()).headers["content-security-policy"].endswith("frame-ancestors *")


async def test_nothing_is_reflected(wire: Wire):
    """What a person or a workspace wrote is text on the page, never markup."""
    nasty = "<script>alert(1)</script>"
    await wire.call("/workspaces/update", connect_partner_name=nasty)
    custom = {"primary_button_color": "#123456", "primary_button_text_color": "red}</style>"}
    await wire.call("/workspaces/update", connect_webview_customization={**custom, "success_message": nasty})
    wire.app._callers.forget_workspace("w1")
    jane, _ = await person(wire)
    await jane.sign_in(email=f'"{nasty}"@example.com')
    for step in (None, "finish"):
        if step:
            await jane.step(step)
        page = (await jane.look()).content.decode()
        assert nasty not in page
        assert "alert(1)" in page
        assert "--button: #123456" in page
        assert "red}" not in page


@pytest.mark.parametrize(
    ("mode", "chosen", "came"),
    [
        ("single", ["cottage-gate", "cottage-door"], 1),
        ("multiple", ["cottage-gate", "cottage-thermostat", "unknown"], 2),
    ],
)
async def test_a_person_chooses_devices(wire: Wire, mode, chosen, came):
    """Where he may choose, he gets what he chose; and has not done until he chose something."""
    jane, webview = await person(wire, device_selection_mode=mode)
    await jane.sign_in()
    await jane.step("finish")
    assert (await get(wire, webview))["status"] == "pending"
    await jane.step("finish", device=chosen)
    id = (await get(wire, webview))["connected_account_id"]
    connected = await names(wire, connected_account_id=id)
    assert len(connected) == came
    assert set(connected) <= {"Cottage Door", "Cottage Gate", "Cottage Thermostat"}
    assert await jane.sees(*connected)


async def test_providers_are_played_by_a_virtual_home(wire: Wire):
    """In a sandbox every accepted provider can be chosen, and its name is kept."""
    jane, webview = await person(
        wire, accepted_providers=["august", "salto_ks", "august", "yale"], excluded_providers=["yale"]
    )
    assert webview["accepted_providers"] == ["august", "salto_ks"]
    text = await jane.text()
    assert ("August" in text, "Salto Ks" in text, "Yale" in text) == (True, True, False)
    await jane.step("choose", provider="salto_ks")
    await jane.step("sign_in", email="jane@example.com", password="1234")
    await jane.step("finish")
    assert (await get(wire, webview))["selected_provider"] == "salto_ks"


async def test_a_workspace_that_is_no_sandbox_has_nothing_to_connect(wire: Wire):
    """Its page says so, and no step leads to an account."""
    _, token = await wire.another_workspace(is_sandbox=False)
    webview = (await wire.ask("POST", CREATE, {}, token=token)).json["connect_webview"]
    jane = Person(wire, webview["url"])
    assert "nothing here that could be connected" in await jane.text()
    await jane.connect()
    assert await wire.house.store.accounts.get("w2", webview["connect_webview_id"]) is None
    listed = (await wire.ask("POST", "/connected_accounts/list", {}, token=token)).json
    assert listed["connected_accounts"] == []
