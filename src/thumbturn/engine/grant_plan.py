"""Which access methods a grant needs: for the ways that were asked for, at the doors that it is for.

One method is one PIN, one card or one cloud key. A PIN is the same at as many doors as take it; where one
cannot have it, that door gets a method of its own. A card and a cloud key belong to one access control
system, so there is one for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from thumbturn.domain.access import AcsEntrance
from thumbturn.domain.access_grant import AccessGrant, GrantedMethod, RequestedMethod, credential_id
from thumbturn.domain.device import Device
from thumbturn.domain.encoder import is_encoder
from thumbturn.domain.ids import new_id
from thumbturn.domain.space import Space
from thumbturn.engine.access_ports import AccessStore, Wanted
from thumbturn.engine.devices import Devices
from thumbturn.engine.grant_pins import GrantPins
from thumbturn.engine.space_ports import SpaceStore


class Doors(NamedTuple):
    """What a grant is for, as far as it is there."""

    devices: Sequence[Device]
    entrances: Sequence[AcsEntrance]
    #: Devices that it names and that are gone.
    gone: tuple[str, ...]

    @property
    def codeless(self) -> tuple[str, ...]:
        """The devices that take no codes."""
        return tuple(each.id for each in self.devices if "access_codes" not in each.capabilities)

    def by_system(self, only: Iterable[str]) -> dict[str, list[str]]:
        """Those of these entrances that are there, by their system."""
        wanted, found = set(only), dict[str, list[str]]()
        for each in self.entrances:
            if each.id in wanted:
                found.setdefault(each.acs_system_id, []).append(each.id)
        return found


@dataclass(frozen=True, slots=True)
class Plan:
    """A grant with the methods that it needs, by their id."""

    grant: AccessGrant
    methods: dict[str, GrantedMethod]


class Planning:
    """Plans methods. Changes nothing on record."""

    def __init__(self, pins: GrantPins, things: AccessStore, devices: Devices, spaces: SpaceStore) -> None:
        self._pins = pins
        self._things = things
        self._devices = devices
        self._spaces = spaces

    async def doors(self, grant: AccessGrant) -> Doors:
        """The doors of a grant: its own, and those that are in its spaces now."""
        workspace_id, device_ids, entrance_ids = grant.workspace_id, grant.device_ids, grant.acs_entrance_ids
        if grant.space_ids:
            for inside in (await self._spaces.inside(workspace_id, grant.space_ids)).values():
                device_ids += inside.device_ids
                entrance_ids += inside.acs_entrance_ids
        entrances: list[AcsEntrance] = []
        if entrance_ids:
            wanted = Wanted(ids=set(entrance_ids))
            entrances = await self._things.find(AcsEntrance, workspace_id, wanted)
        found = {id: self._devices.find(workspace_id, id) for id in device_ids}
        there = [each for each in found.values() if each is not None and not is_encoder(each)]
        return Doors(there, entrances, tuple(id for id in grant.device_ids if found[id] is None))

    async def locks_of(self, grant: AccessGrant) -> set[str]:
        """The devices that it opens, and those at the entrances that it opens."""
        doors = await self.doors(grant)
        return {each.id for each in doors.devices} | {each.device_id for each in doors.entrances}

    async def plan(self, grant: AccessGrant, methods: Sequence[GrantedMethod], now: int) -> Plan:
        """The grant as it is to be. What was made and is there no more was deleted, and is not made again."""
        doors = await self.doors(grant)
        known = {method.id: method for method in methods}
        requested, open_methods, unmade = [], list[GrantedMethod](), list[str]()
        for request in grant.requested:
            mine = [known[id] for id in request.access_method_ids if id in known]
            mine = [method for method in mine if method.removed_at is None]
            if mine or not request.access_method_ids:
                mine = await self._for(request, grant, mine, doors, now)
                if all(_is_empty(method) for method in mine):
                    unmade.append(request.mode)
                else:
                    mine = [replace(each, removed_at=now) if _is_empty(each) else each for each in mine]
            made = (method.id for method in mine)
            ids = tuple(dict.fromkeys([*request.access_method_ids, *made]))
            requested.append(replace(request, access_method_ids=ids))
            known |= {method.id: method for method in mine}
            open_methods += mine
        opened = {id for method in open_methods for id in method.device_ids}
        missing: tuple[str, ...] = ()
        if open_methods or unmade:
            opened.update(id for request in grant.requested for id in request.denied_ids)
            missing = (*doors.gone, *(each.id for each in doors.devices if each.id not in opened))
        problem = _problem(missing, unmade)
        asks_for_code = any(request.mode == "code" for request in grant.requested)
        devices, before = tuple(each.id for each in doors.devices), grant.doors_changed_at
        was_planned = any(request.access_method_ids for request in grant.requested)
        after = replace(
            grant,
            space_ids=await self._spaces_of(grant),
            requested=tuple(requested),
            planned_device_ids=devices,
            doors_changed_at=now if was_planned and devices != grant.planned_device_ids else before,
            planned_entrance_ids=tuple(each.id for each in doors.entrances),
            missing_device_ids=missing,
            problem=problem,
            problem_at=None if problem is None else grant.problem_at or now,
            codeless_device_ids=doors.codeless if asks_for_code else (),
        )
        return Plan(after, known)

    async def _spaces_of(self, grant: AccessGrant) -> tuple[str, ...]:
        """Its spaces that are still there."""
        if not grant.space_ids:
            return ()
        wanted = Wanted(ids=grant.space_ids)
        found = await self._things.find(Space, grant.workspace_id, wanted)
        there = {space.id for space in found}
        return tuple(each for each in grant.space_ids if each in there)

    async def without(self, method: GrantedMethod, taken: set[str]) -> GrantedMethod:
        """The method without the locks, and the entrances of systems, in which somebody else has its PIN."""
        wanted = Wanted(ids=method.acs_entrance_ids, acs_system_ids=taken)
        found = await self._things.find(AcsEntrance, method.workspace_id, wanted)
        lost = {each.id for each in found}
        return replace(
            method,
            device_ids=tuple(each for each in method.device_ids if each not in taken),
            acs_entrance_ids=tuple(each for each in method.acs_entrance_ids if each not in lost),
            credentials={system: id for system, id in method.credentials.items() if system not in taken},
        )

    async def _for(
        self,
        request: RequestedMethod,
        grant: AccessGrant,
        mine: Sequence[GrantedMethod],
        doors: Doors,
        now: int,
    ) -> list[GrantedMethod]:
        """The methods of a request, as these doors need them."""
        kept = _with_returned([_without_lost(method, doors) for method in mine], request, doors)
        covered = {id for method in kept for id in (*method.device_ids, *method.acs_entrance_ids)}
        covered.update(request.denied_ids)
        entrances = [each.id for each in doors.entrances if each.id not in covered]
        if request.mode == "code":
            devices = [each for each in doors.devices if _takes_codes(each) and each.id not in covered]
            return await self._with_code(request, grant, kept, devices, doors.by_system(entrances), now)
        for system, ids in doors.by_system(entrances).items():
            there = next((method for method in kept if system in method.credentials), None)
            if there is not None:
                kept.remove(there)
            kept.append(_at(there or _new(request, grant, now), (), {system: ids}))
        return kept

    async def _with_code(
        self,
        request: RequestedMethod,
        grant: AccessGrant,
        kept: list[GrantedMethod],
        devices: Sequence[Device],
        systems: dict[str, list[str]],
        now: int,
    ) -> list[GrantedMethod]:
        """With one PIN wherever it can be, and another where it cannot."""
        if not devices and not systems:
            return kept
        workspace_id, first = grant.workspace_id, kept[0] if kept else None
        sealed = request.code if first is None else first.code
        pin = None if sealed is None else self._pins.open(sealed)
        if pin is None:
            pin = await self._pins.draw(workspace_id, devices, systems)
        ours = () if first is None else first.credentials
        split = await self._pins.split(workspace_id, pin, devices, systems, ours)
        if pin is not None and (split.locks or split.systems):
            here = first or self._with_pin(request, grant, pin, now)
            kept = [_at(here, [each.id for each in split.locks], split.systems), *kept[1:]]
        for lock in split.other_locks:
            own = await self._pins.draw(workspace_id, (lock,), ())
            if own is not None:
                kept.append(_at(self._with_pin(request, grant, own, now), (lock.id,), {}))
        for system, ids in split.other_systems.items():
            own = await self._pins.draw(workspace_id, (), (system,))
            if own is not None:
                kept.append(_at(self._with_pin(request, grant, own, now), (), {system: ids}))
        return kept

    def _with_pin(self, request: RequestedMethod, grant: AccessGrant, pin: str, now: int) -> GrantedMethod:
        return replace(_new(request, grant, now), code=self._pins.seal(pin))


def _takes_codes(device: Device) -> bool:
    return device.is_managed and "access_codes" in device.capabilities


def _new(request: RequestedMethod, grant: AccessGrant, now: int) -> GrantedMethod:
    return GrantedMethod(
        id=new_id(),
        workspace_id=grant.workspace_id,
        created_at=now,
        access_grant_id=grant.id,
        mode=request.mode,
    )


def _at(method: GrantedMethod, device_ids: Iterable[str], systems: dict[str, list[str]]) -> GrantedMethod:
    """The method at these doors, too."""
    credentials = {system: credential_id(method.id, system) for system in systems}
    entrances = [id for ids in systems.values() for id in ids]
    return replace(
        method,
        device_ids=tuple(dict.fromkeys([*method.device_ids, *device_ids])),
        acs_entrance_ids=tuple(dict.fromkeys([*method.acs_entrance_ids, *entrances])),
        leaving_device_ids=tuple(each for each in method.leaving_device_ids if each not in set(device_ids)),
        credentials=credentials | dict(method.credentials),
    )


def _without_lost(method: GrantedMethod, doors: Doors) -> GrantedMethod:
    """The method without the doors that its grant is not for any more."""
    devices = {each.id for each in doors.devices}
    entrances = {each.id for each in doors.entrances}
    lost = [each for each in method.device_ids if each not in devices]
    return replace(
        method,
        device_ids=tuple(each for each in method.device_ids if each in devices),
        leaving_device_ids=tuple(dict.fromkeys([*method.leaving_device_ids, *lost])),
        acs_entrance_ids=tuple(each for each in method.acs_entrance_ids if each in entrances),
    )


def _with_returned(
    methods: Sequence[GrantedMethod], request: RequestedMethod, doors: Doors
) -> list[GrantedMethod]:
    """The methods of a request, each also at locks that its code has not left and that are doors again."""
    covered = {*request.denied_ids, *(id for method in methods for id in method.device_ids)}
    wanted = {each.id for each in doors.devices if _takes_codes(each)} - covered
    kept = []
    for method in methods:
        back = [each for each in method.leaving_device_ids if each in wanted]
        wanted.difference_update(back)
        kept.append(_at(method, back, {}))
    return kept


def _is_empty(method: GrantedMethod) -> bool:
    """True if it is for no door, and nothing of it is left at one that it was for."""
    return not (method.device_ids or method.acs_entrance_ids or method.leaving_device_ids)


def _problem(missing: Sequence[str], unmade: Sequence[str]) -> str | None:
    if unmade:
        modes = ", ".join(dict.fromkeys(unmade))
        return f"None of its doors can be opened in a way that was asked for: {modes}."
    return "Some of its devices can be opened in no way that was asked for." if missing else None
