"""What a workspace may do with the credentials of its access control systems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from thumbturn.domain.access import (
    AccessMethod,
    AcsCredential,
    AcsEntrance,
    AcsSystem,
    AcsUser,
    UserIdentity,
    told,
)
from thumbturn.domain.access_refusals import (
    AccessMethodNotSupported,
    AcsCredentialNotFound,
    AcsUserNotFound,
    CodeOfNoCode,
    CodeTaken,
    NoCodeFree,
    ThingsOfTwoSystems,
)
from thumbturn.domain.clock import Clock
from thumbturn.domain.ids import new_id, random_bytes
from thumbturn.engine.access import Access, Whom
from thumbturn.engine.access_ports import AccessStore, KeyIsTaken, Wanted
from thumbturn.engine.acs_users import check_times
from thumbturn.engine.pins import Pins
from thumbturn.engine.secrets import sealed_for
from thumbturn.engine.webhook_ports import Seal

#: Digits of a code that is made here.
CODE_LENGTH = 6
#: How often one is drawn before it is given up: so full a system has other problems.
_DRAWS = 100


class AcsCredentials:
    """The credentials of all systems. What is not the given workspace's is not found."""

    def __init__(self, store: AccessStore, seal: Seal, pins: Pins, clock: Clock) -> None:
        self._store = store
        self._seal = seal
        self._pins = pins
        self._clock = clock
        self.access = Access(store)
        #: Told which credentials somebody changed or deleted, once that is on record.
        self.changed: Callable[[Iterable[str]], None] = lambda ids: None

    def code_of(self, credential: AcsCredential) -> str | None:
        """The digits of a credential that has any."""
        if credential.code is None:
            return None
        return self._seal.open(credential.code, sealed_for("acs_credential", credential.id))

    async def create(
        self,
        workspace_id: str,
        method: AccessMethod,
        *,
        whom: Whom,
        code: str | None = None,
        starts_at: int | None = None,
        ends_at: int | None = None,
        entrance_ids: Sequence[str] | None = None,
        id: str | None = None,
        access_method_id: str | None = None,
    ) -> AcsCredential:
        """A new credential, of a user if one is named. One of the method ``code`` without a code gets one.
        One that is made for an access grant's method has its id from there.

        Codes and cloud keys are issued at once, a card when it is encoded. Raises ``CodeTaken``,
        ``CodeOfNoCode``, ``AccessMethodNotSupported``, ``InvalidAccessTimes``, ``ThingsOfTwoSystems``.
        """
        system, user = await self._whose(workspace_id, whom)
        for entrance in await self.access.all_of(AcsEntrance, workspace_id, entrance_ids or ()):
            if entrance.acs_system_id != system.id:
                raise ThingsOfTwoSystems(data={"acs_entrance_id": entrance.id})
        if method == "mobile_key":
            raise AccessMethodNotSupported(data={"acs_system_id": system.id})
        check_times(starts_at, ends_at)
        id, now = id or new_id(), self._clock.now()
        secret = await self._code_for(workspace_id, system.id, id, method, code)
        credential = AcsCredential(
            id=id,
            workspace_id=workspace_id,
            created_at=now,
            acs_system_id=system.id,
            connected_account_id=system.connected_account_id,
            access_method=method,
            acs_user_id=None if user is None else user.id,
            starts_at=starts_at,
            ends_at=ends_at,
            acs_entrance_ids=None if entrance_ids is None else tuple(dict.fromkeys(entrance_ids)),
            issued_at=None if method == "card" else now,
            access_method_id=access_method_id,
            **secret,
        )
        events = () if method == "card" else (told("acs_credential.issued", credential, now),)
        while not await self._store.add(credential, events):
            # Somebody else was given the same digits meanwhile.
            if code is not None:
                raise CodeTaken
            secret = await self._code_for(workspace_id, system.id, id, method, None)
            credential = replace(credential, **secret)
        return credential

    async def change(
        self, workspace_id: str, id: str, *, code: str | None = None, ends_at: int | None = None
    ) -> AcsCredential:
        """Change the code or the end of a credential. Raises ``CodeTaken``, ``CodeOfNoCode``,
        ``InvalidAccessTimes``.
        """
        known = await self.access.one(AcsCredential, workspace_id, id)
        given: dict[str, Any] = {}
        if ends_at is not None:
            check_times(known.starts_at, ends_at)
            given["ends_at"] = ends_at
        if code is not None:
            given |= await self._code_for(workspace_id, known.acs_system_id, id, known.access_method, code)
        return await self._change(workspace_id, id, given)

    async def delete(self, workspace_id: str, id: str) -> None:
        """Forget a credential, and tell so."""
        credential = await self.access.one(AcsCredential, workspace_id, id)
        gone = {id: told("acs_credential.deleted", credential, self._clock.now())}
        if not await self._store.remove(workspace_id, gone):
            raise AcsCredentialNotFound(data={"acs_credential_id": id})
        self.changed((id,))

    async def assign(self, workspace_id: str, id: str, whom: Whom) -> AcsCredential:
        """Give a credential to a user of its system. Raises ``ThingsOfTwoSystems``."""
        credential = await self.access.one(AcsCredential, workspace_id, id)
        if whom.acs_user_id is None:
            whom = whom._replace(acs_system_id=credential.acs_system_id)
        user = await self.access.user(workspace_id, whom)
        if user.acs_system_id != credential.acs_system_id:
            raise ThingsOfTwoSystems(data={"acs_user_id": user.id})
        return await self._change(workspace_id, id, {"acs_user_id": user.id})

    async def unassign(self, workspace_id: str, id: str, whom: Whom) -> AcsCredential:
        """Take a credential from its user. Raises ``AcsUserNotFound`` if it is another's."""
        credential = await self.access.one(AcsCredential, workspace_id, id)
        if whom.acs_user_id is None:
            whom = whom._replace(acs_system_id=credential.acs_system_id)
        user = await self.access.user(workspace_id, whom)
        if user.id != credential.acs_user_id:
            raise AcsUserNotFound("The credential is not this user's", data={"acs_user_id": user.id})
        return await self._change(workspace_id, id, {"acs_user_id": None})

    async def codes_in(self, workspace_id: str, acs_system_id: str, *, but: str | None = None) -> set[str]:
        """The digits of the credentials of a system, without those of the one with this id."""
        others = await self.access.find(AcsCredential, workspace_id, Wanted(acs_system_ids=(acs_system_id,)))
        codes = (self.code_of(each) for each in others if each.id != but)
        return {code for code in codes if code is not None}

    async def _change(self, workspace_id: str, id: str, given: Mapping[str, Any]) -> AcsCredential:
        try:
            changed = await self._store.change(
                AcsCredential, workspace_id, id, lambda known: replace(known, **given)
            )
        except KeyIsTaken:
            raise CodeTaken from None
        if changed is None:
            raise AcsCredentialNotFound(data={"acs_credential_id": id})
        self.changed((id,))
        return changed

    async def _whose(self, workspace_id: str, whom: Whom) -> tuple[AcsSystem, AcsUser | None]:
        """The system, and the user if one is named."""
        if whom.acs_user_id is None and whom.user_identity_id is None:
            return await self.access.one(AcsSystem, workspace_id, whom.acs_system_id or ""), None
        if whom.user_identity_id is not None:
            await self.access.one(UserIdentity, workspace_id, whom.user_identity_id)
        user = await self.access.user(workspace_id, whom)
        return await self.access.one(AcsSystem, workspace_id, user.acs_system_id), user

    async def _code_for(
        self, workspace_id: str, acs_system_id: str, id: str, method: AccessMethod, code: str | None
    ) -> dict[str, Any]:
        """The code that it gets, as a credential has it; nothing for one that has none."""
        if method != "code":
            if code is not None:
                raise CodeOfNoCode
            return {}
        taken = await self.codes_in(workspace_id, acs_system_id, but=id)
        if code is None:
            code = next((each for each in drawn(CODE_LENGTH) if each not in taken), None)
            if code is None:
                raise NoCodeFree
        elif code in taken:
            raise CodeTaken
        sealed = self._seal.seal(code, sealed_for("acs_credential", id))
        return {"code": sealed, "code_key": self._pins.key_of(acs_system_id, code)}


def drawn(length: int) -> list[str]:
    """Numbers of so many digits that nobody can guess, to choose a free one from."""
    numbers = [int.from_bytes(random_bytes(8)) % 10**length for _ in range(_DRAWS)]
    return [f"{number:0{length}}" for number in numbers]
