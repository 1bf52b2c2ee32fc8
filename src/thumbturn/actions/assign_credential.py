"""``ASSIGN_CREDENTIAL``: a card that lies there already is an access method's from now on.

Whose a card is, is on record and nowhere else: no device is asked, and doing it twice is doing it once.
"""

from __future__ import annotations

from thumbturn.actions.access_methods import AccessMethod, access_method_json
from thumbturn.actions.definition import Ask, Known, Outcome, Run, action
from thumbturn.domain.capabilities.cards import CardRegister
from thumbturn.domain.clock import seconds
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import AccessMethodDeleted, CardNotFound
from thumbturn.domain.policy import AfterCrash, WhenOffline


class AssignCard(Ask):
    """An access method, and the card that it shall have."""

    access_method_id: str
    """The access method: one whose mode is ``card``."""
    card_number: str
    """The number of a card in its access control system that is nobody else's."""


async def card_for(ask: AssignCard, known: Known) -> AssignCard:
    """Gives an access method a card that lies there already."""
    await known.check_takes_card(ask.access_method_id)
    return ask


@action(
    "ASSIGN_CREDENTIAL",
    at="/access_methods/assign_card",
    needs=CardRegister,
    result=AccessMethod,
    deadline=seconds(60),
    after_crash=AfterCrash.RESEND,
    when_offline=WhenOffline.FAIL,
    meaning=card_for,
)
async def assign_credential(ask: AssignCard, cards: CardRegister, run: Run) -> Outcome:
    """Gives an access method a card that lies there already."""
    method = await cards.method(ask.access_method_id)
    if method is None:
        raise AccessMethodDeleted
    card = await cards.free_card(method, ask.card_number)
    if card is None:
        raise CardNotFound
    assigned = await cards.assign(method, card)
    if assigned is None:
        # Somebody was faster: with the method, or with the card.
        raise AccessMethodDeleted if await cards.method(method.id) is None else CardNotFound
    return Outcome(access_method_json(*assigned, run.now()), Evidence.STATE_REPORT)
