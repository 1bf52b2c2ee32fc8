"""``/devices``: looking at devices, and what people may change of them."""

from __future__ import annotations

from dataclasses import replace

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import UPDATE, Answer, endpoint
from thumbturn.api.listing import DeviceGet, DeviceList, find_device, list_devices
from thumbturn.api.metadata import MetadataChange, merged
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Maybe, OfDevice, Parameters
from thumbturn.api.wire.device import Device
from thumbturn.api.wire.pagination import Pagination
from thumbturn.api.wire.provider import DeviceProvider, ProviderCategory, providers
from thumbturn.domain import device as domain
from thumbturn.domain.pin import POOL_ENABLED
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Store


class PropertiesUpdate(Parameters):
    """Properties that may be set."""

    name: str | None = None
    """The name to show, or null for the name its maker gave it."""


class DeviceUpdate(OfDevice):
    """What shall change of a device. What is not given stays."""

    name: str | None = None
    """The name to show, or null for the name its maker gave it."""
    properties: Maybe[PropertiesUpdate] = None
    """Another way to give the name."""
    custom_metadata: Maybe[MetadataChange] = None
    """Values to set, by their keys; null erases a key. At most 50 keys of 500 characters remain."""
    is_managed: bool = True
    """False hands the device over: it stays known, and is not commanded any more."""
    backup_access_code_pool_enabled: Maybe[bool] = None
    """Whether backup codes shall stand ready at a lock."""


class ProviderList(Parameters):
    """Which providers."""

    provider_category: Maybe[ProviderCategory] = None
    """Only of this category."""


@endpoint({"device": Device})
async def get(ask: DeviceGet, caller: Caller, store: Store) -> Answer:
    """Returns a device."""
    return {"device": await find_device(ask, caller, store)}


@endpoint({"devices": list[Device], "pagination": Pagination})
async def list_(ask: DeviceList, caller: Caller, store: Store, pages: Pages) -> Answer:
    """Lists devices, oldest first."""
    devices, pagination = await list_devices(ask, caller, store, pages)
    return {"devices": devices, "pagination": pagination}


@endpoint(methods=UPDATE)
async def update(ask: DeviceUpdate, caller: Caller, engine: Engine) -> Answer:
    """Changes a device's name or metadata, or whether it is managed."""
    given = ask.model_fields_set

    def change(device: domain.Device) -> domain.Device:
        if "name" in given:
            device = replace(device, nickname=ask.name or None)
        elif ask.properties is not None and "name" in ask.properties.model_fields_set:
            device = replace(device, nickname=ask.properties.name or None)
        if "is_managed" in given:
            device = replace(device, is_managed=ask.is_managed)
        if ask.custom_metadata is not None:
            device = replace(device, custom_metadata=merged(device.custom_metadata, ask.custom_metadata))
        if ask.backup_access_code_pool_enabled is not None:
            settings = {**device.settings, POOL_ENABLED: ask.backup_access_code_pool_enabled}
            device = replace(device, settings=settings)
        return device

    lock = None
    if ask.backup_access_code_pool_enabled:
        lock = engine.access_codes.lock(caller.workspace.id, ask.device_id, caller.reach)
    await engine.change_device(caller.workspace.id, ask.device_id, change, caller.reach)
    if lock is not None:
        await engine.backup_pool.use(lock)
    return {}


@endpoint({"device_providers": list[DeviceProvider]})
async def list_device_providers(ask: ProviderList, caller: Caller, engine: Engine) -> Answer:
    """Lists the makers and clouds that devices can come from."""
    drivers = engine.accounts.hubs.drivers
    return {"device_providers": providers(caller.workspace, ask.provider_category, drivers)}
