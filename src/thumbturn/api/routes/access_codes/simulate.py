"""``/access_codes/simulate``: what somebody does at the keypad of a virtual lock."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from thumbturn.api.access_codes import Name, Shown
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import WRITE, Answer, endpoint
from thumbturn.api.parameters import OfDevice
from thumbturn.api.wire.access_code import UnmanagedAccessCode
from thumbturn.domain.clock import Clock
from thumbturn.engine.engine import Engine


class CodeByHand(OfDevice):
    """A code that somebody sets at a lock."""

    code: Annotated[str, Field(min_length=4, max_length=8, pattern=r"^[0-9]+$")]
    """Its PIN, of 4 to 8 digits."""
    name: Name
    """What to call it."""


@endpoint({"access_code": UnmanagedAccessCode}, methods=WRITE)
async def create_unmanaged_access_code(
    ask: CodeByHand, caller: Caller, engine: Engine, clock: Clock
) -> Answer:
    """Sets a code at a virtual lock's own keypad, and reads the lock."""
    code = await engine.keypads.set_code(caller.workspace, ask.device_id, ask.code, ask.name, caller.reach)
    return {"access_code": Shown(engine, clock).unmanaged(code)}
