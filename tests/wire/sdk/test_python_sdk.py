"""The official Python SDK, unmodified, against the live server: each flow with both of its clients."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx_retries import Retry
from seam import (
    AsyncSeam,
    Seam,
    SeamActionAttemptFailedError,
    SeamActionAttemptTimeoutError,
    SeamHttpApiError,
    SeamHttpInvalidInputError,
    SeamHttpUnauthorizedError,
    SeamWithoutWorkspace,
)

from tests.fixtures.server import Caller, LiveServer


class Sdk:
    """One of the SDK's clients. ``call`` runs the same line with either of them."""

    def __init__(self, kind: type[Seam | AsyncSeam], **options: Any) -> None:
        self._runner = asyncio.Runner()
        self._kind = kind
        self._seam = kind(**options)

    def call(self, line: Callable[[Any], Any]) -> Any:
        """What the line returns, awaited where the client is the asynchronous one."""

        async def awaited() -> Any:
            found = line(self._seam)
            return await found if inspect.isawaitable(found) else found

        return self._runner.run(awaited()) if self._kind is AsyncSeam else line(self._seam)

    def close(self) -> None:
        """Close the client's connections."""
        if self._kind is AsyncSeam:
            self._runner.run(self._seam.close())
        else:
            self._seam.close()
        self._runner.close()


@pytest.fixture(params=[Seam, AsyncSeam], ids=["sync", "async"])
def kind(request) -> type[Seam | AsyncSeam]:
    return request.param


@pytest.fixture
def sdk(kind, caller: Caller, server: LiveServer) -> Iterator[Sdk]:
    """The SDK with a personal access token, in a sandbox of its own."""
    client = Sdk(
        kind,
        personal_access_token=server.credentials["personal_access_token"],
        workspace_id=caller.workspace_id,
        endpoint=server.endpoint,
    )
    yield client
    client.close()


@pytest.fixture
def door(caller: Caller) -> str:
    return caller.locks()[0]["device_id"]


def test_unlock_waits_for_the_truth(sdk, door):
    """Unlocking returns the finished attempt, confirmed by the device, and the door says so."""
    attempt = sdk.call(lambda seam: seam.locks.unlock_door(device_id=door))
    assert (attempt.status, attempt.action_type) == ("success", "UNLOCK_DOOR")
    assert attempt.result.was_confirmed_by_device is True
    assert sdk.call(lambda seam: seam.locks.get(device_id=door)).properties.locked is False


def test_lock_and_auto_lock(sdk, door):
    """The other commands of a lock end in success as well."""
    assert sdk.call(lambda seam: seam.locks.unlock_door(device_id=door)).status == "success"
    assert sdk.call(lambda seam: seam.locks.lock_door(device_id=door)).status == "success"
    attempt = sdk.call(
        lambda seam: seam.locks.configure_auto_lock(
            device_id=door, auto_lock_enabled=True, auto_lock_delay_seconds=20
        )
    )
    assert (attempt.action_type, attempt.status) == ("CONFIGURE_AUTO_LOCK", "success")
    properties = sdk.call(lambda seam: seam.devices.get(device_id=door)).properties
    assert (properties.auto_lock_enabled, properties.auto_lock_delay_seconds) == (True, 20)


def test_failure_is_raised_with_its_cause(sdk, caller, door):
    """A jammed bolt is raised as the SDK's own error, with our type and sentence."""
    caller.call("/thumbturn/sandbox/inject_fault", device_id=door, fault="jam")
    with pytest.raises(SeamActionAttemptFailedError) as failed:
        sdk.call(lambda seam: seam.locks.unlock_door(device_id=door))
    assert failed.value.code == "lock_jammed"
    assert "bolt" in str(failed.value)
    assert failed.value.action_attempt.status == "error"


def test_timeout_is_raised_while_the_attempt_goes_on(sdk, caller, door):
    """A caller who will not wait gets the SDK's timeout; the attempt ends all the same."""
    caller.call("/thumbturn/sandbox/inject_fault", device_id=door, fault="slow", milliseconds=1_000)
    with pytest.raises(SeamActionAttemptTimeoutError) as late:
        sdk.call(
            lambda seam: seam.locks.unlock_door(
                device_id=door, wait_for_action_attempt={"timeout": 0.2, "polling_interval": 0.1}
            )
        )
    pending = late.value.action_attempt
    assert pending.status == "pending"
    ended = sdk.call(lambda seam: seam.action_attempts.get(action_attempt_id=pending.action_attempt_id))
    assert ended.status == "success"


