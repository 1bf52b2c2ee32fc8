"""``/locks``: looking at locks. Moving them follows from the actions."""

from __future__ import annotations

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.listing import DeviceGet, DeviceList, find_device, list_devices
from thumbturn.api.pages import Pages
from thumbturn.api.wire.device import Device
from thumbturn.api.wire.pagination import Pagination
from thumbturn.engine.ports import Store


@endpoint({"device": Device, "lock": Device})
async def get(ask: DeviceGet, caller: Caller, store: Store) -> Answer:
    """Returns a lock."""
    lock = await find_device(ask, caller, store, capability="lock")
    return {"device": lock, "lock": lock}


@endpoint({"devices": list[Device], "locks": list[Device], "pagination": Pagination})
async def list_(ask: DeviceList, caller: Caller, store: Store, pages: Pages) -> Answer:
    """Lists locks, oldest first."""
    locks, pagination = await list_devices(ask, caller, store, pages, capability="lock")
    return {"devices": locks, "locks": locks, "pagination": pagination}
