"""Where a webhook may go, as the one who makes it is told."""

from __future__ import annotations

import pytest

from tests.fixtures.webhook_urls import REFUSED_URLS, TAKEN_URLS
from tests.fixtures.wire import Wire


async def test_no_webhook_is_made_that_leads_astray(wire: Wire):
    """Every URL that leads inside or can be read in two ways is refused with 400, and nothing is made."""
    taken = []
    for url, why in REFUSED_URLS.items():
        reply = await wire.ask("POST", "/webhooks/create", {"url": url})
        if reply.status != 400 or reply.error["type"] != "invalid_webhook_url":
            taken.append((url, why, reply.status))
    assert taken == []
    assert await wire.call("/webhooks/list") == {"webhooks": []}


async def test_refusal_says_what_is_wrong_and_what_to_do(wire: Wire):
    """The message names the host, what it is, and the setting that would allow it; never a password."""
    private = (await wire.ask("POST", "/webhooks/create", {"url": "http://0xa000001/"})).error["message"]
    assert private.startswith("10.0.0.1 is a private address.")
    assert "THUMBTURN_WEBHOOK_ALLOW" in private
    user = (await wire.ask("POST", "/webhooks/create", {"url": "https://me:hunter2@example.com/"})).error
    assert "user name or a password" in user["message"]
    assert "hunter2" not in user["message"]


async def test_query_string_is_judged_like_a_body(wire: Wire):
    """A URL that comes as a query parameter is judged as well."""
    reply = await wire.ask("POST", "/webhooks/create?url=http%3A%2F%2F127.1%2F")
    assert (reply.status, reply.error["type"]) == (400, "invalid_webhook_url")


@pytest.mark.parametrize("url", TAKEN_URLS)
async def test_public_url_is_taken_and_shown_as_it_was_given(wire: Wire, url: str):
    """A URL of the public Internet is taken, and shown word for word."""
    assert (await wire.call("/webhooks/create", url=url))["webhook"]["url"] == url
