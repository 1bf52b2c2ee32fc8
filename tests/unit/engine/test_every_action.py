"""Every action there is, on a sound device and on a bad one, and when the server dies, on both databases.

The rows come from the registry: an action joins with its line in ``SAMPLES``, and what must become of it
follows from what it declares.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from tests.fixtures.engine import ACTIONS, House
from tests.fixtures.postgres import bare_database
from thumbturn.actions import Action
from thumbturn.domain.access import AcsCredential, AcsEntrance, AcsUser
from thumbturn.domain.access_code import CONVERT, DELETE, AccessCode, Slot
from thumbturn.domain.announcing import ANNOUNCED
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.capabilities.encoder import Encoder
from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Device
from thumbturn.domain.ids import new_id
from thumbturn.domain.new_grant import NewGrant, WantedMethod
from thumbturn.domain.noise import thresholds_of
from thumbturn.domain.policy import AfterCrash, WhenOffline
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.access_ports import Wanted
from thumbturn.storage.open import open_store

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Sample(NamedTuple):
    """What is asked of which of a sandbox's first devices."""

    device: str | None
    ask: dict[str, Any]


#: Stands for the id of what the sample's device holds from the beginning.
FIRST_THRESHOLD = "its first threshold"
#: Stand for the ids of a credential for a card, and of its user.
CARD, USER = "a credential for a card", "its user"
#: Stands for the id of an access method that shall have the card with this number.
METHOD, CARD_NUMBER = "an access method", "0815"
THRESHOLD = {
    "name": "Night",
    "starts_daily_at": "22:00:00",
    "ends_daily_at": "07:00:00",
    "noise_threshold_decibels": 60,
}
#: Stands for a code at the sample's lock.
A_CODE = "a code"
SAMPLES = {
    "ACTIVATE_CLIMATE_PRESET": Sample("Living Room", {"climate_preset_key": "away"}),
    "ASSIGN_CREDENTIAL": Sample(None, {"access_method_id": METHOD, "card_number": CARD_NUMBER}),
    "CONFIGURE_AUTO_LOCK": Sample("Back Door", {"auto_lock_enabled": True, "auto_lock_delay_seconds": 30}),
    "CONVERT_ACCESS_CODE_TO_MANAGED": Sample("Back Door", {"access_code_id": A_CODE}),
    "CREATE_ACCESS_CODE": Sample("Back Door", {"access_code_id": A_CODE}),
    "CREATE_NOISE_THRESHOLD": Sample("Terrace", {"noise_threshold_id": "new", **THRESHOLD}),
    "DELETE_ACCESS_CODE": Sample("Back Door", {"access_code_id": A_CODE}),
    "DELETE_NOISE_THRESHOLD": Sample("Terrace", {"noise_threshold_id": FIRST_THRESHOLD}),
    "ENCODE_CREDENTIAL": Sample("Front Desk", {"acs_credential_id": CARD}),
    "LOCK_DOOR": Sample("Storage Room", {}),
    "PUSH_THERMOSTAT_PROGRAMS": Sample("Living Room", {"weekly_program": {}}),
    "RESET_SANDBOX_WORKSPACE": Sample(None, {}),
    "SCAN_CREDENTIAL": Sample("Front Desk", {}),
    "SCAN_TO_ASSIGN_CREDENTIAL": Sample("Front Desk", {"acs_user_id": USER}),
    "SET_FAN_MODE": Sample("Living Room", {"fan_mode_setting": "circulate"}),
    "SET_HVAC_MODE": Sample("Living Room", {"hvac_mode_setting": "cool", "cooling_set_point_celsius": 23.5}),
    "SIMULATE_KEYPAD_CODE_ENTRY": Sample("Back Door", {"code": "1234"}),
    "SIMULATE_MANUAL_LOCK_VIA_KEYPAD": Sample("Back Door", {}),
    "SYNC_ACCESS_CODES": Sample("Back Door", {}),
    "UNLOCK_DOOR": Sample("Back Door", {}),
    "UPDATE_ACCESS_CODE": Sample("Back Door", {"access_code_id": A_CODE}),
    "UPDATE_NOISE_THRESHOLD": Sample("Terrace", {"noise_threshold_id": FIRST_THRESHOLD, "name": "Any"}),
}
#: What one can have of a device that is bad, and of a server that dies.
ON_A_DEVICE = [type for type, action in ACTIONS.items() if action.concerns_device]


