"""Moments that callers give: which are taken, and that none of them spoils what is read later."""

from __future__ import annotations

import pytest

#: Each is a moment, but not in UTC: there it would be before the year 1 or after the year 9999.
NOT_IN_UTC = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-00:01"]
#: What takes moments, and at which device.
TAKES = {
    "/access_codes/create": ("Front Door", ["starts_at", "ends_at"]),
    "/client_sessions/create": (None, ["expires_at"]),
    "/thermostats/schedules/create": ("Living Room", ["starts_at", "ends_at"]),
    "/events/list": (None, ["since"]),
    "/locks/list": (None, ["created_before"]),
    "/locks/unlock_door": ("Front Door", ["not_before"]),
}


@pytest.mark.parametrize("path", TAKES)
@pytest.mark.parametrize("moment", NOT_IN_UTC)
async def test_a_moment_that_is_none_in_utc_is_refused(wire, path, moment):
    """What could never be written again is no moment."""
    name, taken = TAKES[path]
    ask = {} if name is None else {"device_id": await wire.door(name), "climate_preset_key": "home"}
    refused = await wire.ask("POST", path, ask | dict.fromkeys(taken, moment))
    assert (refused.status, refused.error["type"]) == (400, "invalid_input")
    for each in taken:
        assert refused.error["validation_errors"][each]["_errors"] == ["Invalid datetime"]


async def test_the_last_moment_of_all_is_one(wire):
    """What somebody writes for "for ever" is taken, and read as it was written."""
    last = "9999-12-31T23:59:59.999Z"
    made = await wire.call("/client_sessions/create", expires_at=last)
    assert made["client_session"]["expires_at"] == last
    (listed,) = (await wire.call("/client_sessions/list"))["client_sessions"]
    assert listed["expires_at"] == last
