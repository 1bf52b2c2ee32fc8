"""Keeps access grants as they shall be: has their methods made, changed and revoked, and tells of that.

It goes by what is on record (ADR 0024): which methods a grant needs follows from its wish (``grant_plan``),
what they rest on is made to fit (``issuing``), and how that stands is put on record with what is told of
it. Whoever changes a grant, a code or a card asks it to look again; a start of the server looks at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextvars import Context
from weakref import WeakValueDictionary

from thumbturn.domain.access_grant import AccessGrant, GrantedMethod, codes_of
from thumbturn.domain.access_grant_news import of_doors, of_grant, of_method, of_method_change
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.event import Event
from thumbturn.engine.access_ports import AccessStore, Wanted
from thumbturn.engine.grant_judging import grant_judged, method_judged
from thumbturn.engine.grant_plan import Plan, Planning
from thumbturn.engine.issuing import Issuing
from thumbturn.engine.standing import Standing
from thumbturn.engine.supervised import supervised
from thumbturn.engine.timetable import Timetable

#: How long after something was refused, or could not be written, a grant is looked at again.
TRIED_AGAIN_AFTER = seconds(60)
#: Grants that are looked at at a time: what they wait for is the database.
AT_A_TIME = 8

#: How often in one look a PIN is replaced that somebody else has by then.
MOST_PINS = 5

#: A grant: its workspace's id and its own.
Which = tuple[str, str]


class GrantKeeper:
    """Looks after all access grants."""

    def __init__(self, *, store: AccessStore, planning: Planning, issuing: Issuing, clock: Clock) -> None:
        self._store = store
        self._planning = planning
        self._issuing = issuing
        self._clock = clock
        self._turns: Timetable[Which] = Timetable(clock, self._turn)
        self._planned: dict[Which, int] = {}
        #: By the id of a code, credential, device, space or user identity, the grants that it concerns; and
        #: the reverse.
        self._concerned: dict[str, set[Which]] = {}
        self._concerns: dict[Which, set[str]] = {}
        #: Held while a grant is looked at or changed; gone when nobody does any more.
        self._alone: WeakValueDictionary[Which, asyncio.Lock] = WeakValueDictionary()
        #: Looks that have not begun.
        self._coming: dict[Which, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_A_TIME)

    async def start(self) -> None:
        """Take up what an earlier process left."""
        self._turns.start()
        for which in await self._store.everywhere(AccessGrant):
            self.look(which)

    async def stop(self) -> None:
        """Do nothing more."""
        await self._turns.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def alone(self, which: Which) -> asyncio.Lock:
        """Held while a grant is changed."""
        return self._alone.setdefault(which, asyncio.Lock())

    def look(self, which: Which) -> asyncio.Task[None]:
        """See soon to a grant as it stands by then; the task is done when that is done."""
        coming = self._coming.get(which)
        if coming is None:
            # Whoever gave occasion to it, in whichever request, does not do what comes of it.
            coming = asyncio.get_running_loop().create_task(self._look(which), context=Context())
            self._coming[which] = coming
            self._tasks.add(coming)
            coming.add_done_callback(self._tasks.discard)
        return coming

    def touched(self, ids: Iterable[str]) -> None:
        """Something may have become of these codes, credentials, devices or spaces, or of the users of these
        identities.
        """
        if self._concerned:
            for which in {each for id in ids for each in self._concerned.get(id, ())}:
                self.look(which)

    # inside -------------------------------------------------------------------------------------

    async def _turn(self, which: Which) -> None:
        await self.look(which)

    async def _look(self, which: Which) -> None:
        try:
            with supervised("grant_is_looked_after_later", access_grant_id=which[1]) as looking:
                async with self.alone(which), self._room:
                    self._coming.pop(which, None)
                    await self._see_to(which)
            if looking.failed:
                self._plan(which, self._clock.now() + TRIED_AGAIN_AFTER)
        finally:
            if self._coming.get(which) is asyncio.current_task():
                del self._coming[which]

    async def _see_to(self, which: Which) -> None:
        workspace_id, id = which
        grant = await self._store.get(AccessGrant, workspace_id, id)
        if grant is None:
            self._forget(which)
            return
        # Before its doors are read: what is put in its spaces from now on is looked at again.
        self._concern(which, [*self._concerns.get(which, ()), *grant.device_ids, *grant.space_ids])
        methods = await self._store.find(GrantedMethod, workspace_id, Wanted(holder_ids=(id,)))
        for _ in range(MOST_PINS):
            made = await self._made_so(which, grant, methods)
            if made is None:
                return
            grant, methods, standings = made
            if not any(each.taken for each in standings):
                break
            # Somebody was faster with a PIN: the doors at which he has it get another.
            methods = [
                await self._planning.without(method, standing.taken) if standing.taken else method
                for method, standing in zip(methods, standings, strict=True)
            ]
            if not await self._store.settle(workspace_id, changed=methods):
                return
        is_gone = await self._note(grant, list(zip(methods, standings, strict=True)))
        if is_gone:
            self._forget(which)
            return
        moments = [grant.next_moment(self._clock.now()), *(at for each in standings for at in each.moments)]
        if any(each.is_tried_again or each.taken for each in standings):
            moments.append(self._clock.now() + TRIED_AGAIN_AFTER)
        self._plan(which, min((each for each in moments if each is not None), default=None))

    async def _made_so(
        self, which: Which, grant: AccessGrant, methods: list[GrantedMethod]
    ) -> tuple[AccessGrant, list[GrantedMethod], list[Standing]] | None:
        """The grant with the methods that it needs, and how these stand; ``None`` if it is gone meanwhile."""
        now = self._clock.now()
        if not grant.is_over(now):
            planned = await self._planned_for(grant, methods, now)
            if planned is None:
                return None
            grant, methods = planned.grant, list(planned.methods.values())
        # Known before they are made: what becomes of them meanwhile is looked at, too.
        locks = await self._planning.locks_of(grant)
        credentials = [id for method in methods for id in method.credentials.values()]
        whose = (grant.user_identity_id, *grant.space_ids)
        self._concern(which, [*codes_of(methods), *credentials, *locks, *whose])
        return grant, methods, [await self._issuing.make_so(grant, method) for method in methods]

    async def _planned_for(
        self, grant: AccessGrant, methods: Sequence[GrantedMethod], now: int
    ) -> Plan | None:
        """Put on record which methods it needs, before any is made; ``None`` if it is gone meanwhile."""
        plan = await self._planning.plan(grant, methods, now)
        before = {method.id: method for method in methods}
        new = [method for id, method in plan.methods.items() if id not in before]
        changed = [method for id, method in plan.methods.items() if id in before and method != before[id]]
        told = [of_method(method, plan.grant, "created", now) for method in new]
        if plan.grant.problem is not None and _problem(plan.grant) != _problem(grant):
            told.append(
                of_grant(
                    plan.grant,
                    "could_not_create_requested_access_methods",
                    now,
                    error_message=plan.grant.problem,
                    missing_device_ids=list(plan.grant.missing_device_ids),
                )
            )
        grants = [plan.grant] if plan.grant != grant else []
        if not (new or changed or grants):
            return plan
        is_there = await self._store.settle(
            grant.workspace_id, new=new, changed=[*changed, *grants], told=told
        )
        return plan if is_there else None

    async def _note(self, grant: AccessGrant, stand: Sequence[tuple[GrantedMethod, Standing]]) -> bool:
        """Put on record how its methods stand, and tell what is news; true if it is gone with that."""
        now = self._clock.now()
        changed: list[AccessGrant | GrantedMethod] = []
        gone: list[str] = []
        told: list[Event] = []
        left: list[GrantedMethod] = []
        for before, standing in stand:
            after = method_judged(grant, before, standing, now, has_encoder=self._issuing.has_encoder(before))
            told += of_method_change(before, after, grant, now)
            if after.is_removed(grant) and standing.is_off:
                gone.append(after.id)
                told.append(of_method(after, grant, "deleted", now))
                continue
            left.append(after)
            if after != before:
                changed.append(after)
        after_all = grant_judged(grant, left, now)
        told += of_doors(grant, after_all, now)
        if grant.removed_at is not None and not left:
            gone.append(grant.id)
            told.append(of_grant(grant, "deleted", now))
        elif after_all != grant:
            changed.append(after_all)
        if not (changed or gone):
            return False
        is_there = await self._store.settle(grant.workspace_id, changed=changed, gone=gone, told=told)
        return is_there and grant.id in gone

    def _concern(self, which: Which, ids: Iterable[str]) -> None:
        """Look at the grant when something becomes of one of these, and of no others."""
        before, now = self._concerns.pop(which, set()), set(ids)
        for id in before - now:
            self._concerned[id].discard(which)
            if not self._concerned[id]:
                del self._concerned[id]
        for id in now:
            self._concerned.setdefault(id, set()).add(which)
        if now:
            self._concerns[which] = now

    def _forget(self, which: Which) -> None:
        self._plan(which, None)
        self._concern(which, ())

    def _plan(self, which: Which, moment: int | None) -> None:
        """Look at the grant again at this moment, and at no other."""
        planned = self._planned.pop(which, None)
        if planned is not None:
            self._turns.remove(which, planned)
        if moment is not None:
            self._planned[which] = moment
            self._turns.add(which, moment)


def _problem(grant: AccessGrant) -> tuple[str | None, tuple[str, ...]]:
    return grant.problem, grant.missing_device_ids