async def test_every_action_is_here():
    """An action without a sample fails, and so does a sample without its action."""
    assert SAMPLES.keys() == ACTIONS.keys()


class Place:
    """A workspace of its own in an engine that all tests of a database share."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.workspace = Workspace(id=new_id(), name="Sandbox", is_sandbox=True)

    async def open(self) -> Place:
        """Store it, with its devices."""
        await self.house.engine.add_workspace(self.workspace, user_id=None)
        return self

    def device(self, name: str) -> Device:
        """One of its devices, as the engine knows it."""
        devices = self.house.engine._devices.of_workspace(self.workspace.id)
        return next(device for device in devices if device.name == name)

    async def choose(self, *types: str) -> None:
        """Have the ends of these types announced, too."""
        self.workspace = replace(self.workspace, announced_action_types=frozenset(types))
        await self.house.store.update_workspace(self.workspace)
        self.house.engine.announcing.follow(self.workspace)

    async def begin(self, action: Action) -> Attempt:
        """The action's sample, accepted."""
        sample = SAMPLES[action.type]
        ask = dict(sample.ask)
        if sample.device is not None:
            device = self.device(sample.device)
            ask["device_id"] = device.id
            if {CARD, USER} & set(map(str, ask.values())):
                await self.have_card(device, ask)
            if FIRST_THRESHOLD in ask.values():
                ask["noise_threshold_id"] = next(iter(thresholds_of(device)))
            if A_CODE in ask.values():
                ask["access_code_id"] = await self.keep_code(device, action.type)
        if METHOD in ask.values():
            ask["access_method_id"] = await self.have_method()
        return await self.house.engine.begin(action, action.ask.model_validate(ask), self.workspace)

    async def keep_code(self, device: Device, action_type: str) -> str:
        """A code that is on record for the action to be about, and that nothing else looks after."""
        pins, now = self.house.pins, self.house.clock.now()
        slot = Slot(pin=pins.seal("4711"), pin_key=pins.key_of(device.id, "4711"), name="Jane")
        code = AccessCode(
            id=new_id(),
            workspace_id=device.workspace_id,
            device_id=device.id,
            connected_account_id=device.connected_account_id,
            name=slot.name,
            pin=slot.pin,
            pin_key=slot.pin_key,
            place="by-hand-1",
            created_at=now,
            changed_at=now,
            is_managed=action_type != CONVERT,
            removed_at=now if action_type == DELETE else None,
        )
        if action_type in (CONVERT, DELETE):
            self.house.driver._things[device.id].codes.put("set_code", code.place, slot)
        await self.house.store.access_codes.add((code,), ())
        return code.id

    async def have_method(self) -> str:
        """The id of a new access method that shall have a card, and a card that is nobody's."""
        things = self.house.store.access
        [entrance, *_] = await things.find(AcsEntrance, self.workspace.id, Wanted())
        card = AcsCredential(
            id=new_id(),
            workspace_id=self.workspace.id,
            created_at=1,
            acs_system_id=entrance.acs_system_id,
            connected_account_id=entrance.connected_account_id,
            access_method="card",
            card_number=CARD_NUMBER,
            issued_at=1,
        )
        await things.add(card)
        new = NewGrant(
            user_identity={"full_name": "Jane"},
            acs_entrance_ids=[entrance.id],
            requested=[WantedMethod(mode="card")],
        )
        grant = await self.house.engine.access_grants.create(self.workspace.id, new)
        [method_id] = grant.requested[0].access_method_ids
        return method_id

    async def have_card(self, encoder: Device, ask: dict[str, Any]) -> None:
        """Name a new credential, or a new user, of the encoder's system."""
        of_system: dict[str, Any] = {
            "workspace_id": self.workspace.id,
            "created_at": 1,
            "acs_system_id": encoder.details["acs_system_id"],
            "connected_account_id": encoder.connected_account_id,
        }
        user = AcsUser(id=new_id(), full_name="Jane", **of_system)
        card = AcsCredential(id=new_id(), access_method="card", acs_user_id=user.id, **of_system)
        for thing in (user, card):
            await self.house.store.access.add(thing)
        named = {CARD: card.id, USER: user.id}
        ask |= {name: named.get(value, value) for name, value in ask.items()}

    async def spoil(self, action: Action, fault: str) -> None:
        """Make the sample's device misbehave."""
        device = self.device(SAMPLES[action.type].device or "")
        await self.house.engine.sandbox.inject_fault(self.workspace, device.id, fault, milliseconds=10_000)

    async def stored(self, attempt: Attempt) -> Attempt:
        """The attempt as it stands on record."""
        found: Attempt | None = await self.house.store.attempt(self.workspace.id, attempt.id)
        assert found is not None
        return found

    async def when(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Return when this holds; the database does its work in threads, which no clock of ours waits for."""
        for _ in range(2_000):
            await self.house.clock.settle()
            if await holds():
                return
            await asyncio.sleep(0.001)
        raise AssertionError("it never came to this")

    async def ended(self, attempt: Attempt) -> Attempt:
        """The attempt as it ended, by now."""

        async def has_ended() -> bool:
            return (await self.stored(attempt)).phase.is_final

        await self.when(has_ended)
        return await self.stored(attempt)

    async def ended_within(self, attempt: Attempt, microseconds: int) -> Attempt:
        """The attempt as it ended, once so much time has passed."""
        until = self.house.clock.now() + microseconds
        while self.house.clock.now() < until and not (await self.stored(attempt)).phase.is_final:
            await self.house.clock.advance(seconds(1))
            await asyncio.sleep(0.001)
        return await self.ended(attempt)

    async def announced(self, attempt: Attempt) -> list[str]:
        """What the workspace was told of the attempt's end."""
        events = await self.house.store.events_after(self.workspace.id, 0, limit=1_000)
        return [
            event.event_type
            for _, event in events
            if event.event_type.startswith("action_attempt.") and event.action_attempt_id == attempt.id
        ]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def house(request, tmp_path_factory) -> AsyncIterator[House]:
    """An engine on a database of either kind."""
    folder = tmp_path_factory.mktemp("every_action")
    if request.param == "sqlite":
        store = open_store(f"sqlite:///{folder / 'thumbturn.db'}")
        async for each in opened(folder, store):
            yield each
        return
    with bare_database(request.getfixturevalue("postgres_server")) as url:
        async for each in opened(folder, open_store(url)):
            yield each


async def opened(folder: Any, store: Any) -> AsyncIterator[House]:
    house = House(folder / "world.jsonl", store)
    await house.open()
    yield house
    await house.die()
    await store.close()


@pytest_asyncio.fixture(loop_scope="module")
async def place(house: House) -> Place:
    return await Place(house).open()


@pytest.mark.parametrize("type", ACTIONS)
async def test_on_a_sound_device_it_succeeds(place, type):
    """It ends in success with the result that it documents, confirmed, and is announced if its type is."""
    action = ACTIONS[type]
    attempt = await place.begin(action)
    ended = await place.ended_within(attempt, seconds(10))
    assert (ended.status, ended.failure) == ("success", None)
    action.result.model_validate(ended.result)
    assert ended.evidence.confirms
    assert [mark.stage for mark in ended.marks][:: len(ended.marks) - 1] == ["accepted", "settled"]
    assert await place.announced(attempt) == (
        [f"action_attempt.{type.lower()}.succeeded"] if type in ANNOUNCED else []
    )


@pytest.mark.parametrize("type", ON_A_DEVICE)
async def test_what_a_device_refuses_fails(place, type):
    """The device's own no is the attempt's end, and is announced if its type is."""
    await place.spoil(ACTIONS[type], "refuse")
    attempt = await place.begin(ACTIONS[type])
    ended = await place.ended(attempt)
    assert ended.failure is not None
    assert (ended.status, ended.failure[0], ended.result) == ("error", "command_refused", None)
    assert await place.announced(attempt) == (
        [f"action_attempt.{type.lower()}.failed"] if type in ANNOUNCED else []
    )


@pytest.mark.parametrize("type", ACTIONS)
async def test_a_workspace_that_chose_it_is_told_of_its_success(place, type):
    """Of whatever type: its good end is told once, as an event of its own, where the workspace wants that."""
    await place.choose(type)
    attempt = await place.begin(ACTIONS[type])
    await place.ended_within(attempt, seconds(10))
    assert await place.announced(attempt) == [f"action_attempt.{type.lower()}.succeeded"]


@pytest.mark.parametrize("type", ON_A_DEVICE)
async def test_a_workspace_that_chose_all_is_told_of_its_failure(place, type):
    """Of whatever type: its bad end is told once, where the workspace wants all of them."""
    await place.choose("*")
    await place.spoil(ACTIONS[type], "refuse")
    attempt = await place.begin(ACTIONS[type])
    await place.ended(attempt)
    assert await place.announced(attempt) == [f"action_attempt.{type.lower()}.failed"]


@pytest.mark.parametrize("type", ON_A_DEVICE)
async def test_a_device_that_is_offline_is_left_alone_or_waited_for(place, type):
    """It fails at once, or waits until the device is back and succeeds: as it declares."""
    action = ACTIONS[type]
    device = place.device(SAMPLES[type].device)
    await place.house.engine.sandbox.disconnect(place.workspace, device.id)
    attempt = await place.begin(action)
    if action.when_offline is WhenOffline.FAIL:
        ended = await place.ended(attempt)
        assert ended.failure is not None
        assert (ended.status, ended.failure[0]) == ("error", "device_offline")
        return
    await place.house.clock.advance(action.deadline // 2)
    assert (await place.stored(attempt)).phase == "queued"
    await place.house.engine.sandbox.connect(place.workspace, device.id)
    assert (await place.ended(attempt)).status == "success"


@pytest.mark.parametrize("type", ON_A_DEVICE)
async def test_of_a_device_that_says_nothing_nobody_knows(place, type):
    """No reply and no report: its outcome is unknown, at its deadline at the latest."""
    action = ACTIONS[type]
    await place.spoil(action, "silent")
    ended = await place.ended_within(await place.begin(action), action.deadline + seconds(2))
    assert ended.failure is not None
    assert (ended.status, ended.failure[0]) == ("error", "outcome_unknown")


@pytest.mark.parametrize("type", ON_A_DEVICE)
async def test_when_the_server_dies_under_way_it_is_settled_as_declared(place, type):
    """What may be done twice is done again, what can be looked at is looked at, the rest nobody knows."""
    action = ACTIONS[type]
    await place.spoil(action, "slow")
    attempt = await place.begin(action)
    assert (await place.stored(attempt)).phase == "sent"
    await place.house.revive()
    ended = await place.ended_within(attempt, seconds(10))
    stages = [mark.stage for mark in ended.marks]
    assert ("resent" in stages) is (action.after_crash is AfterCrash.RESEND)
    if action.after_crash is AfterCrash.FAIL:
        assert ended.failure is not None
        again = "card_to_be_presented_again" if action.needs is Encoder else "outcome_unknown"
        assert (ended.status, ended.failure[0]) == ("error", again)
    else:
        assert (ended.status, ended.failure) == ("success", None)
