"""Errors and warnings of devices, codes and accounts: those that the document names, and no other."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from tests.fixtures.wire import Wire
from tests.lint.source import ROOT
from thumbturn.domain.clock import seconds
from thumbturn.engine.backup_pool import POOL_SIZE
from thumbturn.engine.ports import EventFilter

NOUNS = {"access codes": "access_code", "devices": "device", "connected accounts": "connected_account"}
CONTRACT = json.loads((ROOT / "tests" / "data" / "contract_troubles.json").read_text())
MINUTE = seconds(60)


def documented() -> dict[tuple[str, str], dict[str, bool]]:
    """By noun and kind: each code of the document, and whether it exists here."""
    found: dict[tuple[str, str], dict[str, bool]] = {}
    rows: dict[str, bool] = {}
    for line in (ROOT / "docs" / "troubles.md").read_text().splitlines():
        if title := re.fullmatch(r"## (Errors|Warnings) of (.*)", line):
            rows = found[NOUNS[title[2]], title[1].lower()] = {}
        elif row := re.fullmatch(r"\| `(\w+)` \| (yes)? ?\| (.+) \|", line):
            rows[row[1]] = row[2] is not None
    return found


def test_every_error_and_warning_of_the_contract_is_documented():
    """Each stands in the document once, with when it comes about or why it cannot."""
    listed = {
        (noun, kind): sorted(codes) for noun, kinds in CONTRACT.items() for kind, codes in kinds.items()
    }
    assert {where: sorted(rows) for where, rows in documented().items()} == listed


async def lock(wire: Wire) -> str:
    """A new lock."""
    [device] = await wire.house.engine.sandbox.add_devices(wire.house.workspace, 1, "lock", 0)
    return device.id


async def create(wire: Wire, device_id: str, code: str = "4711", **more: Any) -> str:
    """A new code; its id."""
    made = await wire.call("/access_codes/create", device_id=device_id, code=code, **more)
    await wire.house.clock.settle()
    id: str = made["access_code"]["access_code_id"]
    return id


async def refusing(wire: Wire) -> None:
    """A lock refuses a code, and later to let go of one."""
    door = await lock(wire)
    code = await create(wire, door, "1111")
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=door, fault="refuse")
    await create(wire, door, "2222")
    await wire.call("/access_codes/delete", access_code_id=code)
    await wire.house.clock.advance(MINUTE)


async def away(wire: Wire) -> None:
    """A lock is offline while codes wait to be set and to be removed."""
    door = await lock(wire)
    code = await create(wire, door, "1111")
    await wire.call("/devices/simulate/disconnect", device_id=door)
    await create(wire, door, "2222")
    await wire.call("/access_codes/delete", access_code_id=code)
    await wire.house.clock.advance(6 * MINUTE)


async def lost(wire: Wire) -> None:
    """A hub loses a lock that has a code."""
    door = await lock(wire)
    await create(wire, door)
    await wire.call("/devices/simulate/disconnect_from_hub", device_id=door)


async def removed(wire: Wire) -> None:
    """A lock that has a code is taken out of its account."""
    door = await lock(wire)
    await create(wire, door)
    await wire.call("/devices/simulate/remove", device_id=door)


async def unpaid(wire: Wire) -> None:
    """The maker of a lock that has a code wants to be paid."""
    door = await lock(wire)
    await create(wire, door)
    await wire.call("/devices/simulate/paid_subscription", device_id=door, is_expired=True)


async def locked_out(wire: Wire) -> None:
    """An account lets nobody in any more."""
    door = await lock(wire)
    await create(wire, door)
    account = (await wire.call("/devices/get", device_id=door))["device"]["connected_account_id"]
    await wire.call("/connected_accounts/simulate/disconnect", connected_account_id=account)


async def full(wire: Wire) -> None:
    """A lock is full, and has another code to hold."""
    door = await lock(wire)
    most = (await wire.call("/devices/get", device_id=door))["device"]["properties"]
    for number in range(most["max_active_codes_supported"] + 1):
        await create(wire, door, f"{1000 + number}")


async def twice(wire: Wire) -> None:
    """A lock holds a PIN already, and nobody knows."""
    door = await lock(wire)
    wire.house.driver._things[door].codes.touch(None, "4711", None)
    await create(wire, door)


async def touched(wire: Wire) -> None:
    """Somebody changes codes at a lock, one that he may change, and one that is put right again."""
    door = await lock(wire)
    mine = await create(wire, door, "1111")
    his = await create(wire, door, "2222", is_external_modification_allowed=True)
    for code, pin in ((mine, "9991"), (mine, "9992"), (mine, "9993"), (his, "9994")):
        await wire.call("/thumbturn/sandbox/touch_code", access_code_id=code, code=pin)


async def pooled(wire: Wire) -> None:
    """A lock has backups, one less after one was pulled, and none while they cannot be set."""
    door, other = await lock(wire), await lock(wire)
    times = {"starts_at": "2025-01-01T00:00:00Z", "ends_at": "2025-01-02T00:00:00Z"}
    code = await create(wire, door, **times, use_backup_access_code_pool=True)
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=door, fault="refuse")
    await wire.call("/access_codes/pull_backup_access_code", access_code_id=code)
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=other, fault="refuse")
    await create(wire, other, **times, use_backup_access_code_pool=True)


async def cold(wire: Wire) -> None:
    """It is colder at a thermostat than its threshold allows."""
    thermostat = (await wire.call("/devices/list", device_type="ecobee_thermostat"))["devices"][0]
    which = {"device_id": thermostat["device_id"]}
    await wire.call("/thermostats/set_temperature_threshold", **which, lower_limit_celsius=15)
    await wire.call("/thermostats/simulate/temperature_reached", **which, temperature_celsius=5)


SCENES: tuple[Callable[[Wire], Awaitable[None]], ...] = (
    refusing,
    away,
    lost,
    removed,
    unpaid,
    full,
    twice,
    touched,
    pooled,
    cold,
    locked_out,
)


async def seen(wire: Wire) -> set[tuple[str, str, str]]:
    """All errors and warnings that the wire shows now, by noun and kind."""
    found = set()
    for noun, path in (
        ("device", "/devices/list"),
        ("access_code", "/access_codes/list"),
        ("connected_account", "/connected_accounts/list"),
    ):
        for thing in (await wire.call(path))[f"{noun}s"]:
            for kind in ("errors", "warnings"):
                found |= {(noun, kind, each[f"{kind[:-1]}_code"]) for each in thing[kind]}
    return found


async def test_each_that_is_documented_comes_about_and_no_other(wire: Wire):
    """What a sandbox can have happen shows exactly the errors and warnings that are said to be here."""
    found = set()
    for scene in SCENES:
        await scene(wire)
        found |= await seen(wire)
    said = {
        (*where, code) for where, rows in documented().items() for code, is_here in rows.items() if is_here
    }
    assert found == said


async def troubles_of(wire: Wire, device_id: str) -> list[str]:
    """The codes of what is wrong with a device, and what is to be warned of."""
    device = (await wire.call("/devices/get", device_id=device_id))["device"]
    return [each["error_code"] for each in device["errors"]] + [
        each["warning_code"] for each in device["warnings"]
    ]


async def test_troubles_go_with_their_cause(wire: Wire):
    """A lock that was full is not when a code has gone, a pool that was empty is not when it is filled."""
    door = await lock(wire)
    device = (await wire.call("/devices/get", device_id=door))["device"]
    most = device["properties"]["max_active_codes_supported"]
    codes = [await create(wire, door, f"{1000 + number}") for number in range(most)]
    [warning] = (await wire.call("/devices/get", device_id=door))["device"]["warnings"]
    assert (warning["active_access_code_count"], warning["max_active_access_code_count"]) == (most, most)
    await wire.call("/access_codes/delete", access_code_id=codes[0])
    await wire.house.clock.settle()
    assert await troubles_of(wire, door) == []
    other = await lock(wire)
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=other, fault="refuse")
    await wire.call("/devices/update", device_id=other, backup_access_code_pool_enabled=True)
    await wire.house.clock.settle()
    assert await troubles_of(wire, other) == ["empty_backup_access_code_pool"]
    # Nothing of the pool is told while it is not in use.
    await wire.call("/devices/update", device_id=other, backup_access_code_pool_enabled=False)
    assert await troubles_of(wire, other) == []
    await wire.call("/devices/update", device_id=other, backup_access_code_pool_enabled=True)
    assert await troubles_of(wire, other) == ["empty_backup_access_code_pool"]
    await wire.call("/thumbturn/sandbox/clear_faults", device_id=other)
    await wire.house.clock.advance(3 * MINUTE)
    assert await troubles_of(wire, other) == []
    # In use it is filled again by itself.
    backups = (await wire.call("/access_codes/list", device_id=other))["access_codes"]
    for backup in backups:
        await wire.call("/access_codes/delete", access_code_id=backup["access_code_id"])
    await wire.house.clock.settle()
    again = (await wire.call("/access_codes/list", device_id=other))["access_codes"]
    ids = [{each["access_code_id"] for each in codes} for codes in (backups, again)]
    assert ([len(each) for each in ids], ids[0] & ids[1]) == ([POOL_SIZE, POOL_SIZE], set())
    assert await troubles_of(wire, other) == []


async def test_events_of_codes_in_trouble_say_what_is_wrong_with_their_lock(wire: Wire):
    """What is told of a code that is late, or fails, carries the errors of its device and its account."""
    door = await lock(wire)
    await create(wire, door, "1111")
    account = (await wire.call("/devices/get", device_id=door))["device"]["connected_account_id"]
    await wire.call("/connected_accounts/simulate/disconnect", connected_account_id=account)
    await create(wire, door, "2222")
    await wire.house.clock.advance(6 * MINUTE)
    wanted = EventFilter(event_types=["access_code.delay_in_setting_on_device"])
    [event] = await wire.house.store.events("w1", wanted, limit=9)
    for name in ("device_errors", "connected_account_errors"):
        assert [each["error_code"] for each in event.payload[name]] == ["account_disconnected"]
    [warning] = event.payload["access_code_warnings"]
    assert warning["warning_code"] == "delay_in_setting_on_device"
