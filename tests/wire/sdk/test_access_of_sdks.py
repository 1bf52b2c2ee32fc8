"""Access control with the official SDKs, unmodified, against the live server: each noun of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from seam import Seam, SeamHttpApiError

from tests.fixtures.server import Caller, LiveServer

HERE = Path(__file__).parent / "js"
ALL = ["Front Door", "Back Door", "Garage Side Door"]


@pytest.fixture
def seam(caller: Caller, server: LiveServer) -> Iterator[Seam]:
    """The Python SDK, in a sandbox of its own."""
    client = Seam(
        personal_access_token=server.credentials["personal_access_token"],
        workspace_id=caller.workspace_id,
        endpoint=server.endpoint,
        wait_for_action_attempt={"timeout": 5, "polling_interval": 0.05},
    )
    yield client
    client.close()


def test_python_lets_somebody_in(seam):
    """An identity with a user, a group, a cloud key and an unlocked door; then all of it is taken away."""
    [system] = seam.acs.systems.list()
    assert seam.acs.systems.get(acs_system_id=system.acs_system_id).name == system.name
    jane = seam.user_identities.create(
        full_name="Jane", email_address="jane@example.com", acs_system_ids=[system.acs_system_id]
    )
    who = {"user_identity_id": jane.user_identity_id}
    [user] = seam.user_identities.list_acs_users(**who)
    residents = seam.acs.access_groups.list(search="residents")[0].acs_access_group_id
    seam.acs.access_groups.add_user(acs_access_group_id=residents, acs_user_id=user.acs_user_id)
    doors = seam.acs.users.list_accessible_entrances(acs_user_id=user.acs_user_id)
    assert [door.display_name for door in doors] == ALL
    assert len(seam.user_identities.list_accessible_entrances(**who)) == 3
    key = seam.acs.credentials.create(access_method="cloud_key", acs_user_id=user.acs_user_id)
    attempt = seam.acs.entrances.unlock(
        acs_credential_id=key.acs_credential_id, acs_entrance_id=doors[1].acs_entrance_id
    )
    assert (attempt.action_type, attempt.status) == ("UNLOCK_DOOR", "success")
    code = seam.acs.credentials.create(access_method="code", code="48151", **who)
    assert seam.acs.credentials.get(acs_credential_id=code.acs_credential_id).code == "48151"
    held = seam.acs.credentials.list(acs_user_id=user.acs_user_id)
    assert [each.access_method for each in held] == ["cloud_key", "code"]
    door = seam.devices.list(search="Back Door")[0].device_id
    seam.user_identities.grant_access_to_device(**who, device_id=door)
    assert [each.device_id for each in seam.user_identities.list_accessible_devices(**who)] == [door]
    session = seam.client_sessions.create(user_identity_id=jane.user_identity_id)
    assert session.user_identity_ids == [jane.user_identity_id]
    seam.acs.users.suspend(acs_user_id=user.acs_user_id)
    assert seam.acs.users.get(acs_user_id=user.acs_user_id).is_suspended
    seam.user_identities.delete(**who)
    with pytest.raises(SeamHttpApiError) as gone:
        seam.acs.users.get(acs_user_id=user.acs_user_id)
    assert gone.value.code == "acs_user_not_found"


def test_javascript_does_all_of_it(caller, server):
    """The same verbs with the JavaScript SDK."""
    node = shutil.which("node")
    assert node, "run `make test`: it installs Node"
    ended = subprocess.run(
        [node, "access.mjs"],
        cwd=HERE,
        env={
            "PATH": os.environ["PATH"],
            "ENDPOINT": server.endpoint,
            "TOKEN": server.credentials["personal_access_token"],
            "WORKSPACE": caller.workspace_id,
        },
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    came = json.loads(ended.stdout)
    assert came["doors"] == ALL
    assert came["attempt"] == ["UNLOCK_DOOR", "success"]
    assert came["held"] == ["cloud_key", "code"]
    assert came["gone"] == "acs_user_not_found"
