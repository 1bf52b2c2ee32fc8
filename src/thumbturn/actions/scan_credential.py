"""``SCAN_CREDENTIAL``: what is on the card that somebody presents, and whether it is as it is known here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from thumbturn.actions.acs_credentials import AcsCredential, credential_json
from thumbturn.actions.definition import DeviceAsk, Known, Outcome, Result, Run, action
from thumbturn.actions.encoding import Scan, card, present_again
from thumbturn.domain import access as domain
from thumbturn.domain.capabilities.encoder import CredentialDesk, Encoder
from thumbturn.domain.clock import seconds, to_wire
from thumbturn.domain.encoder import ON_CARD
from thumbturn.domain.policy import AfterCrash, WhenOffline

OUT_OF_SYNC, NOT_FOUND = "acs_credential_on_encoder_out_of_sync", "acs_credential_on_seam_not_found"
_MESSAGES = {
    OUT_OF_SYNC: "The card was encoded before the credential was changed: encode it again.",
    NOT_FOUND: "The card carries a credential that is not known here.",
}


class CredentialOnEncoder(BaseModel):
    """What the card says of itself."""

    model_config = ConfigDict(extra="forbid")

    card_number: str | None
    created_at: str | None
    starts_at: str | None
    ends_at: str | None
    is_issued: bool | None


class ScanWarning(BaseModel):
    """What is to be known of the card."""

    model_config = ConfigDict(extra="forbid")

    warning_code: Literal["acs_credential_on_encoder_out_of_sync", "acs_credential_on_seam_not_found"]
    warning_message: str


class Scanned(Result):
    """What reading a card answers."""

    acs_credential_on_encoder: CredentialOnEncoder | None
    """The credential on the card; null if it carries none."""
    acs_credential_on_seam: AcsCredential | None
    """The same credential as it is known here; null if it is not."""
    warnings: list[ScanWarning]


async def scan_for(ask: Scan, known: Known) -> DeviceAsk:
    """Reads the card that is presented at an encoder."""
    return DeviceAsk(device_id=known.encoder(ask.acs_encoder_id))


@action(
    "SCAN_CREDENTIAL",
    at="/acs/encoders/scan_credential",
    needs=Encoder,
    result=Scanned,
    deadline=seconds(60),
    after_crash=AfterCrash.FAIL,
    recover=present_again,
    when_offline=WhenOffline.FAIL,
    meaning=scan_for,
)
async def scan_credential(ask: DeviceAsk, desk: CredentialDesk, run: Run) -> Outcome:
    """Reads the card that is presented at an encoder."""
    read, evidence = await card(run, desk, desk.scan)
    if ON_CARD not in read:
        empty: dict[str, Any] = {
            "acs_credential_on_encoder": None,
            "acs_credential_on_seam": None,
            "warnings": [],
        }
        return Outcome(empty, evidence)
    found = await desk.carried(read)
    warnings = []
    if found is None:
        warnings = [NOT_FOUND]
    elif not _is_as_known(read, found):
        warnings = [OUT_OF_SYNC]
    result = {
        "acs_credential_on_encoder": _on_card(read),
        "acs_credential_on_seam": None if found is None else credential_json(found),
        "warnings": [{"warning_code": code, "warning_message": _MESSAGES[code]} for code in warnings],
    }
    return Outcome(result, evidence)


def _is_as_known(read: Mapping[str, Any], found: domain.AcsCredential) -> bool:
    return (read.get("starts_at"), read.get("ends_at")) == (found.starts_at, found.ends_at)


def _on_card(read: Mapping[str, Any]) -> dict[str, Any]:
    def moment(name: str) -> str | None:
        return None if read.get(name) is None else to_wire(read[name])

    return {
        "card_number": read["card_number"],
        "created_at": moment("encoded_at"),
        "starts_at": moment("starts_at"),
        "ends_at": moment("ends_at"),
        "is_issued": True,
    }
