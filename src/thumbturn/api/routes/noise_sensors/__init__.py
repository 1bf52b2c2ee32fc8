"""``/noise_sensors``: looking at noise sensors. Their thresholds are put and deleted by actions."""

from __future__ import annotations

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.listing import DeviceList, list_devices
from thumbturn.api.pages import Pages
from thumbturn.api.wire.device import Device
from thumbturn.api.wire.pagination import Pagination
from thumbturn.engine.ports import Store


@endpoint({"devices": list[Device], "noise_sensors": list[Device], "pagination": Pagination})
async def list_(ask: DeviceList, caller: Caller, store: Store, pages: Pages) -> Answer:
    """Lists noise sensors, oldest first."""
    found, pagination = await list_devices(ask, caller, store, pages, capability="noise_detection")
    return {"devices": found, "noise_sensors": found, "pagination": pagination}
