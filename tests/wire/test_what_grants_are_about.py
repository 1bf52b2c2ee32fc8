"""What access grants are about, on the wire: the spaces, identities, systems and devices around them."""

from __future__ import annotations

from tests.fixtures.access import entrances, identity
from tests.fixtures.granted import BACK, FRONT, G, M, granted, look
from thumbturn.domain.clock import seconds


async def test_a_space_that_changed_long_ago_is_not_pending(wire):
    """All was as it should be after a lock left: what is wrong at another lock later is no news of spaces."""
    front, back = await wire.door(FRONT), await wire.door(BACK)
    made = await wire.call("/spaces/create", name="Room", device_ids=[front, back])
    space = {"space_id": made["space"]["space_id"]}
    grant = await granted(wire, "code", space_ids=[space["space_id"]])
    await wire.call("/spaces/remove_devices", **space, device_ids=[back])
    await wire.house.clock.advance(seconds(2))
    assert (await look(wire, grant["access_grant_id"]))["pending_mutations"] == []
    [code] = (await wire.call("/access_codes/list", device_id=front))["access_codes"]
    await wire.call("/devices/simulate/disconnect", device_id=front)
    await wire.call("/access_codes/delete", access_code_id=code["access_code_id"])
    await wire.house.clock.settle()
    assert (await look(wire, grant["access_grant_id"]))["pending_mutations"] == []


async def test_grants_go_with_their_identity_also_those_made_meanwhile(wire):
    """One that is made between the look for grants and the end of the identity is deleted, too."""
    jane, front = (await identity(wire, full_name="Jane"))["user_identity_id"], await wire.door(FRONT)
    access = wire.house.store.access
    remove, made = access.remove, []

    async def meanwhile(*what):
        access.remove = remove
        made.append(await granted(wire, "code", user_identity_id=jane, device_ids=[front]))
        return await remove(*what)

    access.remove = meanwhile
    await wire.call("/user_identities/delete", user_identity_id=jane)
    await wire.house.clock.advance(seconds(5))
    assert len(made) == 1
    assert (await wire.call(f"{G}list"))["access_grants"] == []
    assert (await wire.call("/access_codes/list", device_id=front))["access_codes"] == []


async def test_related_systems_and_devices_are_as_elsewhere(wire):
    """A system says what is wrong with its account; a device that is not managed is not among devices."""
    front, at = await wire.door(FRONT), await entrances(wire)
    grant = await granted(wire, "code", device_ids=[front], acs_entrance_ids=[at[BACK]])
    [account] = (await wire.call("/connected_accounts/list"))["connected_accounts"]
    await wire.call("/devices/update", device_id=front, is_managed=False)
    await wire.call(
        "/connected_accounts/simulate/disconnect", connected_account_id=account["connected_account_id"]
    )
    await wire.house.clock.settle()
    ids = {"access_grant_ids": [grant["access_grant_id"]]}
    batch = (await wire.call(f"{G}get_related", **ids))["batch"]
    systems = (await wire.call("/acs/systems/list"))["acs_systems"]
    assert systems[0]["errors"]
    assert (batch["acs_systems"], batch["devices"]) == (systems, [])
    ids = {"access_method_ids": grant["access_method_ids"]}
    assert (await wire.call(f"{M}get_related", **ids))["batch"]["devices"] == []