def test_attempt_can_be_followed_by_hand(sdk, door):
    """Without waiting, the call returns at once, and get tells of the same attempt later."""
    begun = sdk.call(lambda seam: seam.locks.unlock_door(device_id=door, wait_for_action_attempt=False))
    assert begun.status in {"pending", "success"}
    ended = sdk.call(
        lambda seam: seam.action_attempts.get(
            action_attempt_id=begun.action_attempt_id,
            wait_for_action_attempt={"timeout": 5, "polling_interval": 0.05},
        )
    )
    assert (ended.action_attempt_id, ended.status) == (begun.action_attempt_id, "success")


def test_attempts_are_listed(sdk, door):
    """Attempts are found by their ids and by their device."""
    first = sdk.call(lambda seam: seam.locks.unlock_door(device_id=door))
    second = sdk.call(lambda seam: seam.locks.lock_door(device_id=door))
    ids = [first.action_attempt_id, second.action_attempt_id]
    by_id = sdk.call(lambda seam: seam.action_attempts.list(action_attempt_ids=ids[:1]))
    by_device = sdk.call(lambda seam: seam.action_attempts.list(device_id=door))
    assert [attempt.action_attempt_id for attempt in by_id] == ids[:1]
    assert {attempt.action_attempt_id for attempt in by_device} == set(ids)


def test_pages_are_walked(sdk, kind):
    """The SDK's paginator walks our pages and meets each device once."""
    everything = sdk.call(lambda seam: seam.devices.list())

    def walk(seam: Any) -> Any:
        pages = seam.create_paginator(seam.devices.list, {"limit": 2})
        return pages.flatten_to_list()

    walked = [device.device_id for device in sdk.call(walk)]
    assert len(everything) > 2
    assert sorted(walked) == sorted(device.device_id for device in everything)
    assert len(set(walked)) == len(walked)


def test_events_tell_of_the_attempt(sdk, door):
    """The end of the attempt and the change of the bolt are one event each, joined by the attempt's id."""
    attempt = sdk.call(lambda seam: seam.locks.unlock_door(device_id=door))
    events = sdk.call(lambda seam: seam.events.list(device_id=door))
    told = [
        event.event_type
        for event in events
        if getattr(event, "action_attempt_id", None) == attempt.action_attempt_id
    ]
    assert sorted(told) == ["action_attempt.unlock_door.succeeded", "lock.unlocked"]
    again = sdk.call(lambda seam: seam.events.get(event_id=events[0].event_id))
    assert again.event_type == events[0].event_type


def test_keypad_is_simulated(sdk, door):
    """The sandbox presses the keypad of a virtual lock."""
    assert sdk.call(lambda seam: seam.locks.unlock_door(device_id=door)).status == "success"
    attempt = sdk.call(lambda seam: seam.locks.simulate.manual_lock_via_keypad(device_id=door))
    assert attempt.status == "success"
    assert sdk.call(lambda seam: seam.locks.get(device_id=door)).properties.locked is True


def test_device_can_be_named_and_disconnected(sdk, door):
    """A device takes a name and metadata, and a sandbox takes it offline and back."""
    sdk.call(
        lambda seam: seam.devices.update(device_id=door, name="Cellar door", custom_metadata={"floor": "-1"})
    )
    found = sdk.call(lambda seam: seam.devices.get(device_id=door))
    assert (found.display_name, dict(found.custom_metadata)) == ("Cellar door", {"floor": "-1"})
    sdk.call(lambda seam: seam.devices.simulate.disconnect(device_id=door))
    assert sdk.call(lambda seam: seam.devices.get(device_id=door)).properties.online is False
    with pytest.raises(SeamActionAttemptFailedError) as failed:
        sdk.call(lambda seam: seam.locks.unlock_door(device_id=door))
    assert failed.value.code == "device_offline"
    sdk.call(lambda seam: seam.devices.simulate.connect(device_id=door))
    assert sdk.call(lambda seam: seam.locks.unlock_door(device_id=door)).status == "success"


def test_sandbox_is_reset(sdk, door):
    """Resetting a sandbox puts its devices back to how they began."""
    sdk.call(lambda seam: seam.devices.update(device_id=door, name="Cellar door"))
    assert sdk.call(lambda seam: seam.workspaces.reset_sandbox()).status == "success"
    assert sdk.call(lambda seam: seam.devices.get(device_id=door)).display_name != "Cellar door"


