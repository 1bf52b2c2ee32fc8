"""The official SDKs and the svix library as receivers: each makes its webhook, and believes what comes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import svix
from seam import AsyncSeam, Seam, SeamHttpApiError, SeamWebhook, SeamWebhookVerificationError

from tests.fixtures.server import Caller, LiveServer

HERE = Path(__file__).parent / "js"


@pytest.fixture
def seam(caller: Caller, server: LiveServer) -> Iterator[Seam]:
    token = server.credentials["personal_access_token"]
    client = Seam(personal_access_token=token, workspace_id=caller.workspace_id, endpoint=server.endpoint)
    yield client
    client.close()


def unlock(caller: Caller) -> str:
    """Unlock a door and answer the id of the attempt."""
    door = caller.locks()[0]["device_id"]
    attempt = caller.call("/locks/unlock_door", device_id=door, sync=True)["action_attempt"]
    return str(attempt["action_attempt_id"])


def test_python_sdk_looks_after_webhooks(seam, receiver):
    """create, get, list, update and delete of the Python SDK do what they say."""
    made = seam.webhooks.create(url=receiver.url(), event_types=["lock.locked"])
    assert made.url == receiver.url()
    assert made.secret.startswith("whsec_")
    assert seam.webhooks.get(webhook_id=made.webhook_id) == made
    seam.webhooks.update(webhook_id=made.webhook_id, event_types=["lock.unlocked"])
    [listed] = seam.webhooks.list()
    assert (listed.webhook_id, listed.event_types) == (made.webhook_id, ["lock.unlocked"])
    seam.webhooks.delete(webhook_id=made.webhook_id)
    assert seam.webhooks.list() == []
    with pytest.raises(SeamHttpApiError) as refused:
        seam.webhooks.get(webhook_id=made.webhook_id)
    assert (refused.value.status_code, refused.value.code) == (404, "webhook_not_found")


async def test_asynchronous_python_sdk_looks_after_webhooks(caller, server, receiver):
    """The asynchronous client of the Python SDK can do the same."""
    token = server.credentials["personal_access_token"]
    async with AsyncSeam(
        personal_access_token=token, workspace_id=caller.workspace_id, endpoint=server.endpoint
    ) as seam:
        made = await seam.webhooks.create(url=receiver.url())
        await seam.webhooks.update(webhook_id=made.webhook_id, event_types=["*"])
        assert await seam.webhooks.list() == [made]
        await seam.webhooks.delete(webhook_id=made.webhook_id)
        assert await seam.webhooks.list() == []


def test_python_receivers_believe_what_comes(seam, caller, receiver):
    """SeamWebhook and svix verify each delivery, and what was tampered with they do not believe."""
    made = seam.webhooks.create(url=receiver.url(), event_types=["action_attempt.unlock_door.succeeded"])
    attempt_id = unlock(caller)
    [came] = receiver.wait_for(1)
    event = SeamWebhook(made.secret).verify(came.body, came.headers)
    assert (event.event_type, event.action_attempt_id) == (
        "action_attempt.unlock_door.succeeded",
        attempt_id,
    )
    assert came.event == caller.call("/events/get", event_id=event.event_id)["event"]
    assert svix.Webhook(made.secret).verify(came.body, came.headers)["event_id"] == event.event_id
    assert came.headers["content-type"] == "application/json"
    tampered = came.body.replace("succeeded", "failed", 1)
    with pytest.raises(SeamWebhookVerificationError):
        SeamWebhook(made.secret).verify(tampered, came.headers)


def test_javascript_sdk_makes_and_believes(caller, server, receiver):
    """The JavaScript SDK looks after webhooks; SeamWebhook, svix and standardwebhooks believe them."""
    made = javascript(server, caller, "webhooks", URL=receiver.url())
    assert made["listed"] == [[made["webhook_id"], ["lock.unlocked"]]]
    unlock(caller)
    [came] = receiver.wait_for(1)
    seen = javascript(
        server, caller, "verify", SECRET=made["secret"], BODY=came.body, HEADERS=json.dumps(came.headers)
    )
    assert seen == {
        "seam": "lock.unlocked",
        "svix": "lock.unlocked",
        "standard": "lock.unlocked",
        "tampered": "WebhookVerificationError",
    }
    assert javascript(server, caller, "forget", WEBHOOK=made["webhook_id"]) == {"listed": []}


def test_both_secrets_verify_while_one_takes_over(seam, caller, receiver):
    """Deliveries verify with the secret before the last, too, for as long as the caller wants it."""
    made = seam.webhooks.create(url=receiver.url(), event_types=["lock.unlocked"])
    rotate = {"webhook_id": made.webhook_id}
    new = caller.call("/thumbturn/webhooks/rotate_secret", **rotate)["webhook"]["secret"]
    assert new != made.secret
    assert seam.webhooks.get(webhook_id=made.webhook_id).secret == new
    unlock(caller)
    [came] = receiver.wait_for(1)
    for secret in (made.secret, new):
        assert SeamWebhook(secret).verify(came.body, came.headers).event_type == "lock.unlocked"
    newest = caller.call("/thumbturn/webhooks/rotate_secret", **rotate, overlap_seconds=0)
    caller.call("/locks/lock_door", device_id=caller.locks()[0]["device_id"], sync=True)
    unlock(caller)
    came = receiver.wait_for(2)[1]
    assert SeamWebhook(newest["webhook"]["secret"]).verify(came.body, came.headers)
    for secret in (made.secret, new):
        with pytest.raises(SeamWebhookVerificationError):
            SeamWebhook(secret).verify(came.body, came.headers)


def javascript(server: LiveServer, caller: Caller, flow: str, **more: str) -> Any:
    """What a flow of js/webhooks.mjs printed."""
    node = shutil.which("node")
    assert node, "run `make test`: it installs Node"
    environment = {
        "PATH": os.environ["PATH"],
        "ENDPOINT": server.endpoint,
        "TOKEN": server.credentials["personal_access_token"],
        "WORKSPACE": caller.workspace_id,
        **more,
    }
    ended = subprocess.run(
        [node, "webhooks.mjs", flow],
        cwd=HERE,
        env=environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)
