"""Handing over a code: it stays at its lock as it is, and is not looked after any more."""

from __future__ import annotations

from dataclasses import replace

from thumbturn.domain import access_code_news as news
from thumbturn.domain.access_code import UPDATE, step
from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.client_session import Reach
from thumbturn.domain.clock import Clock
from thumbturn.domain.errors import Refusal
from thumbturn.engine.access_code_ports import AccessCodeStore, CodeFacts
from thumbturn.engine.access_codes import AccessCodes
from thumbturn.engine.code_keeper import CodeKeeper
from thumbturn.engine.code_refusals import raise_for


class CodeNotSettled(Refusal, type="access_code_not_settled", status=409):
    """Its lock does not hold this code as it shall: hand it over when it is set"""


class CodeHandover:
    """The way back of ``AccessCodes.convert``."""

    def __init__(self, codes: AccessCodes, store: AccessCodeStore, keeper: CodeKeeper, clock: Clock) -> None:
        self._codes = codes
        self._store = store
        self._keeper = keeper
        self._clock = clock

    async def hand_over(
        self, workspace_id: str, access_code_id: str, asker: Asker, reach: Reach = None
    ) -> Attempt:
        """Look after a code no more, from now on; the attempt that sees that it is at its lock.

        Raises ``AccessCodeNotFound``, ``DeviceUnmanaged``, and ``CodeNotSettled`` while its lock holds
        something else than it shall, or nothing.
        """
        known = await self._codes.get(workspace_id, access_code_id, reach)
        self._codes.lock(workspace_id, known.device_id, reach)
        with self._keeper.reserved(known.id):
            async with self._codes.changing_at(known.device_id):
                code = await self._codes.get(workspace_id, access_code_id, reach)
                now = self._clock.now()
                is_busy = bool(self._keeper.works_on(code.id))
                if is_busy or code.facts.held is None or step(code, now) is not None:
                    raise CodeNotSettled(data={"access_code_id": code.id})
                left = replace(code, is_managed=False, due_at=None)
                told = self._codes.labels.on((news.tell(left, "unmanaged.created", now),))
                await self._store.note((CodeFacts(left),), told)
                if left.is_time_bound and not left.is_native:
                    # Its lock does not know of its end, and nobody else sees to it any more.
                    left = replace(left, starts_at=None, ends_at=None)
                    raise_for(await self._store.change((left,), ()), left)
            return await self._codes.program(UPDATE, left, asker, at_once=True)
