"""``/phones/simulate``: phones that exist only here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import WRITE, Answer, endpoint
from thumbturn.api.parameters import Maybe, Parameters
from thumbturn.api.wire.phone import Phone, phone_json
from thumbturn.domain.ids import new_id
from thumbturn.domain.phone import OperatingSystem
from thumbturn.engine.phones import Phones

Words = Annotated[str, Field(max_length=255)]


class AssaAbloyMetadata(Parameters):
    """What ASSA ABLOY's service would know of it."""

    application_version: Words = "1.0.0"
    ble_capability: bool = True
    hce_capability: bool = False
    nfc_capability: bool = False
    seos_applet_version: Words = "1.0.0"
    seos_tsm_endpoint_id: Annotated[float, Field(allow_inf_nan=False)] = 1


class PhoneMetadata(Parameters):
    """What kind of phone it is."""

    device_manufacturer: Words = "Samsung"
    """Who made it."""
    device_model: Words = "Samsung Galaxy S10"
    """What he calls it."""
    operating_system: OperatingSystem = "android"
    """What runs on it."""
    os_version: Words = "10"
    """Which of that; not kept."""


class SandboxPhone(Parameters):
    """A phone that exists only here."""

    user_identity_id: str
    """The user identity whose it is."""
    custom_sdk_installation_id: Maybe[Words] = None
    """What the app on it calls its own installation."""
    phone_metadata: Maybe[PhoneMetadata] = None
    """What kind of phone it is; without it a Samsung Galaxy S10."""
    assa_abloy_metadata: Maybe[AssaAbloyMetadata] = None
    """What ASSA ABLOY's service would know of it; not kept."""


@endpoint({"phone": Phone}, methods=WRITE)
async def create_sandbox_phone(ask: SandboxPhone, caller: Caller, phones: Phones) -> Answer:
    """Makes a phone of a user identity. Sandbox workspaces only."""
    kind = ask.phone_metadata or PhoneMetadata()
    phone = await phones.make(
        caller.workspace,
        ask.user_identity_id,
        operating_system=kind.operating_system,
        manufacturer=kind.device_manufacturer,
        model=kind.device_model,
        installation_id=ask.custom_sdk_installation_id,
        endpoint_id=new_id(),
    )
    return {"phone": phone_json(phone)}
