"""``/access_methods/unmanaged``: access methods that were made elsewhere.

Virtual systems know no access methods, only what these rest on: there are none to be found.
"""

from __future__ import annotations

from thumbturn.actions.access_methods import AccessMethod
from thumbturn.api.access_grants import OfGrant, OfMethod
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.parameters import Maybe
from thumbturn.domain.access_grant_refusals import AccessMethodNotFound
from thumbturn.engine.engine import Engine


class UnmanagedMethods(OfGrant):
    """Which access methods of a grant. What is not given does not matter."""

    acs_entrance_id: Maybe[str] = None
    """Only those that open this entrance."""
    device_id: Maybe[str] = None
    """Only those that open this device."""
    space_id: Maybe[str] = None
    """Only if the grant is for this space."""


@endpoint({"access_method": AccessMethod})
async def get(ask: OfMethod, caller: Caller) -> Answer:
    """Returns an access method that was made elsewhere. There are none."""
    raise AccessMethodNotFound(data={"access_method_id": ask.access_method_id})


@endpoint({"access_methods": list[AccessMethod]})
async def list_(ask: UnmanagedMethods, caller: Caller, engine: Engine) -> Answer:
    """Lists the access methods of a grant that were made elsewhere. There are none."""
    await engine.access_grants.get(caller.workspace.id, ask.access_grant_id)
    return {"access_methods": []}