def test_invalid_input_names_the_parameter(sdk, door):
    """A value out of bounds is the SDK's invalid input error, with the message at its parameter."""
    with pytest.raises(SeamHttpInvalidInputError) as refused:
        sdk.call(
            lambda seam: seam.locks.configure_auto_lock(
                device_id=door, auto_lock_enabled=True, auto_lock_delay_seconds=100
            )
        )
    assert refused.value.get_validation_error_messages("auto_lock_delay_seconds") == [
        "Number must be less than or equal to 60"
    ]
    assert refused.value.status_code == 400
    assert refused.value.request_id


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (lambda seam: seam.devices.get(device_id="nobody"), "device_not_found"),
        (lambda seam: seam.locks.unlock_door(device_id="august_device_1"), "device_not_found"),
        (lambda seam: seam.action_attempts.get(action_attempt_id="nothing"), "action_attempt_not_found"),
        (lambda seam: seam.events.get(event_id="nothing"), "event_not_found"),
    ],
)
def test_unknown_id_is_not_found(sdk, line, code):
    """An id that fits nothing is 404 with the type of the thing, whatever it looks like."""
    with pytest.raises(SeamHttpApiError) as refused:
        sdk.call(line)
    assert (refused.value.status_code, refused.value.code) == (404, code)
    assert refused.value.request_id


def test_wrong_key_is_unauthorized(kind, server):
    """A key that nobody has is the SDK's unauthorized error, with a request id."""
    client = Sdk(kind, api_key="seam_test_nobody_has_this", endpoint=server.endpoint)
    with pytest.raises(SeamHttpUnauthorizedError) as refused:
        client.call(lambda seam: seam.devices.list())
    assert refused.value.request_id
    client.close()


def test_api_key_opens_its_workspace(kind, server):
    """The API key from credentials.json opens the first workspace."""
    client = Sdk(kind, api_key=server.credentials["api_key"], endpoint=server.endpoint)
    workspace = client.call(lambda seam: seam.workspaces.get())
    assert (workspace.workspace_id, workspace.is_sandbox) == (server.credentials["workspace_id"], True)
    client.close()


def test_workspaces_are_made_and_listed_without_one(server):
    """The client without a workspace makes a workspace and finds it in the list."""
    with SeamWithoutWorkspace(
        personal_access_token=server.credentials["personal_access_token"], endpoint=server.endpoint
    ) as seam:
        made = seam.workspaces.create(name="Made by the SDK", company_name="Example", is_sandbox=True)
        assert made.workspace_id in [workspace.workspace_id for workspace in seam.workspaces.list()]


def test_commands_can_be_repeated_safely(kind, caller: Caller, server: LiveServer):
    """With a key in its options the SDK may repeat a command: it is told of the one attempt."""
    doors = [each["device_id"] for each in caller.locks()]
    clients = [
        Sdk(
            kind,
            personal_access_token=server.credentials["personal_access_token"],
            workspace_id=caller.workspace_id,
            endpoint=server.endpoint,
            httpx_options={"headers": {"Idempotency-Key": "order-4711-front-door"}},
            retries=Retry(total=5, allowed_methods=["GET", "POST"], backoff_factor=0.2),
        )
        for _ in range(2)
    ]
    told = [client.call(lambda seam: seam.locks.unlock_door(device_id=doors[0])) for client in clients]
    assert [attempt.status for attempt in told] == ["success", "success"]
    assert told[0].action_attempt_id == told[1].action_attempt_id
    with pytest.raises(SeamHttpApiError) as refused:
        clients[1].call(lambda seam: seam.locks.unlock_door(device_id=doors[1]))
    assert refused.value.code == "idempotency_key_reused"
    assert len(caller.call("/action_attempts/list")["action_attempts"]) == 1
    for client in clients:
        client.close()


def test_one_who_prefers_to_wait_is_told_the_end(kind, caller: Caller, server: LiveServer):
    """With the header in its options the SDK is answered with the end, and need not ask again."""
    [door, *_] = [each["device_id"] for each in caller.locks()]
    caller.call("/thumbturn/sandbox/inject_fault", device_id=door, fault="slow", milliseconds=1_500, times=1)
    client = Sdk(
        kind,
        personal_access_token=server.credentials["personal_access_token"],
        workspace_id=caller.workspace_id,
        endpoint=server.endpoint,
        wait_for_action_attempt=False,
        httpx_options={"headers": {"Prefer": "wait=20"}},
    )
    told = client.call(lambda seam: seam.locks.unlock_door(device_id=door))
    assert (told.status, told.result.was_confirmed_by_device) == ("success", True)
    client.close()


def test_a_command_for_later_goes_through_the_sdk_s_own_client(sdk, caller, door):
    """What the SDK has no name for can be posted with it; cancelled, the attempt raises like any failure."""
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    ask = {"device_id": door, "not_before": later}
    reply = sdk.call(lambda seam: seam.client.post("/locks/unlock_door", json=ask))
    id = (reply if isinstance(reply, dict) else reply.json())["action_attempt"]["action_attempt_id"]
    caller.call("/thumbturn/attempts/cancel", action_attempt_id=id)
    with pytest.raises(SeamActionAttemptFailedError) as failed:
        sdk.call(lambda seam: seam.action_attempts.get(action_attempt_id=id))
    assert failed.value.code == "cancelled"
