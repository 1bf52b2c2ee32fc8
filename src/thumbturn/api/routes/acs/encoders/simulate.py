"""``/acs/encoders/simulate``: what comes of the next card at a virtual encoder. Sandbox workspaces only."""

from __future__ import annotations

from typing import Literal

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import WRITE, Answer, endpoint
from thumbturn.api.parameters import Maybe
from thumbturn.api.routes.acs.encoders import OfEncoder
from thumbturn.engine.engine import Engine


class EncodeFails(OfEncoder):
    """How the next encoding fails."""

    error_code: Literal[
        "no_credential_on_encoder", "encoding_interrupted", "uncategorized_error", "action_attempt_expired"
    ] = "no_credential_on_encoder"
    """Of what."""
    acs_credential_id: Maybe[str] = None
    """Only if it is of this credential."""


class EncodeSucceeds(OfEncoder):
    """How the next encoding succeeds."""

    scenario: Literal["credential_is_issued"] = "credential_is_issued"
    """What happens."""


class ScanFails(OfEncoder):
    """How the next scan fails."""

    error_code: Literal["no_credential_on_encoder", "uncategorized_error", "action_attempt_expired"] = (
        "no_credential_on_encoder"
    )
    """Of what."""
    acs_credential_id_on_seam: Maybe[str] = None
    """Only if this credential is on the card."""


class ScanSucceeds(OfEncoder):
    """Which card the next scan finds."""

    scenario: Literal[
        "credential_exists_on_seam",
        "credential_on_encoder_needs_update",
        "credential_does_not_exist_on_seam",
        "credential_on_encoder_is_empty",
    ] = "credential_exists_on_seam"
    """What is on it: a credential, one as it was before it was changed, an unknown one, or none."""
    acs_credential_id_on_seam: Maybe[str] = None
    """The credential; without it the newest of the system that is for cards."""


@endpoint(methods=WRITE)
async def next_credential_encode_will_fail(ask: EncodeFails, caller: Caller, engine: Engine) -> Answer:
    """Has the next encoding at a virtual encoder fail."""
    await engine.encoders.arm(
        caller.workspace, ask.acs_encoder_id, "encode", ask.error_code, ask.acs_credential_id
    )
    return {}


@endpoint(methods=WRITE)
async def next_credential_encode_will_succeed(ask: EncodeSucceeds, caller: Caller, engine: Engine) -> Answer:
    """Has the next encoding at a virtual encoder succeed, whatever it was armed with before."""
    await engine.encoders.arm(caller.workspace, ask.acs_encoder_id, "encode", None)
    return {}


@endpoint(methods=WRITE)
async def next_credential_scan_will_fail(ask: ScanFails, caller: Caller, engine: Engine) -> Answer:
    """Has the next scan at a virtual encoder fail."""
    await engine.encoders.arm(
        caller.workspace, ask.acs_encoder_id, "scan", ask.error_code, ask.acs_credential_id_on_seam
    )
    return {}


@endpoint(methods=WRITE)
async def next_credential_scan_will_succeed(ask: ScanSucceeds, caller: Caller, engine: Engine) -> Answer:
    """Has the next scan at a virtual encoder find a card, which lies on it from then on."""
    await engine.encoders.arm_scan(
        caller.workspace, ask.acs_encoder_id, ask.scenario, ask.acs_credential_id_on_seam
    )
    return {}
