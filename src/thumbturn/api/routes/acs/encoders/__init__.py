"""``/acs/encoders``: looking at encoders. Reading and writing cards are actions."""

from __future__ import annotations

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Listing, Maybe, Parameters, either
from thumbturn.api.wire.access import AcsEncoder, encoder_json
from thumbturn.api.wire.pagination import Pagination
from thumbturn.engine.engine import Engine


class OfEncoder(Parameters):
    """One encoder."""

    acs_encoder_id: str
    """The encoder."""


class EncoderList(Listing):
    """Which encoders. What is not given does not matter."""

    acs_encoder_ids: Maybe[list[str]] = None
    """Only these."""
    acs_system_id: Maybe[str] = None
    """Only those of this system."""
    acs_system_ids: Maybe[list[str]] = None
    """Only those of one of these systems."""


@endpoint({"acs_encoder": AcsEncoder})
async def get(ask: OfEncoder, caller: Caller, engine: Engine) -> Answer:
    """Returns an encoder."""
    return {"acs_encoder": encoder_json(engine.encoders.one(caller.workspace.id, ask.acs_encoder_id))}


@endpoint({"acs_encoders": list[AcsEncoder], "pagination": Pagination})
async def list_(ask: EncoderList, caller: Caller, engine: Engine, pages: Pages) -> Answer:
    """Lists encoders, oldest first."""
    systems = either(ask.acs_system_id, ask.acs_system_ids)
    found = [
        each
        for each in engine.encoders.listed(caller.workspace.id, ask.acs_encoder_ids, systems)
        if pages.after is None or (each.created_at, each.id) > pages.after
    ]
    page, pagination = pages.turn(found, ask.most, lambda each: (each.created_at, each.id))
    return {"acs_encoders": [encoder_json(each) for each in page], "pagination": pagination}
