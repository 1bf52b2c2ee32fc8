"""Codes of several locks with one PIN, codes that are changed, and backups that stand ready."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fixtures.codes import DAY, HOUR, ME, NATIVE, PLAIN
from thumbturn.domain.clock import seconds
from thumbturn.domain.pin import REPORTED, InvalidPin
from thumbturn.domain.refusals import DeviceUnmanaged
from thumbturn.engine import several_codes
from thumbturn.engine.access_code_ports import CodeFilter
from thumbturn.engine.access_codes import NewCode
from thumbturn.engine.backup_pool import POOL_SIZE, AccessCodeNotTimeBound, BackupNotFound
from thumbturn.engine.code_refusals import AccessCodeIsOver, AccessCodeNotFound, DuplicateAccessCode


async def doors(codes) -> list[str]:
    return [(await codes.house.device(name)).id for name in (PLAIN, NATIVE)]


async def test_several_locks_get_one_pin(codes):
    """A PIN that was made up is the same at each, and they can be changed together by their key."""
    several = codes.house.engine.several_codes
    made = await several.create("w1", await doors(codes), NewCode(name="Guests"), "throw", ME)
    await codes.house.clock.settle()
    assert len({codes.house.pins.open(code.pin) for code in made}) == 1
    [key] = {code.common_code_key for code in made}
    assert key is not None
    await several.update("w1", key, {"name": "Others"}, ME)
    await codes.house.clock.settle()
    assert [(await codes.all.get("w1", code.id)).facts.held.name for code in made] == ["Others"] * 2
    with pytest.raises(AccessCodeNotFound):
        await several.update("w2", key, {"name": "Strangers"}, ME)


async def test_several_codes_are_made_or_none(codes):
    """If one lock cannot have the PIN, none gets it; or that one gets another, if it was asked for."""
    several = codes.house.engine.several_codes
    taken, _ = await codes.create(NATIVE, pin="4711")
    with pytest.raises(DuplicateAccessCode):
        await several.create("w1", await doors(codes), NewCode(pin="4711"), "throw", ME)
    found = await codes.all.listed("w1", CodeFilter(), limit=10)
    assert [code.id for code in found] == [taken]
    made = await several.create("w1", await doors(codes), NewCode(pin="4711"), "create_random_code", ME)
    pins = [codes.house.pins.open(code.pin) for code in made]
    assert pins[0] == "4711" != pins[1]
    assert [code.common_code_key for code in made] == [None, None], "its caller chose the PIN"


async def test_code_must_be_one_that_its_lock_takes(codes):
    """Of a length that it supports, and within its constraints; what the message says is not the PIN."""
    for pin in ("47119", "7777"):
        with pytest.raises(InvalidPin) as refused:
            await codes.create(NATIVE, pin=pin)
        assert pin not in str(refused.value)


@pytest.mark.parametrize(("lengths", "made"), [([6, 20], 6), ([12, 13], 12), ([13, 20], None)])
async def test_pin_that_is_made_up_may_be_chosen(codes, lengths, made):
    """No longer than one that a caller may give: what is shown as one that fits can be created."""
    house = codes.house
    device = await house.device(PLAIN)
    await house.engine.change_device(
        "w1", device.id, lambda known: replace(known, settings={**known.settings, REPORTED: lengths})
    )
    details = {**device.details, "supported_code_lengths": lengths}
    await house.engine.change_device("w1", device.id, lambda known: replace(known, details=details))
    if made is None:
        with pytest.raises(InvalidPin):
            await codes.all.generate("w1", device.id)
        with pytest.raises(InvalidPin):
            await codes.create(pin=None, preferred_length=13)
    else:
        assert len(house.pins.open((await codes.all.generate("w1", device.id)).pin)) == made


async def test_more_codes_than_can_be_changed_together_are_not_changed(codes, monkeypatch):
    """All or none: of too many that share a key none is changed."""
    several = codes.house.engine.several_codes
    made = await several.create("w1", await doors(codes), NewCode(name="Guests"), "throw", ME)
    key = made[0].common_code_key
    monkeypatch.setattr(several_codes, "MOST_TOGETHER", 1)
    with pytest.raises(several_codes.TooManyCodesTogether):
        await several.update("w1", key, {"name": "Others"}, ME)
    assert [(await codes.all.get("w1", code.id)).name for code in made] == ["Guests"] * 2
    monkeypatch.setattr(several_codes, "MOST_TOGETHER", 2)
    await several.update("w1", key, {"name": "Others"}, ME)
    assert [(await codes.all.get("w1", code.id)).name for code in made] == ["Others"] * 2


async def test_change_is_at_the_lock_when_its_attempt_succeeds(codes):
    """PIN, name and times are changed here at once, and then there; what changed is told once."""
    code_id, _ = await codes.create()
    attempt = await codes.all.update("w1", code_id, {"pin": "0815", "name": "Jane"}, ME)
    await codes.house.clock.settle()
    assert (await codes.house.stored(attempt)).status == "success"
    assert await codes.at_lock() == {code_id: "0815"}
    assert (await codes.told())[2:] == [
        "mutations_requested",
        "changed",
        "code_changed",
        "name_changed",
        "set_on_device",
    ]


async def test_times_of_a_code_are_changed(codes):
    """Moved later it leaves its lock until then; moved to now it is there; without times it stays."""
    clock = codes.house.clock
    start = clock.now() + DAY
    code_id, first = await codes.create(starts_at=start, ends_at=start + DAY)
    await codes.all.update("w1", code_id, {"starts_at": clock.now(), "ends_at": start}, ME)
    await clock.settle()
    assert (await codes.house.stored(first)).failure[0] == "cancelled", "something else was to be done"
    assert await codes.at_lock() == {code_id: "4711"}
    await codes.all.update("w1", code_id, {"starts_at": start, "ends_at": start + DAY}, ME)
    await clock.settle()
    assert (await codes.status(code_id), await codes.at_lock()) == ("unset", {})
    await clock.advance(DAY - HOUR + seconds(1))
    assert (await codes.status(code_id), await codes.at_lock()) == ("set", {code_id: "4711"})
    await codes.all.update("w1", code_id, {"starts_at": None, "ends_at": None}, ME)
    await clock.advance(10 * DAY)
    assert (await codes.status(code_id), await codes.at_lock()) == ("set", {code_id: "4711"})


async def test_what_is_being_removed_cannot_be_changed(codes):
    """It stays as it was, and is deleted once only."""
    code_id, _ = await codes.create()
    device = await codes.house.device(PLAIN)
    await codes.house.engine.sandbox.disconnect(codes.house.workspace, device.id)
    await codes.all.delete("w1", code_id, ME)
    with pytest.raises(AccessCodeIsOver):
        await codes.all.update("w1", code_id, {"name": "Jane"}, ME)
    await codes.all.delete("w1", code_id, ME)
    await codes.house.engine.sandbox.connect(codes.house.workspace, device.id)
    await codes.house.clock.settle()
    assert (await codes.told()).count("deleted") == 1


async def test_what_never_was_at_its_lock_is_gone_at_once(codes):
    """Also while the lock is offline: there is nothing to remove."""
    start = codes.house.clock.now() + DAY
    code_id, _ = await codes.create(starts_at=start, ends_at=start + DAY)
    device = await codes.house.device(PLAIN)
    await codes.house.engine.sandbox.disconnect(codes.house.workspace, device.id)
    await codes.all.delete("w1", code_id, ME)
    assert await codes.status(code_id) == "gone"
    assert await codes.told() == ["created", "mutations_requested", "deleted"]


async def test_backup_takes_the_place_of_a_code(codes):
    """It is at the lock already, ends with the code, is always the same, and is replaced in the pool."""
    house = codes.house
    device = await house.device(PLAIN)
    end = house.clock.now() + DAY
    code_id, _ = await codes.create(starts_at=house.clock.now(), ends_at=end, uses_backup_pool=True)
    with pytest.raises(BackupNotFound):
        await house.engine.backup_pool.pull("w1", code_id)
    await house.engine.backup_pool.use(device)
    await house.clock.settle()
    assert len(await codes.at_lock()) == 1 + POOL_SIZE
    code, backup = await house.engine.backup_pool.pull("w1", code_id)
    assert (backup.ends_at, code.pulled_backup_id, backup.is_backup) == (end, backup.id, True)
    assert (await house.engine.backup_pool.pull("w1", code_id))[1].id == backup.id
    await house.clock.settle()
    assert len(await codes.at_lock()) == 2 + POOL_SIZE
    assert (await codes.told()).count("backup_access_code_pulled") == 1
    await house.clock.advance(DAY + seconds(2))
    assert len(await codes.at_lock()) == POOL_SIZE
    assert await codes.status(backup.id) == "gone"


async def test_only_a_code_with_an_end_has_a_backup(codes):
    """Else the backup would have none either."""
    code_id, _ = await codes.create()
    with pytest.raises(AccessCodeNotTimeBound):
        await codes.house.engine.backup_pool.pull("w1", code_id)


async def test_codes_follow_their_device(codes):
    """While it is not managed its codes are left as they are; taken back, what was missed is made up for."""
    house = codes.house
    device = await house.device(PLAIN)
    end = house.clock.now() + HOUR
    code_id, _ = await codes.create(starts_at=house.clock.now(), ends_at=end)

    def managed(is_managed: bool):
        return house.engine.change_device(
            "w1", device.id, lambda known: replace(known, is_managed=is_managed)
        )

    later, _ = await codes.create(pin="1357", starts_at=end, ends_at=end + DAY)
    await managed(False)
    await house.clock.advance(2 * HOUR)
    assert await codes.at_lock() == {code_id: "4711", later: "1357"}
    assert {each.id for each in await codes.all.listed("w1", CodeFilter(is_managed=False), limit=9)} == {
        code_id,
        later,
    }
    assert await codes.all.listed("w1", CodeFilter(is_managed=True), limit=9) == []
    with pytest.raises(AccessCodeNotFound):
        await codes.all.get("w1", code_id)
    with pytest.raises(DeviceUnmanaged):
        await codes.all.delete("w1", code_id, ME, is_managed=False)
    assert (await codes.all.get("w1", code_id, is_managed=False)).removed_at is None
    await managed(True)
    await house.clock.settle()
    assert await codes.at_lock() == {later: "1357"}
    assert (await codes.told()).count("unmanaged.created") == 2
    assert (await codes.told()).count("unmanaged.converted_to_managed") == 2
    assert (await codes.told())[-2:] == ["removed_from_device", "deleted"]
