"""``/phones``: the phones of user identities. Only a sandbox has any."""

from __future__ import annotations

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import DELETE, Answer, endpoint
from thumbturn.api.parameters import Maybe, OfDevice, Parameters
from thumbturn.api.wire.phone import Phone, phone_json
from thumbturn.domain.phone import PhoneNotFound
from thumbturn.domain.workspace import KeyKind
from thumbturn.engine.phones import Phones
from thumbturn.engine.user_identities import UserIdentities


class PhoneList(Parameters):
    """Which phones. What is not given does not matter."""

    owner_user_identity_id: Maybe[str] = None
    """Only those of this user identity."""
    acs_credential_id: Maybe[str] = None
    """Only those with this credential on them. There is none."""


@endpoint({"phone": Phone})
async def get(ask: OfDevice, caller: Caller, phones: Phones) -> Answer:
    """Returns a phone."""
    return {"phone": phone_json(await phones.get(caller.workspace.id, ask.device_id))}


@endpoint({"phones": list[Phone]})
async def list_(ask: PhoneList, caller: Caller, phones: Phones) -> Answer:
    """Lists phones, oldest first."""
    found = []
    if ask.acs_credential_id is None:
        found = await phones.listed(caller.workspace.id, ask.owner_user_identity_id)
    return {"phones": [phone_json(each) for each in found]}


@endpoint(methods=DELETE)
async def deactivate(ask: OfDevice, caller: Caller, phones: Phones, identities: UserIdentities) -> Answer:
    """Takes a phone out of use. A client session may do so with those of the identity that it is for."""
    if caller.key.kind is KeyKind.CLIENT_SESSION:
        phone = await phones.get(caller.workspace.id, ask.device_id)
        if phone.user_identity_id != await identities.of_session(caller.workspace.id, caller.key.id):
            raise PhoneNotFound(data={"device_id": ask.device_id})
    await phones.deactivate(caller.workspace.id, ask.device_id)
    return {}
