"""The credentials that access methods rest on, in each of their access control systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from thumbturn.domain.access import AcsCredential, AcsEntrance, AcsUser, UserIdentity, is_on, told
from thumbturn.domain.access_grant import AccessGrant, GrantedMethod
from thumbturn.domain.access_refusals import CodeTaken, IdentityHasUserThere
from thumbturn.domain.clock import Clock
from thumbturn.engine.access import Whom
from thumbturn.engine.access_ports import AccessStore, Wanted
from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.acs_users import AcsUsers
from thumbturn.engine.pins import Pins
from thumbturn.engine.standing import PinTaken, Standing


class GrantedCredentials:
    """Credentials of access methods."""

    def __init__(self, credentials: AcsCredentials, things: AccessStore, pins: Pins, clock: Clock) -> None:
        self._credentials = credentials
        self._things = things
        self._users = AcsUsers(things, clock)
        self._pins = pins
        self._clock = clock

    async def make_so(self, grant: AccessGrant, method: GrantedMethod, system_id: str) -> None:
        """Make, change or remove the credential of a method in a system. Raises ``PinTaken``, and what
        credentials refuse.
        """
        now, workspace_id, id = self._clock.now(), grant.workspace_id, method.credentials[system_id]
        opened = await self._in_system(workspace_id, method.acs_entrance_ids, system_id)
        known = await self._things.get(AcsCredential, workspace_id, id)
        if not opened or method.is_removed(grant):
            if known is not None:
                await self._things.remove(workspace_id, {id: told("acs_credential.deleted", known, now)})
            return
        if not method.is_wanted(grant, now):
            return  # it is over by its own time
        user = await self.user_of(grant, system_id)
        if known is None:
            await self._make(grant, method, id, user, opened)
        else:
            await self._put_right(known, grant, method, user, opened)

    async def _put_right(
        self,
        known: AcsCredential,
        grant: AccessGrant,
        method: GrantedMethod,
        user: AcsUser,
        opened: Sequence[str],
    ) -> None:
        changes: dict[str, Any] = {}
        if set(known.acs_entrance_ids or ()) != set(opened):
            changes["acs_entrance_ids"] = opened
        if (known.starts_at, known.ends_at) != (grant.starts_at, grant.ends_at):
            changes |= {"starts_at": grant.starts_at, "ends_at": grant.ends_at}
        if changes:
            changes["changed_at"] = self._clock.now()
        if known.acs_user_id != user.id:
            changes["acs_user_id"] = user.id
        if changes:
            await self._things.change(
                AcsCredential, known.workspace_id, known.id, lambda each: replace(each, **changes)
            )
        pin = self._pin(method)
        if pin is not None and self._credentials.code_of(known) != pin:
            await self._credentials.change(known.workspace_id, known.id, code=pin)

    async def _make(
        self, grant: AccessGrant, method: GrantedMethod, id: str, user: AcsUser, opened: Sequence[str]
    ) -> None:
        try:
            await self._credentials.create(
                grant.workspace_id,
                method.mode,
                whom=Whom(acs_user_id=user.id),
                code=self._pin(method),
                starts_at=grant.starts_at,
                ends_at=grant.ends_at,
                entrance_ids=opened,
                id=id,
                access_method_id=method.id,
            )
        except CodeTaken:
            raise PinTaken from None

    def _pin(self, method: GrantedMethod) -> str | None:
        return None if method.code is None else self._pins.open(method.code)

    async def user_of(self, grant: AccessGrant, system_id: str) -> AcsUser:
        """The user of the grant's identity in a system; a new one if it has none there."""
        workspace_id, identity_id = grant.workspace_id, grant.user_identity_id
        found = await self._known_user(grant, system_id)
        if found is not None:
            return found
        identity = await self._credentials.access.one(UserIdentity, workspace_id, identity_id)
        known = {
            "full_name": identity.display_name,
            "email_address": identity.email_address,
            "phone_number": identity.phone_number,
            "user_identity_id": identity.id,
        }
        try:
            return await self._users.create(workspace_id, system_id, known)
        except IdentityHasUserThere:
            # Several grants of an identity are seen to at a time, and callers make users, too.
            found = await self._known_user(grant, system_id)
            if found is None:
                raise
            return found

    async def _known_user(self, grant: AccessGrant, system_id: str) -> AcsUser | None:
        wanted = Wanted(holder_ids=(grant.user_identity_id,), acs_system_ids=(system_id,))
        found = await self._things.find(AcsUser, grant.workspace_id, wanted, limit=1)
        return found[0] if found else None

    async def look(
        self, grant: AccessGrant, method: GrantedMethod, system_id: str, standing: Standing
    ) -> None:
        """Take in how that credential stands."""
        now = self._clock.now()
        known = await self._things.get(AcsCredential, grant.workspace_id, method.credentials[system_id])
        if known is None:
            return
        if method.is_removed(grant):
            standing.is_off = False
        if not method.is_wanted(grant, now):
            return
        is_let_in = await self._is_let_in(known, grant, standing)
        if known.issued_at is not None:
            standing.opened_entrance_ids += (known.acs_entrance_ids or ()) if is_let_in else ()
            standing.is_behind |= known.is_behind
            if method.mode == "card":
                standing.written_at = known.issued_at

    async def _is_let_in(self, known: AcsCredential, grant: AccessGrant, standing: Standing) -> bool:
        """True if its user gets through, from now or from the grant's start; why not is taken in."""
        if known.acs_user_id is None:
            return False
        user = await self._things.get(AcsUser, known.workspace_id, known.acs_user_id)
        if user is None:
            return False
        now = self._clock.now()
        times = (user.starts_at, user.ends_at)
        standing.moments += [each for each in times if each is not None and each > now]
        if user.is_suspended:
            standing.problems.append("Its user in the access control system is suspended.")
            return False
        if not is_on(*times, max(now, grant.starts_at)):
            standing.problems.append("Its user in the access control system is out of his access_schedule.")
            return False
        return True

    async def _in_system(
        self, workspace_id: str, entrance_ids: Sequence[str], system_id: str
    ) -> tuple[str, ...]:
        if not entrance_ids:
            return ()
        wanted = Wanted(ids=entrance_ids, acs_system_ids=(system_id,))
        return tuple(each.id for each in await self._things.find(AcsEntrance, workspace_id, wanted))
