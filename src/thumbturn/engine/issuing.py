"""Makes what an access method rests on, as its grant has it, and sees how that stands.

What is there already is left as it is, what differs is put right, what shall be no more is removed. So it can
be done again at any time, and after a crash it goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from thumbturn.domain.access import AcsCredential, AcsEntrance, AcsUser, UserIdentity, told
from thumbturn.domain.access_code import AccessCode, step
from thumbturn.domain.access_code_news import FAILED_TO_REMOVE, LATE_IN_SETTING
from thumbturn.domain.access_grant import AccessGrant, GrantedMethod, code_id, code_times
from thumbturn.domain.access_refusals import CodeTaken
from thumbturn.domain.asker import Asker
from thumbturn.domain.clock import Clock
from thumbturn.domain.encoder import is_encoder
from thumbturn.domain.errors import Refusal
from thumbturn.domain.ids import new_id
from thumbturn.engine.access import Whom
from thumbturn.engine.access_code_ports import AccessCodeStore
from thumbturn.engine.access_codes import AccessCodeNotFound, AccessCodes, DuplicateAccessCode, NewCode
from thumbturn.engine.access_ports import AccessStore, Wanted
from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.acs_users import AcsUsers
from thumbturn.engine.devices import Devices


class _PinTaken(Exception):
    """Somebody else has it there, so nothing was made."""


@dataclass(slots=True)
class Standing:
    """How what a method rests on stands."""

    #: The locks that its code is at, those that still hold one that shall go, and what these say.
    at_device_ids: list[str] = field(default_factory=list)
    leaving_device_ids: list[str] = field(default_factory=list)
    stuck: dict[str, str] = field(default_factory=dict)
    #: The entrances that its credentials open.
    opened_entrance_ids: list[str] = field(default_factory=list)
    #: When the card was written, if it is one that was, µs.
    written_at: int | None = None
    is_behind: bool = False
    is_late: bool = False
    #: True if nothing of it is left at any lock or in any system.
    is_off: bool = True
    #: What keeps it from being in place.
    problems: list[str] = field(default_factory=list)
    #: The locks and systems in which somebody else has its PIN since it was planned.
    taken: set[str] = field(default_factory=set)
    #: True if something was refused that may be granted later.
    is_tried_again: bool = False

    def refused(self, refusal: Refusal) -> None:
        """Something was refused. That it has to wait is not what is wrong with it."""
        self.is_tried_again = True
        if refusal.status not in (429, 503):
            self.problems.append(refusal.message)


class Issuing:
    """Codes and credentials of access methods."""

    def __init__(
        self,
        *,
        codes: AccessCodes,
        kept: AccessCodeStore,
        credentials: AcsCredentials,
        things: AccessStore,
        devices: Devices,
        clock: Clock,
    ) -> None:
        self._codes = codes
        self._kept = kept
        self._credentials = credentials
        self._things = things
        self._users = AcsUsers(things, clock)
        self._devices = devices
        self._clock = clock

    async def make_so(self, grant: AccessGrant, method: GrantedMethod) -> Standing:
        """Make what is missing, change what differs, remove what shall go; how it stands then."""
        standing = Standing()
        for device_id in method.rests_on_devices:
            try:
                await self._code(grant, method, device_id)
            except AccessCodeNotFound:
                pass  # it went meanwhile: that is looked at again
            except _PinTaken:
                standing.taken.add(device_id)
            except Refusal as refusal:
                standing.refused(refusal)
            await self._look_at_code(grant, method, device_id, standing)
        for system_id in method.credentials:
            try:
                await self._credential(grant, method, system_id)
            except _PinTaken:
                standing.taken.add(system_id)
            except Refusal as refusal:
                standing.refused(refusal)
            await self._look_at_credential(grant, method, system_id, standing)
        return standing

    def has_encoder(self, method: GrantedMethod) -> bool:
        """True if a card of this method can be written where it is for."""
        here = self._devices.of_workspace(method.workspace_id) if method.mode == "card" else ()
        return any(is_encoder(each) and each.details["acs_system_id"] in method.credentials for each in here)

    # codes --------------------------------------------------------------------------------------

    async def _code(self, grant: AccessGrant, method: GrantedMethod, device_id: str) -> None:
        now, workspace_id = self._clock.now(), grant.workspace_id
        code = await self._kept.get(code_id(method.id, device_id))
        asker = Asker(grant.id, "access_grant", None, new_id())
        starts_at, ends_at = code_times(grant)
        # A lock knows no code that begins later and never ends: that one is made when it begins.
        is_wanted = (
            method.is_wanted(grant, now)
            and device_id in method.device_ids
            and (ends_at is not None or grant.starts_at <= now)
        )
        if code is None:
            if is_wanted and self._devices.find(workspace_id, device_id) is not None:
                new = NewCode(
                    id=code_id(method.id, device_id),
                    pin=self._pin(method),
                    name=grant.display_name,
                    starts_at=starts_at,
                    ends_at=ends_at,
                )
                try:
                    await self._codes.create(workspace_id, device_id, new, asker)
                except DuplicateAccessCode:
                    raise _PinTaken from None
        elif not is_wanted:
            # What ends by its time is removed by its lock's keeper.
            goes = method.is_removed(grant) or device_id not in method.device_ids or ends_at is None
            if goes and code.removed_at is None and self._devices.get(device_id) is not None:
                await self._codes.delete(workspace_id, code.id, asker)
        elif not code.is_over(now):
            changes = self._differing(grant, method, code)
            if changes:
                await self._codes.update(workspace_id, code.id, changes, asker)

    def _differing(self, grant: AccessGrant, method: GrantedMethod, code: AccessCode) -> dict[str, Any]:
        starts_at, ends_at = code_times(grant)
        changes: dict[str, Any] = {}
        if (code.starts_at, code.ends_at) != (starts_at, ends_at):
            changes |= {"starts_at": starts_at, "ends_at": ends_at}
        if code.name != grant.display_name:
            changes["name"] = grant.display_name
        if code.pin_key != self._codes.pins.key_of(code.device_id, self._pin(method)):
            changes["pin"] = self._pin(method)
        return changes

    def _pin(self, method: GrantedMethod) -> str:
        assert method.code is not None  # only methods with a PIN are at locks
        return self._codes.pins.open(method.code)

    async def _look_at_code(
        self, grant: AccessGrant, method: GrantedMethod, device_id: str, standing: Standing
    ) -> None:
        now = self._clock.now()
        code = await self._kept.get(code_id(method.id, device_id))
        if code is None or self._devices.get(device_id) is None:
            return
        if code.removed_at is not None or not code.is_certainly_off:
            standing.is_off = False
        is_going = code.is_over(now) or device_id not in method.device_ids
        errors = code.facts.errors
        if is_going:
            if device_id not in method.device_ids:
                standing.leaving_device_ids.append(device_id)
            if FAILED_TO_REMOVE in errors:
                standing.stuck[device_id] = errors[FAILED_TO_REMOVE][0]
            return
        held = code.facts.held
        if held is not None and held.pin_key == code.pin_key and not code.facts.is_uncertain:
            standing.at_device_ids.append(device_id)
        if held is not None:
            standing.is_behind |= step(code, now) is not None or bool(self._differing(grant, method, code))
        standing.problems += [message for message, _ in errors.values()]
        standing.is_late |= LATE_IN_SETTING in code.facts.warnings

    # credentials --------------------------------------------------------------------------------

    async def _credential(self, grant: AccessGrant, method: GrantedMethod, system_id: str) -> None:
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
        shall = {"acs_entrance_ids": opened, "starts_at": grant.starts_at, "ends_at": grant.ends_at}
        if known is None:
            try:
                await self._credentials.create(
                    workspace_id,
                    method.mode,
                    whom=Whom(acs_user_id=user.id),
                    code=None if method.code is None else self._pin(method),
                    starts_at=grant.starts_at,
                    ends_at=grant.ends_at,
                    entrance_ids=opened,
                    id=id,
                    access_method_id=method.id,
                )
            except CodeTaken:
                raise _PinTaken from None
            return
        changes: dict[str, Any] = {
            name: value for name, value in shall.items() if getattr(known, name) != value
        }
        if changes:
            changes["changed_at"] = now
        if known.acs_user_id != user.id:
            changes["acs_user_id"] = user.id
        if changes:
            await self._things.change(
                AcsCredential, workspace_id, id, lambda credential: replace(credential, **changes)
            )
        if method.code is not None and self._credentials.code_of(known) != self._pin(method):
            await self._credentials.change(workspace_id, id, code=self._pin(method))

    async def user_of(self, grant: AccessGrant, system_id: str) -> AcsUser:
        """The user of the grant's identity in a system; a new one if it has none there."""
        workspace_id, identity_id = grant.workspace_id, grant.user_identity_id
        wanted = Wanted(holder_ids=(identity_id,), acs_system_ids=(system_id,))
        found = await self._things.find(AcsUser, workspace_id, wanted, limit=1)
        if found:
            return found[0]
        identity = await self._credentials.access.one(UserIdentity, workspace_id, identity_id)
        known = {
            "full_name": identity.display_name,
            "email_address": identity.email_address,
            "phone_number": identity.phone_number,
            "user_identity_id": identity.id,
        }
        return await self._users.create(workspace_id, system_id, known)

    async def _look_at_credential(
        self, grant: AccessGrant, method: GrantedMethod, system_id: str, standing: Standing
    ) -> None:
        now = self._clock.now()
        known = await self._things.get(AcsCredential, grant.workspace_id, method.credentials[system_id])
        if known is None:
            return
        if method.is_removed(grant):
            standing.is_off = False
        if known.issued_at is not None and method.is_wanted(grant, now):
            standing.opened_entrance_ids += known.acs_entrance_ids or ()
            standing.is_behind |= known.is_behind
            if method.mode == "card":
                standing.written_at = known.issued_at

    async def _in_system(
        self, workspace_id: str, entrance_ids: Sequence[str], system_id: str
    ) -> tuple[str, ...]:
        if not entrance_ids:
            return ()
        wanted = Wanted(ids=entrance_ids, acs_system_ids=(system_id,))
        return tuple(each.id for each in await self._things.find(AcsEntrance, workspace_id, wanted))
