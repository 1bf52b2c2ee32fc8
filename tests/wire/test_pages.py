"""Pages: every item once, in order, and cursors that fit only their own list."""

from __future__ import annotations

import base64
import json

import pytest

from thumbturn.api.pages import Pages


async def everything(wire, path, key, **ask):
    """The items of all pages, followed by the URL that each page names."""
    reply = await wire.ask("POST", path, ask)
    items = list(reply.json[key])
    while reply.json["pagination"]["has_next_page"]:
        cursor, url = (reply.json["pagination"][name] for name in ("next_page_cursor", "next_page_url"))
        host, _, target = url.removeprefix("http://").partition("/")
        assert host == "thumbturn.test"
        by_url = await wire.ask("GET", f"/{target}")
        reply = await wire.ask("POST", path, ask | {"page_cursor": cursor})
        assert by_url.content == reply.content
        items += reply.json[key]
    assert reply.json["pagination"] == {
        "has_next_page": False,
        "next_page_cursor": None,
        "next_page_url": None,
    }
    return items


@pytest.mark.parametrize("limit", [1, 2, 5, 6, 7, 500])
@pytest.mark.parametrize("ask", [{}, {"custom_metadata_has": {"on": True}}, {"search": "virtual lock"}])
async def test_devices_page_by_page(wire, limit, ask):
    """The pages of a list hold each of its items once, in the order of the whole list."""
    await wire.call("/thumbturn/sandbox/add_devices", count=7)
    for device in (await wire.call("/devices/list"))["devices"][::2]:
        await wire.call("/devices/update", device_id=device["device_id"], custom_metadata={"on": True})
    whole = (await wire.call("/devices/list", **ask))["devices"]
    assert 6 <= len(whole) <= 16
    assert await everything(wire, "/devices/list", "devices", limit=limit, **ask) == whole
    ages = [(device["created_at"], device["device_id"]) for device in whole]
    assert [age for age, _ in ages] == sorted(age for age, _ in ages)


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_flags_do_not_tear_pages(wire, limit):
    """A list that is filtered by flags has full pages all the same."""
    await wire.call("/devices/simulate/disconnect", device_id=await wire.door("Back Door"))
    ask = {"include_if": ["can_remotely_unlock"], "exclude_if": ["can_simulate_connection"]}
    found = await everything(wire, "/locks/list", "locks", limit=limit, **ask)
    assert [each["display_name"] for each in found] == ["Front Door", "Garage Side Door", "Storage Room"]


async def test_attempts_page_by_page(wire):
    """Attempts come in the order in which they were accepted."""
    door = await wire.door()
    made = [
        (await wire.call("/locks/unlock_door", device_id=door))["action_attempt"]["action_attempt_id"]
        for _ in range(5)
    ]
    found = await everything(wire, "/action_attempts/list", "action_attempts", limit=2, device_id=door)
    assert [attempt["action_attempt_id"] for attempt in found] == made


async def test_a_cursor_fits_its_own_list_only(wire):
    """With other parameters, at another path or in another workspace a cursor is refused."""
    await wire.call("/thumbturn/sandbox/add_devices", count=2)
    page = await wire.call("/devices/list", limit=2)
    cursor = {"page_cursor": page["pagination"]["next_page_cursor"]}
    _, token = await wire.another_workspace()
    for path, ask, key in (
        ("/devices/list", {"limit": 3}, ""),
        ("/devices/list", {}, ""),
        ("/devices/list", {"limit": 2, "search": "a"}, ""),
        ("/locks/list", {"limit": 2}, ""),
        ("/devices/list", {"limit": 2}, token),
    ):
        refused = await wire.ask("POST", path, ask | cursor, token=key)
        assert (refused.status, refused.error["type"]) == (400, "mismatched_page_parameters")
    nothing_more = {"limit": 2, "unstable_location_id": None, "unknown": 1}
    assert (await wire.ask("POST", "/devices/list", nothing_more | cursor)).status == 200


def forged(*content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    ["x", "é", "!!!!", forged(), forged("f", 1), forged("f", "1", "a"), forged("f", 1 << 80, "a"),
     forged("f", 1, "\0"), forged("f", True, "a"), forged("f", 1, 2), forged("f", 1, "a")],
)  # fmt: skip
async def test_a_made_up_cursor(wire, cursor):
    """A cursor that the server did not make is refused and reaches no database."""
    refused = await wire.ask("POST", "/devices/list", {"page_cursor": cursor})
    assert (refused.status, refused.error["type"]) == (400, "mismatched_page_parameters")


@pytest.mark.parametrize("cursor", [None, ""])
async def test_no_cursor_is_the_first_page(wire, cursor):
    """A cursor that is null or empty asks for the first page."""
    reply = await wire.call("/devices/list", page_cursor=cursor)
    assert len(reply["devices"]) == 9


def test_a_host_that_is_none_is_not_echoed():
    """The URL of the next page names the host that was asked, if that can be one."""
    for host, named in (("door.test:80", "door.test:80"), ("<script>", "localhost"), ("", "localhost")):
        pages = Pages("/x", {"limit": 1, "deep": {"list": []}}, "w", "https", host)
        _, pagination = pages.turn([(1, "a"), (2, "b")], 1, lambda each: each)
        url = pagination["next_page_url"]
        assert url is not None
        assert url.startswith(f"https://{named}/x?deep.list=&limit=1&page_cursor=")


async def test_one_answer_has_its_bounds(wire, monkeypatch):
    """Whatever `limit` says, one page holds no more than the server's most."""
    monkeypatch.setattr("thumbturn.api.parameters.MOST_AT_ONCE", 2)
    page = await wire.call("/devices/list", limit=10**30)
    assert len(page["devices"]) == 2
    assert page["pagination"]["has_next_page"] is True
