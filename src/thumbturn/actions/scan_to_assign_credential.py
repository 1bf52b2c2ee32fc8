"""``SCAN_TO_ASSIGN_CREDENTIAL``: the card that somebody presents is a user's from now on."""

from __future__ import annotations

from pydantic import model_validator

from thumbturn.actions.acs_credentials import AcsCredential, credential_json
from thumbturn.actions.definition import DeviceAsk, Known, Maybe, Outcome, Run, action
from thumbturn.actions.encoding import Scan, card
from thumbturn.domain.capabilities.encoder import CredentialDesk, Encoder
from thumbturn.domain.clock import seconds
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CardToBePresentedAgain, UserDeleted
from thumbturn.domain.policy import AfterCrash, WhenOffline


class ScanToAssign(Scan):
    """A card, and whose it shall be."""

    acs_user_id: Maybe[str] = None
    """The user of the encoder's system."""
    user_identity_id: Maybe[str] = None
    """Or the user identity whose user there he is."""

    @model_validator(mode="after")
    def _one_of_them(self) -> ScanToAssign:
        if self.acs_user_id is None and self.user_identity_id is None:
            raise ValueError("Either 'acs_user_id' or 'user_identity_id' is required")
        return self


class AssignAsk(DeviceAsk):
    """Whose the card at an encoder shall be."""

    acs_user_id: str


async def scan_for_user(ask: ScanToAssign, known: Known) -> AssignAsk:
    """Reads the card that is presented at an encoder, and gives it to a user."""
    device_id = known.encoder(ask.acs_encoder_id)
    user_id = await known.user_at_encoder(device_id, ask.acs_user_id, ask.user_identity_id)
    return AssignAsk(device_id=device_id, acs_user_id=user_id)


async def find_out(ask: AssignAsk, desk: CredentialDesk, run: Run) -> Outcome:
    """After a crash: success if this is on record as done; else ``CardToBePresentedAgain``."""
    done = await desk.done_by_this(acs_user_id=ask.acs_user_id)
    if done is None:
        raise CardToBePresentedAgain
    return Outcome(credential_json(done), Evidence.STATE_REPORT)


@action(
    "SCAN_TO_ASSIGN_CREDENTIAL",
    at="/acs/encoders/scan_to_assign_credential",
    needs=Encoder,
    result=AcsCredential,
    deadline=seconds(60),
    after_crash=AfterCrash.FAIL,
    recover=find_out,
    when_offline=WhenOffline.FAIL,
    meaning=scan_for_user,
)
async def scan_to_assign_credential(ask: AssignAsk, desk: CredentialDesk, run: Run) -> Outcome:
    """Reads the card that is presented at an encoder, and gives it to a user."""
    read, evidence = await card(run, desk, desk.scan)
    assigned = await desk.assign(read["card_number"], ask.acs_user_id)
    if assigned is None:
        raise UserDeleted
    return Outcome(credential_json(assigned), evidence)
