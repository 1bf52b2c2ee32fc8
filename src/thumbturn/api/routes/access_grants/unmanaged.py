"""``/access_grants/unmanaged``: grants that were made elsewhere.

Virtual systems know no grants, only what these rest on: there are none to be found.
"""

from __future__ import annotations

from typing import Literal

from thumbturn.api.access_grants import GrantFilter, Key, OfGrant
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import UPDATE, Answer, endpoint
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Maybe
from thumbturn.api.wire.access_grant import AccessGrant
from thumbturn.api.wire.pagination import Pagination
from thumbturn.domain.access_grant import AccessGrant as Grant
from thumbturn.domain.access_grant_refusals import AccessGrantNotFound


class GrantTakeOver(OfGrant):
    """A grant that shall be looked after here."""

    is_managed: Literal[True]
    """True has it looked after from now on."""
    access_grant_key: Maybe[Key] = None
    """Your own word for it, which no other access grant has."""


@endpoint({"access_grant": AccessGrant})
async def get(ask: OfGrant, caller: Caller) -> Answer:
    """Returns an access grant that was made elsewhere. There are none."""
    raise AccessGrantNotFound(data={"access_grant_id": ask.access_grant_id})


@endpoint({"access_grants": list[AccessGrant], "pagination": Pagination})
async def list_(ask: GrantFilter, caller: Caller, pages: Pages) -> Answer:
    """Lists access grants that were made elsewhere. There are none."""
    none: list[Grant] = []
    _, pagination = pages.turn(none, ask.most, lambda each: (each.created_at, each.id))
    return {"access_grants": none, "pagination": pagination}


@endpoint(methods=UPDATE)
async def update(ask: GrantTakeOver, caller: Caller) -> Answer:
    """Has an access grant that was made elsewhere looked after here. There are none."""
    raise AccessGrantNotFound(data={"access_grant_id": ask.access_grant_id})
