"""Access codes with the official SDKs, unmodified, against the live server: every verb that there is."""

from __future__ import annotations

import time
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
        wait_for_action_attempt={"timeout": 5, "polling_interval": 0.05},
    )
    yield client
    client.close()


def when_set(seam: Seam, access_code_id: str):
    """The code once it is set: the SDK does not wait for codes."""
    for _ in range(100):
        code = seam.access_codes.get(access_code_id=access_code_id)
        if code.status == "set":
            return code
        time.sleep(0.05)
    raise AssertionError(f"it stayed {code.status}")


def test_python_keeps_codes(seam):
    """A code is made, found, changed, pulled a backup for and deleted; several are made together."""
    codes = seam.access_codes
    front, back = (seam.locks.get(name=name).device_id for name in ("Front Door", "Back Door"))
    assert len(codes.generate_code(device_id=front).code) == 4
    codes.report_device_constraints(device_id=front, supported_code_lengths=[4, 5])
    code = codes.create(device_id=front, name="Jane", code="47115", use_backup_access_code_pool=True)
    id = code.access_code_id
    assert (code.code, code.type) == ("47115", "ongoing")
    assert when_set(seam, id).name == "Jane"
    codes.update(access_code_id=id, starts_at="2025-01-01T00:00:00Z", ends_at="2100-01-01T00:00:00Z")
    for _ in range(100):
        if codes.get(access_code_id=id).is_backup_access_code_available:
            break
        time.sleep(0.05)
    assert codes.pull_backup_access_code(access_code_id=id).is_backup is True
    with pytest.raises(SeamHttpApiError) as taken:
        codes.create(device_id=front, code="47115")
    assert taken.value.code == "duplicate_access_code"
    together = codes.create_multiple(device_ids=[front, back], name="Guests", preferred_code_length=4)
    assert len({each.code for each in together}) == 1
    codes.update_multiple(common_code_key=together[0].common_code_key, name="Others")
    assert {each.name for each in codes.list(search="others")} == {"Others"}
    codes.delete(access_code_id=id)
    for _ in range(100):
        if id not in [each.access_code_id for each in codes.list(device_id=front)]:
            break
        time.sleep(0.05)
    told = [event.event_type for event in seam.events.list(access_code_id=id)]
    assert (told[0], told[-1]) == ("access_code.created", "access_code.deleted")


def test_python_takes_over_a_code(seam):
    """A code that somebody set at a lock is found, converted and looked after."""
    codes, front = seam.access_codes, seam.locks.get(name="Front Door").device_id
    made = codes.simulate.create_unmanaged_access_code(device_id=front, code="2468", name="Cleaner")
    id = made.access_code_id
    assert [each.access_code_id for each in codes.unmanaged.list(device_id=front)] == [id]
    assert codes.unmanaged.get(access_code_id=id).code == "2468"
    codes.unmanaged.convert_to_managed(access_code_id=id)
    assert when_set(seam, id).is_managed is True
    other = codes.simulate.create_unmanaged_access_code(device_id=front, code="1357", name="Cleaner")
    codes.unmanaged.delete(access_code_id=other.access_code_id)
    third = codes.simulate.create_unmanaged_access_code(device_id=front, code="8642", name="Cleaner")
    codes.unmanaged.update(access_code_id=third.access_code_id, is_managed=True)
    assert when_set(seam, third.access_code_id).name == "Cleaner"


def test_javascript_does_all_of_it(caller):
    """The same verbs with the JavaScript SDK."""
    came = run_script(caller, "access_codes.mjs")
    assert came["made"] == ["4711", "ongoing"]
    assert came["set"] == ["set", "Joe"]
    assert came["together"] == 1
    assert came["unmanaged"] == ["2468"]
    assert came["converted"] is True
    assert came["generated"] == 4
    assert came["refusal"] == "duplicate_access_code"
    assert came["gone"] == "access_code_not_found"
