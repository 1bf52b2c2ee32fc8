"""``/thermostats``: looking at thermostats. Setting them follows from the actions."""

from __future__ import annotations

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.listing import DeviceList, list_devices
from thumbturn.api.pages import Pages
from thumbturn.api.wire.device import Device
from thumbturn.api.wire.pagination import Pagination
from thumbturn.engine.ports import Store


@endpoint({"devices": list[Device], "thermostats": list[Device], "pagination": Pagination})
async def list_(ask: DeviceList, caller: Caller, store: Store, pages: Pages) -> Answer:
    """Lists thermostats, oldest first."""
    found, pagination = await list_devices(ask, caller, store, pages, capability="thermostat")
    return {"devices": found, "thermostats": found, "pagination": pagination}
