"""``/devices/unmanaged``: devices that are known and not commanded, and how they become managed."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import UPDATE, Answer, endpoint
from thumbturn.api.listing import DeviceGet, DeviceList, find_device, list_devices
from thumbturn.api.metadata import MetadataChange, merged
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Maybe, OfDevice
from thumbturn.api.wire.pagination import Pagination
from thumbturn.api.wire.unmanaged_device import UnmanagedDevice, unmanaged_json
from thumbturn.domain import device as domain
from thumbturn.domain.refusals import DeviceManaged
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Store


class UnmanagedUpdate(OfDevice):
    """What shall change of an unmanaged device. What is not given stays."""

    is_managed: Maybe[Literal[True]] = None
    """True takes the device over: from then on it can be commanded."""
    custom_metadata: Maybe[MetadataChange] = None
    """Values to set, by their keys; null erases a key. At most 50 keys of 500 characters remain."""


@endpoint({"device": UnmanagedDevice})
async def get(ask: DeviceGet, caller: Caller, store: Store) -> Answer:
    """Returns a device that is not managed."""
    return {"device": unmanaged_json(await find_device(ask, caller, store, is_managed=False))}


@endpoint({"devices": list[UnmanagedDevice], "pagination": Pagination})
async def list_(ask: DeviceList, caller: Caller, store: Store, pages: Pages) -> Answer:
    """Lists devices that are not managed, oldest first."""
    devices, pagination = await list_devices(ask, caller, store, pages, is_managed=False)
    return {"devices": [unmanaged_json(device) for device in devices], "pagination": pagination}


@endpoint(methods=UPDATE)
async def update(ask: UnmanagedUpdate, caller: Caller, engine: Engine) -> Answer:
    """Changes the metadata of a device that is not managed, or takes the device over."""

    def change(device: domain.Device) -> domain.Device:
        if device.is_managed:
            raise DeviceManaged
        if ask.custom_metadata is not None:
            device = replace(device, custom_metadata=merged(device.custom_metadata, ask.custom_metadata))
        return device if ask.is_managed is None else replace(device, is_managed=True)

    await engine.change_device(caller.workspace.id, ask.device_id, change, caller.reach)
    return {}
