"""Calls that act and begin no attempt, as they stand in the audit trail.

Of what was asked the trail keeps the ids, yes and no, and words of a closed list. Any other value
could be a secret one day (a PIN, a URL with a token in it), and a trail is for ever: of those it keeps
that they were given. Accepted attempts are in the trail by themselves, refused calls did nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

import structlog
from pydantic import BaseModel

from thumbturn.api.callers import Bearer, Caller
from thumbturn.domain.asker import Asker
from thumbturn.domain.audit import Act, Recording
from thumbturn.domain.clock import MILLISECOND, SECOND, Clock
from thumbturn.domain.discretion import HIDDEN
from thumbturn.domain.errors import Refusal
from thumbturn.engine.ports import Store

log = structlog.get_logger("thumbturn.api")

FIRST_PAUSE = 50 * MILLISECOND
LONGEST_PAUSE = 1 * SECOND


class Acts:
    """Puts acts on record."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def begin(self, path: str, ask: BaseModel, bearer: Bearer, asker: Asker) -> Recording:
        """The recording of a call that will be made."""

        def act_of(made: Mapping[str, Any]) -> Act | None:
            ids = {**dict(_ids_asked(ask)), **made}
            # A person who makes a workspace asks in none: his call is the first in its trail.
            workspace_id = bearer.workspace.id if isinstance(bearer, Caller) else ids.get("workspace_id")
            if not isinstance(workspace_id, str):
                return None
            return Act(workspace_id, self._clock.now(), path, asker, ids, dict(_given(ask)))

        return Recording(act_of)

    async def end(self, recording: Recording, answer: Mapping[str, Any]) -> None:
        """Put a call that was done into the trail of its workspace, unless it was together with what it did;
        it is durable when this returns.

        It is done, so it must not go unrecorded because the database is away for a moment.
        """
        act = recording.act(dict(_ids_answered(answer)))
        recording.is_over = True
        if act is None:
            return
        pause, again = FIRST_PAUSE, False
        while True:
            try:
                await self._store.record(act, again=again)
            except Refusal as refusal:
                log.warning("act_is_recorded_later", because=refusal.message, path=act.action)
                await self._clock.sleep(pause)
                pause, again = min(2 * pause, LONGEST_PAUSE), True
            else:
                recording.is_written = True
                return


def _ids_asked(ask: BaseModel) -> Iterator[tuple[str, Any]]:
    for name in ask.model_fields_set:
        if _is_id(name):
            yield name, getattr(ask, name)


def _given(ask: BaseModel) -> Iterator[tuple[str, Any]]:
    for name in ask.model_fields_set:
        value = getattr(ask, name)
        if not _is_id(name):
            is_telling = value is None or isinstance(value, bool) or _is_closed(ask, name)
            yield name, value if is_telling else HIDDEN


def _ids_answered(answer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The ids in an answer, and those of the things in it."""
    for name, value in answer.items():
        if _is_id(name):
            yield name, value
        elif isinstance(value, Mapping) and f"{name}_id" in value:
            yield f"{name}_id", value[f"{name}_id"]
        elif isinstance(value, list):
            own = f"{name.removesuffix('s')}_id"
            ids = [each[own] for each in value if isinstance(each, Mapping) and own in each]
            if ids:
                yield f"{own}s", ids


def _is_id(name: str) -> bool:
    return name.endswith(("_id", "_ids"))


def _is_closed(ask: BaseModel, name: str) -> bool:
    """True if the parameter takes nothing but words that are known beforehand."""
    kinds = [
        kind for kind in _alternatives(type(ask).model_fields[name].annotation) if kind is not type(None)
    ]
    return bool(kinds) and all(get_origin(kind) is Literal for kind in kinds)


def _alternatives(kind: Any) -> list[Any]:
    members = get_args(kind)
    if not members or get_origin(kind) is Literal:
        return [kind]
    return [each for member in members for each in _alternatives(member)]
