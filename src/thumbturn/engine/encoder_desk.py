"""An encoder with the credentials of its system, as the actions on cards see it.

Implements ``CredentialDesk`` of ``domain/capabilities/encoder.py``. That a card was written is a fact of its
own: it is on record, and told, before the attempt that did it ends, and names it, so that after a crash the
attempt ends as what is on record of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from thumbturn.domain.access import AcsCredential, AcsUser, told
from thumbturn.domain.capabilities.encoder import Encoder
from thumbturn.domain.device import Observation
from thumbturn.domain.encoder import ON_CARD
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.ids import new_id
from thumbturn.engine.access_ports import AccessStore, Wanted
from thumbturn.engine.run import Run

#: Returns when the access method that rests on a credential stands as that does now.
Follow = Callable[[AcsCredential], Awaitable[None]]


class EncoderDesk:
    """The encoder that a run is about."""

    def __init__(self, encoder: Encoder, store: AccessStore, run: Run, follow: Follow) -> None:
        self._encoder = encoder
        self._store = store
        self._run = run
        self._follow = follow

    async def scan(self, order: str) -> Evidence:
        """Read the card that is presented."""
        return await self._encoder.scan(order)

    async def encode(self, order: str, credential: Mapping[str, Any]) -> Evidence:
        """Write this on the card that is presented."""
        return await self._encoder.encode(order, credential)

    async def read_card(self) -> Observation | None:
        """What the encoder said last; ``None`` if it does not answer."""
        return await self._encoder.read_card()

    async def credential(self, credential_id: str) -> AcsCredential | None:
        """A credential of the encoder's system."""
        found = await self._find(Wanted(ids=(credential_id,), acs_system_ids=(self._system,)))
        return found[0] if found else None

    async def carried(self, card: Mapping[str, Any]) -> AcsCredential | None:
        """The credential on a card, if it is known here."""
        return await self.credential(card[ON_CARD])

    async def issue(self, credential_id: str, card_number: str) -> AcsCredential | None:
        """The credential is on this card now, and no other is; what it is then."""
        before = await self.credential(credential_id)
        if before is None:
            return None
        now = self._run.now()
        word = "issued" if before.issued_at is None else "reissued"
        issued = await self._store.change(
            AcsCredential,
            self._workspace,
            credential_id,
            lambda known: replace(
                known, issued_at=now, card_number=card_number, carded_by=self._run.attempt.id
            ),
            (told(f"acs_credential.{word}", before, now),),
        )
        for other in await self._on(card_number):
            if other.id != credential_id:
                await self._store.change(
                    AcsCredential,
                    self._workspace,
                    other.id,
                    lambda known: replace(known, issued_at=None, card_number=None),
                    (told("acs_credential.invalidated", other, now),),
                )
                await self._follow(other)
        if issued is not None:
            await self._follow(issued)
        return issued

    async def done_by_this(
        self, *, credential_id: str | None = None, acs_user_id: str | None = None
    ) -> AcsCredential | None:
        """The credential with this id, or of this user, of which this attempt is on record."""
        wanted = Wanted(
            ids=None if credential_id is None else (credential_id,),
            holder_ids=None if acs_user_id is None else (acs_user_id,),
            acs_system_ids=(self._system,),
        )
        found = [each for each in await self._find(wanted) if each.carded_by == self._run.attempt.id]
        if found:
            await self._follow(found[0])
        return found[0] if found else None

    async def assign(self, card_number: str, acs_user_id: str) -> AcsCredential | None:
        """The card is this user's now: its credential, a new one if it had none."""
        user = await self._store.get(AcsUser, self._workspace, acs_user_id)
        if user is None:
            return None
        known = await self._on(card_number)
        if known:
            return await self._store.change(
                AcsCredential,
                self._workspace,
                known[0].id,
                lambda credential: replace(
                    credential, acs_user_id=acs_user_id, carded_by=self._run.attempt.id
                ),
            )
        now = self._run.now()
        credential = AcsCredential(
            id=new_id(),
            workspace_id=self._workspace,
            created_at=now,
            acs_system_id=self._system,
            connected_account_id=user.connected_account_id,
            access_method="card",
            acs_user_id=acs_user_id,
            card_number=card_number,
            issued_at=now,
            carded_by=self._run.attempt.id,
        )
        await self._store.add(credential, (told("acs_credential.issued", credential, now),))
        return credential

    async def _on(self, card_number: str) -> list[AcsCredential]:
        return await self._find(Wanted(key=card_number, acs_system_ids=(self._system,)))

    async def _find(self, wanted: Wanted) -> list[AcsCredential]:
        return await self._store.find(AcsCredential, self._workspace, wanted)

    @property
    def _workspace(self) -> str:
        return self._run.attempt.workspace_id

    @property
    def _system(self) -> str:
        system: str = self._run.device.details["acs_system_id"]
        return system
