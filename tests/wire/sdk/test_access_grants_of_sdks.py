"""Access grants with the official SDKs, unmodified, against the live server: each verb of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from seam import Seam, SeamActionAttemptFailedError, SeamHttpApiError

from tests.fixtures.javascript import run_script
from tests.fixtures.server import Caller, LiveServer


@pytest.fixture
def seam(caller: Caller, server: LiveServer) -> Iterator[Seam]:
    """The Python SDK, in a sandbox of its own."""
    client = Seam(
        personal_access_token=server.credentials["personal_access_token"],
        workspace_id=caller.workspace_id,
        endpoint=server.endpoint,
    )
    yield client
    client.close()


def soon(holds: Callable[[], bool]) -> None:
    """Return when this holds."""
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until, "it never came to this"
        time.sleep(0.05)


def test_python_lets_somebody_in(seam):
    """A grant is made, looked at, changed and deleted, with a code at a lock and what rests on it."""
    [back] = [each for each in seam.locks.list() if each.display_name == "Back Door"]
    grant = seam.access_grants.create(
        user_identity={"full_name": "Jane"},
        device_ids=[back.device_id],
        access_grant_key="stay",
        requested_access_methods=[{"mode": "code", "code": "4711"}],
    )
    id = grant.access_grant_id
    [method_id] = grant.access_method_ids
    soon(lambda: seam.access_methods.get(access_method_id=method_id).is_issued)
    assert seam.access_methods.get(access_method_id=method_id).code == "4711"
    assert [each.access_grant_id for each in seam.access_grants.list(device_id=back.device_id)] == [id]
    seam.access_grants.update(access_grant_id=id, name="Suite", ends_at="2100-01-01T00:00:00Z")
    changed = seam.access_grants.get(access_grant_key="stay")
    assert (changed.name, changed.ends_at) == ("Suite", "2100-01-01T00:00:00.000Z")
    [code] = seam.access_codes.list(access_grant_id=id)
    assert (code.name, code.type) == ("Suite", "time_bound")
    related = seam.access_grants.get_related(access_grant_ids=[id], include=["devices", "access_methods"])
    assert ([each["device_id"] for each in related.devices], len(related.access_methods)) == (
        [back.device_id],
        1,
    )
    seam.access_grants.delete(access_grant_id=id)
    soon(lambda: seam.access_grants.list(access_grant_ids=[id]) == [])
    with pytest.raises(SeamHttpApiError) as gone:
        seam.access_grants.get(access_grant_id=id)
    assert gone.value.code == "access_grant_not_found"
    told = [each.event_type for each in seam.events.list(access_grant_id=id)]
    assert (told[0], told[-1]) == ("access_grant.created", "access_grant.deleted")
    assert len(told) == len(set(told))


def test_python_hands_out_cards_and_keys(seam):
    """Doors are unlocked by a cloud key, cards encoded and assigned; the SDK waits for each attempt."""
    entrance = seam.acs.entrances.list()[0]
    [encoder] = seam.acs.encoders.list()
    grant = seam.access_grants.create(
        user_identity={"full_name": "Joe"},
        acs_entrance_ids=[entrance.acs_entrance_id],
        requested_access_methods=[{"mode": "cloud_key"}],
    )
    [key_id] = grant.access_method_ids
    at = {"access_method_id": key_id, "acs_entrance_id": entrance.acs_entrance_id}
    assert seam.access_methods.unlock_door(**at).action_type == "UNLOCK_DOOR"
    more = seam.access_grants.request_access_methods(
        access_grant_id=grant.access_grant_id, requested_access_methods=[{"mode": "card"}]
    )
    [card_id] = set(more.access_method_ids) - {key_id}
    assert seam.access_methods.get(access_method_id=card_id).is_encoding_required
    encoded = seam.access_methods.encode(access_method_id=card_id, acs_encoder_id=encoder.acs_encoder_id)
    assert (encoded.action_type, encoded.status) == ("ENCODE_CREDENTIAL", "success")
    assert seam.access_methods.get(access_method_id=card_id).is_issued
    with pytest.raises(SeamActionAttemptFailedError) as failed:
        seam.access_methods.assign_card(access_method_id=card_id, card_number="nobody's")
    assert failed.value.code == "credential_not_found"
    taken = seam.access_methods.assign_card(access_method_id=card_id, card_number=encoded.result.card_number)
    assert (taken.action_type, taken.status) == ("ASSIGN_CREDENTIAL", "success")
    assert len(seam.access_methods.get_related(access_method_ids=[card_id]).acs_credentials) == 1
    seam.access_methods.delete(access_method_id=card_id)
    left = seam.access_methods.list(access_grant_id=grant.access_grant_id)
    assert [each.access_method_id for each in left] == [key_id]
    assert seam.access_grants.unmanaged.list() == []
    assert seam.access_methods.unmanaged.list(access_grant_id=grant.access_grant_id) == []


def test_javascript_does_all_of_it(caller):
    """The same verbs with the JavaScript SDK."""
    assert run_script(caller, "access_grants.mjs") == {
        "modes": ["card", "cloud_key", "code"],
        "attempts": ["UNLOCK_DOOR", "ENCODE_CREDENTIAL", "ASSIGN_CREDENTIAL"],
        "failed": "credential_not_found",
        "changed": ["Suite", "2100-01-01T00:00:00.000Z"],
        "related": ["access_methods", "acs_entrances", "devices"],
        "left": 2,
        "gone": "access_grant_not_found",
    }
