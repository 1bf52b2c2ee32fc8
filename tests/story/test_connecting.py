"""A person connects an account in a real browser: in a window of its own, and embedded in an app's page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.fixtures.browser import Tab, browser
from tests.fixtures.server import Caller, LiveServer, caller_in_new_sandbox

EMBEDDING = """<!doctype html><title>An app</title><p id=told></p><iframe src="{url}"></iframe><script>
const told = document.querySelector('#told')
addEventListener('message', (e) => {{ told.textContent += JSON.stringify(e.data) }})
</script>"""


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[Tab]:
    """A browser with an empty tab."""
    async with browser(tmp_path / "profile") as opened:
        yield opened


@pytest.fixture
async def app() -> AsyncIterator[Any]:
    """Somebody's app: a page that embeds a webview, and one that a person comes back to."""
    embedded: dict[str, str] = {}

    async def embedding(_: web.Request) -> web.Response:
        return web.Response(text=EMBEDDING.format(**embedded), content_type="text/html")

    async def back(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>Back</title>", content_type="text/html")

    application = web.Application()
    pages = (("/embedding", embedding), ("/back", back), ("/favicon.ico", back))
    application.add_routes([web.get(path, page) for path, page in pages])
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield port, embedded
    await runner.cleanup()


@pytest.fixture
def caller(server: LiveServer, request: pytest.FixtureRequest) -> Caller:
    """Somebody with a sandbox of his own."""
    return caller_in_new_sandbox(server, request.node.name[:60])


async def make(caller: Caller, **ask: Any) -> Any:
    """A new webview."""
    made = await asyncio.to_thread(caller.call, "/connect_webviews/create", **ask)
    return made["connect_webview"]


async def walk_through(tab: Tab, frame: int = 0) -> None:
    """Choose, sign in and connect."""
    await tab.click("Virtual Home", frame)
    await tab.type("email", "jane@example.com", frame)
    await tab.type("password", "1234", frame)
    await tab.click("Sign in", frame)
    await tab.click("Connect", frame)


async def test_a_person_connects_an_account_and_comes_back(tab, app, caller):
    """In a window of its own: picked, signed in, connected, and sent back to where the app wants."""
    port, _ = app
    webview = await make(caller, custom_redirect_url=f"http://127.0.0.1:{port}/back?for=jane")
    await tab.go(webview["url"])
    assert await tab.until("document.title") == "Connect your devices"
    await walk_through(tab)
    await tab.until("document.title === 'Back'")
    assert await tab.run("location.href") == f"http://127.0.0.1:{port}/back?for=jane"
    assert await tab.run("document.referrer") == "", "the address of the page is nobody's business"
    assert tab.refused == []
    id = webview["connect_webview_id"]
    done = await asyncio.to_thread(caller.call, "/connect_webviews/get", connect_webview_id=id)
    assert done["connect_webview"]["status"] == "authorized"
    devices = await asyncio.to_thread(caller.call, "/devices/list", connect_webview_id=id)
    assert len(devices["devices"]) == 4


async def test_an_app_that_embeds_the_page_is_told(tab, app, caller):
    """In a frame the page says by a message how it ended, and then leads back."""
    port, embedded = app
    webview = await make(caller, custom_redirect_url=f"http://127.0.0.1:{port}/back")
    embedded["url"] = webview["url"]
    await tab.go(f"http://127.0.0.1:{port}/embedding")
    await walk_through(tab, frame=1)
    told = await tab.until("document.querySelector('#told')?.textContent")
    assert told == '{"event":{"event_type":"connect_webview.login_succeeded"}}'
    await tab.until("document.title === 'Back'", frame=1)


async def test_an_app_is_told_when_a_person_gives_up(tab, app, caller):
    """In a frame, without an address to go to: the message comes, and the page stays."""
    port, embedded = app
    embedded["url"] = (await make(caller))["url"]
    await tab.go(f"http://127.0.0.1:{port}/embedding")
    await tab.click("Cancel", frame=1)
    told = await tab.until("document.querySelector('#told')?.textContent")
    assert told == '{"event":{"event_type":"connect_webview.login_failed"}}'
    assert await tab.run("document.title", frame=1) == "Not connected"


async def test_nobody_else_can_embed_the_page(tab, app, caller):
    """A page of another address than where the person will be sent shows nothing of it."""
    port, embedded = app
    embedded["url"] = (await make(caller, custom_redirect_url="https://app.example/back"))["url"]
    await tab.go(f"http://127.0.0.1:{port}/embedding")
    await tab.until("document.querySelector('iframe') && document.readyState === 'complete'")
    assert await tab.run("document.title", frame=1) != "Connect your devices"
    assert any("frame-ancestors" in text or "frame" in text for text in tab.refused), tab.refused
