"""What a change keeps when its texts are made such as every database can keep."""

from __future__ import annotations

from dataclasses import fields, replace

from tests.fixtures.stores import a_device, an_event
from thumbturn.engine.ports import Change
from thumbturn.engine.storable import storable


def test_nothing_of_a_change_is_lost():
    """Odd characters are replaced, and all else of a change is as it was."""
    change = Change(
        devices=(a_device("w1", 1, state={"said": "o\0dd"}),),
        events=(an_event(payload={"said": ["o\0dd"]}),),
        names_codes=True,
    )
    mended = storable(change)
    assert "\0" not in str(mended.devices) + str(mended.events)
    plain = a_device("w1", 1, state={})
    same = {
        "devices": (plain,),
        "events": (change.events[0]._replace(payload={}),),
    }
    mended = replace(
        mended,
        devices=(replace(mended.devices[0], state={}),),
        events=(mended.events[0]._replace(payload={}),),
    )
    for each in fields(Change):
        expected = same.get(each.name, getattr(change, each.name))
        assert getattr(mended, each.name) == expected, each.name
