"""Many callers at once who note what they were answered, until the server dies under them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx

#: (path, weight, extra parameters)
COMMANDS = (
    ("/locks/unlock_door", 8, {}),
    ("/locks/lock_door", 8, {}),
    ("/locks/configure_auto_lock", 2, {"auto_lock_enabled": False}),
    ("/locks/simulate/keypad_code_entry", 1, {"code": "1234"}),
)
#: How long one that is asked for later has to wait: some are cut off before, some after that.
LATER = 1.0
#: Faults that end an attempt soon: a silent lock would keep its lane for half a minute.
FAULTS = ("refuse", "jam", "slow", "lie", "offline")


async def press(endpoint: str, token: str, devices: Sequence[str], seed: int, callers: int = 12) -> list[str]:
    """Command the devices at random until the server does not answer any more; the ids that were answered."""
    answered: list[str] = []

    async def call(chance: random.Random) -> None:
        headers = {"authorization": f"Bearer {token}"}
        # No certificates: reading them in takes longer than the server has to live.
        async with httpx.AsyncClient(base_url=endpoint, headers=headers, timeout=10, verify=False) as client:
            while True:
                device_id = chance.choice(devices)
                if chance.random() < 0.02:
                    fault = {"device_id": device_id, "fault": chance.choice(FAULTS), "times": 1}
                    path, ask = "/thumbturn/sandbox/inject_fault", {**fault, "milliseconds": 20}
                else:
                    [(path, _, extra)] = chance.choices(COMMANDS, [each[1] for each in COMMANDS])
                    ask = {"device_id": device_id, **extra}
                    if chance.random() < 0.1:
                        ask |= {"not_before": _in(LATER * chance.random()), "deadline_seconds": 2}
                if answered and chance.random() < 0.1:
                    path, ask = (
                        "/thumbturn/attempts/cancel",
                        {"action_attempt_id": chance.choice(answered[-50:])},
                    )
                try:
                    answer = await client.post(path, json=ask)
                except httpx.TransportError:
                    return
                if answer.status_code == 409:
                    assert answer.json()["error"]["type"] == "too_late_to_cancel", answer.text
                    continue
                assert answer.status_code == 200, answer.text
                if "action_attempt" in answer.json():
                    answered.append(answer.json()["action_attempt"]["action_attempt_id"])

    await asyncio.gather(*(call(random.Random(f"{seed}/{each}")) for each in range(callers)))
    return answered


def _in(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
