"""The table of all endpoints: those that are written, and those that follow from the actions."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from thumbturn.actions import Way, load, ways
from thumbturn.api import routes
from thumbturn.api.asking import asker_of
from thumbturn.api.call import Call
from thumbturn.api.callers import Caller
from thumbturn.api.commands import ask_of, timing_of
from thumbturn.api.endpoint import Answer, Endpoint, Function, describe
from thumbturn.api.once import Once
from thumbturn.api.waiting import settled
from thumbturn.api.wire.attempt import ActionAttempt, attempt_json
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import Clock
from thumbturn.domain.idempotency import Keep
from thumbturn.engine.engine import Engine
from thumbturn.engine.underway import Underway


@cache
def endpoints() -> Mapping[str, Endpoint]:
    """Every endpoint there is, by its path. Raises ``TypeError`` for a path that is taken twice."""
    table = tabulate([*_written(), *(of_way(way) for way in ways().values())])
    return MappingProxyType(table)


def tabulate(all_of_them: Iterable[Endpoint]) -> dict[str, Endpoint]:
    """The endpoints by path. Raises ``TypeError`` for a path that is taken twice."""
    table: dict[str, Endpoint] = {}
    for each in all_of_them:
        if each.path in table:
            raise TypeError(f"{each.path} is declared twice")
        table[each.path] = each
    return dict(sorted(table.items()))


def of_way(way: Way) -> Endpoint:
    """The endpoint that begins attempts in this way.

    Its answer waits for the attempt's end if the caller prefers it to, or sets the contract's ``sync``.
    """
    action, meaning = load()[way.type], way.meaning

    async def as_asked(
        ask: Any, caller: Caller, underway: Underway, clock: Clock, call: Call, once: Once
    ) -> Answer:
        def begun(*, keep: Keep | None = None) -> Awaitable[Attempt]:
            # The time is looked at here, and not again when the same is asked once more later.
            timing, asker = timing_of(ask, clock), asker_of(call, caller)
            return underway.begin(
                action, ask, caller.workspace, asker, timing=timing, keep=keep, reach=caller.reach
            )

        attempt = await once.attempt(begun, answer)
        return answer(await settled(call, underway, attempt, sync=way.takes_sync and ask.sync))

    async def as_meant(
        ask: Any, caller: Caller, engine: Engine, clock: Clock, call: Call, once: Once
    ) -> Answer:
        async def begun(*, keep: Keep | None = None) -> Attempt:
            timing, asker = timing_of(ask, clock), asker_of(call, caller)
            assert meaning is not None  # it is for those that have one
            meant = await meaning(ask, engine.known(caller.workspace.id, caller.reach))
            return await engine.begin(
                action, meant, caller.workspace, asker, timing=timing, keep=keep, reach=caller.reach
            )

        attempt = await once.attempt(begun, answer)
        return answer(await settled(call, engine, attempt, sync=way.takes_sync and ask.sync))

    def answer(attempt: Attempt) -> Answer:
        shown: dict[str, Any] = {"action_attempt": attempt_json(attempt)}
        for key, _, show in way.shows:
            shown[key] = show(attempt.ask)
        return shown

    begin: Function = as_asked if meaning is None else as_meant
    begin.__annotations__["ask"] = ask_of(way)
    begin.__doc__ = way.summary
    answers = {"action_attempt": ActionAttempt, **{key: shape for key, shape, _ in way.shows}}
    return describe(begin, way.path, answers, way.methods, is_public=False)


def _written() -> Iterable[Endpoint]:
    for module in pkgutil.walk_packages(routes.__path__, f"{routes.__name__}."):
        names: Mapping[str, Any] = vars(importlib.import_module(module.name))
        yield from (each for each in names.values() if isinstance(each, Endpoint))
