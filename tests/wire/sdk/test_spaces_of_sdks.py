"""Spaces with the official SDKs, unmodified, against the live server: each verb of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from seam import Seam, SeamHttpApiError

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


def test_python_sorts_a_house_into_spaces(seam):
    """Spaces are made, filled, looked through, changed and deleted."""
    front, back = seam.locks.list()[:2]
    entrances = [each.acs_entrance_id for each in seam.acs.entrances.list()]
    account = front.connected_account_id
    room = seam.spaces.create(name="Room", space_key="101", device_ids=[front.device_id])
    at = {"space_id": room.space_id}
    seam.spaces.add_devices(**at, device_ids=[back.device_id])
    seam.spaces.add_acs_entrances(**at, acs_entrance_ids=entrances)
    seam.spaces.add_connected_account(**at, connected_account_id=account)
    found = seam.spaces.get(space_key="101")
    assert (found.space_id, found.device_count, found.acs_entrance_count) == (room.space_id, 2, 3)
    inside = seam.devices.list(**at)
    assert sorted(each.device_id for each in inside) == sorted([front.device_id, back.device_id])
    assert inside[0].space_ids == [room.space_id]
    assert len(seam.acs.entrances.list(**at)) == 3
    assert [each.connected_account_id for each in seam.connected_accounts.list(**at)] == [account]
    batch = seam.spaces.get_related(space_ids=[room.space_id], exclude=["connected_accounts"])
    assert (len(batch.devices), len(batch.acs_entrances), len(batch.acs_systems)) == (2, 3, 1)
    seam.spaces.remove_devices(**at, device_ids=[back.device_id])
    seam.spaces.remove_acs_entrances(**at, acs_entrance_ids=entrances)
    seam.spaces.remove_connected_account(**at, connected_account_id=account)
    renamed = seam.spaces.update(**at, name="Suite")
    assert (renamed.name, renamed.device_count, renamed.acs_entrance_count) == ("Suite", 1, 0)
    assert [each.space_id for each in seam.spaces.list(search="suite")] == [room.space_id]
    told = [each.event_type for each in seam.events.list(space_id=room.space_id)]
    moved = "space.device_membership_changed"
    assert told == ["space.created", moved, moved, moved, moved]
    seam.spaces.delete(**at)
    with pytest.raises(SeamHttpApiError) as gone:
        seam.spaces.get(**at)
    assert gone.value.code == "space_not_found"


def test_javascript_does_all_of_it(caller):
    """The same verbs with the JavaScript SDK."""
    assert run_script(caller, "spaces.mjs") == {
        "counts": [2, 3],
        "listed": [2, 3, 1],
        "related": ["acs_entrances", "acs_systems", "connected_accounts", "devices"],
        "left": ["Suite", 0, 0],
        "found": 1,
        "gone": "space_not_found",
    }
