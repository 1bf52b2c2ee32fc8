"""Having a card read or written, and what the encoder says of it: what actions on encoders have in common.

A person presents the card, so none of these is ever done again by itself: not after a crash, and not after a
lost reply.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from thumbturn.actions.definition import Ask, Maybe, Outcome, Run
from thumbturn.actions.sending import send
from thumbturn.domain.capabilities.encoder import CredentialDesk
from thumbturn.domain.device import Observation
from thumbturn.domain.encoder import CARD_READ
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import (
    ActionAttemptExpired,
    CardToBePresentedAgain,
    EncodingInterrupted,
    NoCredentialOnEncoder,
    OutcomeUnknown,
)
from thumbturn.domain.ids import new_id

#: By the words in which an encoder says it.
_FAILURES: Mapping[str, type[Failure]] = {
    each.type: each for each in (NoCredentialOnEncoder, EncodingInterrupted, ActionAttemptExpired)
}


class SaltoKsMetadata(Ask):
    """What only Salto KS has."""

    detect_new_tags: bool = False
    """Accepted and ignored: every card is read here, new or not."""


class OfEncoder(Ask):
    """An encoder."""

    acs_encoder_id: str
    """The encoder."""


class Scan(OfEncoder):
    """A card that shall be read."""

    salto_ks_metadata: Maybe[SaltoKsMetadata] = None
    """What only Salto KS's encoders heed."""


async def present_again(ask: Ask, desk: CredentialDesk, run: Run) -> Outcome:
    """After a crash nobody knows what became of the card: ``CardToBePresentedAgain``."""
    raise CardToBePresentedAgain


async def card(
    run: Run, desk: CredentialDesk, command: Callable[[str], Awaitable[Evidence]]
) -> tuple[Mapping[str, Any], Evidence]:
    """Send the command, and end with the card that it was about, and how that is known.

    Raises what the encoder says it failed of, and ``OutcomeUnknown`` if it says nothing.
    """
    order = new_id()

    def telling(seen: Observation) -> bool:
        said = seen.changes.get(CARD_READ)
        return said is not None and said["order"] == order

    _, report = await send(run, lambda: command(order), desk.read_card, telling)
    if report is None or not telling(report):
        raise OutcomeUnknown.because("The encoder did not say what it read or wrote.")
    said = report.changes[CARD_READ]
    if "error" in said:
        raise _FAILURES.get(said["error"], Failure)
    return said["card"], report.evidence
