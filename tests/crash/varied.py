"""Callers of everything that is no door: codes, cards, thermostats, noise sensors; and their answers."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

import httpx

#: What a path may be refused with while others work on the same: all else is an error of the server.
REFUSED = {
    404: {"access_code_not_found", "noise_threshold_not_found"},
    409: {"duplicate_access_code", "access_code_over", "too_late_to_cancel"},
}
FAULTS = ("refuse", "slow", "silent", "offline", "dead_mid_way")
ALL_DAY = {"starts_daily_at": "00:00:00[Etc/UTC]", "ends_daily_at": "23:59:00[Etc/UTC]"}


@dataclass
class Answered:
    """What the callers were told that there is, over all rounds."""

    attempts: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    thresholds: list[tuple[str, str]] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Things:
    """What there is to be commanded."""

    locks: list[str]
    thermostats: list[str]
    sensors: list[str]
    encoder: str
    cards: list[str]
    users: list[str]


async def press(endpoint: str, token: str, things: Things, answered: Answered, seed: int) -> None:
    """Command everything at random until the server does not answer any more."""

    async def call(chance: random.Random) -> None:
        headers = {"authorization": f"Bearer {token}"}
        # No certificates: reading them in takes longer than the server has to live.
        async with httpx.AsyncClient(base_url=endpoint, headers=headers, timeout=10, verify=False) as client:
            while True:
                path, ask = _something(chance, things, answered)
                try:
                    answer = await client.post(path, json=ask)
                except httpx.TransportError:
                    return
                _note(path, ask, answer, answered)

    await asyncio.gather(*(call(random.Random(f"{seed}/{each}")) for each in range(10)))


def _something(chance: random.Random, things: Things, answered: Answered) -> tuple[str, dict[str, Any]]:
    pin = f"{chance.randrange(10_000):04d}"
    lock = {"device_id": chance.choice(things.locks)}
    thermostat = {"device_id": chance.choice(things.thermostats)}
    sensor = {"device_id": chance.choice(things.sensors)}
    encoder = {"acs_encoder_id": things.encoder}
    decibels = {"noise_threshold_decibels": chance.randrange(40, 90)}
    card = {"acs_credential_id": chance.choice(things.cards)}
    fan = {"fan_mode_setting": chance.choice(("on", "auto"))}
    warmth = {"heating_set_point_celsius": chance.randrange(15, 25)}
    fault = {"fault": chance.choice(FAULTS), "times": 1, "milliseconds": 30}
    ways: list[tuple[int, str, dict[str, Any]]] = [
        (8, "/access_codes/create", {**lock, "code": pin, "name": pin}),
        (2, "/acs/encoders/scan_credential", encoder),
        (2, "/acs/encoders/encode_credential", encoder | card),
        (
            1,
            "/acs/encoders/scan_to_assign_credential",
            {**encoder, "acs_user_id": chance.choice(things.users)},
        ),
        (3, "/thermostats/heat", thermostat | warmth),
        (2, "/thermostats/set_fan_mode", thermostat | fan),
        (3, "/noise_sensors/noise_thresholds/create", sensor | ALL_DAY | decibels),
        (1, "/thumbturn/sandbox/inject_fault", lock | fault),
        (1, "/locks/lock_door", lock),
    ]
    if answered.codes:
        code = {"access_code_id": chance.choice(answered.codes)}
        ways.append((4, "/access_codes/update", {**code, "code": pin}))
        ways.append((4, "/access_codes/delete", code))
    if answered.thresholds:
        device_id, id = chance.choice(answered.thresholds)
        threshold = {"device_id": device_id, "noise_threshold_id": id}
        ways.append((2, "/noise_sensors/noise_thresholds/update", threshold | decibels))
        ways.append((2, "/noise_sensors/noise_thresholds/delete", threshold))
    [(_, path, ask)] = chance.choices(ways, [weight for weight, _, _ in ways])
    return path, ask


def _note(path: str, ask: dict[str, Any], answer: httpx.Response, answered: Answered) -> None:
    body = answer.json()
    if answer.status_code != 200:
        assert body["error"]["type"] in REFUSED.get(answer.status_code, ()), (path, ask, answer.text)
        return
    attempt = body.get("action_attempt")
    if attempt is not None:
        answered.attempts.append(attempt["action_attempt_id"])
        answered.kinds.add(attempt["action_type"])
    if path == "/access_codes/create":
        answered.codes.append(body["access_code"]["access_code_id"])
    if path.endswith("noise_thresholds/create"):
        answered.thresholds.append((ask["device_id"], body["noise_threshold"]["noise_threshold_id"]))
