"""``ENCODE_CREDENTIAL``: a credential is written on the card that somebody presents."""

from __future__ import annotations

from pydantic import model_validator

from thumbturn.actions.acs_credentials import AcsCredential, credential_json
from thumbturn.actions.definition import DeviceAsk, Known, Maybe, Outcome, Run, action, way
from thumbturn.actions.encoding import OfEncoder, card
from thumbturn.domain.capabilities.encoder import CredentialDesk, Encoder
from thumbturn.domain.clock import seconds
from thumbturn.domain.encoder import ON_CARD
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CardToBePresentedAgain, CredentialDeleted
from thumbturn.domain.policy import AfterCrash, WhenOffline


class Encode(OfEncoder):
    """A credential that shall be on a card."""

    acs_credential_id: Maybe[str] = None
    """The credential: one whose access method is ``card``."""
    access_method_id: Maybe[str] = None
    """Or the access method that needs a card."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Encode:
        if (self.acs_credential_id is None) == (self.access_method_id is None):
            raise ValueError("Exactly one of 'acs_credential_id' and 'access_method_id' is required")
        return self


class EncodeMethod(OfEncoder):
    """An access method that shall be on a card."""

    access_method_id: str
    """The access method: one whose mode is ``card``."""


class EncodeAsk(DeviceAsk):
    """A credential for the card at an encoder."""

    acs_credential_id: str


async def encode_for(ask: Encode, known: Known) -> EncodeAsk:
    """Writes a credential on the card that is presented at an encoder."""
    device_id = known.encoder(ask.acs_encoder_id)
    credential_id = ask.acs_credential_id
    if credential_id is None:
        assert ask.access_method_id is not None  # the validation saw to it
        credential_id = await known.card_of_method(ask.access_method_id)
    await known.check_encodable(credential_id, device_id)
    return EncodeAsk(device_id=device_id, acs_credential_id=credential_id)


async def find_out(ask: EncodeAsk, desk: CredentialDesk, run: Run) -> Outcome:
    """After a crash: success if this is on record as done; else ``CardToBePresentedAgain``."""
    done = await desk.done_by_this(credential_id=ask.acs_credential_id)
    if done is None:
        raise CardToBePresentedAgain
    return Outcome(credential_json(done), Evidence.STATE_REPORT)


@action(
    "ENCODE_CREDENTIAL",
    at="/acs/encoders/encode_credential",
    needs=Encoder,
    result=AcsCredential,
    deadline=seconds(60),
    after_crash=AfterCrash.FAIL,
    recover=find_out,
    when_offline=WhenOffline.FAIL,
    meaning=encode_for,
)
async def encode_credential(ask: EncodeAsk, desk: CredentialDesk, run: Run) -> Outcome:
    """Writes a credential on the card that is presented at an encoder."""
    credential = await desk.credential(ask.acs_credential_id)
    if credential is None:
        raise CredentialDeleted
    written = {
        ON_CARD: credential.id,
        "starts_at": credential.starts_at,
        "ends_at": credential.ends_at,
    }
    read, evidence = await card(run, desk, lambda order: desk.encode(order, written))
    issued = await desk.issue(credential.id, read["card_number"])
    if issued is None:
        raise CredentialDeleted("The credential was deleted while the card was written: it opens nothing.")
    return Outcome(credential_json(issued), evidence)


@way("ENCODE_CREDENTIAL", at="/access_methods/encode")
async def encode_method(ask: EncodeMethod, known: Known) -> EncodeAsk:
    """Writes an access method on the card that is presented at an encoder."""
    device_id = known.encoder(ask.acs_encoder_id)
    credential_id = await known.card_of_method(ask.access_method_id)
    await known.check_encodable(credential_id, device_id)
    return EncodeAsk(device_id=device_id, acs_credential_id=credential_id)
