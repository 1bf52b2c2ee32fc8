"""Access control with the official SDKs, unmodified, against the live server: each noun of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from seam import Seam, SeamActionAttemptFailedError, SeamHttpApiError

from tests.fixtures.javascript import run_script
from tests.fixtures.server import Caller, LiveServer

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
    phone = seam.phones.simulate.create_sandbox_phone(**who)
    assert seam.phones.get(device_id=phone.device_id).device_type == "android_phone"
    assert len(seam.phones.list(owner_user_identity_id=jane.user_identity_id)) == 1
    seam.phones.deactivate(device_id=phone.device_id)
    session = seam.client_sessions.create(user_identity_id=jane.user_identity_id)
    assert session.user_identity_ids == [jane.user_identity_id]
    seam.acs.users.suspend(acs_user_id=user.acs_user_id)
    assert seam.acs.users.get(acs_user_id=user.acs_user_id).is_suspended
    seam.user_identities.delete(**who)
    with pytest.raises(SeamHttpApiError) as gone:
        seam.acs.users.get(acs_user_id=user.acs_user_id)
    assert gone.value.code == "acs_user_not_found"


def test_python_takes_over_whom_the_system_knows(seam, caller):
    """Somebody who was added at the system itself is found by the SDK, and managed by it then."""
    [system] = seam.acs.systems.list()
    ask = {"acs_system_id": system.acs_system_id, "full_name": "Ann"}
    user = caller.call("/thumbturn/sandbox/add_acs_user", **ask)["acs_user"]
    [found] = seam.user_identities.unmanaged.list(search="ann")
    who = {"user_identity_id": found.user_identity_id}
    assert seam.user_identities.unmanaged.get(**who).acs_user_ids == [user["acs_user_id"]]
    seam.user_identities.unmanaged.update(**who, is_managed=True, user_identity_key="ann")
    assert seam.user_identities.get(user_identity_key="ann").user_identity_id == found.user_identity_id
    assert seam.user_identities.unmanaged.list() == []


def test_python_encodes_cards(seam):
    """A card is encoded, scanned, spoiled and assigned; what is armed is met as the SDK's own error."""
    [system] = seam.acs.systems.list()
    of_system = {"acs_system_id": system.acs_system_id}
    [encoder] = seam.acs.encoders.list(**of_system)
    at = {"acs_encoder_id": encoder.acs_encoder_id}
    assert seam.acs.encoders.get(**at).display_name == "Front Desk"
    jane = seam.acs.users.create(full_name="Jane", **of_system)
    card = seam.acs.credentials.create(access_method="card", acs_user_id=jane.acs_user_id)
    written = seam.acs.encoders.encode_credential(**at, acs_credential_id=card.acs_credential_id)
    assert (written.action_type, written.status) == ("ENCODE_CREDENTIAL", "success")
    read = seam.acs.encoders.scan_credential(**at)
    assert read.result.acs_credential_on_seam.acs_credential_id == card.acs_credential_id
    assert read.result.warnings == []
    simulate = seam.acs.encoders.simulate
    simulate.next_credential_scan_will_succeed(**at, scenario="credential_does_not_exist_on_seam")
    [warning] = seam.acs.encoders.scan_credential(**at).result.warnings
    assert warning.warning_code == "acs_credential_on_seam_not_found"
    simulate.next_credential_encode_will_fail(**at, error_code="encoding_interrupted")
    with pytest.raises(SeamActionAttemptFailedError) as pulled:
        seam.acs.encoders.encode_credential(**at, acs_credential_id=card.acs_credential_id)
    assert pulled.value.code == "encoding_interrupted"
    simulate.next_credential_scan_will_fail(**at)
    with pytest.raises(SeamActionAttemptFailedError) as missing:
        seam.acs.encoders.scan_credential(**at)
    assert missing.value.code == "no_credential_on_encoder"
    simulate.next_credential_encode_will_succeed(**at)
    assigned = seam.acs.encoders.scan_to_assign_credential(**at, acs_user_id=jane.acs_user_id)
    assert assigned.result.acs_user_id == jane.acs_user_id


def test_javascript_does_all_of_it(caller):
    """The same verbs with the JavaScript SDK."""
    came = run_script(caller, "access.mjs")
    assert came["doors"] == ALL
    assert came["attempt"] == ["UNLOCK_DOOR", "success"]
    assert came["held"] == ["cloud_key", "code"]
    assert came["cards"] == ["ENCODE_CREDENTIAL", "SCAN_CREDENTIAL", "SCAN_TO_ASSIGN_CREDENTIAL"]
    assert came["scanned"] == came["encoded"]
    assert came["phones"] == [1, 0]
    assert came["pulled"] == "encoding_interrupted"
    assert came["gone"] == "acs_user_not_found"
    assert came["unmanaged"] == [True, "user_identity_not_found"]
