"""Answering one of several processes on a database: a call is answered here, or has its owner answer it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Protocol

from pydantic import BaseModel

from thumbturn.api.body import Receive, read_body
from thumbturn.api.call import Call
from thumbturn.api.callers import Bearer, Caller
from thumbturn.api.connecting import MOST_BYTES, Connecting, Shown, unknown
from thumbturn.api.exchanged import FORWARDED, Reply, Request
from thumbturn.api.idempotency import HEADER, Idempotency
from thumbturn.api.placing import Away, Parts, Place, Placing
from thumbturn.api.reply import answer_body
from thumbturn.api.stream import EventStream
from thumbturn.api.surroundings import Others
from thumbturn.api.waiting import LONGEST_WAIT
from thumbturn.domain.clock import SECOND, Clock
from thumbturn.domain.refusals import OwnerMissing
from thumbturn.engine.cells import Cells
from thumbturn.engine.underway import OwnerNeeded

Scope = MutableMapping[str, Any]


class Routed(Protocol):
    """What is asked of the endpoint that a call is for."""

    place: Place
    acts: bool
    waits: bool
    begins_attempt: bool


class AmongOthers:
    """Answers calls, or has them answered."""

    def __init__(
        self,
        cells: Cells,
        others: Others,
        idempotency: Idempotency,
        connecting: Connecting,
        clock: Clock,
    ) -> None:
        self._cells = cells
        self._placing = Placing(cells, others.elsewhere, clock)
        self._forwarding = others.forwarding
        self._idempotency = idempotency
        self._connecting = connecting

    async def answer(
        self,
        route: Routed,
        ask: BaseModel,
        bearer: Bearer | None,
        act: Callable[[], Awaitable[Any]],
        scope: Scope,
        content: bytes,
        call: Call,
    ) -> bytes | EventStream | Reply:
        """What ``act`` answers, if this process may act for this workspace; else its owner's reply."""
        parts = self._parts(route, bearer, scope, call)
        if isinstance(parts, Away):
            return await self._ask(parts, route, scope, content, call)
        call.parts = parts
        try:
            if call.header(HEADER) is not None and route.acts:
                return await self._idempotency.answer(
                    call, bearer, ask, act, begins_attempt=route.begins_attempt
                )
            answer = await act()
        except OwnerNeeded:
            assert isinstance(bearer, Caller)  # it was about something of his workspace
            return await self._ask(self._placing.owner_of(bearer.workspace.id), route, scope, content, call)
        return answer if isinstance(answer, EventStream) else answer_body(answer)

    async def page(
        self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, request_id: str
    ) -> Shown | Reply:
        """The page of a connect webview: of the process that owns its workspace."""
        workspace_id = await self._connecting.workspace_of(scope)
        if workspace_id is None:
            return unknown()
        cell = self._cells.of(workspace_id)
        if cell is not None:
            return await self._connecting.answer(cell.connect_webviews, scope, headers, receive)
        if FORWARDED in scope:
            raise OwnerMissing
        owner = self._placing.owner_of(workspace_id)
        request = Request.of(request_id, scope, await read_body(receive, headers, MOST_BYTES))
        return await self._forwarding.ask(request, owner.kind, owner.cell)

    def _parts(self, route: Routed, bearer: Bearer | None, scope: Scope, call: Call) -> Parts | Away:
        if FORWARDED in scope:
            return self._placing.answerer(route.place, bearer)
        has_key = call.header(HEADER) is not None
        return self._placing.of(route.place, bearer, call.request_id, has_key=has_key)

    async def _ask(self, owner: Away, route: Routed, scope: Scope, content: bytes, call: Call) -> Reply:
        request = Request.of(call.request_id, scope, content)
        patience = LONGEST_WAIT * SECOND if route.waits else 0
        asking = self._forwarding.ask(request, owner.kind, owner.cell, patience=patience)
        return await call.unless_gone(asking)
