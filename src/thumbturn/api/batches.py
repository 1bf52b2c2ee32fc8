"""Commands that are asked for together: read one by one, each as its own endpoint would."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationError

from thumbturn.actions import ways
from thumbturn.api.access import open_to
from thumbturn.api.callers import Caller
from thumbturn.api.commands import ask_of, timing_of
from thumbturn.api.parameters import Parameters
from thumbturn.api.refusals import InvalidInput, NotFound
from thumbturn.api.surroundings import ErrorWording
from thumbturn.api.validation import refusal_of
from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import Clock
from thumbturn.domain.errors import Refusal
from thumbturn.domain.idempotency import KeepAll
from thumbturn.domain.refusals import BatchRefused
from thumbturn.engine.acceptance import Command
from thumbturn.engine.engine import Engine

#: Commands in one call.
MOST_COMMANDS = 500
_NO_ATTEMPT = "No attempt begins at this path"


class OneCommand(Parameters):
    """One command of a batch."""

    path: str
    """The endpoint that it would be asked for at by itself, such as /locks/unlock_door."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """What that endpoint takes."""


class BatchBegin(Parameters):
    """Commands that shall be accepted together."""

    commands: Annotated[list[OneCommand], Field(min_length=1, max_length=MOST_COMMANDS)]
    """The commands, in order: those to one device are sent one after the other."""


async def begin_batch(
    ask: BatchBegin,
    caller: Caller,
    asker: Asker,
    engine: Engine,
    clock: Clock,
    wording: ErrorWording,
    *,
    keep: KeepAll | None = None,
) -> list[Attempt]:
    """The accepted attempts, in order.

    Raises ``TooManyOpenAttempts``, and ``BatchRefused`` with which command cannot be accepted, and why.
    """
    commands = []
    for index, command in enumerate(ask.commands):
        try:
            if caller.key.kind not in open_to(command.path):
                raise NotFound(_NO_ATTEMPT)
            commands.append(await _command(command, caller, engine, clock, wording))
        except Refusal as refusal:
            raise _refused(index, refusal) from None
    try:
        return await engine.begin_all(commands, caller.workspace, asker, keep=keep, reach=caller.reach)
    except BatchRefused as refused:
        raise _refused(refused.index, refused.because) from None


async def _command(
    command: OneCommand, caller: Caller, engine: Engine, clock: Clock, wording: ErrorWording
) -> Command:
    way = ways().get(command.path)
    action = None if way is None else engine.actions.get(way.type)
    if way is None or action is None:
        raise NotFound(_NO_ATTEMPT)
    try:
        ask = ask_of(way).__pydantic_validator__.validate_python(command.parameters, strict=True)
    except ValidationError as problems:
        raise refusal_of(problems, command.parameters, wording) from None
    meant = (
        ask
        if way.meaning is None
        else await way.meaning(ask, engine.known(caller.workspace.id, caller.reach))
    )
    return Command(action, meant, timing_of(ask, clock))


def _refused(index: int, refusal: Refusal) -> Refusal:
    """The refusal of the batch because of one of its commands."""
    error: dict[str, Any] = {"type": refusal.type, "message": refusal.message}
    if refusal.data is not None:
        error["data"] = refusal.data
    if isinstance(refusal, InvalidInput):
        error["validation_errors"] = refusal.validation_errors
    return BatchRefused(
        index, refusal, f"Command {index}: {refusal.message}", data={"index": index, "error": error}
    )
